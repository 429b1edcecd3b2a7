//! SQL expressions that users write, in configs and presets: their name, their text, and where the text stands, so that an
//! error inside it can point there. They are parsed and bound to columns in `isdb-query`.

mod walk;

use walk::{At, Mark, marks};

/// A named SQL expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Its name: that of a derived column or of a rule.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// Where the SQL stands.
    pub place: Place,
}

/// Where an expression stands: a file, where its value begins there, and where each part of the SQL does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it, or what else holds the SQL.
    pub source: String,
    /// Line and column of the value's beginning, where there is a file.
    begin: Option<At>,
    /// Empty where the SQL stands otherwise in the file.
    marks: Vec<Mark>,
}

impl Place {
    /// A place without lines.
    #[must_use]
    pub fn of(source: &str) -> Place {
        Place { source: source.to_owned(), ..Place::default() }
    }

    /// The place of the expression `sql`, whose value begins at the line and column `at` (from 1) in the file `source` with
    /// the content `text`; the value may be plain, quoted, folded or a block.
    #[must_use]
    pub fn find(source: &str, text: &str, at: (u64, u64), sql: &str) -> Place {
        Place { source: source.to_owned(), begin: Some(at), marks: marks(text, at, sql).unwrap_or_default() }
    }

    /// `file:line:column` of the character at `line` and `column` (from 1) of the SQL; of the value's beginning where that is
    /// not known; the file alone where nothing is.
    #[must_use]
    pub fn locate(&self, line: u64, column: u64) -> String {
        let before = self.marks.iter().rfind(|mark| mark.text.0 == line && mark.text.1 <= column);
        match (before, self.begin) {
            (Some(mark), _) => format!("{}:{}:{}", self.source, mark.file.0, mark.file.1 + (column - mark.text.1)),
            (None, Some((line, column))) => format!("{}:{line}:{column}", self.source),
            (None, None) => self.source.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// Where the word `here` of the only filter of a config is told to stand, and where it does.
    fn told_and_true(filters: &str) -> (String, String) {
        let text = format!("product: ATL08\nfilters:\n{filters}");
        let rules = Config::parse("mine.yml", &text).unwrap().filters.unwrap();
        let predicate = &rules.last().unwrap().predicate;
        let find = |text: &str| {
            let (line, content) = text.lines().enumerate().find(|(_, line)| line.contains("here")).unwrap();
            let before = content.split("here").next().unwrap();
            (line as u64 + 1, before.chars().count() as u64 + 1)
        };
        let (line, column) = find(&predicate.sql);
        let (file_line, file_column) = find(&text);
        (predicate.place.locate(line, column), format!("mine.yml:{file_line}:{file_column}"))
    }

    #[test]
    fn an_error_in_sql_points_into_the_file_however_yaml_writes_it() {
        for filters in [
            "  - tall: h_canopy > here\n",
            "  - tall: >-\n      h_canopy > 5\n      AND here > 2\n",
            "  - tall: >\n      h_canopy > 5\n\n      AND here > 2\n",
            "  - tall: |\n      h_canopy > 5\n        AND here > 2\n",
            "  - tall: |2-  # why\n\n      h_canopy > 5\n      AND here > 2\n",
            "  - tall: |\r\n      h_canopy > 5\r\n      AND here > 2\r\n",
            "  - tall: \"h_canopy > 5\n      AND here > 2\"\n",
            "  - tall: \"beam = 'gt1l' AND \\\"snr\\\" > 1 \\\n      AND here > 2\"\n",
            "  - tall: \"h_canopy > 5\\n AND here > 2\"\n",
            "  - tall: h_canopy > 5\n      AND here > 2\n",
            "  - tall:\n      h_canopy > 5\n      AND here > 2\n",
            "  - tall: 'beam = ''gt1l'' AND here > 2'\n",
            "  - tall: 'beam = ''gt1l''\n\n      AND here > 2'\n",
            "  - {tall: beam <> 'ü' AND here > 2}\n",
            "  - {high: \"beam <> 'ü'\", tall: here > 2}\n",
            "  - tall: &low h_canopy < here\n",
            "  - high: &low h_canopy < here\n  - tall: *low\n",
        ] {
            let (told, true_place) = told_and_true(filters);
            assert_eq!(told, true_place, "{filters}");
        }
    }

    #[test]
    fn a_rule_of_a_column_s_name_points_to_the_column_and_not_to_the_rule() {
        let text = "product: ATL08\nderived:\n  snrr: snrr\n";
        let derived = Config::parse("mine.yml", text).unwrap().derived.unwrap();
        assert_eq!(derived[0].place.locate(1, 1), "mine.yml:3:9");
    }

    #[test]
    fn what_cannot_be_found_points_to_the_beginning_of_the_value() {
        let text = "product: ATL08\nfilters:\n  - tall: \"\\x68_canopy > here\"\n";
        let rules = Config::parse("mine.yml", text).unwrap().filters.unwrap();
        assert_eq!(rules[0].predicate.sql, "h_canopy > here");
        assert_eq!(rules[0].predicate.place.locate(1, 12), "mine.yml:3:11");
        assert_eq!(Place::of("filter strong").locate(3, 4), "filter strong");
    }
}
