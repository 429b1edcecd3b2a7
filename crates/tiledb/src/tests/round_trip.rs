//! Batches are read back as written, for every type, width and kind of NULL.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, FixedSizeListArray, Float32Array, LargeStringArray,
    PrimitiveArray, RecordBatch, StringArray, UInt8DictionaryArray,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::*;
use proptest::prelude::*;

use super::*;
use crate::{ENUMERATION, NULL_IS_NAN, NULL_KEY};

/// A small random generator: the values need variety, but no shrinking.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn nulls(&mut self, count: usize, nullable: bool) -> Option<NullBuffer> {
        nullable.then(|| (0..count).map(|_| !self.roll().is_multiple_of(3)).collect())
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    Time,
    Bool,
    Text,
    ShortText,
    Word,
}

/// The texts of dictionaries.
const WORDS: &str = "gt1l strong ÅØ雪 a gt1r";

const KINDS: [Kind; 15] = [
    Kind::Int8,
    Kind::Int16,
    Kind::Int32,
    Kind::Int64,
    Kind::UInt8,
    Kind::UInt16,
    Kind::UInt32,
    Kind::UInt64,
    Kind::Float32,
    Kind::Float64,
    Kind::Time,
    Kind::Bool,
    Kind::Text,
    Kind::ShortText,
    Kind::Word,
];

#[derive(Clone, Debug)]
pub(super) struct Spec {
    kind: Kind,
    width: i32,
    nullable: bool,
    item_nullable: bool,
    /// NaN is NULL; only of nullable floats.
    null_is_nan: bool,
}

pub(super) fn spec() -> impl Strategy<Value = Spec> {
    (0..KINDS.len(), prop_oneof![Just(1), 2..20_i32], any::<[bool; 3]>()).prop_map(
        |(kind, width, [nullable, item_nullable, null_is_nan])| {
            let kind = KINDS[kind];
            let width = if matches!(kind, Kind::Bool | Kind::Text | Kind::ShortText | Kind::Word) { 1 } else { width };
            let null_is_nan = null_is_nan && nullable && width == 1 && matches!(kind, Kind::Float32 | Kind::Float64);
            Spec { kind, width, nullable, item_nullable, null_is_nan }
        },
    )
}

impl Spec {
    fn value_type(&self) -> DataType {
        match self.kind {
            Kind::Int8 => DataType::Int8,
            Kind::Int16 => DataType::Int16,
            Kind::Int32 => DataType::Int32,
            Kind::Int64 => DataType::Int64,
            Kind::UInt8 => DataType::UInt8,
            Kind::UInt16 => DataType::UInt16,
            Kind::UInt32 => DataType::UInt32,
            Kind::UInt64 => DataType::UInt64,
            Kind::Float32 => DataType::Float32,
            Kind::Float64 => DataType::Float64,
            Kind::Time => utc(),
            Kind::Bool => DataType::Boolean,
            Kind::Text => DataType::LargeUtf8,
            Kind::ShortText => DataType::Utf8,
            Kind::Word => DataType::Dictionary(DataType::UInt8.into(), DataType::Utf8.into()),
        }
    }

    pub(super) fn is_float(&self) -> bool {
        matches!(self.kind, Kind::Float32 | Kind::Float64)
    }

    pub(super) fn field(&self, name: &str) -> Field {
        if self.width == 1 {
            let mut field = Field::new(name, self.value_type(), self.nullable);
            field.metadata_mut().insert("units".into(), "m".into());
            if self.null_is_nan {
                field.metadata_mut().insert(NULL_KEY.into(), NULL_IS_NAN.into());
            }
            if matches!(self.kind, Kind::Word) {
                field.metadata_mut().insert(ENUMERATION.into(), WORDS.into());
            }
            return field;
        }
        let item = Field::new_list_field(self.value_type(), self.item_nullable);
        let list = DataType::FixedSizeList(Arc::new(item), self.width);
        let float = self.is_float();
        let metadata = if self.item_nullable && !float { vec![("element_null".into(), "127".into())] } else { vec![] };
        Field::new(name, list, self.nullable).with_metadata(metadata.into_iter().collect())
    }

    pub(super) fn values(&self, count: usize, dice: &mut Dice) -> ArrayRef {
        let width = usize::try_from(self.width).unwrap();
        if width == 1 {
            let nulls = dice.nulls(count, self.nullable);
            return self.scalars(count, nulls, dice);
        }
        let item_nulls = dice.nulls(count * width, self.item_nullable);
        let values = self.scalars(count * width, item_nulls, dice);
        let DataType::FixedSizeList(item, width) = self.field("").data_type().clone() else { unreachable!() };
        Arc::new(FixedSizeListArray::new(item, width, values, dice.nulls(count, self.nullable)))
    }

    fn scalars(&self, count: usize, nulls: Option<NullBuffer>, dice: &mut Dice) -> ArrayRef {
        fn primitive<T: ArrowPrimitiveType>(
            count: usize,
            nulls: Option<NullBuffer>,
            mut value: impl FnMut() -> T::Native,
        ) -> PrimitiveArray<T> {
            PrimitiveArray::new((0..count).map(|_| value()).collect::<Vec<_>>().into(), nulls)
        }
        // 127 and NaN mark NULL inside lists.
        let in_list = self.width > 1;
        let float = |bits: f64| if in_list && bits.is_nan() { 0.0 } else { bits };
        macro_rules! integers {
            ($arrow:ty, $native:ty) => {
                Arc::new(primitive::<$arrow>(count, nulls, || {
                    let value = dice.roll() as $native;
                    if in_list && value == 127 { 126 } else { value }
                }))
            };
        }
        #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
        match self.kind {
            Kind::Int8 => integers!(Int8Type, i8),
            Kind::Int16 => integers!(Int16Type, i16),
            Kind::Int32 => integers!(Int32Type, i32),
            Kind::Int64 => integers!(Int64Type, i64),
            Kind::UInt8 => integers!(UInt8Type, u8),
            Kind::UInt16 => integers!(UInt16Type, u16),
            Kind::UInt32 => integers!(UInt32Type, u32),
            Kind::UInt64 => integers!(UInt64Type, u64),
            Kind::Float32 => Arc::new(primitive::<Float32Type>(count, nulls, || {
                let value = f32::from_bits(dice.roll() as u32);
                if in_list && value.is_nan() { 0.5 } else { value }
            })),
            Kind::Float64 => Arc::new(primitive::<Float64Type>(count, nulls, || float(f64::from_bits(dice.roll())))),
            Kind::Time => Arc::new(
                primitive::<TimestampNanosecondType>(count, nulls, || {
                    let value = dice.roll() as i64;
                    if in_list && value == 127 { 126 } else { value }
                })
                .with_timezone("UTC"),
            ),
            Kind::Bool => {
                let values = (0..count).map(|_| dice.roll().is_multiple_of(2)).collect();
                Arc::new(BooleanArray::new(values, nulls))
            }
            Kind::Word => {
                // In another order than the column's, and with one more text, without rows.
                let texts = Arc::new(StringArray::from(vec!["a", "gt1r", "other", "ÅØ雪", "gt1l", "strong"]));
                let valid = |at: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
                let keys = (0..count).map(|at| valid(at).then(|| [0, 1, 3, 4, 5][(dice.roll() % 5) as usize]));
                Arc::new(UInt8DictionaryArray::new(keys.collect(), texts))
            }
            Kind::Text | Kind::ShortText => {
                let words = ["", "gt1l", "ÅØ 雪", "a longer text, so that offsets do not step evenly"];
                let valid = |at: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(at));
                let texts = (0..count).map(|at| valid(at).then(|| words[(dice.roll() % 4) as usize]));
                match self.kind {
                    Kind::Text => Arc::new(texts.collect::<LargeStringArray>()) as ArrayRef,
                    _ => Arc::new(texts.collect::<StringArray>()),
                }
            }
        }
    }
}

/// The texts of a dictionary.
fn as_text(words: &ArrayRef) -> StringArray {
    cast(words, &DataType::Utf8).unwrap().as_string::<i32>().clone()
}

/// Floats with NULL instead of NaN.
fn without_nan(floats: &ArrayRef) -> ArrayRef {
    if let Some(floats) = floats.as_primitive_opt::<Float32Type>() {
        return Arc::new(floats.iter().map(|value| value.filter(|value| !value.is_nan())).collect::<Float32Array>());
    }
    let floats = floats.as_primitive::<Float64Type>();
    Arc::new(floats.iter().map(|value| value.filter(|value| !value.is_nan())).collect::<Float64Array>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(isdb_testing::times(48, 1_000)))]

    #[test]
    fn batches_of_every_supported_schema_are_read_back_equal(
        specs in prop::collection::vec(spec(), 0..6),
        sizes in prop::collection::vec(0_usize..90, 1..4),
        seed in any::<u64>(),
        hilbert in any::<bool>(),
        single in any::<bool>(),
        cut in 0_usize..5,
        batch_rows in prop_oneof![Just(7_usize), Just(8_192)],
    ) {
        let mut dice = Dice(seed);
        let fields = specs.iter().enumerate().map(|(at, spec)| spec.field(&format!("v{at}"))).collect();
        let schema = schema(fields);
        let mut batches = Vec::new();
        let mut first = 0;
        for size in sizes {
            // Slices, so that the first value of a buffer is not the first of its batch.
            let whole = batch(&schema, first, size + cut, specs.iter().map(|spec| spec.values(size + cut, &mut dice)).collect());
            batches.push(whole.slice(cut, size));
            first += size + cut;
        }
        let written = concat_batches(&Arc::new(schema.clone()), &batches).unwrap();
        let (_folder, uri) = new_uri();
        let order = if hilbert { CellOrder::Hilbert } else { CellOrder::RowMajor };
        let mut layout = ArrayLayout { cell_order: order, ..layout() };
        if single {
            layout.dimensions[0].domain = Domain::Float32 { low: -90.0, high: 90.0, extent: None };
        }
        Array::create(ctx(), &uri, &layout, &schema).unwrap();
        if written.num_rows() == 0 {
            prop_assert!(crate::write_fragment(ctx(), &uri, 10, batches.clone()).is_err());
            return Ok(());
        }
        crate::write_fragment(ctx(), &uri, 10, batches.clone()).unwrap();
        let array = Array::open_by_library(ctx(), &uri, None).unwrap();
        let read = sorted(&array, &ReadRequest { batch_rows, ..request(&names(&schema)) });
        prop_assert_eq!(read.num_rows(), written.num_rows());
        for field in schema.fields() {
            let (read, written) = (read.column_by_name(field.name()).unwrap(), written.column_by_name(field.name()).unwrap());
            let expected = match field.data_type() {
                DataType::Utf8 => cast(written, &DataType::LargeUtf8).unwrap(),
                _ if field.metadata().contains_key(NULL_KEY) => without_nan(written),
                _ => Arc::clone(written),
            };
            match field.data_type() {
                // Of equal texts, whatever their keys.
                DataType::Dictionary(..) => prop_assert_eq!(as_text(read), as_text(&expected)),
                _ => prop_assert_eq!(read, &expected, "{}", field),
            }
            let stored = array.schema().field_with_name(field.name()).unwrap().clone();
            prop_assert_eq!(stored.data_type(), expected.data_type());
            prop_assert_eq!((stored.is_nullable(), stored.metadata()), (field.is_nullable(), field.metadata()));
        }
    }
}

#[test]
fn texts_that_a_dictionary_column_does_not_have_are_refused_before_anything_is_written() {
    let word = Spec { kind: Kind::Word, width: 1, nullable: true, item_nullable: false, null_is_nan: false };
    let schema = schema(vec![word.field("beam")]);
    let (_folder, uri) = new_uri();
    Array::create(ctx(), &uri, &layout(), &schema).unwrap();
    let text = Field::new("beam", DataType::Utf8, true);
    let as_text = super::schema(vec![text]);
    let texts = Arc::new(StringArray::from(vec![Some("gt1r"), None, Some("gt4l")]));
    let error = crate::write_fragment(ctx(), &uri, 10, vec![batch(&as_text, 0, 3, vec![texts])]).unwrap_err();
    assert!(
        error.to_string().contains("row 2: expected column beam to be one of gt1l, strong, ÅØ雪, a, gt1r"),
        "{error}"
    );
    assert!(error.to_string().ends_with("found \"gt4l\""), "{error}");
    assert_eq!(Array::open_by_library(ctx(), &uri, None).unwrap().fragments().unwrap(), []);
}

#[test]
fn coordinates_that_single_precision_would_round_are_refused() {
    let schema = schema(vec![]);
    let (_folder, uri) = new_uri();
    let mut layout = layout();
    layout.dimensions[0].domain = Domain::Float32 { low: -90.0, high: 90.0, extent: None };
    Array::create(ctx(), &uri, &layout, &schema).unwrap();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![0, 1])),
        Arc::new(Float64Array::from(vec![0.5, 0.1])),
        Arc::new(TimestampNanosecondArray::from(vec![0, 1]).with_timezone("UTC")),
    ];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).unwrap();
    let error = crate::write_fragment(ctx(), &uri, 10, vec![batch]).unwrap_err();
    assert!(error.to_string().starts_with("row 1: invalid coordinate lat = 0.1"), "{error}");
}

#[test]
fn reads_without_columns_count_rows() {
    let schema = schema(vec![]);
    let (_folder, array) = stored(&schema, &[batch(&schema, 0, 1_000, vec![])]);
    let batches: Vec<RecordBatch> = array.read(&request(&[])).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000);
    assert!(batches.iter().all(|batch| batch.num_columns() == 0));
}
