//! Lengths in metres and areas in square metres along the WGS 84 ellipsoid.

use geo::line_measures::LengthMeasurable;
use geo::{Geodesic, GeodesicArea, Geometry};

use super::arguments::{Argument, Value};
use super::function::{Compute, Definition};
use super::metres::distance;
use super::pushdown;

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition {
        name: "st_distance",
        aliases: &[],
        arguments: &[("a", Argument::Geometry), ("b", Argument::Geometry)],
        usage: "ST_Distance(ST_Point(longitude, latitude), ST_Point(25.5, 61.0))",
        compute: Compute::Double(between),
        pushdown: Some(pushdown::distance),
    },
    Definition {
        name: "st_dwithin",
        aliases: &[],
        arguments: &[("a", Argument::Geometry), ("b", Argument::Geometry), ("metres", Argument::Number)],
        usage: "ST_DWithin(ST_Point(longitude, latitude), ST_Point(25.5, 61.0), 1000)",
        compute: Compute::Boolean(is_within),
        pushdown: Some(pushdown::within_distance),
    },
    Definition {
        name: "st_length",
        aliases: &[],
        arguments: &[("line", Argument::Geometry)],
        usage: "ST_Length(line)",
        compute: Compute::Double(length),
        pushdown: None,
    },
    Definition {
        name: "st_perimeter",
        aliases: &[],
        arguments: &[("polygon", Argument::Geometry)],
        usage: "ST_Perimeter(polygon)",
        compute: Compute::Double(perimeter),
        pushdown: None,
    },
    Definition {
        name: "st_area",
        aliases: &[],
        arguments: &[("polygon", Argument::Geometry)],
        usage: "ST_Area(polygon)",
        compute: Compute::Double(area),
        pushdown: None,
    },
];

fn between(values: &[Value]) -> Option<f64> {
    let [a, b] = values else { return None };
    distance(a.geometry()?, b.geometry()?)
}

fn is_within(values: &[Value]) -> Option<bool> {
    let [a, b, metres] = values else { return None };
    Some(distance(a.geometry()?, b.geometry()?)? <= metres.number()?)
}

/// Zero for points and polygons, as in PostGIS.
fn length(values: &[Value]) -> Option<f64> {
    Some(match values.first()?.geometry()? {
        Geometry::Line(line) => line.length(&Geodesic),
        Geometry::LineString(line) => line.length(&Geodesic),
        Geometry::MultiLineString(lines) => lines.length(&Geodesic),
        _ => 0.0,
    })
}

fn perimeter(values: &[Value]) -> Option<f64> {
    Some(values.first()?.geometry()?.geodesic_perimeter())
}

fn area(values: &[Value]) -> Option<f64> {
    // The unsigned area of a clockwise ring would be that of the rest of the globe.
    Some(values.first()?.geometry()?.geodesic_area_signed().abs())
}
