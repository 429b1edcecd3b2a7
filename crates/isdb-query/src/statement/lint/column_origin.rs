//! Finds the stored column behind a column of a plan.

use arrow::datatypes::DataType;
use datafusion::catalog::TableProvider as _;
use datafusion::common::Column;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Distinct, Expr, LogicalPlan, TableScan};

use crate::pieces::PiecesTable;
use crate::unique::UniqueTable;
use crate::views::ledger_table::LedgerTable;
use tiledb_datafusion::TileDbTable;

/// A stored column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ColumnOrigin {
    /// Name in the array or the ledger: the product's name, not the plain one.
    pub(crate) column: String,
    /// Its type.
    pub(crate) data_type: DataType,
    /// Whether it is a column of the ledger.
    pub(crate) is_in_ledger: bool,
}

/// Returns the stored column behind `column` in the output of `plan`; None for computed columns and for tables outside a database.
pub(super) fn column_origin(plan: &LogicalPlan, column: &Column) -> Option<ColumnOrigin> {
    let index = plan.schema().maybe_index_of_column(column)?;
    output_origin(plan, index)
}

fn output_origin(plan: &LogicalPlan, index: usize) -> Option<ColumnOrigin> {
    match plan {
        LogicalPlan::TableScan(scan) => stored_column(scan, plan.schema().field(index).name()),
        LogicalPlan::Projection(node) => expression_origin(node.expr.get(index)?, &node.input),
        LogicalPlan::Aggregate(node) => expression_origin(node.group_expr.get(index)?, &node.input),
        // These nodes output the columns of their input in its order; windows append columns.
        LogicalPlan::SubqueryAlias(node) => output_origin(&node.input, index),
        LogicalPlan::Filter(node) => output_origin(&node.input, index),
        LogicalPlan::Sort(node) => output_origin(&node.input, index),
        LogicalPlan::Limit(node) => output_origin(&node.input, index),
        LogicalPlan::Repartition(node) => output_origin(&node.input, index),
        LogicalPlan::Distinct(Distinct::All(input)) => output_origin(input, index),
        LogicalPlan::Subquery(node) => output_origin(&node.subquery, index),
        // A column that is not a list stays as it is.
        LogicalPlan::Unnest(node) => {
            let input = *node.dependency_indices.get(index)?;
            let is_list = node.list_type_columns.iter().any(|(list, _)| *list == input);
            (!is_list).then(|| output_origin(&node.input, input))?
        }
        LogicalPlan::Window(node) => {
            (index < node.input.schema().fields().len()).then(|| output_origin(&node.input, index))?
        }
        LogicalPlan::Union(node) => {
            let mut origins = node.inputs.iter().map(|input| output_origin(input, index));
            let first = origins.next()??;
            origins.all(|other| other.as_ref() == Some(&first)).then_some(first)
        }
        LogicalPlan::Join(join) => {
            let (relation, field) = plan.schema().qualified_field(index);
            let column = Column::new(relation.cloned(), field.name());
            [&join.left, &join.right].into_iter().find_map(|side| column_origin(side, &column))
        }
        _ => None,
    }
}

/// Returns the stored column whose values `expr` returns unchanged.
fn expression_origin(expr: &Expr, input: &LogicalPlan) -> Option<ColumnOrigin> {
    match expr {
        Expr::Alias(alias) => expression_origin(&alias.expr, input),
        Expr::Column(column) => column_origin(input, column),
        _ => None,
    }
}

fn stored_column(scan: &TableScan, name: &str) -> Option<ColumnOrigin> {
    let provider = source_as_provider(&scan.source).ok()?;
    let provider = provider.as_ref() as &dyn std::any::Any;
    let view = provider.downcast_ref::<UniqueTable>().map(UniqueTable::plan);
    if let Some(view) = view.or_else(|| Some(provider.downcast_ref::<PiecesTable>()?.plan())) {
        return output_origin(view, view.schema().fields().iter().position(|field| field.name() == name)?);
    }
    let ledger = provider.downcast_ref::<LedgerTable>().map(LedgerTable::schema);
    let is_in_ledger = ledger.is_some();
    let schema = ledger.or_else(|| Some(provider.downcast_ref::<TileDbTable>()?.schema()))?;
    let data_type = schema.field_with_name(name).ok()?.data_type().clone();
    Some(ColumnOrigin { column: name.to_owned(), data_type, is_in_ledger })
}

/// Whether `plan` reads segments.
pub(super) fn reads_segments(plan: &LogicalPlan) -> bool {
    let is_segments = match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source).is_ok_and(|provider| {
            let provider = provider.as_ref() as &dyn std::any::Any;
            provider.is::<UniqueTable>() || provider.is::<PiecesTable>() || provider.is::<TileDbTable>()
        }),
        _ => false,
    };
    is_segments || plan.inputs().into_iter().any(reads_segments)
}
