//! Geometry on the globe: regions, their boxes, GeoJSON, the dateline and the poles.

mod bounds;
mod boxes;
mod covers;
mod crs;
mod edges;
mod error;
mod foreign;
mod geojson;
mod index;
mod outward;
mod part;
mod region;
mod ring;
mod shapes;
mod summary;
mod swapped;
#[cfg(test)]
mod tests;
mod text;

pub use bounds::Bounds;
pub use error::RegionError;
pub use region::Region;
pub use shapes::Shape;
pub use swapped::Swapped;
