//! The view `atl08_20m` as a table provider: a row for each 20 m piece of a segment, at its own position. Conditions on that position reach
//! the array as conditions on the segments, widened by the length of a segment.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::functions_nested::expr_fn::make_array;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, cast, col, ident, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use isdb_schema::catalogue::variable;

use crate::coordinate_ranges::{Margin, widened_ranges};
use crate::error::Error;
use crate::unique::UniqueTable;
use crate::view_scan::{plan_scan, with_relation};

#[cfg(test)]
mod tests;

/// The name of the segments in the plan of the view.
const SEGMENTS: &str = "segment";
/// The columns of pieces: the variable with an element for each piece, and the name in the view.
const PIECES: [(&str, &str); 6] = [
    ("latitude_20m", "latitude"),
    ("longitude_20m", "longitude"),
    ("h_canopy_20m", "canopy_h"),
    ("h_te_best_fit_20m", "terrain_h"),
    ("subset_can_flag", "subset_can_flag"),
    ("subset_te_flag", "subset_te_flag"),
];
/// Metres of the middle of each piece from the beginning of its segment.
const ALONG_METRES: [i32; 5] = [10, 30, 50, 70, 90];
/// How far a piece can be from the position of its segment: 100 m, and the rounding of its own position, which is a float.
const MARGIN: Margin = Margin { degrees: 0.002, nanoseconds: 0 };

/// The pieces of the segments of `atl08_unique`.
#[derive(Debug)]
pub(crate) struct PiecesTable {
    plan: LogicalPlan,
    segments: Arc<UniqueTable>,
}

impl PiecesTable {
    /// Creates the table over the view `atl08_unique`.
    ///
    /// # Errors
    /// [`Error::Statement`] when the database does not store the positions of pieces.
    pub(crate) fn new(segments: Arc<UniqueTable>) -> Result<PiecesTable> {
        let plan = plan(&segments)?;
        Ok(PiecesTable { plan, segments })
    }

    /// Returns the plan of the view; its columns are those of the table.
    pub(crate) fn plan(&self) -> &LogicalPlan {
        &self.plan
    }

    /// Returns the segments whose pieces can meet `filters`.
    fn segments_near(&self, filters: &[Expr]) -> Option<Expr> {
        match self.segments.coordinate_ranges(filters) {
            Some(ranges) => conjunction(widened_ranges(&ranges, &MARGIN, self.segments.latitudes())),
            None => Some(lit(false)),
        }
    }
}

/// Returns the plan of the view. Its columns are those of the pieces, and then all columns of the segment that are not lists and whose name
/// is not one of those.
fn plan(segments: &Arc<UniqueTable>) -> Result<LogicalPlan> {
    let schema = segments.schema();
    let stored: Vec<_> = PIECES.iter().filter(|(name, _)| schema.column_with_name(name).is_some()).collect();
    if let Some((missing, _)) = PIECES.iter().take(2).find(|piece| !stored.contains(piece)) {
        let problem = format!("atl08_20m: expected the variable {missing}, found a database without it");
        let hint = format!("`isdb add-variable {missing}` adds it; release 004 does not have it");
        return Err(Error::statement(problem, hint).into());
    }
    let is_of_piece = |name: &str| name == "along_m" || PIECES.iter().any(|(_, alias)| *alias == name);
    let of_segment: Vec<&str> = schema
        .fields()
        .iter()
        .filter(|field| !field.data_type().is_nested() && !is_of_piece(field.name()))
        .map(|field| field.name().as_str())
        .collect();

    let along = ALONG_METRES.map(lit).to_vec();
    let lists = stored.iter().map(|(name, alias)| ident(*name).alias(list_name(alias)));
    let lists: Vec<Expr> = lists.chain([make_array(along).alias(list_name("along_m"))]).collect();
    let unnested: Vec<Column> = stored
        .iter()
        .map(|(_, alias)| *alias)
        .chain(["along_m"])
        .map(|name| Column::from_name(list_name(name)))
        .collect();
    let columns = lists.into_iter().chain(of_segment.iter().map(|name| ident(*name)));

    let coordinate = |alias: &str| {
        let metadata: HashMap<String, String> = schema.field_with_name(alias)?.metadata().clone();
        let degrees = cast(ident(list_name(alias)), DataType::Float64);
        Ok::<_, datafusion::error::DataFusionError>(degrees.alias_with_metadata(alias, Some(metadata.into())))
    };
    let mut pieces = vec![coordinate("latitude")?, coordinate("longitude")?];
    for (name, alias) in stored.iter().filter(|(_, alias)| !matches!(*alias, "latitude" | "longitude")) {
        let metadata =
            variable(name).map_or_else(HashMap::new, |variable| scalar_metadata(variable.field().metadata()));
        pieces.push(ident(list_name(alias)).alias_with_metadata(*alias, Some(metadata.into())));
    }
    pieces.push(ident(list_name("along_m")).alias("along_m"));

    LogicalPlanBuilder::scan(SEGMENTS, provider_as_source(Arc::clone(segments) as Arc<dyn TableProvider>), None)?
        .alias(SEGMENTS)?
        .project(columns)?
        .unnest_columns_with_options(unnested, datafusion::common::UnnestOptions::new())?
        .project(pieces.into_iter().chain(of_segment.iter().map(|name| ident(*name))))?
        .filter(col("latitude").is_not_null().and(col("longitude").is_not_null()))?
        .build()
}

/// The name of a column of lists before they become rows.
fn list_name(alias: &str) -> String {
    format!("pieces_{alias}")
}

/// The metadata of a variable without that of its elements.
fn scalar_metadata(metadata: &HashMap<String, String>) -> HashMap<String, String> {
    let is_of_elements = |key: &str| matches!(key, "labels" | "label_name" | "label_units" | "element_null");
    metadata.iter().filter(|(key, _)| !is_of_elements(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[async_trait]
impl TableProvider for PiecesTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Exact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let near = self.segments_near(filters).map(|expr| with_relation(expr, Some(SEGMENTS))).transpose()?;
        let restricted = self.plan.clone().transform_up(|part| match (&part, &near) {
            (LogicalPlan::SubqueryAlias(alias), Some(near)) if alias.alias.table() == SEGMENTS => {
                Ok(Transformed::yes(LogicalPlanBuilder::from(part).filter(near.clone())?.build()?))
            }
            _ => Ok(Transformed::no(part)),
        })?;
        plan_scan(state, restricted.data, projection, filters, limit).await
    }
}
