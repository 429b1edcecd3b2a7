//! The region: its parts, and the index that answers whether a position is inside.

use std::sync::Arc;

use arrow::buffer::BooleanBuffer;

use crate::bounds::Bounds;
use crate::covering_shapes::{Shape, shapes_around};
use crate::error::RegionError;
use crate::index::Index;
use crate::part::RegionPart;
use crate::{boxes, file_format, geojson};

/// Regions with more boxes than this are not searched for boxes within boxes: the search would take longer than it saves.
const MAX_BOXES_COMPARED: usize = 64;

/// An area in degrees of latitude and longitude (WGS 84), of one part or of several that may overlap.
///
/// Edges are straight lines in longitude and latitude, as in GIS programs and in TileDB's boxes, not great circles. A
/// position on an edge is inside. Longitudes of positions range from -180 to 180; these two are the same meridian.
/// Coordinates are rounded to 10⁻¹² degrees.
#[derive(Clone, Debug)]
pub struct Region {
    pub(crate) parts: Arc<[RegionPart]>,
    index: Arc<Index>,
}

impl PartialEq for Region {
    fn eq(&self, other: &Region) -> bool {
        self.parts == other.parts
    }
}

impl Region {
    /// The box between two meridians and two parallels, from `west` eastwards to `east`: `east` below `west` crosses the
    /// dateline. Longitudes may range from -180 to 180 or from 0 to 360.
    ///
    /// # Errors
    /// [`RegionError::Geometry`] for degrees outside the globe and for a box without area.
    pub fn from_bbox(west: f64, south: f64, east: f64, north: f64) -> Result<Region, RegionError> {
        let bounds = Bounds::new(west, south, east, north);
        let bounds = bounds.map_err(|problem| RegionError::Geometry { place: "the box".to_owned(), problem })?;
        Ok(Region::from_parts(vec![RegionPart::Box(bounds)]))
    }

    /// The area of a GeoJSON text: a Polygon, a MultiPolygon, a GeometryCollection of them, a Feature, or a
    /// FeatureCollection, whose features together are the region.
    ///
    /// A ring whose longitude jumps by 270° or more, and that runs counter-clockwise, crosses the dateline there; other
    /// edges longer than 180° are refused, because the area may be on either side of them. Otherwise rings may run
    /// either way. A ring around a pole includes that pole, and a ring that crosses itself includes everything that it
    /// goes around.
    ///
    /// # Errors
    /// [`RegionError::Json`] for text other than GeoJSON, [`RegionError::Crs`] for coordinates in another reference system,
    /// [`RegionError::Geometry`] for a geometry without area, with the number of its feature.
    pub fn from_geojson(text: &str) -> Result<Region, RegionError> {
        Ok(Region::from_parts(geojson::parts(text)?))
    }

    /// The area of a GeoJSON file's content, read as by [`from_geojson`](Region::from_geojson).
    ///
    /// # Errors
    /// As for `from_geojson`; [`RegionError::Json`] names the format of a file of another kind.
    pub fn from_geojson_bytes(bytes: &[u8]) -> Result<Region, RegionError> {
        file_format::read_text(bytes, Region::from_geojson)
    }

    /// Whether a position in degrees is in the region or on its edge; false for NaN.
    #[must_use]
    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        self.index.contains(latitude, longitude)
    }

    /// [`contains`](Region::contains) for every pair of `latitude` and `longitude`; false for a latitude without a longitude.
    #[must_use]
    pub fn mask(&self, latitude: &[f64], longitude: &[f64]) -> BooleanBuffer {
        let inside = |row: usize| match (latitude.get(row), longitude.get(row)) {
            (Some(latitude), Some(longitude)) => self.index.contains(*latitude, *longitude),
            _ => false,
        };
        BooleanBuffer::collect_bool(latitude.len(), inside)
    }

    /// At most 16 boxes that together contain every position of the region: none crosses the dateline, and no two
    /// overlap by an area. A region with few parts has one or two boxes for each part.
    #[must_use]
    pub fn boxes(&self) -> Vec<Bounds> {
        boxes::boxes_around(&self.parts)
    }

    /// At most 20 shapes that together contain every position of the region, and further positions where that makes
    /// them simpler, for services that search by simple polygons. Edges of the polygons may be drawn straight in
    /// degrees or along great circles. A polygon has at most `max_points` points; a region of many parts gets boxes
    /// only; holes are filled, and spikes (lines of a ring that go out and back the same way, without area) are left
    /// out.
    #[must_use]
    pub fn covering_shapes(&self, max_points: usize) -> Vec<Shape> {
        shapes_around(&self.parts, max_points)
    }

    /// The positions of both regions.
    #[must_use]
    pub fn union(&self, other: &Region) -> Region {
        Region::from_parts(self.parts.iter().chain(other.parts.iter()).cloned().collect())
    }

    /// The box, if the region is a single one.
    #[must_use]
    pub fn as_box(&self) -> Option<Bounds> {
        match self.parts.as_ref() {
            [RegionPart::Box(bounds)] => Some(*bounds),
            _ => None,
        }
    }

    /// Whether the region is the whole Earth.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.as_box() == Some(Bounds::EVERYTHING)
    }

    /// The region of at least one part. Parts are sorted, because their order has no meaning; a box within another box is
    /// dropped.
    pub(crate) fn from_parts(mut parts: Vec<RegionPart>) -> Region {
        parts.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        parts.dedup();
        if parts.contains(&RegionPart::Box(Bounds::EVERYTHING)) {
            parts = vec![RegionPart::Box(Bounds::EVERYTHING)];
        }
        let boxes: Vec<Bounds> = parts.iter().filter_map(RegionPart::as_box).collect();
        if boxes.len() <= MAX_BOXES_COMPARED {
            parts.retain(|part| {
                let within = |bounds: Bounds| boxes.iter().any(|other| *other != bounds && other.covers(&bounds));
                part.as_box().is_none_or(|bounds| !within(bounds))
            });
        }
        let index = Arc::new(Index::new(&parts));
        Region { parts: parts.into(), index }
    }
}
