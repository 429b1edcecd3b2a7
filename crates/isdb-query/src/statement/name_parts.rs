//! Refuses names with too many parts. The parser (sqlparser 0.62) takes twice as long for each further part of a name that ends in
//! a dot: `a.a.….` took 0.5 s with 17 parts, 18 s with 23 and 84 s with 25. So the parts are counted before parsing.

use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::{Error, Result};

/// Maximum number of parts. Catalog, schema, table, column and a field of the column make five.
const MAX_PARTS: usize = 8;

/// Checks that no name in `sql` has more than eight parts.
///
/// # Errors
/// [`Error::Statement`]. SQL that cannot be split into tokens is left to the parser.
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
        if parts > MAX_PARTS {
            let problem = format!("expected a name of at most {MAX_PARTS} parts with dots between them, found more");
            return Err(Error::statement(problem, "a column is written table.column, or column alone"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_many_parts_is_refused_before_parsing() {
        let long = |parts: usize| format!("SELECT 1 FROM atl08 WHERE ({})", "tiny . ".repeat(parts));
        assert!(check(&long(MAX_PARTS)).is_ok());
        for parts in [MAX_PARTS + 1, 30, 10_000] {
            assert!(matches!(check(&long(parts)), Err(Error::Statement { .. })), "{parts}");
        }
    }

    #[test]
    fn dots_in_numbers_texts_and_many_short_names_are_not_counted() {
        let many = vec!["a.b.c.d"; 50].join(" + ");
        for sql in
            [many.as_str(), "1.5 + .5 + 2. + 3.25", "'a.b.c.d.e.f.g.h.i.j.k'", "SELECT * FROM 'x.y.csv'", "'open"]
        {
            assert!(check(sql).is_ok(), "{sql}");
        }
    }
}
