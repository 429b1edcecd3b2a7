//! The sources of a statement: the views that `ViewOptions` restrict, or the unrestricted tables.

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use crate::error::Result;
use crate::pieces::PiecesTable;
use crate::unique::UniqueTable;
use crate::views::database_schema::tables_of;
use crate::views::ledger_table::LedgerTable;
use tiledb_datafusion::TileDbTable;

/// The kinds of sources that a statement reads from a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatementSources {
    /// Whether any part of it reads `atl08`, `atl08_unique`, `atl08_20m` or a view over these.
    pub reads_views: bool,
    /// Whether any part of it reads the database at all: a view or a table.
    pub reads_tables: bool,
}

/// Returns what `plan`, a logical plan before optimization, reads from the database that is registered in `context`. Includes
/// subqueries and views that the user created.
///
/// # Errors
/// When a subquery of `plan` cannot be visited.
pub fn statement_sources(context: &SessionContext, plan: &LogicalPlan) -> Result<StatementSources> {
    let tables = tables_of(context);
    let mut found = StatementSources::default();
    plan.apply_with_subqueries(|part| {
        // Compares plans and not names, because a common table expression may be called atl08.
        let is_view = tables.as_ref().is_some_and(|tables| tables.is_atl08(part));
        found.reads_views |= is_view || scans::<UniqueTable>(part) || scans::<PiecesTable>(part);
        found.reads_tables |= found.reads_views || scans::<TileDbTable>(part) || scans::<LedgerTable>(part);
        Ok(if found.reads_views && found.reads_tables { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// Whether `part` is the scan of a table of type `T`.
fn scans<T: TableProvider>(part: &LogicalPlan) -> bool {
    let LogicalPlan::TableScan(scan) = part else { return false };
    source_as_provider(&scan.source).is_ok_and(|table| table.downcast_ref::<T>().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Granule, Segment, database};
    use crate::views::options::ViewOptions;

    #[tokio::test(flavor = "multi_thread")]
    async fn views_are_found_anywhere_in_a_statement_and_under_any_name() {
        let row = Segment { latitude: 1.0, longitude: 1.0, time: 0, ingest_id: 0, beam: "gt1l", segment_id_beg: None };
        let granule = Granule { rgt: Some(1), cycle: Some(1), region: Some(1) };
        let period = isdb_schema::period::Period { start: Some(0), end: None };
        let options = ViewOptions { period, ..ViewOptions::default() };
        let (_arrays, context) = database(&[row], &[granule], &options).await;
        for view in [
            "CREATE VIEW over_view AS SELECT * FROM atl08 WHERE beam = 'gt1l'",
            "CREATE VIEW over_unique AS SELECT * FROM atl08_unique",
            "CREATE VIEW over_table AS SELECT * FROM segments",
        ] {
            context.sql(view).await.unwrap();
        }
        let (view, table, nothing) = ((true, true), (false, true), (false, false));
        for (sql, expected) in [
            ("SELECT * FROM atl08", view),
            ("SELECT count(*) FROM public.atl08 AS a", view),
            ("SELECT count(*) FROM atl08_unique AS a", view),
            ("SELECT (SELECT count(*) FROM atl08) AS a", view),
            ("SELECT 1 WHERE EXISTS (SELECT 1 FROM atl08)", view),
            ("SELECT id FROM segments WHERE id IN (SELECT id FROM atl08_unique)", view),
            ("SELECT id FROM segments WHERE id > (SELECT avg(id) FROM (SELECT * FROM atl08) LIMIT 1)", view),
            ("WITH mine AS (SELECT * FROM atl08) SELECT * FROM mine", view),
            ("WITH atl08 AS (SELECT * FROM atl08) SELECT * FROM atl08", view),
            ("SELECT * FROM segments UNION ALL SELECT s.* FROM segments s JOIN atl08 USING (id)", view),
            ("SELECT * FROM over_view", view),
            ("SELECT * FROM over_unique", view),
            ("EXPLAIN SELECT * FROM atl08", view),
            ("CREATE VIEW v AS SELECT * FROM atl08", view),
            ("SELECT * FROM segments", table),
            ("SELECT * FROM over_table", table),
            ("SELECT * FROM granules_current", table),
            ("WITH atl08 AS (SELECT * FROM segments) SELECT * FROM atl08", table),
            ("SELECT 1", nothing),
            ("DESCRIBE atl08", nothing),
            ("SHOW TABLES", nothing),
        ] {
            let plan = context.state().create_logical_plan(sql).await.unwrap();
            let found = statement_sources(&context, &plan).unwrap();
            assert_eq!((found.reads_views, found.reads_tables), expected, "{sql}");
        }
    }
}
