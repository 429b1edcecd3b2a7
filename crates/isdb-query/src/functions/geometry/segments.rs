//! The shapes of segments on the ground: lines and rectangles along the ground track.

use geo::{Geometry, LineString, Polygon};
use isdb_region::{Position, TrackSegment};

use super::arguments::{Argument, Value};
use super::function::{Compute, Definition};

const ALONG: [(&str, Argument); 4] = [
    ("latitude", Argument::Number),
    ("longitude", Argument::Number),
    ("segment_id_beg", Argument::Number),
    ("n_geosegments", Argument::Number),
];

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition {
        name: "segment_line",
        aliases: &[],
        arguments: &ALONG,
        usage: "segment_line(latitude, longitude, segment_id_beg, n_geosegments)",
        compute: Compute::Geometry(line),
        pushdown: None,
    },
    Definition {
        name: "segment_footprint",
        aliases: &[],
        arguments: &[ALONG[0], ALONG[1], ALONG[2], ALONG[3], ("width_m", Argument::Number)],
        usage: "segment_footprint(latitude, longitude, segment_id_beg, n_geosegments, 11)",
        compute: Compute::Geometry(footprint),
        pushdown: None,
    },
];

/// The line of a segment in flight direction: 20 m for each of its geosegments, with the position of the segment in the middle.
fn line(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    let Some((segment, _)) = segment(values) else { return Ok(None) };
    Ok(Some(LineString::from(segment.line().to_vec()).into()))
}

/// The rectangle around that line.
fn footprint(values: &[Value]) -> Result<Option<Geometry<f64>>, String> {
    let Some((segment, Some(width))) = segment(values) else { return Ok(None) };
    if width <= 0.0 || width.is_nan() {
        return Err(format!("expected a width in metres, found {width}"));
    }
    Ok(Some(Polygon::new(LineString::from(segment.rectangle(width).to_vec()), Vec::new()).into()))
}

/// The segment, and the number after it.
fn segment(values: &[Value]) -> Option<(TrackSegment, Option<f64>)> {
    let number = |index: usize| values.get(index)?.number();
    let middle = Position::new(number(0)?, number(1)?)?;
    Some((TrackSegment::new(middle, number(2)?, number(3)?)?, number(4)))
}
