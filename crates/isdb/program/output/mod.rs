//! Results on standard output or in a file: a stream of batches, in the requested format, in bounded memory.
//!
//! `format` chooses the format, `destination` opens the file, and `table`, `csv`, `json`, `parquet`, `ipc`, `geojson`, `flatgeobuf` and
//! `geopackage` write batches. `points` finds the positions of rows, `geometry` makes a column of them, `labelled` columns of profiles,
//! and `features` the attributes of features. `origin` is the metadata about the query.

mod csv;
mod destination;
mod features;
mod flatgeobuf;
mod format;
mod geojson;
mod geometry;
mod geopackage;
mod ipc;
mod json;
mod labelled;
mod origin;
mod parquet;
mod points;
mod row_writer;
mod table;
mod write;

pub(crate) use origin::Origin;
pub(crate) use points::{GeometryColumns, PointColumns};
pub(crate) use write::{Target, print, write_batch, write_batch_to, write_file, write_rows, write_text};
