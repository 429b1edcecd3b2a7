//! What becomes NULL, and what is cast or refused.

use arrow::array::{Array, AsArray};
use arrow::datatypes::ArrowNativeType;
use isdb_schema::catalogue::variable;
use proptest::prelude::*;

use super::*;

fn decode<T: ArrowNativeType>(
    name: &str,
    number: Number,
    values: &[T],
    attribute: Option<&hdf5::AttrValue>,
) -> Result<ArrayRef, Reason> {
    let variable = variable(name).unwrap();
    let element = Element { number, big_endian: false };
    let buffer = Buffer::from_slice_ref(values);
    column(buffer, element, variable.dtype, variable, &Fills::new(variable, attribute))
}

fn ints<T: ArrowPrimitiveType>(array: &ArrayRef) -> Vec<Option<i64>>
where
    i64: From<T::Native>,
{
    array.as_primitive::<T>().iter().map(|v| v.map(i64::from)).collect()
}

#[test]
fn fills_of_flags_are_null_and_minus_one_is_a_value() {
    let column = decode("msw_flag", Number::Int8, &[-1_i8, 0, 5, 127], None).unwrap();
    assert_eq!(ints::<Int8Type>(&column), [Some(-1), Some(0), Some(5), None]);
    let minus_one = hdf5::AttrValue::I8(-1);
    let column = decode("sat_flag", Number::Int8, &[-1_i8, 0, 127], Some(&minus_one)).unwrap();
    assert_eq!(ints::<Int8Type>(&column), [Some(-1), Some(0), None]);
}

#[test]
fn an_attribute_adds_to_the_catalogues_fill_and_zero_is_a_value() {
    let column =
        decode("n_te_photons", Number::Int32, &[0_i32, 7, 9], Some(&hdf5::AttrValue::I32Array(vec![9]))).unwrap();
    assert_eq!(ints::<Int32Type>(&column), [Some(0), Some(7), None]);
    let column = decode("n_te_photons", Number::Int32, &[0_i32, 7], Some(&hdf5::AttrValue::I32(0))).unwrap();
    assert_eq!(column.null_count(), 0);
}

#[test]
fn floats_that_measure_nothing_are_null_without_any_attribute() {
    let values = [1.5_f32, f32::MAX, 3.4e38, 3.3e38, f32::NAN, f32::INFINITY, -0.0];
    let column = decode("solar_elevation", Number::Float32, &values, None).unwrap();
    let valid: Vec<_> = (0..values.len()).map(|i| column.is_valid(i)).collect();
    assert_eq!(valid, [true, false, false, true, false, false, true]);
}

#[test]
fn profiles_are_null_element_by_element() {
    let column = decode("subset_te_flag", Number::Int8, &[1_i8, 127, -1, 0, 127, 1, 1, 1, 1, 1], None).unwrap();
    let list = column.as_fixed_size_list();
    assert_eq!((list.len(), list.null_count()), (2, 0));
    assert_eq!(ints::<Int8Type>(&list.value(0)), [Some(1), None, Some(-1), Some(0), None]);
    assert_eq!(column.data_type(), variable("subset_te_flag").unwrap().field().data_type());
}

#[test]
fn land_cover_of_release_004_is_narrowed_and_too_large_values_are_refused() {
    let column = decode("segment_landcover", Number::Int32, &[1_i32, 255, 16], None).unwrap();
    assert_eq!(ints::<Int16Type>(&column), [Some(1), None, Some(16)]);
    assert!(decode("segment_landcover", Number::Int32, &[40_000_i32], None).is_err());
    let huge = hdf5::AttrValue::I32(40_000);
    assert_eq!(decode("segment_landcover", Number::Int32, &[40_000_i32], Some(&huge)).unwrap().null_count(), 1);
}

#[test]
fn flags_that_a_clip_tool_made_floats_are_flags_again() {
    let column = decode("night_flag", Number::Float64, &[0.0_f64, 1.0, f64::NAN, 2_147_483_647.0], None).unwrap();
    assert_eq!(ints::<Int32Type>(&column), [Some(0), Some(1), None, None]);
    assert!(decode("night_flag", Number::Float64, &[0.5_f64], None).is_err());
}

proptest! {
    #[test]
    fn a_cast_keeps_the_value_or_fails(value: i64) {
        prop_assert_eq!(to_int::<i16>(Scalar::Int(value)).map(i64::from), i16::try_from(value).ok().map(i64::from));
        if let Some(double) = to_double(Scalar::Int(value)) {
            prop_assert_eq!(to_int::<i64>(Scalar::Float(double)), Some(value));
        }
        if let Some(single) = to_single(Scalar::Int(value)) {
            prop_assert_eq!(to_int::<i64>(Scalar::Float(single.into())), Some(value));
        }
    }
}
