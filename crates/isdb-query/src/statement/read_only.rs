//! Refuses statements that write, so that a program can run SQL that others wrote. Views are the exception: they last as long as
//! their session.

use std::collections::BTreeSet;

use datafusion::common::TableReference;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::{DdlStatement, LogicalPlan};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{ObjectType, Statement as SqlStatement};

use crate::error::{Error, Result};
use crate::session::default_schema::default_schema;
use crate::statement::column_names::with_names;
use crate::statement::element_names::replace_unknown;
use crate::statement::name_parts;

/// Plans the statements of a read-only session.
#[derive(Clone, Debug)]
pub struct ReadOnly {
    /// Tables and views that no statement may replace or drop.
    reserved: BTreeSet<String>,
}

impl ReadOnly {
    /// Reserves the names of all current tables and views of `context`.
    #[must_use]
    pub fn new(context: &SessionContext) -> Self {
        let schema = default_schema(context);
        Self { reserved: schema.map_or_else(BTreeSet::new, |schema| schema.table_names().into_iter().collect()) }
    }

    /// Plans `sql`, one statement: a query, `EXPLAIN`, `SHOW`, `DESCRIBE`, `CREATE VIEW` or `DROP VIEW`.
    ///
    /// # Errors
    /// [`Error::Statement`] for a name with too many parts, [`Error::ReadOnly`] for any other statement, [`Error::Reserved`] for a
    /// view with a reserved name, [`Error::Engine`] for SQL that cannot be parsed or planned.
    pub async fn plan(&self, context: &SessionContext, sql: &str) -> Result<LogicalPlan> {
        name_parts::check(sql)?;
        let state = context.state();
        let dialect = state.config().options().sql_parser.dialect;
        let mut statement = state.sql_to_statement(sql, &dialect)?;
        if let Some(kind) = writing_kind(&statement) {
            return Err(Error::ReadOnly { statement: kind });
        }
        let plan = loop {
            match state.statement_to_plan(statement.clone()).await {
                Ok(plan) => break plan,
                // Each turn replaces another name.
                Err(error) if replace_unknown(&mut statement, &error) => {}
                Err(error) => return Err(Error::from_planning(error)),
            }
        };
        match plan {
            LogicalPlan::Ddl(DdlStatement::CreateView(mut view)) => {
                self.check_name(context, &view.name)?;
                check_reads_only(&view.input)?;
                // Every view is temporary here, so TEMP is accepted and ignored.
                view.temporary = false;
                Ok(LogicalPlan::Ddl(DdlStatement::CreateView(view)))
            }
            LogicalPlan::Ddl(DdlStatement::DropView(view)) => {
                self.check_name(context, &view.name)?;
                Ok(LogicalPlan::Ddl(DdlStatement::DropView(view)))
            }
            plan => {
                check_reads_only(&plan)?;
                Ok(with_names(sql, &statement, plan)?)
            }
        }
    }

    fn check_name(&self, context: &SessionContext, name: &TableReference) -> Result<()> {
        let state = context.state();
        let defaults = &state.config().options().catalog;
        let own = name.clone().resolve(&defaults.default_catalog, &defaults.default_schema);
        let is_elsewhere =
            own.catalog.as_ref() != defaults.default_catalog || own.schema.as_ref() != defaults.default_schema;
        if is_elsewhere || self.reserved.contains(own.table.as_ref()) {
            return Err(Error::Reserved { name: name.to_string() });
        }
        Ok(())
    }
}

/// Whether `sql` creates or drops a view, and so returns no rows.
#[must_use]
pub fn is_view_statement(sql: &str) -> bool {
    if name_parts::check(sql).is_err() {
        return false;
    }
    let statements = DFParser::parse_sql(sql).unwrap_or_default();
    matches!(statements.front(), Some(Statement::Statement(statement)) if is_view(statement))
}

fn is_view(statement: &SqlStatement) -> bool {
    matches!(statement, SqlStatement::CreateView(_) | SqlStatement::Drop { object_type: ObjectType::View, .. })
}

/// Returns the kind of a statement that does more than read: `COPY`, `CREATE TABLE`.
fn writing_kind(statement: &Statement) -> Option<String> {
    match statement {
        Statement::Explain(explain) => match explain.statement.as_ref() {
            Statement::Statement(view) if is_view(view) => Some(kind(&view.to_string())),
            explained => writing_kind(explained),
        },
        Statement::Statement(statement) => writing_kind_of_sql(statement),
        other => Some(kind(&other.to_string())),
    }
}

fn writing_kind_of_sql(statement: &SqlStatement) -> Option<String> {
    match statement {
        SqlStatement::Query(_) | SqlStatement::ExplainTable { .. } => None,
        SqlStatement::Explain { statement, .. } if is_view(statement) => Some(kind(&statement.to_string())),
        SqlStatement::Explain { statement, .. } => writing_kind_of_sql(statement),
        statement if is_view(statement) => None,
        other => Some(kind(&other.to_string())).filter(|kind| kind != "SHOW"),
    }
}

/// Returns the first word of a statement, and the kind of object that it creates, drops or alters.
fn kind(statement: &str) -> String {
    const OBJECTS: [&str; 6] = ["TABLE", "VIEW", "SCHEMA", "DATABASE", "FUNCTION", "INDEX"];
    let mut words = statement.split_whitespace().map(str::to_uppercase);
    let first = words.next().unwrap_or_default();
    let object = match first.as_str() {
        "CREATE" | "DROP" | "ALTER" => words.take(4).find(|word| OBJECTS.contains(&word.as_str())),
        _ => None,
    };
    object.map_or_else(|| first.clone(), |object| format!("{first} {object}"))
}

/// Checks that no part of a query writes, such as `WITH … INSERT`.
fn check_reads_only(plan: &LogicalPlan) -> Result<()> {
    let mut found = None;
    plan.apply_with_subqueries(|part| {
        found = match part {
            LogicalPlan::Ddl(ddl) => Some(ddl.name().to_owned()),
            LogicalPlan::Dml(dml) => Some(dml.op.to_string()),
            LogicalPlan::Copy(_) => Some("COPY".to_owned()),
            LogicalPlan::Statement(statement) => Some(statement.name().to_owned()),
            _ => None,
        };
        Ok(if found.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    match found {
        Some(statement) => Err(Error::ReadOnly { statement }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::testing::session;

    async fn context() -> SessionContext {
        let context = session(1);
        context.sql("CREATE VIEW atl08 AS SELECT 1 AS canopy_h").await.unwrap();
        context.sql("CREATE TABLE segments AS SELECT 1 AS h").await.unwrap();
        context
    }

    async fn run(read_only: &ReadOnly, context: &SessionContext, sql: &str) -> Result<usize> {
        let plan = read_only.plan(context, sql).await?;
        let rows = context.execute_logical_plan(plan).await?.collect().await?;
        Ok(rows.iter().map(arrow::array::RecordBatch::num_rows).sum())
    }

    #[tokio::test]
    async fn a_statement_that_writes_defines_or_sets_is_refused_by_its_kind() {
        let context = context().await;
        let read_only = ReadOnly::new(&context);
        for (sql, kind) in [
            ("COPY (SELECT 1) TO 'out.csv' STORED AS CSV", "COPY"),
            ("EXPLAIN COPY (SELECT 1) TO 'out.csv'", "COPY"),
            ("EXPLAIN ANALYZE INSERT INTO segments VALUES (1)", "INSERT"),
            ("INSERT INTO segments VALUES (1)", "INSERT"),
            ("UPDATE segments SET h = 1", "UPDATE"),
            ("DELETE FROM segments", "DELETE"),
            ("TRUNCATE TABLE segments", "TRUNCATE"),
            ("CREATE TABLE t AS SELECT 1", "CREATE TABLE"),
            ("CREATE OR REPLACE TABLE segments AS SELECT 2 AS h", "CREATE TABLE"),
            ("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'", "CREATE TABLE"),
            ("CREATE SCHEMA s", "CREATE SCHEMA"),
            ("CREATE FUNCTION f(DOUBLE) RETURNS DOUBLE RETURN $1", "CREATE FUNCTION"),
            ("EXPLAIN CREATE VIEW v AS SELECT 1", "CREATE VIEW"),
            ("DROP TABLE segments", "DROP TABLE"),
            ("DROP SCHEMA public CASCADE", "DROP SCHEMA"),
            ("ALTER TABLE segments RENAME TO s", "ALTER TABLE"),
            ("SET datafusion.execution.batch_size = 1", "SET"),
            ("RESET datafusion.execution.batch_size", "RESET"),
            ("PREPARE p AS SELECT 1", "PREPARE"),
            ("BEGIN", "BEGIN"),
        ] {
            match run(&read_only, &context, sql).await {
                Err(Error::ReadOnly { statement }) => {
                    assert!(statement.to_uppercase().starts_with(kind), "{sql}: {statement}")
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
        assert!(
            run(&read_only, &context, "WITH x AS (SELECT 1 AS h) INSERT INTO segments SELECT h FROM x").await.is_err()
        );
        assert!(!std::path::Path::new("out.csv").exists());
        assert_eq!(run(&read_only, &context, "SELECT * FROM segments WHERE h = 1").await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_statement_that_reads_is_planned() {
        let context = context().await;
        let read_only = ReadOnly::new(&context);
        for sql in [
            "SELECT * FROM segments",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "VALUES (1)",
            "(SELECT 1) UNION ALL (SELECT 2)",
            "EXPLAIN SELECT 1",
            "EXPLAIN ANALYZE SELECT 1",
            "SHOW TABLES",
            "SHOW COLUMNS FROM segments",
            "SHOW ALL",
            "SHOW datafusion.execution.batch_size",
            "SHOW FUNCTIONS",
            "DESCRIBE segments",
        ] {
            assert!(run(&read_only, &context, sql).await.unwrap() > 0, "{sql}");
        }
    }

    #[tokio::test]
    async fn views_can_be_created_replaced_and_dropped_but_not_those_of_the_database() {
        let context = context().await;
        let read_only = ReadOnly::new(&context);
        for sql in [
            "CREATE VIEW tall AS SELECT * FROM segments",
            "CREATE OR REPLACE VIEW tall AS SELECT 1 AS a UNION ALL SELECT 2",
            "CREATE TEMP VIEW low AS SELECT * FROM tall",
        ] {
            run(&read_only, &context, sql).await.unwrap();
        }
        assert_eq!(run(&read_only, &context, "SELECT * FROM low").await.unwrap(), 2);
        run(&read_only, &context, "DROP VIEW tall").await.unwrap();
        assert!(run(&read_only, &context, "SELECT * FROM tall").await.is_err());
        for sql in [
            "CREATE OR REPLACE VIEW segments AS SELECT 2 AS h",
            "CREATE OR REPLACE VIEW ATL08 AS SELECT 2 AS h",
            "CREATE OR REPLACE VIEW public.atl08 AS SELECT 2 AS h",
            "CREATE OR REPLACE VIEW datafusion.public.atl08 AS SELECT 2 AS h",
            "CREATE VIEW information_schema.tables AS SELECT 1",
            "DROP VIEW atl08",
            "DROP VIEW IF EXISTS public.atl08",
        ] {
            let refused = run(&read_only, &context, sql).await;
            assert!(matches!(refused, Err(Error::Reserved { .. })), "{sql}: {refused:?}");
        }
        assert_eq!(
            run(&read_only, &context, "SELECT * FROM segments, atl08 WHERE h = 1 AND canopy_h = 1").await.unwrap(),
            1
        );
    }
}
