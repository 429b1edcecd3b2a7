//! The SQL function `element(list, label)`: the element of a profile by its label, `element(canopy_h_metrics, 50)` for the 50th percentile.
//! The labels are in the metadata of the list's column.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::positions::number;
use crate::error::Error;

const NAME: &str = "element";
const USAGE: &str = "element(canopy_h_metrics, 50)";
/// Keys of a column's metadata that describe its elements.
const LABELS: &str = "labels";
const LABEL_NAME: &str = "label_name";

/// Creates the function: the element with a constant label, a number or a word; NULL if the list or the element is NULL.
pub(super) fn element_function() -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Immutable);
    let names = Some(["list", "label"].map(str::to_owned).to_vec());
    ScalarUDF::new_from_impl(Element { signature: Signature { parameter_names: names, ..signature } })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Element {
    signature: Signature,
}

impl ScalarUDFImpl for Element {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [list, label] = types else { return plan_err!("expected a list and a label: {USAGE}") };
        if item(list).is_none() {
            return plan_err!("element: expected a list, found {list}: {USAGE}");
        }
        // A cast would hide a constant.
        let label = if label.is_numeric() { label.clone() } else { DataType::Utf8 };
        Ok(vec![list.clone(), label])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        plan_err!("the type of an element depends on its list")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let ([list, _], [_, label]) = (args.arg_fields, args.scalar_arguments) else {
            return plan_err!("expected a list and a label: {USAGE}");
        };
        let Some(item) = item(list.data_type()) else {
            return plan_err!("element: expected a list, found {}: {USAGE}", list.data_type());
        };
        position(list, *label)?;
        let is_of_list = |key: &str| matches!(key, LABELS | LABEL_NAME | "label_units" | "element_null");
        let metadata: HashMap<_, _> = list
            .metadata()
            .iter()
            .filter(|(key, _)| !is_of_list(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        Ok(Arc::new(Field::new(NAME, item.data_type().clone(), true).with_metadata(metadata)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let ([list, ColumnarValue::Scalar(label)], [field, _]) = (args.args.as_slice(), args.arg_fields.as_slice())
        else {
            return exec_err!("expected a list and a constant label: {USAGE}");
        };
        let position = position(field, Some(label))?;
        let list = list.clone().into_array(args.number_rows)?;
        Ok(ColumnarValue::Array(nth(&list, position)?))
    }
}

fn item(list: &DataType) -> Option<&FieldRef> {
    match list {
        DataType::FixedSizeList(item, _) | DataType::List(item) | DataType::LargeList(item) => Some(item),
        _ => None,
    }
}

/// Returns the position, from 0, of the element of `list` with this label.
///
/// # Errors
/// [`Error::Statement`] for a list without labels and for a label that it does not have.
fn position(list: &Field, label: Option<&ScalarValue>) -> Result<usize> {
    let name = list.name();
    let Some(label) = label.filter(|label| !label.is_null()) else {
        let problem = format!("element: expected one label for all rows of {name}");
        return Err(Error::statement(problem, format!("write a number or a word: {USAGE}")).into());
    };
    let Some(labels) = list.metadata().get(LABELS) else {
        let problem = format!("element: {name} has no labels");
        return Err(Error::statement(problem, format!("{name}[1] is its first element")).into());
    };
    let text = label.try_as_str().flatten();
    let number = number(label);
    let is_label = |known: &str| match number {
        Some(number) => known.parse() == Ok(number),
        None => text.is_some_and(|text| known.eq_ignore_ascii_case(text)),
    };
    if let Some(position) = labels.split_whitespace().position(is_label) {
        return Ok(position);
    }
    let label_name = list.metadata().get(LABEL_NAME).map_or("label", String::as_str);
    let found = number.map_or_else(|| text.unwrap_or_default().to_owned(), |number| number.to_string());
    let known: Vec<&str> = labels.split_whitespace().collect();
    let problem = format!("{name} has no {label_name} {found}: expected one of {}", known.join(", "));
    let hint = match number {
        Some(98.0) if name == "canopy_h_metrics" => "h_canopy is the 98th percentile".to_owned(),
        Some(100.0) if name == "canopy_h_metrics" => "h_max_canopy is the height of the highest photon".to_owned(),
        _ => format!("write element({name}, {})", known.get(known.len() / 2).copied().unwrap_or_default()),
    };
    Err(Error::statement(problem, hint).into())
}

/// Returns the element at `position` of each list; NULL for a list that is NULL or shorter.
fn nth(list: &ArrayRef, position: usize) -> Result<ArrayRef> {
    let within = |row: usize, first: usize, end: usize| {
        let index = first + position;
        (list.is_valid(row) && index < end).then_some(index as u64)
    };
    let (values, indices): (_, UInt64Array) = if let Some(lists) = list.as_fixed_size_list_opt() {
        let size = usize::try_from(lists.value_length()).unwrap_or_default();
        let indices = (0..lists.len()).map(|row| {
            let first = usize::try_from(lists.value_offset(row)).ok()?;
            within(row, first, first + size)
        });
        (lists.values(), indices.collect())
    } else if let Some(lists) = list.as_list_opt::<i32>() {
        let ends = lists.value_offsets();
        let indices = ends
            .iter()
            .zip(ends.iter().skip(1))
            .enumerate()
            .map(|(row, (first, end))| within(row, usize::try_from(*first).ok()?, usize::try_from(*end).ok()?));
        (lists.values(), indices.collect())
    } else {
        let lists = list.as_list::<i64>();
        let ends = lists.value_offsets();
        let indices = ends
            .iter()
            .zip(ends.iter().skip(1))
            .enumerate()
            .map(|(row, (first, end))| within(row, usize::try_from(*first).ok()?, usize::try_from(*end).ok()?));
        (lists.values(), indices.collect())
    };
    Ok(take(values, &indices, None)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::{FixedSizeListArray, RecordBatch};
    use arrow::datatypes::{Float32Type, Schema};
    use datafusion::prelude::SessionContext;
    use isdb_schema::catalogue::variable;

    use super::*;
    use crate::testing::session;

    /// Returns a table `p` of three profiles, the second NULL, and a list without labels.
    fn context() -> SessionContext {
        let profile = |first: i16| Some((0..18).map(move |step| (step != 3).then(|| f32::from(first + step))));
        let lists = [profile(100), None, profile(200)].map(|list| list.map(Iterator::collect::<Vec<_>>));
        let heights = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(lists, 18);
        let field = variable("canopy_h_metrics").unwrap().field();
        let plain = Field::new("plain", field.data_type().clone(), true);
        let schema = Arc::new(Schema::new(vec![field, plain]));
        let batch = RecordBatch::try_new(schema, vec![Arc::new(heights.clone()), Arc::new(heights)]).unwrap();
        let context = session(2);
        context.register_batch("p", batch).unwrap();
        context
    }

    async fn values(expression: &str) -> Vec<Option<f32>> {
        let sql = format!("SELECT {expression} FROM p");
        let batches = context().sql(&sql).await.unwrap().collect().await.unwrap();
        batches
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Float32Type>().iter().collect::<Vec<_>>())
            .collect()
    }

    async fn refused(expression: &str) -> (String, String) {
        let sql = format!("SELECT {expression} FROM p");
        let error = context().sql(&sql).await.map(|_| ()).unwrap_err();
        let (problem, hint) = Error::find_statement(&error).unwrap_or_else(|| panic!("{error}"));
        (problem.to_owned(), hint.to_owned())
    }

    #[tokio::test]
    async fn an_element_is_selected_by_its_label() {
        assert_eq!(values("element(canopy_h_metrics, 10)").await, [Some(100.0), None, Some(200.0)]);
        assert_eq!(values("element(canopy_h_metrics, 50)").await, [Some(108.0), None, Some(208.0)]);
        assert_eq!(values("element(canopy_h_metrics, '95')").await, [Some(117.0), None, Some(217.0)]);
        assert_eq!(values("element(canopy_h_metrics, 25)").await, [None; 3]);
        assert_eq!(
            values("element(x, 50) FROM (SELECT canopy_h_metrics AS x FROM p)--").await,
            [Some(108.0), None, Some(208.0)]
        );
        let frame = context().sql("SELECT element(canopy_h_metrics, 50) AS m FROM p").await.unwrap();
        let field = frame.schema().field(0);
        assert_eq!(field.metadata().get("units").map(String::as_str), Some("meters"));
        assert!(!field.metadata().contains_key("labels"));
    }

    #[tokio::test]
    async fn a_wrong_label_lists_the_valid_ones_and_the_variable_that_is_probably_meant() {
        let (problem, hint) = refused("element(canopy_h_metrics, 98)").await;
        assert!(problem.starts_with("canopy_h_metrics has no percentile 98: expected one of 10, 15, 20,"), "{problem}");
        assert_eq!(hint, "h_canopy is the 98th percentile");
        assert!(refused("element(canopy_h_metrics, 100)").await.1.starts_with("h_max_canopy is"));
        assert_eq!(refused("element(canopy_h_metrics, 9)").await.1, "write element(canopy_h_metrics, 55)");
        assert_eq!(refused("element(plain, 50)").await.1, "plain[1] is its first element");
        assert!(refused("element(canopy_h_metrics, canopy_h_metrics[1])").await.0.contains("one label for all rows"));
    }
}
