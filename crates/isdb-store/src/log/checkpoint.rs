//! A checkpoint: the whole state after a commit, in the form in which it is read fastest. The live fragments, which may be many, are
//! an Arrow IPC stream; everything else is one line of JSON before it.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray, UInt32Array,
    UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Field, Fields, Float64Type, Int64Type, Schema, SchemaRef, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;

use super::arrow_stream::read_batches;
use super::names::check_state;
use super::state::{LiveFragment, LogState};
use crate::error::Result;
use crate::fragment::{Bounds, FileChecksum, FragmentRecord};
use crate::id::Id;

/// The columns of live fragments.
static LIVE: LazyLock<SchemaRef> = LazyLock::new(|| {
    use DataType::{Float64, Int64, List, Struct, UInt32, UInt64, Utf8};
    let chunks = List(Arc::new(Field::new_list_field(Struct(chunk_fields()), false)));
    let columns = [
        ("id", Int64),
        ("born", UInt64),
        ("name", Utf8),
        ("rows", UInt64),
        ("south", Float64),
        ("north", Float64),
        ("west", Float64),
        ("east", Float64),
        ("first", Int64),
        ("last", Int64),
        ("footer_bytes", UInt64),
        ("footer_crc32c", UInt32),
        ("chunks", chunks),
    ];
    let fields: Vec<Field> = columns.into_iter().map(|(name, of)| Field::new(name, of, false)).collect();
    Arc::new(Schema::new(fields))
});

/// The columns of the chunks of a fragment.
fn chunk_fields() -> Fields {
    Fields::from(vec![Field::new("chunk", DataType::UInt32, false), Field::new("rows", DataType::UInt64, false)])
}

/// The content of the checkpoint of `state`.
pub(super) fn to_bytes(state: &LogState) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(state).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    bytes.push(b'\n');
    let batch = live_batch(state)?;
    let mut stream = StreamWriter::try_new(&mut bytes, &batch.schema())?;
    stream.write(&batch)?;
    stream.finish()?;
    drop(stream);
    Ok(bytes)
}

/// The state in a checkpoint with the content `bytes`; an error describes why it cannot be parsed.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<LogState, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("expected two parts, found one")?;
    let (line, stream) = bytes.split_at(end);
    let mut state: LogState = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let mut live = Vec::new();
    for batch in read_batches(stream.get(1..).unwrap_or_default(), &LIVE)? {
        live.append(&mut live_fragments(&batch).ok_or("a column of the fragments is missing or has another type")?);
    }
    state.segments.live = live.into_iter().map(|fragment| (fragment.record.id, fragment)).collect();
    check_state(&state)?;
    Ok(state)
}

fn live_batch(state: &LogState) -> Result<RecordBatch, ArrowError> {
    let live: Vec<(&FragmentRecord, u64)> =
        state.segments.live.into_iter().map(|(_, fragment)| (&*fragment.record, fragment.born)).collect();
    let unsigned = |value: fn(&FragmentRecord) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(live.iter().map(|(record, _)| value(record))))
    };
    let degrees = |value: fn(&Bounds) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(live.iter().map(|(record, _)| value(&record.bounds))))
    };
    let signed = |value: fn(&FragmentRecord) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(live.iter().map(|(record, _)| value(record))))
    };
    let columns: Vec<ArrayRef> = vec![
        signed(|record| record.id.0),
        Arc::new(UInt64Array::from_iter_values(live.iter().map(|(_, born)| *born))),
        Arc::new(StringArray::from_iter_values(live.iter().map(|(record, _)| &record.name))),
        unsigned(|record| record.rows),
        degrees(|bounds| bounds.latitude.0),
        degrees(|bounds| bounds.latitude.1),
        degrees(|bounds| bounds.longitude.0),
        degrees(|bounds| bounds.longitude.1),
        signed(|record| record.bounds.time.0),
        signed(|record| record.bounds.time.1),
        unsigned(|record| record.footer.bytes),
        Arc::new(UInt32Array::from_iter_values(live.iter().map(|(record, _)| record.footer.crc32c))),
        Arc::new(chunk_lists(&live)?),
    ];
    RecordBatch::try_new(SchemaRef::clone(&LIVE), columns)
}

fn chunk_lists(live: &[(&FragmentRecord, u64)]) -> Result<ListArray, ArrowError> {
    let all = || live.iter().flat_map(|(record, _)| &record.chunks);
    let chunks: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(all().map(|(chunk, _)| *chunk))),
        Arc::new(UInt64Array::from_iter_values(all().map(|(_, rows)| *rows))),
    ];
    let chunks = StructArray::try_new(chunk_fields(), chunks, None)?;
    let offsets = OffsetBuffer::from_lengths(live.iter().map(|(record, _)| record.chunks.len()));
    ListArray::try_new(
        Arc::new(Field::new_list_field(chunks.data_type().clone(), false)),
        offsets,
        Arc::new(chunks),
        None,
    )
}

fn live_fragments(batch: &RecordBatch) -> Option<Vec<LiveFragment>> {
    let (id, born, rows) =
        (values::<Int64Type>(batch, 0)?, values::<UInt64Type>(batch, 1)?, values::<UInt64Type>(batch, 3)?);
    let name = batch.columns().get(2)?.as_string_opt::<i32>()?;
    let degrees: Vec<&[f64]> = (4..8).map(|at| values::<Float64Type>(batch, at)).collect::<Option<_>>()?;
    let (first, last) = (values::<Int64Type>(batch, 8)?, values::<Int64Type>(batch, 9)?);
    let (bytes, crc32c) = (values::<UInt64Type>(batch, 10)?, values::<UInt32Type>(batch, 11)?);
    let lists = batch.columns().get(12)?.as_list_opt::<i32>()?;
    let [chunk, chunk_rows] = lists.values().as_struct_opt()?.columns() else { return None };
    let chunk = chunk.as_primitive_opt::<UInt32Type>()?.values();
    let chunk_rows = chunk_rows.as_primitive_opt::<UInt64Type>()?.values();
    let fragment = |at: usize| {
        let range =
            usize::try_from(lists.value_offsets()[at]).ok()?..usize::try_from(lists.value_offsets()[at + 1]).ok()?;
        let chunks = chunk.get(range.clone())?.iter().copied().zip(chunk_rows.get(range)?.iter().copied()).collect();
        let bounds = Bounds {
            latitude: (degrees[0][at], degrees[1][at]),
            longitude: (degrees[2][at], degrees[3][at]),
            time: (first[at], last[at]),
        };
        let footer = FileChecksum { bytes: bytes[at], crc32c: crc32c[at] };
        let record =
            FragmentRecord { id: Id(id[at]), name: name.value(at).to_owned(), rows: rows[at], bounds, chunks, footer };
        Some(LiveFragment { record: Arc::new(record), born: born[at] })
    };
    (0..batch.num_rows()).map(fragment).collect()
}

fn values<T: ArrowPrimitiveType>(batch: &RecordBatch, at: usize) -> Option<&[T::Native]> {
    Some(batch.columns().get(at)?.as_primitive_opt::<T>()?.values())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fragment::record::tests::record;
    use crate::log::changes::DeadAttempt;
    use crate::log::commit::CommitKind;
    use crate::log::commit::tests::first;

    #[test]
    fn a_state_is_the_same_after_its_checkpoint() {
        let mut state = LogState::after(&first(1));
        assert_eq!(from_bytes(&to_bytes(&state).unwrap()).unwrap(), state);
        let mut commit = state.next_commit(CommitKind::Ingest, 3);
        commit.segments.added = (1..5).map(|counter| record(Id::new(2, counter), 7)).collect();
        commit.segments.added[2].chunks = vec![(1, 2), (9, 5)];
        commit.segments.added[3].chunks = Vec::new();
        commit.dead_attempts = vec![DeadAttempt { id: Id(8), fragments: [Id::new(2, 1)].into() }];
        commit.reread = [Id(5)].into();
        state.apply(&commit);
        let mut commit = state.next_commit(CommitKind::Compact, 4);
        commit.segments.removed = [Id::new(2, 2)].into();
        state.apply(&commit);
        assert_eq!(from_bytes(&to_bytes(&state).unwrap()).unwrap(), state);
    }

    /// Such a checkpoint has the right checksum, which everyone can compute.
    #[test]
    fn a_crafted_checkpoint_is_an_error_or_another_state_and_never_a_panic() {
        let mut state = LogState::after(&first(1));
        let mut commit = state.next_commit(CommitKind::Ingest, 3);
        commit.segments.added = vec![record(Id(5), 7)];
        state.apply(&commit);
        let good = to_bytes(&state).unwrap();
        let stream = good.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let mut refused = 0;
        for at in stream..good.len() {
            for (length, byte) in [(1, 0xff), (1, 0), (4, 0x7f), (8, 0xff)] {
                let mut crafted = good.clone();
                crafted[at..].iter_mut().take(length).for_each(|changed| *changed = byte);
                refused += usize::from(from_bytes(&crafted).is_err());
            }
        }
        assert!(refused > good.len() - stream, "{refused} of {} bytes", good.len() - stream);
    }

    #[test]
    fn a_truncated_checkpoint_is_an_error() {
        let bytes = to_bytes(&LogState::after(&first(1))).unwrap();
        for length in [0, 10, bytes.len() / 2] {
            assert!(from_bytes(&bytes[..length]).is_err());
        }
    }
}
