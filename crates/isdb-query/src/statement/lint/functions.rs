//! Warns about functions that do not do what many users expect, and refuses wrong arguments of functions of positions.

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, ScalarUDF};
use isdb_region::{Region, RegionError, SwappedBox};

use super::columns::Columns;
use super::constant::literal_text;
use super::warning::Warning;
use crate::error::Error;
use crate::functions::raster::{CELL_USAGE, SAMPLE_USAGE};
use crate::functions::{distance_m, near};
use crate::sql_text::sql_text;

pub(super) fn check(part: &Expr, columns: &Columns<'_>) -> Result<Option<Warning>> {
    let Expr::ScalarFunction(call) = part else { return Ok(None) };
    let function: &ScalarUDF = &call.func;
    match (function.name(), call.args.as_slice()) {
        ("in_region", [latitude, longitude, region]) => in_region(latitude, longitude, region, columns),
        ("h3", [latitude, longitude, _]) => {
            position("h3", latitude, longitude, "h3(latitude, longitude, resolution)", columns)?;
            Ok(None)
        }
        (name @ ("polygon_name" | "polygon_names"), [latitude, longitude, ..]) => {
            position(name, latitude, longitude, &format!("{name}(latitude, longitude, file, property)"), columns)?;
            Ok(None)
        }
        ("sample", [latitude, longitude, ..]) => {
            position("sample", latitude, longitude, SAMPLE_USAGE, columns)?;
            Ok(None)
        }
        ("raster_cell", [latitude, longitude, _]) => {
            position("raster_cell", latitude, longitude, CELL_USAGE, columns)?;
            Ok(None)
        }
        (near::NAME, [lat1, lon1, lat2, lon2, _]) => {
            position(near::NAME, lat1, lon1, near::USAGE, columns)?;
            position(near::NAME, lat2, lon2, near::USAGE, columns)?;
            Ok(None)
        }
        (distance_m::NAME, [lat1, lon1, lat2, lon2]) => {
            position(distance_m::NAME, lat1, lon1, distance_m::USAGE, columns)?;
            position(distance_m::NAME, lat2, lon2, distance_m::USAGE, columns)?;
            Ok(None)
        }
        ("st_point", [x, y]) => {
            position("ST_Point", y, x, "ST_Point(longitude, latitude): x, then y", columns)?;
            Ok(None)
        }
        (name @ ("segment_line" | "segment_footprint"), [latitude, longitude, ..]) => {
            let usage = format!("{name}(latitude, longitude, segment_id_beg, n_geosegments, …)");
            position(name, latitude, longitude, &usage, columns)?;
            Ok(None)
        }
        ("log", [x]) => {
            let x = sql_text(x);
            Ok(Some(Warning {
                text: format!("log({x}) is the logarithm to base 10"),
                hint: format!(
                    "write ln({x}) for the natural logarithm, as log is in R and numpy; log10({x}) for base 10"
                ),
            }))
        }
        ("to_char", [what, format]) => {
            Ok(literal_text(format).filter(|format| !format.contains('%')).map(|format| Warning {
                text: format!("to_char({}, '{format}') gives the text '{format}' for every row", sql_text(what)),
                hint: "the formats are those of strftime: '%Y-%m-%d', '%Y', '%B', '%H:%M'".to_owned(),
            }))
        }
        _ => Ok(None),
    }
}

fn in_region(latitude: &Expr, longitude: &Expr, region: &Expr, columns: &Columns<'_>) -> Result<Option<Warning>> {
    position("in_region", latitude, longitude, "in_region(latitude, longitude, 'W,S,E,N')", columns)?;
    let Some(text) = literal_text(region) else { return Ok(None) };
    if let Err(error @ RegionError::Crs { .. }) = Region::parse(text) {
        return Err(Error::statement(format!("in_region: {error}"), error.hint().unwrap_or_default()).into());
    }
    Ok(SwappedBox::detect(text).map(|swapped| {
        let (text, hint) = swapped.warning();
        Warning { text: format!("in_region: {text}"), hint }
    }))
}

/// Refuses a stored longitude where `function` expects a latitude, and the other way round.
fn position(function: &str, latitude: &Expr, longitude: &Expr, usage: &str, columns: &Columns<'_>) -> Result<()> {
    let is = |expr: &Expr, name: &str| match expr {
        Expr::Column(column) => (columns.origin)(column).is_some_and(|origin| origin.column == name),
        _ => false,
    };
    let problem = match (is(latitude, "longitude"), is(longitude, "latitude")) {
        (true, true) => format!("{function} has longitude and latitude exchanged"),
        (true, false) => format!("{function} has a longitude as its latitude"),
        (false, true) => format!("{function} has a latitude as its longitude"),
        (false, false) => return Ok(()),
    };
    Err(Error::statement(problem, format!("write {usage}")).into())
}
