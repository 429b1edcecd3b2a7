//! One variable of the product, and its Arrow field.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

/// The number type that stores a variable. A granule of another release may have a wider type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dtype {
    /// 8-bit signed integer.
    Int8,
    /// 16-bit signed integer.
    Int16,
    /// 32-bit signed integer.
    Int32,
    /// 64-bit signed integer.
    Int64,
    /// IEEE single precision.
    Float32,
    /// IEEE double precision.
    Float64,
}

impl Dtype {
    /// The Arrow type of one element.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
        }
    }

    /// Whether the elements are integers.
    #[must_use]
    pub fn is_integer(self) -> bool {
        !matches!(self, Self::Float32 | Self::Float64)
    }
}

/// The value that marks a missing measurement in the product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// Of integer variables: the largest value of the type in most flags, 255 in land cover and water mask.
    Int(i64),
    /// Of float variables: the largest finite single.
    Float(f32),
}

/// The releases that this catalogue describes, and their names.
const KNOWN_RELEASES: [(u16, &str); 4] = [(4, "004"), (5, "005"), (6, "006"), (7, "007")];

/// The releases whose granules have a variable. A release after the newest known one is assumed to have the same variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Releases {
    /// The first release with the variable.
    pub first: u16,
    /// The last release with the variable, or `None` if it was never removed.
    pub last: Option<u16>,
}

impl Releases {
    /// Every known and future release.
    pub const ALL: Releases = Releases { first: 4, last: None };

    /// Whether every known release is included, so that the release of a granule does not matter.
    #[must_use]
    pub const fn is_all(self) -> bool {
        self.first <= Self::ALL.first && self.last.is_none()
    }

    /// Whether granules of `release` (7 for `007`) have the variable.
    #[must_use]
    pub const fn contains(self, release: u16) -> bool {
        let begun = self.first <= release;
        match self.last {
            Some(last) => begun && release <= last,
            None => begun,
        }
    }

    /// The known releases with the variable, as the product writes them: `005`, `006`, `007`.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        KNOWN_RELEASES.iter().filter(move |(release, _)| self.contains(*release)).map(|(_, name)| *name)
    }
}

/// The reference of a height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Vertical {
    /// The WGS 84 ellipsoid, which is not sea level.
    Ellipsoid,
    /// The ground below the segment, as the product found it.
    Ground,
}

impl Vertical {
    /// The word in field metadata: `ellipsoid` or `ground`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The labels of the elements of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// The dimension of the labels, such as `percentile`.
    pub name: &'static str,
    /// Their units; empty for words.
    pub units: &'static str,
    /// One label per element, separated by blanks.
    pub values: &'static str,
}

impl Labels {
    /// The number of labels.
    pub(super) const fn count(self) -> usize {
        let bytes = self.values.as_bytes();
        let (mut count, mut at) = (1, 0);
        while at < bytes.len() {
            if bytes[at] == b' ' {
                count += 1;
            }
            at += 1;
        }
        count
    }
}

/// Codes and their meanings in some releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// The releases that use them.
    pub releases: Releases,
    /// The codes, separated by blanks.
    pub values: &'static str,
    /// Their meanings in the same order.
    pub meanings: &'static str,
}

impl fmt::Display for Releases {
    /// `since 005`, `004`, or `004 to 006`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            None => write!(f, "since {:03}", self.first),
            Some(last) if last == self.first => write!(f, "{last:03}"),
            Some(last) => write!(f, "{:03} to {last:03}", self.first),
        }
    }
}

/// One dataset of `/gtXX/land_segments`, read per 100 m segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variable {
    /// Unique name, the last part of `path`.
    pub name: &'static str,
    /// HDF5 path below `/gtXX/land_segments`, such as `canopy/h_canopy`.
    pub path: &'static str,
    /// Type of one element.
    pub dtype: Dtype,
    /// Elements per segment: 1, 5 (20 m pieces or surface types) or 18 (height percentiles).
    pub width: usize,
    /// The real units; `1` means none. They differ from the product's if those are missing or misleading.
    pub units: &'static str,
    /// Units as the product writes them.
    pub product_units: &'static str,
    /// The reference of a height; `None` for other variables, and for differences and uncertainties of heights.
    pub vertical: Option<Vertical>,
    /// The labels of the elements of a list.
    pub labels: Option<Labels>,
    /// The fill value of the product's dictionary, if it has one. An HDF5 fill of zero is a valid value and not listed here.
    pub fill: Option<Fill>,
    /// Smallest and largest valid value according to the product; an open side is infinite.
    pub valid_range: Option<(f64, f64)>,
    /// The releases that have it.
    pub releases: Releases,
    /// Flag values, separated by blanks (CF `flag_values`); empty for other variables.
    pub flag_values: &'static str,
    /// Their meanings in the same order (CF `flag_meanings`).
    pub flag_meanings: &'static str,
    /// The flags of earlier releases, if they differ.
    pub earlier_flags: Option<Flags>,
    /// The product's short description (CF `long_name`).
    pub long_name: &'static str,
    /// A description in one sentence.
    pub description: &'static str,
    /// Its plain name in the view `atl08`, such as `canopy_h`.
    pub plain: Option<&'static str>,
    /// Whether every granule must have it: never NULL, always decoded.
    pub required: bool,
}

impl Variable {
    /// The Arrow field with the product's name and type: nullable unless required; several elements per segment become a
    /// `FixedSizeList` of nullable items.
    ///
    /// Metadata, each key if it applies: `units` (the real ones), `product_units` (if the product's differ),
    /// `long_name`, `description`, `hdf5_path`, `releases`, `vertical_reference` (`ellipsoid` or `ground`); `flag_values`
    /// and `flag_meanings`, and with a release as suffix (`flag_values_004`) the flags of that release; for lists
    /// `labels`, `label_name` and `label_units`; `valid_min`, `valid_max`; and `element_null` (the integer that represents a
    /// NULL element of a list, because storage has no validity for elements). Several words are separated by blanks.
    #[must_use]
    pub fn field(&self) -> Field {
        let element = self.dtype.arrow();
        let data_type = match i32::try_from(self.width) {
            Ok(width) if width > 1 => DataType::FixedSizeList(Arc::new(Field::new_list_field(element, true)), width),
            _ => element,
        };
        Field::new(self.name, data_type, !self.required).with_metadata(self.metadata())
    }

    /// The codes that granules of `release` (7 for `007`) use; `None` for other variables.
    #[must_use]
    pub fn flags_of(&self, release: u16) -> Option<Flags> {
        match self.earlier_flags {
            Some(earlier) if earlier.releases.contains(release) => Some(earlier),
            _ if self.flag_values.is_empty() => None,
            _ => Some(Flags { releases: self.releases, values: self.flag_values, meanings: self.flag_meanings }),
        }
    }

    /// The integer that marks a NULL element of a stored list: the product's fill, otherwise the fill of its type in
    /// the rest of the product. `None` for floats, which use NaN, and for single values.
    #[must_use]
    pub fn element_null(&self) -> Option<i64> {
        if self.width == 1 || !self.dtype.is_integer() {
            return None;
        }
        Some(match (self.fill, self.dtype) {
            (Some(Fill::Int(fill)), _) => fill,
            (_, Dtype::Int8) => i64::from(i8::MAX),
            (_, Dtype::Int16) => i64::from(i16::MAX),
            (_, Dtype::Int32) => i64::from(i32::MAX),
            _ => i64::MAX,
        })
    }

    fn metadata(&self) -> HashMap<String, String> {
        let mut metadata = HashMap::new();
        let mut put = |key: &str, value: String| {
            if !value.is_empty() {
                metadata.insert(key.to_owned(), value);
            }
        };
        put("units", self.units.to_owned());
        if self.product_units != self.units {
            put("product_units", self.product_units.to_owned());
        }
        put("long_name", self.long_name.to_owned());
        put("description", self.description.to_owned());
        put("hdf5_path", format!("gtx/land_segments/{}", self.path));
        put("releases", self.releases.names().collect::<Vec<_>>().join(" "));
        put("vertical_reference", self.vertical.map_or("", Vertical::as_str).to_owned());
        put("flag_values", self.flag_values.to_owned());
        put("flag_meanings", self.flag_meanings.to_owned());
        if let Some(earlier) = self.earlier_flags {
            for release in earlier.releases.names() {
                put(&format!("flag_values_{release}"), earlier.values.to_owned());
                put(&format!("flag_meanings_{release}"), earlier.meanings.to_owned());
            }
        }
        if let Some(labels) = self.labels {
            put("labels", labels.values.to_owned());
            put("label_name", labels.name.to_owned());
            put("label_units", labels.units.to_owned());
        }
        if let Some((min, max)) = self.valid_range {
            put("valid_min", min.to_string());
            if max.is_finite() {
                put("valid_max", max.to_string());
            }
        }
        if let Some(null) = self.element_null() {
            put("element_null", null.to_string());
        }
        metadata
    }
}
