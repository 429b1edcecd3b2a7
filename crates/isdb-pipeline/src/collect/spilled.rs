//! Batches in a file, column by column, so that one column of all batches can be read without the others.
//!
//! Satellite tracks cross the whole area of a window, so the first fragment may need the last row that is read. Rows wait in a file
//! instead of memory: until it is deleted, most of it is in the page cache, and a column is read from there when it is encoded.

use std::fs::File;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayData, ArrayRef, MutableArrayData, RecordBatch, make_array};
use arrow::buffer::{Buffer, MutableBuffer, NullBuffer};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result, internal_datafusion_err};
use datafusion::execution::SpillFile;
use datafusion::physical_plan::metrics::SpillMetrics;

use crate::error::Error;

/// The alignment of buffers in the file. Arrow's buffers in memory have it, so that slices of what is read need no copy.
const ALIGNMENT: usize = 64;

/// A file of batches. Dropping it deletes the file.
pub(super) struct SpilledBatches {
    file: Arc<dyn SpillFile>,
    reader: File,
    end: u64,
    /// The bytes of one batch.
    scratch: Vec<u8>,
}

/// A batch in a file: its columns.
pub(super) struct SpilledBatch(Vec<SpilledColumn>);

/// A column of a batch in a file.
struct SpilledColumn {
    offset: u64,
    bytes: usize,
    layout: Layout,
}

/// Where the buffers of an array are among the bytes of its column.
struct Layout {
    data_type: DataType,
    len: usize,
    validity: Option<Range<usize>>,
    buffers: Vec<Range<usize>>,
    children: Vec<Layout>,
}

impl SpilledBatches {
    /// Stores batches in `file`, which is empty.
    pub(super) fn new(file: Arc<dyn SpillFile>) -> Result<SpilledBatches> {
        let open = || {
            let path = file.path().ok_or_else(|| internal_datafusion_err!("the spill file is not a local file"))?;
            Ok(File::open(path)?)
        };
        let reader = open().map_err(|source| failed(&*file, source))?;
        Ok(SpilledBatches { file, reader, end: 0, scratch: Vec::new() })
    }

    #[cfg(test)]
    pub(super) fn path(&self) -> Option<std::path::PathBuf> {
        self.file.path().map(Path::to_owned)
    }

    /// Appends `batch`.
    pub(super) fn append(&mut self, batch: &RecordBatch, metrics: &SpillMetrics) -> Result<SpilledBatch> {
        self.scratch.clear();
        let mut columns = Vec::with_capacity(batch.num_columns());
        for column in batch.columns() {
            let start = align(&mut self.scratch);
            let layout = write(column.to_data(), start, &mut self.scratch)?;
            let (offset, bytes) = (self.end + start as u64, self.scratch.len() - start);
            columns.push(SpilledColumn { offset, bytes, layout });
        }
        align(&mut self.scratch);
        let written = self.file.open_writer().and_then(|mut writer| Ok(writer.write_all(&self.scratch)?));
        written.map_err(|source| failed(&*self.file, source))?;
        self.end += self.scratch.len() as u64;
        metrics.spilled_rows.add(batch.num_rows());
        metrics.spilled_bytes.add(self.scratch.len());
        Ok(SpilledBatch(columns))
    }

    /// Reads the column at `index` of `batch`.
    pub(super) fn read(&self, batch: &SpilledBatch, index: usize) -> Result<ArrayRef> {
        let read = || {
            let missing = || internal_datafusion_err!("a spilled batch has no column {index}");
            let SpilledColumn { offset, bytes, layout } = batch.0.get(index).ok_or_else(missing)?;
            let mut content = MutableBuffer::from_len_zeroed(*bytes);
            self.reader.read_exact_at(content.as_slice_mut(), *offset)?;
            Ok(make_array(layout.array(&content.into())?))
        };
        read().map_err(|source| failed(&*self.file, source))
    }
}

impl Layout {
    /// Returns the array whose buffers are in `content`.
    fn array(&self, content: &Buffer) -> Result<ArrayData> {
        let slice = |range: &Range<usize>| content.slice_with_length(range.start, range.len());
        let children = self.children.iter().map(|child| child.array(content)).collect::<Result<Vec<_>>>()?;
        let validity = self.validity.as_ref().map(slice);
        let builder = ArrayData::builder(self.data_type.clone()).len(self.len).null_bit_buffer(validity);
        Ok(builder.buffers(self.buffers.iter().map(slice).collect()).child_data(children).build()?)
    }
}

/// Appends the buffers of an array to `out`, and returns where they are from `start` on.
fn write(data: ArrayData, start: usize, out: &mut Vec<u8>) -> Result<Layout> {
    let data = without_offset(data)?;
    let mut append = |bytes: &[u8]| {
        let first = align(out) - start;
        out.extend_from_slice(bytes);
        first..first + bytes.len()
    };
    // The bits of a slice may begin within a byte.
    let packed = |nulls: &NullBuffer| nulls.inner().sliced();
    let validity = data.nulls().filter(|nulls| nulls.null_count() > 0).map(|nulls| append(&packed(nulls)));
    let buffers = data.buffers().iter().map(|buffer| append(buffer)).collect();
    let children = data.child_data().iter().map(|child| write(child.clone(), start, out)).collect::<Result<_>>()?;
    Ok(Layout { data_type: data.data_type().clone(), len: data.len(), validity, buffers, children })
}

/// Returns an array of which all buffers begin with its first value. Numbers and lists of a fixed size are sliced that way already.
fn without_offset(data: ArrayData) -> Result<ArrayData> {
    let is_sliced = match data.data_type() {
        DataType::FixedSizeList(..) | DataType::Dictionary(..) => true,
        other => other.primitive_width().is_some(),
    };
    if is_sliced && data.offset() == 0 {
        return Ok(data);
    }
    let mut copied = MutableArrayData::new(vec![&data], false, data.len());
    copied.try_extend(0, 0, data.len())?;
    Ok(copied.freeze())
}

/// Appends zeros up to the alignment, and returns the length.
fn align(out: &mut Vec<u8>) -> usize {
    out.resize(out.len().next_multiple_of(ALIGNMENT), 0);
    out.len()
}

fn failed(file: &dyn SpillFile, source: DataFusionError) -> DataFusionError {
    Error::Spill { path: file.path().map(Path::to_owned).unwrap_or_default(), source }.into()
}
