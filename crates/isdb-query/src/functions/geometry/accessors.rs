//! Functions that return a part of a geometry.

use geo::{BoundingRect, Centroid, CoordsIter, Geometry, Validation};

use super::arguments::{Argument, Value};
use super::function::{Compute, Definition};

const fn of_geometry(name: &'static str, usage: &'static str, compute: Compute) -> Definition {
    Definition { name, aliases: &[], arguments: &[("geometry", Argument::Geometry)], usage, compute, pushdown: None }
}

pub(super) const FUNCTIONS: &[Definition] = &[
    of_geometry("st_x", "ST_X(point)", Compute::Double(x)),
    of_geometry("st_y", "ST_Y(point)", Compute::Double(y)),
    of_geometry("st_xmin", "ST_XMin(geometry)", Compute::Double(|values| Some(bounds(values)?.min().x))),
    of_geometry("st_xmax", "ST_XMax(geometry)", Compute::Double(|values| Some(bounds(values)?.max().x))),
    of_geometry("st_ymin", "ST_YMin(geometry)", Compute::Double(|values| Some(bounds(values)?.min().y))),
    of_geometry("st_ymax", "ST_YMax(geometry)", Compute::Double(|values| Some(bounds(values)?.max().y))),
    of_geometry("st_geometrytype", "ST_GeometryType(geometry)", Compute::Text(kind)),
    of_geometry("st_npoints", "ST_NPoints(geometry)", Compute::Int(count)),
    of_geometry("st_isvalid", "ST_IsValid(geometry)", Compute::Boolean(is_valid)),
    of_geometry("st_centroid", "ST_Centroid(polygon)", Compute::Geometry(centroid)),
];

fn first<'v>(values: &'v [Value]) -> Option<&'v Geometry<f64>> {
    values.first()?.geometry()
}

fn x(values: &[Value]) -> Option<f64> {
    match first(values)? {
        Geometry::Point(point) => Some(point.x()),
        _ => None,
    }
}

fn y(values: &[Value]) -> Option<f64> {
    match first(values)? {
        Geometry::Point(point) => Some(point.y()),
        _ => None,
    }
}

fn bounds(values: &[Value]) -> Option<geo::Rect<f64>> {
    first(values)?.bounding_rect()
}

/// The name that PostGIS returns.
fn kind(values: &[Value]) -> Option<String> {
    let name = match first(values)? {
        Geometry::Point(_) => "ST_Point",
        Geometry::Line(_) | Geometry::LineString(_) => "ST_LineString",
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => "ST_Polygon",
        Geometry::MultiPoint(_) => "ST_MultiPoint",
        Geometry::MultiLineString(_) => "ST_MultiLineString",
        Geometry::MultiPolygon(_) => "ST_MultiPolygon",
        Geometry::GeometryCollection(_) => "ST_GeometryCollection",
    };
    Some(name.to_owned())
}

fn count(values: &[Value]) -> Option<i32> {
    i32::try_from(first(values)?.coords_count()).ok()
}

fn is_valid(values: &[Value]) -> Option<bool> {
    Some(first(values)?.is_valid())
}

/// The centre of gravity in degrees, as in a GIS program.
fn centroid(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    Ok(first(values).and_then(Centroid::centroid).map(Geometry::from))
}
