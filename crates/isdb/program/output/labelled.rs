//! Profiles as a column for each element, for files without lists: `canopy_h_metrics_p50`, `h_canopy_20m_50m`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;
use isdb_schema::elements::element_name;

/// How the columns of a result become columns without lists of fixed length.
pub(crate) struct LabelledColumns {
    schema: SchemaRef,
    sources: Vec<ColumnSource>,
}

/// What a column is made of.
#[derive(Clone, Copy)]
enum ColumnSource {
    /// A column of the result.
    Column(usize),
    /// An element, from 0, of the lists of a column.
    Element(usize, usize),
}

impl LabelledColumns {
    /// Describes the columns of `schema`, except the one at `without`.
    pub(crate) fn new(schema: &Schema, without: Option<usize>) -> LabelledColumns {
        let (mut fields, mut sources) = (Vec::<FieldRef>::new(), Vec::new());
        for (index, field) in schema.fields().iter().enumerate().filter(|(index, _)| Some(*index) != without) {
            let DataType::FixedSizeList(item, length) = field.data_type() else {
                fields.push(Arc::clone(field));
                sources.push(ColumnSource::Column(index));
                continue;
            };
            for element in 0..usize::try_from(*length).unwrap_or(0) {
                let name = element_name(field, element);
                fields.push(Arc::new(Field::new(name, item.data_type().clone(), true)));
                sources.push(ColumnSource::Element(index, element));
            }
        }
        LabelledColumns { schema: Arc::new(Schema::new(fields)), sources }
    }

    /// The columns.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns of these rows, in the order of [`schema`](Self::schema).
    pub(crate) fn columns(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>, ArrowError> {
        let column = |source: &ColumnSource| match *source {
            ColumnSource::Column(index) => Ok(Arc::clone(batch.column(index))),
            ColumnSource::Element(index, at) => element(batch.column(index), at),
        };
        self.sources.iter().map(column).collect()
    }
}

/// The element `at` of each list of `column`; NULL where the list is.
fn element(column: &ArrayRef, at: usize) -> Result<ArrayRef, ArrowError> {
    let lists = column.as_fixed_size_list();
    let length = usize::try_from(lists.value_length()).unwrap_or(0);
    let place = |row: usize| lists.is_valid(row).then(|| (row * length + at) as u64);
    let places: UInt64Array = (0..lists.len()).map(place).collect();
    take(lists.values(), &places, None)
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, Float32Array, Int32Array};
    use arrow::buffer::NullBuffer;
    use arrow::datatypes::Float32Type;
    use isdb_schema::catalogue::variable;

    use super::*;

    #[test]
    fn elements_are_columns_under_their_labels_and_null_where_the_list_is() {
        let percentiles = variable("canopy_h_metrics").unwrap().field();
        let along = variable("h_canopy_20m").unwrap().field();
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        let own = Field::new("own", DataType::FixedSizeList(Arc::clone(&item), 2), true);
        let schema = Schema::new(vec![Field::new("rgt", DataType::Int32, false), percentiles, along, own.clone()]);
        let names: Vec<String> =
            LabelledColumns::new(&schema, None).schema().fields().iter().map(|field| field.name().clone()).collect();
        assert_eq!(names.len(), 1 + 18 + 5 + 2);
        let at = |index: usize| names[index].as_str();
        assert_eq!([at(1), at(18), at(19)], ["canopy_h_metrics_p10", "canopy_h_metrics_p95", "h_canopy_20m_10m"]);
        assert_eq!(names[24..], ["own_1", "own_2"]);

        let values = Float32Array::from(vec![Some(1.0), None, Some(3.0), Some(4.0), Some(5.0), Some(6.0)]);
        let nulls = NullBuffer::from(vec![true, false, true]);
        let lists = FixedSizeListArray::new(item, 2, Arc::new(values), Some(nulls));
        let schema = Arc::new(Schema::new(vec![Field::new("rgt", DataType::Int32, false), own]));
        let columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(vec![1, 2, 3])), Arc::new(lists)];
        let batch = RecordBatch::try_new(schema, columns).unwrap().slice(1, 2);
        let columns = LabelledColumns::new(&batch.schema(), None).columns(&batch).unwrap();
        let floats = |index: usize| columns[index].as_primitive::<Float32Type>().iter().collect::<Vec<_>>();
        assert_eq!((floats(1), floats(2)), (vec![None, Some(5.0)], vec![None, Some(6.0)]));
    }
}
