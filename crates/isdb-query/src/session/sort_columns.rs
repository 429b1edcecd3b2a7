//! Sorts by columns instead of expressions, in `ORDER BY` and in windows: computes an expression as a column below the sort.
//!
//! DataFusion 55.2 plans a sort of several partitions and then checks that its rows have the order that the merge needs. For an
//! expression it derives ranges of values first, and if that fails it treats the order as unknown: a product or quotient has a
//! range of type Null, for which `sin`, `cos`, `asin` or `atan` return no bounds. `ORDER BY sin(latitude / 2)`, or by the
//! distance to a position, would not plan.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::Transformed;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection, Sort, Window, col};
use datafusion::optimizer::{ApplyOrder, OptimizerConfig, OptimizerRule};

/// The optimizer rule.
#[derive(Debug, Default)]
pub(crate) struct SortColumns;

impl OptimizerRule for SortColumns {
    fn name(&self) -> &'static str {
        "sort_columns"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match plan {
            LogicalPlan::Sort(sort) if sort.expr.iter().any(|key| is_computed(&key.expr)) => {
                Ok(Transformed::yes(sort_by_columns(sort)?))
            }
            LogicalPlan::Window(window) if window.window_expr.iter().any(has_computed_keys) => {
                Ok(Transformed::yes(window_over_columns(window)?))
            }
            plan => Ok(Transformed::no(plan)),
        }
    }
}

fn is_computed(key: &Expr) -> bool {
    !matches!(key, Expr::Column(_) | Expr::Literal(..))
}

fn has_computed_keys(window: &Expr) -> bool {
    match window {
        Expr::Alias(alias) => has_computed_keys(&alias.expr),
        Expr::WindowFunction(function) => {
            let order = function.params.order_by.iter().map(|key| &key.expr);
            function.params.partition_by.iter().chain(order).any(is_computed)
        }
        _ => false,
    }
}

/// Columns that are computed below a sort or a window, in addition to the columns of its input.
#[derive(Default)]
struct ComputedColumns(Vec<Expr>);

impl ComputedColumns {
    /// Returns the column with the values of `key`, and adds it if it is new.
    fn column(&mut self, key: &Expr) -> Expr {
        if !is_computed(key) {
            return key.clone();
        }
        let index = self.0.iter().position(|known| known == key).unwrap_or_else(|| {
            self.0.push(key.clone());
            self.0.len() - 1
        });
        col(name(index))
    }

    /// Adds these columns to `input`.
    fn add_to(self, input: &Arc<LogicalPlan>) -> Result<LogicalPlan> {
        let computed = self.0.into_iter().enumerate().map(|(index, key)| key.alias(name(index)));
        let all = columns(input).into_iter().chain(computed).collect();
        Ok(LogicalPlan::Projection(Projection::try_new(all, Arc::clone(input))?))
    }
}

fn name(index: usize) -> String {
    format!("__sort_{index}")
}

fn columns(plan: &LogicalPlan) -> Vec<Expr> {
    plan.schema().columns().into_iter().map(Expr::Column).collect()
}

fn sort_by_columns(sort: Sort) -> Result<LogicalPlan> {
    let mut computed = ComputedColumns::default();
    let mut keys = sort.expr;
    for key in &mut keys {
        key.expr = computed.column(&key.expr);
    }
    let output = columns(&sort.input);
    let input = Arc::new(computed.add_to(&sort.input)?);
    let sorted = LogicalPlan::Sort(Sort { expr: keys, input, fetch: sort.fetch });
    Ok(LogicalPlan::Projection(Projection::try_new(output, Arc::new(sorted))?))
}

fn window_over_columns(window: Window) -> Result<LogicalPlan> {
    let mut computed = ComputedColumns::default();
    // Nodes above find the results by name, and the name contains the keys.
    let names: Vec<String> = window.window_expr.iter().map(|expr| expr.schema_name().to_string()).collect();
    let mut functions = window.window_expr;
    for (function, name) in functions.iter_mut().zip(names) {
        let mut inner = function.clone().unalias();
        if let Expr::WindowFunction(function) = &mut inner {
            for key in &mut function.params.partition_by {
                *key = computed.column(key);
            }
            for key in &mut function.params.order_by {
                key.expr = computed.column(&key.expr);
            }
        }
        *function = inner.alias(name);
    }
    let output = window.schema.columns().into_iter().map(Expr::Column).collect();
    let input = Arc::new(computed.add_to(&window.input)?);
    let rows = LogicalPlan::Window(Window::try_new(functions, input)?);
    Ok(LogicalPlan::Projection(Projection::try_new(output, Arc::new(rows))?))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, Int32Array, RecordBatch};
    use arrow::datatypes::{Float64Type, Int32Type};
    use datafusion::datasource::MemTable;
    use datafusion::prelude::SessionContext;

    use crate::testing::session;

    /// Returns a table `p` of 40 rows in four partitions.
    fn context() -> SessionContext {
        let parts = (0..4_i32).map(|part| {
            let ids = || (0..10).map(|row| part * 10 + row);
            let latitude = Float64Array::from_iter_values(ids().map(|id| f64::from((id * 17) % 40) / 8.0 - 2.0));
            let columns: [(&str, arrow::array::ArrayRef); 2] =
                [("id", Arc::new(Int32Array::from_iter_values(ids()))), ("latitude", Arc::new(latitude))];
            vec![RecordBatch::try_from_iter(columns).unwrap()]
        });
        let parts: Vec<_> = parts.collect();
        let context = session(4);
        let schema = parts[0][0].schema();
        context.register_table("p", Arc::new(MemTable::try_new(schema, parts).unwrap())).unwrap();
        context
    }

    async fn latitudes(sql: &str) -> Vec<f64> {
        let batches = context().sql(sql).await.unwrap().collect().await.unwrap();
        batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Float64Type>().values().to_vec()).collect()
    }

    fn expected(key: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut all: Vec<f64> = (0..40).map(|step| f64::from(step) / 8.0 - 2.0).collect();
        all.sort_by(|a, b| key(*a).total_cmp(&key(*b)));
        all
    }

    #[tokio::test]
    async fn rows_are_sorted_by_an_expression_whose_bounds_are_unknown() {
        let all = expected(|x| (x / 2.0).sin());
        assert_eq!(latitudes("SELECT latitude FROM p ORDER BY sin(latitude/2) LIMIT 3").await, all[..3]);
        assert_eq!(latitudes("SELECT latitude FROM p ORDER BY sin(latitude/2)").await, all);
        let descending: Vec<f64> = all.iter().rev().copied().collect();
        assert_eq!(
            latitudes("SELECT latitude FROM p ORDER BY sin(latitude/2) DESC LIMIT 5 OFFSET 2").await,
            descending[2..7]
        );
        let far = "SELECT latitude, 2 * asin(sqrt(power(sin(radians(latitude - 0.51) / 2), 2))) AS far FROM p ORDER BY far, id LIMIT 4";
        assert_eq!(latitudes(far).await, expected(|x| (x - 0.51).abs())[..4]);
        let alias = "SELECT latitude AS x FROM p AS q WHERE q.id >= 0 ORDER BY atan(q.latitude * 3), q.latitude * 2, q.id LIMIT 4";
        assert_eq!(latitudes(alias).await, expected(|x| x)[..4]);
        let nested = "SELECT x FROM (SELECT latitude AS x FROM p ORDER BY sin(latitude/2) LIMIT 10) ORDER BY cos(x * 1.5) DESC LIMIT 2";
        let mut ten = all[..10].to_vec();
        ten.sort_by(|a, b| (b * 1.5).cos().total_cmp(&(a * 1.5).cos()));
        assert_eq!(latitudes(nested).await, ten[..2]);
        assert_eq!(
            latitudes("SELECT latitude FROM p GROUP BY latitude ORDER BY sin(latitude/2) LIMIT 3").await,
            all[..3]
        );
    }

    #[tokio::test]
    async fn windows_are_sorted_by_such_an_expression() {
        let sql = "SELECT latitude, CAST(row_number() OVER (PARTITION BY signum(sin(latitude * 0)) ORDER BY sin(latitude/2)) AS INT) AS n, \
                   CAST(count(*) OVER (ORDER BY cos(latitude/2)) AS INT) FROM p ORDER BY n";
        let batches = context().sql(sql).await.unwrap().collect().await.unwrap();
        let latitudes: Vec<f64> =
            batches.iter().flat_map(|batch| batch.column(0).as_primitive::<Float64Type>().values().to_vec()).collect();
        assert_eq!(latitudes, expected(|x| (x / 2.0).sin()));
        let numbers: Vec<i32> =
            batches.iter().flat_map(|batch| batch.column(1).as_primitive::<Int32Type>().values().to_vec()).collect();
        assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_sort_by_columns_is_not_rewritten() {
        let plan = context().sql("SELECT latitude FROM p ORDER BY id LIMIT 3").await.unwrap();
        let plan = plan.into_optimized_plan().unwrap().to_string();
        assert!(!plan.contains("__sort"), "{plan}");
    }
}
