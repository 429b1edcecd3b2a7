//! Registers an array of another program in a session.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;
use isdb_schema::filters::Rule;
use tiledb::Array;
use tiledb_datafusion::TileDbTable;

use super::numbered::numbered_lists;
use super::table::CellsTable;
use super::view;
use super::vocabulary::{Package, has_nanoseconds};
use crate::error::{Error, Result};
use crate::expression::ExpressionBinder;
use crate::statement::sources::StatementSources;
use crate::views::database_tables::coerce_types;
use crate::views::options::ViewOptions;
use crate::views::restriction::restrict;

/// The table of what is stored.
const CELLS: &str = "cells";

/// The tables of an array.
#[derive(Debug)]
pub struct ArrayTables {
    view: Option<(&'static str, Arc<dyn TableProvider>)>,
}

/// An array with what its attributes mean, if a package is known to have made it.
struct Recognised {
    array: Array,
    package: Option<Package>,
    has_nanoseconds: bool,
}

/// Adds the table `cells` of `array` to the default schema of `context`, and if icesat2db or gedidb has made the array a view over it,
/// `atl08` or `gedi`, restricted by `options`.
///
/// # Errors
/// [`Error::Array`] when the array cannot be read, [`Error::Expression`] for a filter on a column that it does not have,
/// [`Error::NoView`] for options of a view that the array does not get.
pub async fn register_array(context: &SessionContext, array: Array, options: &ViewOptions) -> Result<ArrayTables> {
    let recognise = move || recognise(array);
    let stopped = |source| Error::Stopped { source };
    let Recognised { array, package, has_nanoseconds } =
        tokio::task::spawn_blocking(recognise).await.map_err(stopped)??;
    let (schema, lists) = (array.schema(), numbered_lists(&array.schema(), array.metadata()));
    let uri = array.uri().to_owned();
    let failed = |error: tiledb_datafusion::Error| datafusion::error::DataFusionError::from(error);
    let table = CellsTable::new(TileDbTable::new(array, None).map_err(failed)?, package.is_some());
    context.register_table(CELLS, Arc::new(table))?;
    let Some(package) = package else {
        let is_restricted = !options.filters.is_empty() || options.region.is_some() || !options.period.is_everything();
        return if is_restricted { Err(Error::NoView { uri }) } else { Ok(ArrayTables { view: None }) };
    };
    let columns = view::columns(package, &schema, &lists, has_nanoseconds)?;
    let rows = context.table(CELLS).await?.select(columns)?;
    let mut rows = restrict(rows, options.region.as_ref(), &options.period)?;
    let binder = ExpressionBinder::for_table(rows.schema().as_arrow())?;
    for Rule { predicate, .. } in &options.filters {
        rows = rows.filter(binder.bind_predicate(predicate)?.expr)?;
    }
    let view = coerce_types(rows)?.into_view();
    context.register_table(package.view(), Arc::clone(&view))?;
    Ok(ArrayTables { view: Some((package.view(), view)) })
}

/// Recognises the package that made an array, if the array is read by tile. Blocks.
fn recognise(array: Array) -> Result<Recognised> {
    let is_by_tile = array.tiles(&tiledb::Ranges::new()).is_ok_and(|tiles| tiles.is_some());
    let Some(package) = Package::from_array(&array).filter(|_| is_by_tile) else {
        return Ok(Recognised { array, package: None, has_nanoseconds: false });
    };
    let has_nanoseconds = has_nanoseconds(&array)?;
    let failed = |source| Error::Array { uri: array.uri().to_owned(), source };
    let array = array.with_meanings(&package.meanings(&array, has_nanoseconds)).map_err(failed)?;
    Ok(Recognised { array, package: Some(package), has_nanoseconds })
}

impl ArrayTables {
    /// The name of the view that the options restrict, if the array has one.
    #[must_use]
    pub fn view(&self) -> Option<&'static str> {
        self.view.as_ref().map(|(name, _)| *name)
    }

    /// Returns what `plan`, a logical plan before optimization, reads of the array.
    ///
    /// # Errors
    /// When a subquery of `plan` cannot be visited.
    pub fn sources(&self, plan: &LogicalPlan) -> Result<StatementSources> {
        let view = self.view.as_ref().and_then(|(_, view)| view.get_logical_plan());
        let mut found = StatementSources::default();
        plan.apply_with_subqueries(|part| {
            found.reads_views |= view.as_ref().is_some_and(|view| view.as_ref() == part);
            found.reads_tables |= found.reads_views || is_cells(part);
            Ok(if found.reads_views { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(found)
    }
}

fn is_cells(part: &LogicalPlan) -> bool {
    let LogicalPlan::TableScan(scan) = part else { return false };
    source_as_provider(&scan.source).is_ok_and(|table| table.downcast_ref::<CellsTable>().is_some())
}
