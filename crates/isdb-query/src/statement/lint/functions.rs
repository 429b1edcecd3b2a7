//! Warns about functions that do not do what many users expect, and refuses wrong arguments of `in_region`.

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, ScalarUDF};
use isdb_region::{Region, RegionError, SwappedBox};

use super::columns::Columns;
use super::constant::literal_text;
use super::warning::Warning;
use crate::error::Error;
use crate::sql_text::sql_text;

pub(super) fn check(part: &Expr, columns: &Columns<'_>) -> Result<Option<Warning>> {
    let Expr::ScalarFunction(call) = part else { return Ok(None) };
    let function: &ScalarUDF = &call.func;
    match (function.name(), call.args.as_slice()) {
        ("in_region", [latitude, longitude, region]) => in_region(latitude, longitude, region, columns),
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
    let name = |expr: &Expr| match expr {
        Expr::Column(column) => (columns.origin)(column).map(|origin| origin.column),
        _ => None,
    };
    if name(latitude).as_deref() == Some("longitude") && name(longitude).as_deref() == Some("latitude") {
        let hint = "write in_region(latitude, longitude, 'W,S,E,N')";
        return Err(Error::statement("in_region has longitude and latitude exchanged", hint).into());
    }
    let Some(text) = literal_text(region) else { return Ok(None) };
    if let Err(error @ RegionError::Crs { .. }) = Region::parse(text) {
        return Err(Error::statement(format!("in_region: {error}"), error.hint().unwrap_or_default()).into());
    }
    Ok(SwappedBox::detect(text).map(|swapped| {
        let (text, hint) = swapped.warning();
        Warning { text: format!("in_region: {text}"), hint }
    }))
}
