//! The write operator: rows of the ingest plan into fragments of a TileDB array, tallies handed on. Fragments stay invisible
//! until the window's commit names them.

use std::fmt::{self, Formatter};
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, BooleanArray, Int64Array, LargeStringArray, RecordBatch, StructArray, new_null_array,
};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, Partitioning, PlanProperties,
};
use futures::StreamExt;
use isdb_schema::segments::FRAGMENT_ID;
use tiledb::Context;

use crate::error::Error;
use crate::tally::{TALLY, Tally, tally_fields};

/// A fragment is closed when its rows take this much memory: large enough to be few, small enough to be held twice.
const FRAGMENT_BYTES: usize = 256 << 20;

const FRAGMENT: &str = "fragment";

/// A fragment that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFragment {
    /// The value of `fragment_id` in its rows.
    pub id: i64,
    /// Its folder below `__fragments`.
    pub name: String,
    /// Its number of rows.
    pub rows: i64,
}

/// Where and as what a window is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteTarget {
    /// The URI of the array of segments.
    pub array: String,
    /// The timestamp of every fragment, in milliseconds since 1970.
    pub timestamp: u64,
    /// The id of the first fragment; the next ones count up.
    pub first_fragment: i64,
}

/// Writes its one input partition into fragments. Its output has two columns, `fragment` and `tally`, one of them NULL in
/// each row.
#[derive(Debug)]
pub(crate) struct TileDbWriteExec {
    input: Arc<dyn ExecutionPlan>,
    target: WriteTarget,
    properties: Arc<PlanProperties>,
}

impl TileDbWriteExec {
    pub(crate) fn new(input: Arc<dyn ExecutionPlan>, target: WriteTarget) -> TileDbWriteExec {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(output_schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        TileDbWriteExec { input, target, properties: Arc::new(properties) }
    }
}

impl DisplayAs for TileDbWriteExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut Formatter<'_>) -> fmt::Result {
        let array = self.target.array.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        write!(f, "TileDbWriteExec: array={array}")
    }
}

impl ExecutionPlan for TileDbWriteExec {
    fn name(&self) -> &str {
        "TileDbWriteExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(self: Arc<Self>, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) if children.is_empty() => Ok(Arc::new(TileDbWriteExec::new(input, self.target.clone()))),
            _ => internal_err!("TileDbWriteExec has one input"),
        }
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(tiledb) = context.session_config().get_extension::<Context>() else {
            return internal_err!("the session has no TileDB context");
        };
        let input = self.input.execute(partition, context)?;
        let writer = FragmentWriter::new(tiledb, self.target.clone(), &input.schema());
        let output = futures::stream::try_unfold((input, Some(writer)), |(mut input, writer)| async move {
            let Some(mut writer) = writer else { return Ok(None) };
            while let Some(batch) = input.next().await {
                let tallies = writer.take(batch?)?;
                if writer.is_full() {
                    writer = writer.write().await?;
                }
                if let Some(tallies) = tallies {
                    return Ok(Some((tallies, (input, Some(writer)))));
                }
            }
            let writer = writer.write().await?;
            Ok(Some((writer.written()?, (input, None))))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(output_schema(), output)))
    }
}

/// Collects rows until they make a fragment.
struct FragmentWriter {
    context: Arc<Context>,
    target: WriteTarget,
    schema: SchemaRef,
    pending: Vec<RecordBatch>,
    pending_bytes: usize,
    written: Vec<WrittenFragment>,
}

impl FragmentWriter {
    fn new(context: Arc<Context>, target: WriteTarget, input: &SchemaRef) -> FragmentWriter {
        let mut fields: Vec<Arc<Field>> = input.fields().iter().filter(|f| f.name() != TALLY).map(Arc::clone).collect();
        fields.push(Arc::new(Field::new(FRAGMENT_ID, DataType::Int64, false)));
        let schema = Arc::new(Schema::new(fields));
        FragmentWriter { context, target, schema, pending: Vec::new(), pending_bytes: 0, written: Vec::new() }
    }

    /// Keeps the batch's rows and gives back its tallies, if it has any.
    fn take(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let index = batch.schema().index_of(TALLY)?;
        let mut rows = batch;
        let tallies = rows.remove_column(index);
        let tallied = tallies.len() - tallies.null_count();
        if tallied == 0 {
            self.keep(rows)?;
            return Ok(None);
        }
        if tallied < tallies.len() {
            let is_row: BooleanArray = (0..tallies.len()).map(|row| Some(tallies.is_null(row))).collect();
            self.keep(filter_record_batch(&rows, &is_row)?)?;
        }
        let fragments = new_null_array(&DataType::Struct(fragment_fields()), tallies.len());
        Ok(Some(RecordBatch::try_new(output_schema(), vec![fragments, tallies])?))
    }

    fn keep(&mut self, rows: RecordBatch) -> Result<()> {
        let id: ArrayRef = Arc::new(Int64Array::from_value(self.next_id(), rows.num_rows()));
        let columns = rows.columns().iter().map(Arc::clone).chain([id]).collect();
        for column in rows.columns() {
            // Batches are slices of a beam: only their own part counts.
            self.pending_bytes += column.to_data().get_slice_memory_size()?;
        }
        self.pending.push(RecordBatch::try_new(Arc::clone(&self.schema), columns)?);
        Ok(())
    }

    fn next_id(&self) -> i64 {
        self.target.first_fragment + self.written.len() as i64
    }

    fn is_full(&self) -> bool {
        self.pending_bytes >= FRAGMENT_BYTES
    }

    /// Writes what is pending as one fragment, on a thread that may block.
    async fn write(mut self) -> Result<FragmentWriter> {
        if self.pending.is_empty() {
            return Ok(self);
        }
        let write = move || -> Result<FragmentWriter> {
            let rows: usize = self.pending.iter().map(RecordBatch::num_rows).sum();
            let target = &self.target;
            let name = tiledb::write_fragment(&self.context, &target.array, target.timestamp, &self.pending)
                .map_err(|source| Error::Write { uri: target.array.clone(), source })?;
            self.written.push(WrittenFragment { id: self.next_id(), name, rows: rows as i64 });
            self.pending.clear();
            self.pending_bytes = 0;
            Ok(self)
        };
        tokio::task::spawn_blocking(write).await.map_err(|source| Error::Stopped { source })?
    }

    /// The fragments written, as rows of the output.
    fn written(&self) -> Result<RecordBatch> {
        let fragments = StructArray::try_new(
            fragment_fields(),
            vec![
                Arc::new(Int64Array::from_iter_values(self.written.iter().map(|fragment| fragment.id))),
                Arc::new(LargeStringArray::from_iter_values(self.written.iter().map(|fragment| &fragment.name))),
                Arc::new(Int64Array::from_iter_values(self.written.iter().map(|fragment| fragment.rows))),
            ],
            None,
        )?;
        let tallies = new_null_array(&DataType::Struct(tally_fields()), fragments.len());
        Ok(RecordBatch::try_new(output_schema(), vec![Arc::new(fragments), tallies])?)
    }
}

fn fragment_fields() -> Fields {
    Fields::from(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("name", DataType::LargeUtf8, false),
        Field::new("rows", DataType::Int64, false),
    ])
}

fn output_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(FRAGMENT, DataType::Struct(fragment_fields()), true),
        Field::new(TALLY, DataType::Struct(tally_fields()), true),
    ]))
}

/// The fragments and tallies in one batch of the operator's output.
pub(crate) fn outcome(batch: &RecordBatch) -> (Vec<WrittenFragment>, Vec<Tally>) {
    let fragments = batch.column(0).as_struct();
    let written = (0..fragments.len()).filter(|row| fragments.is_valid(*row)).map(|row| WrittenFragment {
        id: fragments.column(0).as_primitive::<Int64Type>().value(row),
        name: fragments.column(1).as_string::<i64>().value(row).to_owned(),
        rows: fragments.column(2).as_primitive::<Int64Type>().value(row),
    });
    (written.collect(), Tally::from_column(batch.column(1).as_struct()))
}
