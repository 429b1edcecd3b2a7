//! Named SQL expressions in configs and presets, with the location of their text, so that an error inside the SQL can
//! point into the file. The SQL is not parsed here.

mod walk;

use walk::{LineColumn, Mark, marks};

/// A named SQL expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expression {
    /// Its name: the name of a derived column or of a rule.
    pub name: String,
    /// The SQL.
    pub sql: String,
    /// The location of the SQL.
    pub location: SourceLocation,
}

/// The location of an expression: a file, the beginning of the value in the file, and the position of each part of the SQL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file as the user named it, or another source of the SQL.
    pub source: String,
    /// Line and column of the beginning of the value, if it is in a file.
    begin: Option<LineColumn>,
    /// Empty if the SQL cannot be found in the file.
    marks: Vec<Mark>,
}

impl SourceLocation {
    /// A location without lines and columns.
    #[must_use]
    pub fn named(source: &str) -> SourceLocation {
        SourceLocation { source: source.to_owned(), ..SourceLocation::default() }
    }

    /// The location of the expression `sql`, whose value begins at the line and column `at` (from 1) of the file
    /// `source` with the content `text`. The value may be plain, quoted, folded or a block.
    #[must_use]
    pub fn in_file(source: &str, text: &str, at: (u64, u64), sql: &str) -> SourceLocation {
        SourceLocation { source: source.to_owned(), begin: Some(at), marks: marks(text, at, sql).unwrap_or_default() }
    }

    /// `file:line:column` of the character at `line` and `column` (from 1) of the SQL. If that position is unknown, it
    /// is the beginning of the value; if that is unknown too, only the file.
    #[must_use]
    pub fn locate(&self, line: u64, column: u64) -> String {
        let before = self.marks.iter().rfind(|mark| mark.in_text.0 == line && mark.in_text.1 <= column);
        match (before, self.begin) {
            (Some(mark), _) => {
                format!("{}:{}:{}", self.source, mark.in_file.0, mark.in_file.1 + (column - mark.in_text.1))
            }
            (None, Some((line, column))) => format!("{}:{line}:{column}", self.source),
            (None, None) => self.source.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// The location found for the word `here` in the last filter of a config, and its actual location.
    fn found_and_actual(filters: &str) -> (String, String) {
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
        (predicate.location.locate(line, column), format!("mine.yml:{file_line}:{file_column}"))
    }

    #[test]
    fn an_error_in_sql_points_into_the_file_for_every_yaml_style() {
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
            let (found, actual) = found_and_actual(filters);
            assert_eq!(found, actual, "{filters}");
        }
    }

    #[test]
    fn a_column_with_the_name_of_its_expression_is_located_in_the_sql() {
        let text = "product: ATL08\nderived:\n  snrr: snrr\n";
        let derived = Config::parse("mine.yml", text).unwrap().derived.unwrap();
        assert_eq!(derived[0].location.locate(1, 1), "mine.yml:3:9");
    }

    #[test]
    fn an_unknown_position_points_to_the_beginning_of_the_value() {
        let text = "product: ATL08\nfilters:\n  - tall: \"\\x68_canopy > here\"\n";
        let rules = Config::parse("mine.yml", text).unwrap().filters.unwrap();
        assert_eq!(rules[0].predicate.sql, "h_canopy > here");
        assert_eq!(rules[0].predicate.location.locate(1, 12), "mine.yml:3:11");
        assert_eq!(SourceLocation::named("filter strong").locate(3, 4), "filter strong");
    }
}
