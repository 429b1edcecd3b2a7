//! Names of the columns of a result: what the statement says. The engine calls `avg(canopy_h)` `avg(atl08.canopy_h)`, and
//! `canopy_h_metrics[18]` `atl08.canopy_h_metrics[Int64(18)]`.

use std::collections::BTreeSet;

use arrow::datatypes::FieldRef;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Query, SelectItem, SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

/// Names the columns of `plan`, the plan of the statement `sql`, as that does.
pub(super) fn with_names(sql: &str, statement: &Statement, plan: LogicalPlan) -> Result<LogicalPlan> {
    let Some(selected) = query(statement).and_then(has_names) else { return Ok(plan) };
    let fields = plan.schema().fields();
    if fields.len() != selected.len() || selected.iter().all(|has_name| *has_name) {
        return Ok(plan);
    }
    let texts = texts(sql).filter(|texts| texts.len() == selected.len());
    let Some(texts) = texts else { return Ok(plan) };
    let name =
        |((has_name, text), field): ((bool, String), &FieldRef)| if has_name { field.name().clone() } else { text };
    let names: Vec<String> = selected.into_iter().zip(texts).zip(fields).map(name).collect();
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return Ok(plan);
    }
    let named = |(column, name): (Column, String)| match column.name == name {
        true => Expr::Column(column),
        false => Expr::Column(column).alias(name),
    };
    let columns: Vec<Expr> = plan.schema().columns().into_iter().zip(names).map(named).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

fn query(statement: &Statement) -> Option<&Query> {
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(query) => Some(query),
            _ => None,
        },
        _ => None,
    }
}

/// Whether each selected expression has a name, as a column or by AS; `None` if the selection has a wildcard.
fn has_names(query: &Query) -> Option<Vec<bool>> {
    let mut body = query.body.as_ref();
    loop {
        match body {
            SetExpr::Select(select) => {
                let has_name = |item: &SelectItem| match item {
                    SelectItem::UnnamedExpr(SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_))
                    | SelectItem::ExprWithAlias { .. } => Some(true),
                    SelectItem::UnnamedExpr(_) => Some(false),
                    _ => None,
                };
                return select.projection.iter().map(has_name).collect();
            }
            SetExpr::SetOperation { left, .. } => body = left,
            _ => return None,
        }
    }
}

/// Returns the text of each expression that the first SELECT outside of parentheses selects: what is between its commas.
fn texts(sql: &str) -> Option<Vec<String>> {
    let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize().ok()?;
    let (mut depth, mut texts) = (0_usize, None::<Vec<String>>);
    for token in tokens {
        match &token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            _ => {}
        }
        let keyword = match &token {
            Token::Word(word) if depth == 0 => word.keyword,
            _ => Keyword::NoKeyword,
        };
        match (&mut texts, &token, keyword) {
            (None, _, Keyword::SELECT) => texts = Some(vec![String::new()]),
            (None, _, _) => {}
            // The selection ends at the first of these.
            (
                Some(_),
                _,
                Keyword::FROM
                | Keyword::WHERE
                | Keyword::GROUP
                | Keyword::HAVING
                | Keyword::ORDER
                | Keyword::LIMIT
                | Keyword::OFFSET
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT,
            )
            | (Some(_), Token::SemiColon, _) => break,
            (Some(texts), Token::Comma, _) if depth == 0 => texts.push(String::new()),
            (Some(texts), Token::Whitespace(_), _) => {
                let text = texts.last_mut()?;
                if !text.is_empty() && !text.ends_with(' ') {
                    text.push(' ');
                }
            }
            (Some(texts), _, Keyword::DISTINCT | Keyword::ALL) if texts.len() == 1 && texts[0].is_empty() => {}
            (Some(texts), token, _) => texts.last_mut()?.push_str(&token.to_string()),
        }
    }
    Some(texts?.into_iter().map(|text| text.trim_end().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use crate::statement::read_only::ReadOnly;
    use crate::testing::session;

    #[tokio::test]
    async fn columns_have_the_text_of_the_statement_as_their_names() {
        let context = session(1);
        context.sql("CREATE VIEW atl08 AS SELECT 1 AS canopy_h, make_array(1, 2) AS profile").await.unwrap();
        for (sql, expected) in [
            (
                "SELECT avg(canopy_h), profile[1], canopy_h, canopy_h + 1 AS x FROM atl08 GROUP BY 2, 3",
                "avg(canopy_h)|profile[1]|canopy_h|x",
            ),
            ("SELECT count(*) FROM atl08 UNION ALL SELECT 2", "count(*)"),
            ("SELECT floor(canopy_h) FROM atl08 ORDER BY floor(canopy_h) LIMIT 1", "floor(canopy_h)"),
            (
                "WITH c AS (SELECT max(canopy_h), 1 AS x FROM atl08) SELECT  min( x ),\n  x -- it\n FROM c GROUP BY x",
                "min( x )|x",
            ),
            (
                "SELECT CASE WHEN canopy_h IN (1, 2) THEN 'a,b' END, canopy_h::int FROM atl08",
                "CASE WHEN canopy_h IN (1, 2) THEN 'a,b' END|canopy_h::int",
            ),
            (
                "SELECT extract(year FROM TIMESTAMP '2020-01-01') FROM atl08",
                "extract(year FROM TIMESTAMP '2020-01-01')",
            ),
            ("SELECT DISTINCT canopy_h * 2 FROM atl08 ORDER BY 1", "canopy_h * 2"),
            ("SELECT *, 1 + 1 FROM atl08", "canopy_h|profile|Int64(1) + Int64(1)"),
        ] {
            let plan = ReadOnly::new(&context).plan(&context, sql).await.unwrap();
            let names: Vec<_> = plan.schema().fields().iter().map(|field| field.name().as_str()).collect();
            assert_eq!(names.join("|"), expected, "{sql}");
            context.execute_logical_plan(plan).await.unwrap().collect().await.unwrap();
        }
    }
}
