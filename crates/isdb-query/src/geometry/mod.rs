//! Geometries as columns: well-known binary with [GeoArrow](https://geoarrow.org/extension-types)'s metadata, x = longitude and
//! y = latitude in degrees (OGC:CRS84). `column` reads and writes such columns, `text` prints them.

mod column;
mod text;

pub use column::{GeometryBuilder, geometry_at, geometry_field, is_geometry};
pub(crate) use text::parse_text;
pub use text::{geometry_text, geometry_texts};
