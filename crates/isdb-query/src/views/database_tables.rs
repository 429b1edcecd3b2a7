//! The tables and views of one snapshot. Each is created when a statement first names it, so that a statement opens no array and
//! reads no ledger that it does not need.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider, TableProvider,
};
use datafusion::common::Result as DataFusionResult;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableType};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercion;
use datafusion::prelude::SessionContext;
use futures::future::BoxFuture;
use tiledb_datafusion::TileDbTable;
use tokio::sync::OnceCell;

use crate::error::Result;
use crate::pieces::PiecesTable;
use crate::unique::UniqueTable;
use crate::views::ledger_table::LedgerTable;
use crate::views::options::ViewOptions;
use crate::views::quality_filters::apply_filters;
use crate::views::restriction::restrict;
use crate::views::stored_columns::select_stored_columns;

/// All segments with the columns of their granules.
const ATL08_SQL: &str = include_str!("../../sql/views/atl08.sql");
/// `atl08` with each physical segment once.
const ATL08_UNIQUE_SQL: &str = include_str!("../../sql/views/atl08_unique.sql");
/// The current attempts of the ledger.
const GRANULES_CURRENT_SQL: &str = include_str!("../../sql/views/granules_current.sql");

const ATL08: &str = "atl08";
const ATL08_20M: &str = "atl08_20m";
const ATL08_UNIQUE: &str = "atl08_unique";
const GRANULES: &str = "granules";
const GRANULES_CURRENT: &str = "granules_current";
const SEGMENTS: &str = "segments";

/// Opens the table of segments.
pub(crate) type OpenSegments = Box<dyn Fn() -> BoxFuture<'static, Result<Arc<TileDbTable>>> + Send + Sync>;

/// The tables and views of one snapshot of a database, as a schema of DataFusion.
///
/// A table or view is created at its first use; an error of that, such as a filter that does not fit the database, is an error of
/// the statement that uses it.
pub struct DatabaseTables {
    /// Plans the views. It has no catalog of its own, because the catalog of a session holds this schema.
    planner: SessionState,
    options: ViewOptions,
    open_segments: OpenSegments,
    granules: Arc<LedgerTable>,
    segments: OnceCell<Arc<TileDbTable>>,
    granules_current: OnceCell<Arc<dyn TableProvider>>,
    atl08: OnceCell<Atl08>,
    atl08_20m: OnceCell<Arc<PiecesTable>>,
    atl08_unique: OnceCell<Arc<UniqueTable>>,
}

/// The view `atl08`.
struct Atl08 {
    view: Arc<dyn TableProvider>,
    /// Filters that some granules cannot meet.
    warnings: Vec<String>,
}

impl DatabaseTables {
    /// The names of the tables and views, in alphabetical order.
    pub const NAMES: [&str; 6] = [ATL08, ATL08_20M, ATL08_UNIQUE, GRANULES, GRANULES_CURRENT, SEGMENTS];

    /// Creates the tables for `context`, whose dialect and functions the views use.
    pub(crate) fn new(
        context: &SessionContext,
        options: ViewOptions,
        open_segments: OpenSegments,
        granules: Arc<LedgerTable>,
    ) -> Self {
        let mut planner = context.state();
        // The catalog of the session holds these tables: a planner that kept it would keep the session alive for ever, and its
        // temporary files.
        planner.register_catalog_list(Arc::new(MemoryCatalogProviderList::new()));
        Self {
            planner,
            options,
            open_segments,
            granules,
            segments: OnceCell::new(),
            granules_current: OnceCell::new(),
            atl08: OnceCell::new(),
            atl08_20m: OnceCell::new(),
            atl08_unique: OnceCell::new(),
        }
    }

    /// Returns warnings about the options of the views: filters that need a variable which some of the granules do not have.
    /// Creates the view `atl08`, and reads the ledger if the options have filters.
    ///
    /// # Errors
    /// [`Error::Expression`](crate::Error::Expression), [`Error::Release`](crate::Error::Release) and
    /// [`Error::MissingVariable`](crate::Error::MissingVariable) when a filter cannot be applied to the database, and errors of
    /// opening the segments and of reading the ledger.
    pub async fn warnings(&self) -> Result<Vec<String>> {
        Ok(self.atl08().await?.warnings.clone())
    }

    /// Whether `plan` is the plan of the view `atl08`, which a statement that uses the view contains.
    pub(crate) fn is_atl08(&self, plan: &LogicalPlan) -> bool {
        // A statement that uses the view has created it.
        let view = self.atl08.get().and_then(|atl08| atl08.view.get_logical_plan());
        view.is_some_and(|view| view.as_ref() == plan)
    }

    async fn segments(&self) -> Result<&Arc<TileDbTable>> {
        self.segments.get_or_try_init(|| (self.open_segments)()).await
    }

    fn ledger(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.granules) as _
    }

    async fn granules_current(&self) -> Result<&Arc<dyn TableProvider>> {
        let create = async || {
            let context = self.context([(GRANULES, self.ledger())])?;
            Ok(coerce_types(context.sql(GRANULES_CURRENT_SQL).await?)?.into_view())
        };
        self.granules_current.get_or_try_init(create).await
    }

    async fn atl08(&self) -> Result<&Atl08> {
        let create = async || {
            let segments = Arc::clone(self.segments().await?);
            let columns = [("s", segments.schema()), ("g", self.granules.schema())];
            let sql = select_stored_columns(ATL08_SQL, &columns)?;
            let context = self.context([
                (SEGMENTS, segments as Arc<dyn TableProvider>),
                (GRANULES, self.ledger()),
                (GRANULES_CURRENT, Arc::clone(self.granules_current().await?)),
            ])?;
            let all = context.sql(&sql).await?;
            let restricted = restrict(all, self.options.region.as_ref(), &self.options.period)?;
            let (rows, warnings) = apply_filters(&context, restricted, &self.options.filters).await?;
            Ok(Atl08 { view: coerce_types(rows)?.into_view(), warnings })
        };
        self.atl08.get_or_try_init(create).await
    }

    async fn atl08_unique(&self) -> Result<&Arc<UniqueTable>> {
        let create = async || {
            let tables = [(ATL08, Arc::clone(&self.atl08().await?.view)), (GRANULES, self.ledger())];
            let plan = coerce_types(self.context(tables)?.sql(ATL08_UNIQUE_SQL).await?)?.into_unoptimized_plan();
            let segments = Arc::clone(self.segments().await?);
            Ok(Arc::new(UniqueTable::new(plan, segments, self.granules.schema())))
        };
        self.atl08_unique.get_or_try_init(create).await
    }

    async fn atl08_20m(&self) -> Result<&Arc<PiecesTable>> {
        let create = async || Ok(Arc::new(PiecesTable::new(Arc::clone(self.atl08_unique().await?))?));
        self.atl08_20m.get_or_try_init(create).await
    }

    /// Returns a session with these tables alone.
    fn context<const N: usize>(&self, tables: [(&str, Arc<dyn TableProvider>); N]) -> Result<SessionContext> {
        let names = &self.planner.config().options().catalog;
        let schema = MemorySchemaProvider::new();
        for (name, table) in tables {
            schema.register_table(name.to_owned(), table)?;
        }
        let (catalog, catalogs) = (MemoryCatalogProvider::new(), MemoryCatalogProviderList::new());
        catalog.register_schema(&names.default_schema, Arc::new(schema))?;
        catalogs.register_catalog(names.default_catalog.clone(), Arc::new(catalog));
        let mut state = self.planner.clone();
        state.register_catalog_list(Arc::new(catalogs));
        Ok(SessionContext::new_with_state(state))
    }
}

impl std::fmt::Debug for DatabaseTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseTables").field("options", &self.options).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for DatabaseTables {
    fn table_names(&self) -> Vec<String> {
        Self::NAMES.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> DataFusionResult<Option<Arc<dyn TableProvider>>> {
        let table: Arc<dyn TableProvider> = match name {
            ATL08 => Arc::clone(&self.atl08().await?.view),
            ATL08_20M => Arc::clone(self.atl08_20m().await?) as _,
            ATL08_UNIQUE => Arc::clone(self.atl08_unique().await?) as _,
            GRANULES => self.ledger(),
            GRANULES_CURRENT => Arc::clone(self.granules_current().await?),
            SEGMENTS => Arc::clone(self.segments().await?) as _,
            _ => return Ok(None),
        };
        Ok(Some(table))
    }

    async fn table_type(&self, name: &str) -> DataFusionResult<Option<TableType>> {
        Ok(match name {
            ATL08 | ATL08_20M | ATL08_UNIQUE | GRANULES_CURRENT => Some(TableType::View),
            GRANULES | SEGMENTS => Some(TableType::Base),
            _ => None,
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        Self::NAMES.contains(&name)
    }
}

/// Coerces the types in the plan of `rows`. `CREATE VIEW` coerces the plans that it contains, and a view is recognised in them only
/// by an equal plan.
pub(crate) fn coerce_types(rows: DataFrame) -> Result<DataFrame> {
    let (state, plan) = rows.into_parts();
    let plan = TypeCoercion::new().analyze(plan, state.config_options())?;
    Ok(DataFrame::new(state, plan))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use datafusion::arrow::array::AsArray;
    use futures::FutureExt;

    use super::*;
    use crate::error::Error;
    use crate::testing::{Granule, Segment, database, session};
    use crate::views::database_schema::{add_tables, tables_of};

    /// Returns a session whose segments cannot be opened, and the number of attempts to open them.
    fn context_without_segments() -> (SessionContext, Arc<AtomicUsize>) {
        let (context, opened) = (session(1), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&opened);
        let open = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err(Error::FilesClosed { name: "segments".to_owned() })).boxed()
        };
        let ledger = Arc::new(LedgerTable::new(Vec::new()));
        let tables = DatabaseTables::new(&context, ViewOptions::default(), Box::new(open), ledger);
        add_tables(&context, Arc::new(tables)).unwrap();
        (context, opened)
    }

    async fn texts(context: &SessionContext, sql: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for batch in context.sql(sql).await.unwrap().collect().await.unwrap() {
            let column = datafusion::arrow::compute::cast(batch.column(0), &arrow::datatypes::DataType::Utf8).unwrap();
            texts.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        texts
    }

    #[tokio::test]
    async fn only_statements_that_use_segments_open_them() {
        let (context, opened) = context_without_segments();
        for sql in [
            "SELECT 1",
            "SHOW TABLES",
            "SELECT count(*) FROM granules",
            "SELECT count(*) FROM granules_current",
            "CREATE VIEW mine AS SELECT granule FROM granules",
            "DROP VIEW mine",
        ] {
            context.sql(sql).await.unwrap().collect().await.unwrap();
        }
        assert_eq!(opened.load(Ordering::Relaxed), 0);
        for (expected, table) in ["segments", "atl08", "atl08_unique", "atl08_20m"].into_iter().enumerate() {
            let error = context.sql(&format!("SELECT * FROM {table}")).await.map(|_| ()).unwrap_err();
            assert!(matches!(Error::from(error), Error::FilesClosed { .. }), "{table}");
            assert_eq!(opened.load(Ordering::Relaxed), expected + 1, "an error is not remembered");
        }
    }

    #[tokio::test]
    async fn tables_are_listed_in_alphabetical_order_with_those_of_the_session() {
        let (context, _) = context_without_segments();
        context.sql("CREATE VIEW beams AS SELECT 1 AS beam").await.unwrap();
        let listed = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'";
        let expected = ["atl08", "atl08_20m", "atl08_unique", "beams", "granules", "granules_current", "segments"];
        assert_eq!(texts(&context, listed).await, expected);
        let views = format!("{listed} AND table_type = 'VIEW'");
        assert_eq!(texts(&context, &views).await, ["atl08", "atl08_20m", "atl08_unique", "beams", "granules_current"]);
        assert!(context.register_table("atl08", context.table_provider("beams").await.unwrap()).is_err());
        assert!(context.deregister_table("segments").is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_view_outlives_its_session_and_is_created_once() {
        let row = Segment { latitude: 1.0, longitude: 1.0, time: 0, ingest_id: 0, beam: "gt1l", segment_id_beg: None };
        let granule = Granule { rgt: Some(1), cycle: Some(1), region: Some(1) };
        let (_files, context) = database(&[row], &[granule], &ViewOptions::default()).await;
        let tables = tables_of(&context).unwrap();
        drop(context);
        let other = session(1);
        other.register_table("theirs", tables.table("atl08_unique").await.unwrap().unwrap()).unwrap();
        assert_eq!(texts(&other, "SELECT granule FROM theirs").await, ["g0"]);
        let (first, second) = (tables.table("atl08").await.unwrap(), tables.table("atl08").await.unwrap());
        assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    }
}
