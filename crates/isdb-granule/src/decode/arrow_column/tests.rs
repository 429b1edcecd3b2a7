//! Fills that become NULL, and casts that are done or refused.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::ArrowNativeType;
use isdb_schema::catalogue::variable;

use super::*;

fn decode<T: ArrowNativeType>(
    name: &str,
    number: Number,
    values: &[T],
    attribute: Option<&hdf5::AttrValue>,
) -> Result<ArrayRef, Reason> {
    decode_filled(name, number, values, attribute, None)
}

fn decode_filled<T: ArrowNativeType>(
    name: &str,
    number: Number,
    values: &[T],
    attribute: Option<&hdf5::AttrValue>,
    property: Option<Scalar>,
) -> Result<ArrayRef, Reason> {
    let variable = variable(name).unwrap();
    let element = Element { number, big_endian: false };
    let buffer = Buffer::from_slice_ref(values);
    column(buffer, element, variable.dtype, variable, &FillValues::new(variable, attribute, property))
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
fn floats_that_are_not_measurements_are_null_without_an_attribute() {
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
fn land_cover_of_release_004_is_narrowed_and_larger_values_are_refused() {
    let column = decode("segment_landcover", Number::Int32, &[1_i32, 255, 16], None).unwrap();
    assert_eq!(ints::<Int16Type>(&column), [Some(1), None, Some(16)]);
    assert!(decode("segment_landcover", Number::Int32, &[40_000_i32], None).is_err());
    let huge = hdf5::AttrValue::I32(40_000);
    assert_eq!(decode("segment_landcover", Number::Int32, &[40_000_i32], Some(&huge)).unwrap().null_count(), 1);
}

#[test]
fn flags_that_a_clip_tool_stored_as_floats_become_integers() {
    let column = decode("night_flag", Number::Float64, &[0.0_f64, 1.0, f64::NAN, 2_147_483_647.0], None).unwrap();
    assert_eq!(ints::<Int32Type>(&column), [Some(0), Some(1), None, None]);
    assert!(decode("night_flag", Number::Float64, &[0.5_f64], None).is_err());
}

#[test]
fn the_fill_property_counts_where_the_attribute_was_dropped() {
    let column = decode_filled("n_te_photons", Number::Int32, &[0_i32, 7, -5], None, Some(Scalar::Int(-5))).unwrap();
    assert_eq!(ints::<Int32Type>(&column), [Some(0), Some(7), None]);
    let column =
        decode_filled("asr", Number::Float32, &[0.0_f32, -9999.0], None, Some(Scalar::Float(-9999.0))).unwrap();
    assert_eq!((column.is_valid(0), column.is_valid(1)), (true, false));
    for zero in [Scalar::Int(0), Scalar::Float(0.0), Scalar::Float(-0.0)] {
        assert_eq!(decode_filled("asr", Number::Float32, &[0.0_f32], None, Some(zero)).unwrap().null_count(), 0);
    }
    for flag in ["msw_flag", "sat_flag", "subset_can_flag", "subset_te_flag"] {
        let column = decode_filled(flag, Number::Int8, &[-1_i8; 5], None, Some(Scalar::Int(-1))).unwrap();
        let nulls = column.as_fixed_size_list_opt().map_or(column.null_count(), |list| list.values().null_count());
        assert_eq!(nulls, 0, "{flag}");
    }
}

#[test]
fn a_fill_attribute_of_another_type_than_the_data_counts() {
    let whole = hdf5::AttrValue::I32(-9999);
    let column = decode("asr", Number::Float32, &[1.0_f32, -9999.0], Some(&whole)).unwrap();
    assert_eq!((column.is_valid(0), column.is_valid(1)), (true, false));
    let float = hdf5::AttrValue::F64(9.0);
    let column = decode("n_te_photons", Number::Int32, &[7_i32, 9], Some(&float)).unwrap();
    assert_eq!(ints::<Int32Type>(&column), [Some(7), None]);
}
