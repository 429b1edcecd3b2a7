//! Properties of a variable as table cells.

use crate::Variable;

/// Returns the name of the type: `float32`, `list of 18 float32`.
pub(super) fn type_name(variable: &Variable) -> String {
    let element = variable.dtype.arrow().to_string().to_lowercase();
    if variable.width > 1 { format!("list of {} {element}", variable.width) } else { element }
}

/// Returns the vertical reference of a height, or `none`.
pub(super) fn vertical_reference(variable: &Variable) -> &'static str {
    variable.vertical.map_or("none", |vertical| vertical.as_str())
}

/// Returns the releases, separated by blanks.
pub(super) fn releases(variable: &Variable) -> String {
    variable.releases.names().collect::<Vec<_>>().join(" ")
}
