//! Rows as Arrow: the IPC file format (Feather) in a file, the stream format in a pipe, both uncompressed, so that a reader can
//! memory-map them. Field metadata is kept, and the origin of the rows is metadata of the schema. Rows with positions get a column of
//! points with GeoArrow's metadata.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use arrow::ipc::writer::{FileWriter, StreamWriter};

use crate::program::error::CliError;
use crate::program::output::file_columns::FileColumns;
use crate::program::output::origin::Origin;
use crate::program::output::row_writer::RowWriter;

/// Creates a writer of the file format, which readers open from its end.
pub(crate) fn file<W: Write>(
    sink: W,
    columns: FileColumns,
    origin: &Origin,
) -> Result<IpcWriter<FileWriter<W>>, ArrowError> {
    let schema = origin.add_to(columns.schema());
    Ok(IpcWriter { rows: FileWriter::try_new(sink, &schema)?, columns })
}

/// Creates a writer of the stream format, which readers can follow while it is written.
pub(crate) fn stream<W: Write>(
    sink: W,
    columns: FileColumns,
    origin: &Origin,
) -> Result<IpcWriter<StreamWriter<W>>, ArrowError> {
    let schema = origin.add_to(columns.schema());
    Ok(IpcWriter { rows: StreamWriter::try_new(sink, &schema)?, columns })
}

/// A writer of Arrow's and the columns of its file.
pub(crate) struct IpcWriter<W> {
    rows: W,
    columns: FileColumns,
}

impl<W: Write> RowWriter for IpcWriter<FileWriter<W>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let batch = self.columns.rows(batch)?;
        Ok(self.rows.write(&batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(self.rows.finish()?)
    }
}

impl<W: Write> RowWriter for IpcWriter<StreamWriter<W>> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), CliError> {
        let batch = self.columns.rows(batch)?;
        Ok(self.rows.write(&batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<(), CliError> {
        Ok(self.rows.finish()?)
    }
}
