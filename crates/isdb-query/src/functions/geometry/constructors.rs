//! Functions that make geometries of numbers and texts, and the reverse.

use geo::{Geometry, Point};

use super::arguments::{Argument, Value};
use super::function::{Compute, Definition};
use super::pushdown::POINT_NAME;
use crate::geometry::{geometry_text, parse_text};

const POINT: Definition = Definition {
    name: POINT_NAME,
    aliases: &["st_makepoint"],
    arguments: &[("x", Argument::Number), ("y", Argument::Number)],
    usage: "ST_Point(longitude, latitude)",
    compute: Compute::Geometry(point),
    pushdown: None,
};

pub(super) const FUNCTIONS: &[Definition] = &[
    POINT,
    Definition {
        name: "st_geomfromtext",
        aliases: &["st_geometryfromtext"],
        arguments: &[("text", Argument::Text)],
        usage: "ST_GeomFromText('POINT(25.5 61)')",
        compute: Compute::Geometry(from_text),
        pushdown: None,
    },
    Definition {
        name: "st_geomfromwkb",
        aliases: &[],
        arguments: &[("bytes", Argument::Bytes)],
        usage: "ST_GeomFromWKB(bytes)",
        compute: Compute::Geometry(from_bytes),
        pushdown: None,
    },
    Definition {
        name: "st_astext",
        aliases: &["st_aswkt"],
        arguments: &[("geometry", Argument::Geometry)],
        usage: "ST_AsText(ST_Point(longitude, latitude))",
        compute: Compute::Text(as_text),
        pushdown: None,
    },
];

fn point(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    let [Value::Number(x), Value::Number(y)] = values else { return Ok(None) };
    match (-90.0..=90.0).contains(y) {
        true => Ok(x.is_finite().then(|| Point::new(*x, *y).into())),
        false if y.is_nan() => Ok(None),
        false => Err(format!("expected a latitude from -90 to 90 as y, found {y}: write {}", POINT.usage)),
    }
}

fn from_text(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    let [Value::Text(text)] = values else { return Ok(None) };
    let shown: String = text.chars().take(40).collect();
    parse_text(text).map(Some).map_err(|problem| format!("expected well-known text, found '{shown}': {problem}"))
}

fn from_bytes(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    Ok(values.first().and_then(Value::geometry).cloned())
}

fn as_text(values: &[Value]) -> Option<String> {
    Some(geometry_text(values.first()?.geometry()?))
}
