//! A region of the Earth, as search, ingest and query understand it alike: read from four numbers or from GeoJSON, asked of
//! positions, and turned into what the archive can search for.

use std::sync::Arc;

use arrow::buffer::BooleanBuffer;

use crate::bounds::Bounds;
use crate::error::RegionError;
use crate::index::Index;
use crate::part::Part;
use crate::shapes::Shape;
use crate::{boxes, covers, foreign, geojson, shapes, text};

/// An area in degrees of latitude and longitude (WGS 84), of one part or several that may overlap.
///
/// Edges are straight lines in longitude and latitude, as in GIS programs and in TileDB's boxes, not great circles. A position
/// on an edge is inside. Longitudes of positions go from -180 to 180, both of which are the same meridian. Coordinates are kept
/// to 10⁻¹² degrees.
#[derive(Clone, Debug)]
pub struct Region {
    pub(crate) parts: Arc<[Part]>,
    index: Arc<Index>,
}

impl PartialEq for Region {
    fn eq(&self, other: &Region) -> bool {
        self.parts == other.parts
    }
}

impl Region {
    /// The box between two meridians and two parallels; east of `west` up to `east`, so that `east` below `west` crosses the
    /// dateline. Longitudes may be counted from -180 to 180 or from 0 to 360.
    ///
    /// # Errors
    /// [`RegionError::Shape`] for degrees that do not exist and for a box without area.
    pub fn bbox(west: f64, south: f64, east: f64, north: f64) -> Result<Region, RegionError> {
        let bounds = Bounds::new(west, south, east, north);
        let bounds = bounds.map_err(|problem| RegionError::Shape { place: "the box".to_owned(), problem })?;
        Ok(Region::of(vec![Part::Box(bounds)]))
    }

    /// The area of a GeoJSON text: a Polygon, a MultiPolygon, a GeometryCollection of them, a Feature, or a FeatureCollection,
    /// whose features together are the region.
    ///
    /// A ring whose longitude jumps by 270° or more, and that runs counter-clockwise, crosses the dateline there; other edges
    /// longer than 180° are refused, since the area may be on either side of them. Else rings may turn either way. One that
    /// goes around a pole holds that pole, and one that crosses itself holds all that it goes around.
    ///
    /// # Errors
    /// [`RegionError::Json`] for a text that is no GeoJSON, [`RegionError::Shape`] for a geometry that is no area, with the
    /// feature where it stands.
    pub fn geojson(text: &str) -> Result<Region, RegionError> {
        Ok(Region::of(geojson::parts(text)?))
    }

    /// The area of a GeoJSON file's content, as [`geojson`](Region::geojson) reads it.
    ///
    /// # Errors
    /// Those of `geojson`; a file of another kind is named in [`RegionError::Json`].
    pub fn geojson_bytes(bytes: &[u8]) -> Result<Region, RegionError> {
        let read = std::str::from_utf8(bytes).map_err(|error| RegionError::Json { problem: error.to_string() });
        read.and_then(Region::geojson).map_err(|error| match (error, foreign::of_bytes(bytes)) {
            (RegionError::Json { .. }, Some(found)) => {
                RegionError::Json { problem: format!("expected GeoJSON in UTF-8, found {found}") }
            }
            (error, _) => error,
        })
    }

    /// The region that a person wrote: `W,S,E,N` in degrees, or GeoJSON.
    ///
    /// # Errors
    /// As of [`bbox`](Region::bbox) and [`geojson`](Region::geojson); [`RegionError::Text`] for what is neither.
    pub fn parse(text: &str) -> Result<Region, RegionError> {
        text::parse(text)
    }

    /// The region as text that [`parse`](Region::parse) reads back as the same region: `W,S,E,N` for a plain box, else GeoJSON
    /// in one line.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::write(&self.parts)
    }

    /// Whether a position in degrees lies in the region or on its edge; NaN does not.
    #[must_use]
    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        self.index.contains(latitude, longitude)
    }

    /// [`contains`](Region::contains) for every pair of `latitude` and `longitude`; a value without its other half is outside.
    #[must_use]
    pub fn mask(&self, latitude: &[f64], longitude: &[f64]) -> BooleanBuffer {
        let inside = |row: usize| match (latitude.get(row), longitude.get(row)) {
            (Some(latitude), Some(longitude)) => self.index.contains(*latitude, *longitude),
            _ => false,
        };
        BooleanBuffer::collect_bool(latitude.len(), inside)
    }

    /// Boxes that together hold every position of the region, at most 16, none crossing the dateline and none overlapping
    /// another by an area. A region with few parts has one or two for each.
    #[must_use]
    pub fn boxes(&self) -> Vec<Bounds> {
        boxes::of(&self.parts)
    }

    /// Whether some position of `bounds` lies in the region.
    #[must_use]
    pub fn intersects_box(&self, bounds: &Bounds) -> bool {
        covers::intersects(self, bounds)
    }

    /// Whether every position of `other` lies in this region, give or take 10⁻⁹ degrees.
    #[must_use]
    pub fn covers(&self, other: &Region) -> bool {
        covers::covers(self, other)
    }

    /// The positions of both regions.
    #[must_use]
    pub fn union(&self, other: &Region) -> Region {
        Region::of(self.parts.iter().chain(other.parts.iter()).cloned().collect())
    }

    /// The box, where the region is nothing else.
    #[must_use]
    pub fn as_box(&self) -> Option<Bounds> {
        match self.parts.as_ref() {
            [Part::Box(bounds)] => Some(*bounds),
            _ => None,
        }
    }

    /// Whether the region is the whole Earth.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.as_box() == Some(Bounds::EVERYTHING)
    }

    /// Shapes for the archive's search, whose polygons have edges along great circles: together they hold every position of the
    /// region, and more where that is simpler. At most 20, each polygon of at most `most_points` points, and only boxes for a
    /// region of very many parts; a hole is filled, and a line of a ring that goes out and back the same way, which has no area, is left out.
    #[must_use]
    pub fn search_shapes(&self, most_points: usize) -> Vec<Shape> {
        shapes::of(&self.parts, most_points)
    }

    /// The region of at least one part. The order of parts means nothing; a box within another one adds nothing.
    pub(crate) fn of(mut parts: Vec<Part>) -> Region {
        parts.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        parts.dedup();
        if parts.contains(&Part::Box(Bounds::EVERYTHING)) {
            parts = vec![Part::Box(Bounds::EVERYTHING)];
        }
        let boxes: Vec<Bounds> = parts.iter().filter_map(Part::as_box).collect();
        // Beyond this many the search for boxes in boxes would take longer than it saves.
        if boxes.len() <= 64 {
            parts.retain(|part| {
                let within = |bounds: Bounds| boxes.iter().any(|other| *other != bounds && other.covers(&bounds));
                part.as_box().is_none_or(|bounds| !within(bounds))
            });
        }
        let index = Arc::new(Index::new(&parts));
        Region { parts: parts.into(), index }
    }
}
