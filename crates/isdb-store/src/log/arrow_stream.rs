//! Arrow IPC streams of the log, decoded without trusting them. Arrow's own reader panics on streams that it did not write, and reserves
//! the lengths that they state (arrow-ipc 59.3: `fb_to_schema`, `MessageReader::maybe_next`, `read_buffer`). So each length is compared
//! with the bytes that are there, only types that `segments` or a checkpoint has are converted, and batches have a known schema.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::RecordBatchDecoder;
use arrow::ipc::{Field, Int, Message, Precision, RecordBatch as BatchHeader, TimeUnit, Type, root_as_message};

/// What precedes the length of a message.
const CONTINUATION: u32 = u32::MAX;
/// Fewer bytes than any field or entry of metadata has in a stream.
const LEAST_BYTES: usize = 16;

/// The schema at the beginning of `stream`; an error describes why it is none.
pub(super) fn read_schema(mut stream: &[u8]) -> Result<Schema, String> {
    let mut budget = stream.len();
    let (message, _) = next_message(&mut stream)?.ok_or("expected a schema, found the end of the stream")?;
    let schema = message.header_as_schema().ok_or("expected a schema, found another message")?;
    let fields = schema.fields().ok_or("expected fields in the schema, found none")?;
    for field in fields {
        check_field(field, &mut budget)?;
    }
    for pair in schema.custom_metadata().into_iter().flatten() {
        spend(&mut budget, pair.key(), pair.value())?;
    }
    Ok(fb_to_schema(schema))
}

/// The batches of `stream`, which must have this schema; an error describes why it cannot be decoded.
pub(super) fn read_batches(mut stream: &[u8], schema: &SchemaRef) -> Result<Vec<RecordBatch>, String> {
    let found = read_schema(stream)?;
    if found != **schema {
        return Err(format!("expected the columns {schema}, found {found}"));
    }
    next_message(&mut stream)?;
    let mut widths = Vec::new();
    schema.fields().iter().for_each(|field| push_widths(field.data_type(), &mut widths));
    let mut batches = Vec::new();
    while let Some((message, body)) = next_message(&mut stream)? {
        let header = message.header_as_record_batch().ok_or("expected a batch, found another message")?;
        check_batch(&header, body.len(), &widths)?;
        let (body, dictionaries, version) = (Buffer::from(body), HashMap::new(), message.version());
        let decoder = RecordBatchDecoder::try_new(&body, header, Arc::clone(schema), &dictionaries, &version);
        // A batch that Arrow wrote is aligned. Another would be copied, column by column.
        let batch = decoder.and_then(|decoder| decoder.with_require_alignment(true).read_record_batch());
        batches.push(batch.map_err(|error| error.to_string())?);
    }
    Ok(batches)
}

/// Splits the next message and its body off `stream`; None at its end.
fn next_message<'s>(stream: &mut &'s [u8]) -> Result<Option<(Message<'s>, &'s [u8])>, String> {
    let mut length = match stream.is_empty() {
        true => return Ok(None),
        false => number(stream)?,
    };
    if length == CONTINUATION {
        length = number(stream)?;
    }
    if length == 0 {
        return Ok(None);
    }
    let message = root_as_message(split(stream, length.into())?).map_err(|error| format!("not a message: {error}"))?;
    let body = split(stream, message.bodyLength())?;
    Ok(Some((message, body)))
}

fn number(stream: &mut &[u8]) -> Result<u32, String> {
    let bytes = split(stream, 4)?.try_into().map_err(|_| "expected four bytes")?;
    Ok(u32::from_le_bytes(bytes))
}

fn split<'s>(stream: &mut &'s [u8], length: i64) -> Result<&'s [u8], String> {
    let all: &'s [u8] = stream;
    let parts = usize::try_from(length).ok().and_then(|length| all.split_at_checked(length));
    let (part, rest) = parts.ok_or_else(|| format!("expected {length} bytes, found {}", all.len()))?;
    *stream = rest;
    Ok(part)
}

/// Checks that the types of a field can be converted, and that the converted field is not larger than its stream: fields of a flatbuffer
/// may share their texts.
fn check_field(field: Field<'_>, budget: &mut usize) -> Result<(), String> {
    spend(budget, field.name(), None)?;
    for pair in field.custom_metadata().into_iter().flatten() {
        spend(budget, pair.key(), pair.value())?;
    }
    let is_index = |index: Option<Int<'_>>| index.is_some_and(|index| matches!(index.bitWidth(), 8 | 16 | 32 | 64));
    let is_known = match field.type_type() {
        Type::Bool | Type::Utf8 | Type::LargeUtf8 => true,
        Type::Int => is_index(field.type_as_int()),
        Type::FloatingPoint => field
            .type_as_floating_point()
            .is_some_and(|float| matches!(float.precision(), Precision::SINGLE | Precision::DOUBLE)),
        Type::Timestamp => field.type_as_timestamp().is_some_and(|time| time.unit() == TimeUnit::NANOSECOND),
        Type::List => field.children().is_some_and(|children| children.len() == 1),
        Type::FixedSizeList => {
            field.type_as_fixed_size_list().is_some() && field.children().is_some_and(|children| children.len() == 1)
        }
        Type::Struct_ => true,
        _ => false,
    };
    if !is_known || field.dictionary().is_some_and(|dictionary| !is_index(dictionary.indexType())) {
        return Err(format!("column {:?} has a type that no database has", field.name().unwrap_or_default()));
    }
    field.children().into_iter().flatten().try_for_each(|child| check_field(child, budget))
}

fn spend(budget: &mut usize, key: Option<&str>, value: Option<&str>) -> Result<(), String> {
    let bytes = [key, value].into_iter().flatten().map(str::len).sum::<usize>() + LEAST_BYTES;
    *budget = budget.checked_sub(bytes).ok_or("the schema is larger than its stream")?;
    Ok(())
}

/// Appends the bytes of a value in each buffer of a column, in the order of a batch: Arrow panics if a buffer ends within a value.
fn push_widths(data_type: &DataType, widths: &mut Vec<i64>) {
    // The validity.
    widths.push(1);
    match data_type {
        DataType::Utf8 => widths.extend([4, 1]),
        DataType::LargeUtf8 => widths.extend([8, 1]),
        DataType::List(item) => {
            widths.push(4);
            push_widths(item.data_type(), widths);
        }
        DataType::FixedSizeList(item, _) => push_widths(item.data_type(), widths),
        DataType::Struct(fields) => fields.iter().for_each(|field| push_widths(field.data_type(), widths)),
        DataType::Dictionary(key, _) => widths.push(width(key)),
        other => widths.push(width(other)),
    }
}

fn width(data_type: &DataType) -> i64 {
    data_type.primitive_width().and_then(|width| i64::try_from(width).ok()).unwrap_or(1)
}

/// Checks that a batch is within its body, with whole values of these `widths`. No column of a checkpoint has NULL or is compressed.
fn check_batch(header: &BatchHeader<'_>, body: usize, widths: &[i64]) -> Result<(), String> {
    let is_within = |start: i64, length: i64| {
        let end = start.checked_add(length).and_then(|end| usize::try_from(end).ok());
        start >= 0 && length >= 0 && end.is_some_and(|end| end <= body)
    };
    let nodes = || header.nodes().into_iter().flatten();
    let buffers = || header.buffers().into_iter().flatten();
    let problem = if header.compression().is_some() {
        "its columns are compressed"
    } else if header.variadicBufferCounts().is_some_and(|counts| !counts.is_empty()) {
        "its columns have views"
    } else if !is_within(0, header.length()) || !nodes().all(|node| is_within(0, node.length())) {
        "it has more rows than bytes"
    } else if !nodes().all(|node| node.null_count() == 0) {
        "its columns have NULL"
    } else if !buffers().all(|buffer| is_within(buffer.offset(), buffer.length())) {
        "a column is outside of its body"
    } else if buffers().count() != widths.len()
        || !buffers().zip(widths).all(|(buffer, width)| buffer.length() % width == 0)
    {
        "a column ends within a value"
    } else {
        return Ok(());
    };
    Err(format!("the batch cannot be decoded: {problem}"))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};
    use arrow::datatypes::{Field, Fields, UnionFields, UnionMode};
    use arrow::ipc::writer::StreamWriter;

    use super::*;

    fn stream(schema: &Schema, batches: &[RecordBatch]) -> Vec<u8> {
        let mut stream = Vec::new();
        let mut writer = StreamWriter::try_new(&mut stream, schema).unwrap();
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.finish().unwrap();
        drop(writer);
        stream
    }

    #[test]
    fn a_stream_with_other_columns_or_null_is_refused() {
        let schema = |nullable| Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, nullable)]));
        let batch = |values: Vec<Option<i64>>| {
            RecordBatch::try_new(schema(true), vec![Arc::new(Int64Array::from(values)) as ArrayRef]).unwrap()
        };
        let batches = [batch(vec![Some(1), Some(2)]), batch(vec![Some(3)])];
        assert_eq!(read_batches(&stream(&schema(true), &batches), &schema(true)).unwrap(), batches);
        let other = read_batches(&stream(&schema(true), &batches), &schema(false)).unwrap_err();
        assert!(other.starts_with("expected the columns"), "{other}");
        let null = read_batches(&stream(&schema(true), &[batch(vec![Some(1), None])]), &schema(true)).unwrap_err();
        assert_eq!(null, "the batch cannot be decoded: its columns have NULL");
    }

    #[test]
    fn a_schema_that_no_database_has_is_an_error_however_it_is_nested() {
        let union = UnionFields::from_fields(vec![Field::new("u", DataType::Int8, false)]);
        let mut nested = DataType::Union(union, UnionMode::Dense);
        for depth in 0..80 {
            let schema = Schema::new(vec![Field::new("a", nested.clone(), false)]);
            assert!(read_schema(&stream(&schema, &[])).is_err(), "{depth}");
            nested = DataType::Struct(Fields::from(vec![Field::new("s", nested, false)]));
        }
    }

    #[test]
    fn lengths_beyond_the_end_are_errors_and_reserve_nothing() {
        let good = stream(&Schema::new(vec![Field::new("a", DataType::Int64, false)]), &[]);
        assert!(read_schema(&good).is_ok());
        for length in [u32::MAX - 1, i32::MAX as u32, 1 << 20] {
            let mut crafted = good.clone();
            crafted[4..8].copy_from_slice(&length.to_le_bytes());
            let problem = read_schema(&crafted).unwrap_err();
            assert!(problem.starts_with(&format!("expected {length} bytes, found")), "{problem}");
        }
        for end in 0..good.len() - 8 {
            assert!(read_schema(&good[..end]).is_err(), "{end}");
        }
    }
}
