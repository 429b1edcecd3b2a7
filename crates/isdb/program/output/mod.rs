//! Results on standard output or in a file: a stream of batches, in the requested format, in bounded memory.
//!
//! `format` chooses the format, `destination` opens the file, and `table`, `csv`, `json`, `parquet`, `ipc`, `geojson`, `flatgeobuf` and
//! `geopackage` write batches. `choice` says which geometry rows get, from `points` or `geometries`; `geometry` makes a
//! column of them, `labelled` columns of profiles, `file_columns` those of Parquet and Arrow, and `features` the attributes of features.
//! `texts` prints geometries in formats of text. `origin` is the metadata about the query.

mod choice;
mod csv;
mod destination;
mod features;
mod file_columns;
mod flatgeobuf;
mod format;
mod geojson;
mod geometries;
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
mod texts;
mod write;

pub(crate) use choice::GeometryChoice;
pub(crate) use file_columns::FileOptions;
pub(crate) use geometries::SegmentShape;
pub(crate) use origin::Origin;
pub(crate) use points::PointColumns;
pub(crate) use write::{Target, print, write_batch, write_batch_to, write_file, write_rows, write_text};
