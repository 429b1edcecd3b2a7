//! Shorthand for the rows of the catalogue: constructors by number type, and setters of the fields that few rows have.

use super::variable::{Dtype, Fill, Flags, Labels, Releases, Variable, Vertical};

pub(super) const ALL: Releases = Releases::ALL;
pub(super) const SINCE_005: Releases = Releases { first: 5, last: None };
pub(super) const SINCE_006: Releases = Releases { first: 6, last: None };
pub(super) const SINCE_007: Releases = Releases { first: 7, last: None };
pub(super) const ONLY_004: Releases = Releases { first: 4, last: Some(4) };

pub(super) const I16_MAX: i64 = i16::MAX as i64;
pub(super) const I32_MAX: i64 = i32::MAX as i64;

type Str = &'static str;

const fn row(dtype: Dtype, path: Str, releases: Releases, product_units: Str, long_name: Str) -> Variable {
    Variable {
        name: leaf(path),
        path,
        dtype,
        width: 1,
        units: product_units,
        product_units,
        vertical: None,
        labels: None,
        fill: None,
        valid_range: None,
        releases,
        flag_values: "",
        flag_meanings: "",
        earlier_flags: None,
        long_name,
        description: "",
        plain: None,
        required: false,
    }
}

/// The part of `path` after the slash; the product nests one group deep.
const fn leaf(path: Str) -> Str {
    let bytes = path.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'/' {
            return path.split_at(at + 1).1;
        }
        at += 1;
    }
    path
}

/// A single-precision variable. Its fill is the largest finite single unless [`Variable::no_fill`] is called.
pub(super) const fn f32(path: Str, releases: Releases, units: Str, long_name: Str) -> Variable {
    Variable { fill: Some(Fill::Float(f32::MAX)), ..row(Dtype::Float32, path, releases, units, long_name) }
}

pub(super) const fn f64(path: Str, releases: Releases, units: Str, long_name: Str) -> Variable {
    row(Dtype::Float64, path, releases, units, long_name)
}

pub(super) const fn i8(path: Str, releases: Releases, long_name: Str) -> Variable {
    row(Dtype::Int8, path, releases, "1", long_name)
}

pub(super) const fn i16(path: Str, releases: Releases, long_name: Str) -> Variable {
    row(Dtype::Int16, path, releases, "1", long_name)
}

pub(super) const fn i32(path: Str, releases: Releases, long_name: Str) -> Variable {
    row(Dtype::Int32, path, releases, "1", long_name)
}

pub(super) const fn i64(path: Str, releases: Releases, long_name: Str) -> Variable {
    row(Dtype::Int64, path, releases, "1", long_name)
}

impl Variable {
    /// The real units, if the product's are missing or misleading.
    pub(super) const fn real_units(self, units: Str) -> Self {
        Self { units, ..self }
    }

    pub(super) const fn height_above(self, vertical: Vertical) -> Self {
        Self { vertical: Some(vertical), ..self }
    }

    pub(super) const fn profile(self, labels: Labels) -> Self {
        Self { width: labels.count(), labels: Some(labels), ..self }
    }

    pub(super) const fn fill(self, fill: i64) -> Self {
        Self { fill: Some(Fill::Int(fill)), ..self }
    }

    pub(super) const fn no_fill(self) -> Self {
        Self { fill: None, ..self }
    }

    pub(super) const fn valid_range(self, min: f64, max: f64) -> Self {
        Self { valid_range: Some((min, max)), ..self }
    }

    pub(super) const fn flags(self, flag_values: Str, flag_meanings: Str) -> Self {
        Self { flag_values, flag_meanings, ..self }
    }

    pub(super) const fn earlier_flags(self, flags: Flags) -> Self {
        Self { earlier_flags: Some(flags), ..self }
    }

    pub(super) const fn description(self, description: Str) -> Self {
        Self { description, ..self }
    }

    pub(super) const fn plain_name(self, plain: Str) -> Self {
        Self { plain: Some(plain), ..self }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}
