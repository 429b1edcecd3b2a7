//! Geometry on the globe: regions in degrees of latitude and longitude (WGS 84), across the dateline and around the poles.
//!
//! A [`Region`] is read from `W,S,E,N` or GeoJSON (`text`, `geojson`; `crs` and `file_format` refuse other coordinate
//! systems and file formats) into boxes and polygons (`part`), whose rings are normalised (`ring`). Their edges
//! (`edges`) are sorted into bands of latitude (`index`), which show whether a position is inside. A region also gives
//! boxes for an array's index (`boxes`), its relation to other regions (`relate`), and a few simple shapes around it
//! for a search service (`covering_shapes`, `outer_polygon`).
//!
//! Distances between positions are those along the ellipsoid (`ellipsoid`); a [`Circle`] is what is within a distance,
//! and a [`CircleIndex`] finds the circles around a position. An [`EaseGrid`] divides the globe into cells of equal area.
//! A [`TrackSegment`] has the direction and the shape of a segment on its ground track.
//!
//! The library `geo` is planar and knows neither the dateline nor the poles, so it only simplifies and grows polygons;
//! the rest of the geometry is implemented here. The crate does no I/O and does not know what its regions restrict.

mod bounds;
mod boxes;
mod circle;
mod circle_grid;
mod circle_index;
mod covering_shapes;
mod crs;
mod ease_grid;
mod edges;
mod ellipsoid;
mod error;
mod features;
mod file_format;
mod geojson;
mod ground_track;
mod index;
mod outer_polygon;
mod part;
mod region;
mod region_index;
mod relate;
mod ring;
mod summary;
mod swapped_box;
#[cfg(test)]
mod tests;
mod text;

pub use bounds::Bounds;
pub use circle::Circle;
pub use circle_index::CircleIndex;
pub use covering_shapes::Shape;
pub use ease_grid::EaseGrid;
pub use ellipsoid::Position;
pub use error::RegionError;
pub use features::GeoFeature;
pub use ground_track::TrackSegment;
pub use region::Region;
pub use region_index::RegionIndex;
pub use swapped_box::SwappedBox;
