//! Functions that mean something else than many expect.

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, ScalarUDF};
use isdb_region::{Region, RegionError, SwappedBox};

use super::constant::text;
use super::{View, Warning, refuse};
use crate::session::dialect::shown;

pub(super) fn check(part: &Expr, view: &View<'_>) -> Result<Option<Warning>> {
    let Expr::ScalarFunction(call) = part else { return Ok(None) };
    let function: &ScalarUDF = &call.func;
    match (function.name(), call.args.as_slice()) {
        ("in_region", [latitude, longitude, region]) => in_region(latitude, longitude, region, view),
        ("log", [x]) => {
            let x = shown(x);
            Ok(Some(Warning {
                text: format!("log({x}) is the logarithm to base 10"),
                hint: format!(
                    "write ln({x}) for the natural logarithm, as log is in R and numpy; log10({x}) for base 10"
                ),
            }))
        }
        ("to_char", [what, format]) => Ok(text(format).filter(|format| !format.contains('%')).map(|format| Warning {
            text: format!("to_char({}, '{format}') gives the text '{format}' for every row", shown(what)),
            hint: "the formats are those of strftime: '%Y-%m-%d', '%Y', '%B', '%H:%M'".to_owned(),
        })),
        _ => Ok(None),
    }
}

fn in_region(latitude: &Expr, longitude: &Expr, region: &Expr, view: &View<'_>) -> Result<Option<Warning>> {
    let name = |expr: &Expr| match expr {
        Expr::Column(column) => (view.origin)(column).map(|origin| origin.column),
        _ => None,
    };
    if name(latitude).as_deref() == Some("longitude") && name(longitude).as_deref() == Some("latitude") {
        let problem = "in_region has longitude and latitude exchanged".to_owned();
        return Err(refuse(problem, "write in_region(latitude, longitude, 'W,S,E,N')".to_owned()));
    }
    let Some(text) = text(region) else { return Ok(None) };
    if let Err(error @ RegionError::Crs { .. }) = Region::parse(text) {
        return Err(refuse(format!("in_region: {error}"), error.hint().unwrap_or_default().to_owned()));
    }
    Ok(SwappedBox::detect(text).map(|swapped| {
        let (text, hint) = swapped.warning();
        Warning { text: format!("in_region: {text}"), hint }
    }))
}
