//! SQL expressions that users write, in configs and presets: their name, their text, and where the text stands, so that an
//! error inside it can point there. They are parsed and bound to columns in `isdb-datafusion`.

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

/// Where an expression stands: a file and, for each line of the SQL, the line and column where it begins there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file as the user named it, or what else holds the SQL.
    pub source: String,
    /// Line and column in the file, from 1, of the beginning of each line of the SQL; shorter or empty where unknown.
    pub lines: Vec<(u64, u64)>,
}

impl Place {
    /// A place without lines.
    #[must_use]
    pub fn of(source: &str) -> Place {
        Place { source: source.to_owned(), lines: Vec::new() }
    }

    /// The place of an expression whose value begins at `at` in the file `source` with the content `text`. A folded or
    /// quoted value is found line by line as far as its lines stand in the file as they are.
    #[must_use]
    pub fn find(source: &str, text: &str, at: (u64, u64), sql: &str) -> Place {
        let first = usize::try_from(at.0).unwrap_or(usize::MAX).saturating_sub(1);
        let mut below = text.lines().enumerate().skip(first);
        let mut lines = Vec::new();
        for wanted in sql.lines() {
            let found = below.by_ref().find_map(|(line, content)| {
                let column = content.find(wanted)?;
                Some((line as u64 + 1, content.get(..column)?.chars().count() as u64 + 1))
            });
            match found {
                Some(found) => lines.push(found),
                None => break,
            }
        }
        if lines.is_empty() {
            lines.push(at);
        }
        Place { source: source.to_owned(), lines }
    }

    /// `file:line:column` of the character at `line` and `column` (from 1) of the SQL; as near to it as is known.
    #[must_use]
    pub fn locate(&self, line: u64, column: u64) -> String {
        let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        match (self.lines.get(index), self.lines.first()) {
            (Some((line, begin)), _) => format!("{}:{line}:{}", self.source, begin + column.saturating_sub(1)),
            (None, Some((line, begin))) => format!("{}:{line}:{begin}", self.source),
            (None, None) => self.source.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_a_block_of_sql_points_into_the_file() {
        let text = "filters:\n  - tall: >-\n      h_canopy > 5\n      AND sn > 2\n";
        let place = Place::find("mine.yml", text, (2, 11), "h_canopy > 5\nAND sn > 2");
        assert_eq!(place.locate(2, 5), "mine.yml:4:11");
        assert_eq!(place.locate(1, 1), "mine.yml:3:7");
    }

    #[test]
    fn an_error_in_a_value_on_its_key_s_line_points_into_the_file() {
        let place = Place::find("mine.yml", "filters:\n  - tall: h_canop > 5\n", (2, 11), "h_canop > 5");
        assert_eq!(place.locate(1, 9), "mine.yml:2:19");
    }

    #[test]
    fn what_cannot_be_found_points_to_the_beginning() {
        let place = Place::find("mine.yml", "filters:\n  - tall: \"a \\\n      b\"\n", (2, 11), "a b");
        assert_eq!(place.locate(1, 3), "mine.yml:2:13");
        assert_eq!(Place::of("filter strong").locate(3, 4), "filter strong");
    }
}
