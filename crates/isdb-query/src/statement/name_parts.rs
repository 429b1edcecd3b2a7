//! Names of too many parts. The engine's parser (sqlparser 0.62) takes twice as long for each further part of a name that ends in a
//! dot: `a.a.….` took 0.5 s with 17 parts, 18 s with 23 and 84 s with 25. So they are counted before it parses.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};

/// Catalog, schema, table, column and a field of it are five.
const MOST: usize = 8;

/// Checks that no name in `sql` has more than eight parts.
///
/// # Errors
/// [`Error::Statement`]. What cannot be divided into words is left to the parser.
pub(crate) fn check(sql: &str) -> Result<()> {
    let Ok(tokens) = Tokenizer::new(&GenericDialect {}, sql).tokenize() else { return Ok(()) };
    let (mut parts, mut is_open) = (0, false);
    for token in tokens {
        match token {
            Token::Whitespace(_) => continue,
            Token::Period => is_open = true,
            Token::Word(_) => {
                parts = if is_open { parts + 1 } else { 1 };
                is_open = false;
            }
            _ => (parts, is_open) = (0, false),
        }
        if parts > MOST {
            return Err(Error::Statement {
                problem: format!("expected a name of at most {MOST} parts with dots between them, found more"),
                hint: "a column is written table.column, or column alone".to_owned(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_many_parts_is_refused_before_the_parser_takes_minutes_for_it() {
        let long = |parts: usize| format!("SELECT 1 FROM atl08 WHERE ({})", "tiny . ".repeat(parts));
        assert!(check(&long(MOST)).is_ok());
        for parts in [MOST + 1, 30, 10_000] {
            assert!(matches!(check(&long(parts)), Err(Error::Statement { .. })), "{parts}");
        }
    }

    #[test]
    fn dots_in_numbers_texts_and_many_short_names_count_nothing() {
        let many = vec!["a.b.c.d"; 50].join(" + ");
        for sql in
            [many.as_str(), "1.5 + .5 + 2. + 3.25", "'a.b.c.d.e.f.g.h.i.j.k'", "SELECT * FROM 'x.y.csv'", "'open"]
        {
            assert!(check(sql).is_ok(), "{sql}");
        }
    }
}
