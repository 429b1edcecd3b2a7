//! Where a column of a plan comes from.

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider as _;
use datafusion::common::Column;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, TableScan};
use isdb_schema::segments::INGEST_ID;

use crate::views::unique::UniqueTable;
use tiledb_datafusion::TileDbTable;

/// A stored column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// Its name in the array: that of the product, not the plain one.
    pub(crate) column: String,
    /// Its type.
    pub(crate) kind: DataType,
    /// Whether it is a column of the ledger.
    pub(crate) is_of_ledger: bool,
}

/// The stored column behind `column` of the output of `plan`; none for what is computed, and for tables of other kinds.
pub(super) fn of(plan: &LogicalPlan, column: &Column) -> Option<Origin> {
    let index = plan.schema().maybe_index_of_column(column)?;
    at(plan, index)
}

fn at(plan: &LogicalPlan, index: usize) -> Option<Origin> {
    match plan {
        LogicalPlan::TableScan(scan) => stored(scan, plan.schema().field(index).name()),
        LogicalPlan::Projection(node) => behind(node.expr.get(index)?, &node.input),
        LogicalPlan::Aggregate(node) => behind(node.group_expr.get(index)?, &node.input),
        // These give the columns of their input in its order, windows with more behind them.
        LogicalPlan::SubqueryAlias(node) => at(&node.input, index),
        LogicalPlan::Filter(node) => at(&node.input, index),
        LogicalPlan::Sort(node) => at(&node.input, index),
        LogicalPlan::Limit(node) => at(&node.input, index),
        LogicalPlan::Repartition(node) => at(&node.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => at(input, index),
        LogicalPlan::Subquery(node) => at(&node.subquery, index),
        LogicalPlan::Window(node) => (index < node.input.schema().fields().len()).then(|| at(&node.input, index))?,
        LogicalPlan::Union(node) => {
            let mut origins = node.inputs.iter().map(|input| at(input, index));
            let first = origins.next()??;
            origins.all(|other| other.as_ref() == Some(&first)).then_some(first)
        }
        LogicalPlan::Join(join) => {
            let (relation, field) = plan.schema().qualified_field(index);
            let column = Column::new(relation.cloned(), field.name());
            [&join.left, &join.right].into_iter().find_map(|side| of(side, &column))
        }
        _ => None,
    }
}

/// The stored column that `expr` gives as it is.
fn behind(expr: &Expr, input: &LogicalPlan) -> Option<Origin> {
    match expr {
        Expr::Alias(alias) => behind(&alias.expr, input),
        Expr::Column(column) => of(input, column),
        _ => None,
    }
}

fn stored(scan: &TableScan, name: &str) -> Option<Origin> {
    let provider = source_as_provider(&scan.source).ok()?;
    let provider = provider.as_ref() as &dyn std::any::Any;
    if let Some(view) = provider.downcast_ref::<UniqueTable>() {
        let index = view.plan().schema().fields().iter().position(|field| field.name() == name)?;
        return at(view.plan(), index);
    }
    let table: &TileDbTable = provider.downcast_ref()?;
    let schema = table.schema();
    let kind = schema.field_with_name(name).ok()?.data_type().clone();
    Some(Origin { column: name.to_owned(), kind, is_of_ledger: is_ledger(table) })
}

/// Whether the rows of `plan` are segments, or come from them.
pub(super) fn reads_segments(plan: &LogicalPlan) -> bool {
    let is_segments = match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source).is_ok_and(|provider| {
            let provider = provider.as_ref() as &dyn std::any::Any;
            provider.is::<UniqueTable>() || provider.downcast_ref().is_some_and(|table| !is_ledger(table))
        }),
        _ => false,
    };
    is_segments || plan.inputs().into_iter().any(reads_segments)
}

/// The ledger tells where each granule came from; segments do not.
fn is_ledger(table: &TileDbTable) -> bool {
    let schema = table.schema();
    schema.index_of("source").is_ok() && schema.index_of("state").is_ok() && schema.index_of(INGEST_ID).is_ok()
}
