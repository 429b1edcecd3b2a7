//! The laser of each row of a beam: strength and spot, from the beam's attributes and the spacecraft's orientation; NULL where neither
//! gives them.

use arrow::array::{Array, ArrayRef, Int8Array, Int8Builder, TimestampNanosecondArray, UInt8Builder};
use arrow::error::ArrowError;
use hdf5::AttrValue;
use isdb_schema::segments::STRENGTHS;

use crate::container::access::{Attributes, text};
use crate::rows::dictionary::{STRENGTH_TEXTS, dictionary, key};
use crate::rows::orientation::{Orientations, TRANSITION, spot, strength};

/// The attributes `atlas_beam_type` and `atlas_spot_number` of a beam's group.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct LaserAttributes {
    strength: Option<&'static str>,
    spot: Option<i8>,
}

/// The columns of the laser, one value per row of the beam.
pub(crate) struct LaserColumns {
    pub(crate) orientation: Int8Array,
    pub(crate) strength: ArrayRef,
    pub(crate) spot: Int8Array,
    /// Whether `atlas_beam_type` and `sc_orient` disagree on the strength of some row.
    pub(crate) strength_contradicted: bool,
    /// Whether the spacecraft was turning in some row.
    pub(crate) in_transition: bool,
    /// Whether the strength of some row is unknown.
    pub(crate) strength_unknown: bool,
}

impl LaserAttributes {
    /// Reads the attributes of a beam's group; other words and numbers count as absent.
    pub(crate) fn from_attributes(attributes: &Attributes) -> Self {
        let named = text(attributes, "atlas_beam_type");
        let known = |word: &&str| named.as_ref().is_some_and(|named| named.eq_ignore_ascii_case(word));
        let number = attributes.get("atlas_spot_number").and_then(AttrValue::as_i64);
        let number = number.or_else(|| text(attributes, "atlas_spot_number")?.parse().ok());
        Self {
            strength: STRENGTHS.into_iter().find(known),
            spot: number.and_then(|spot| i8::try_from(spot).ok()).filter(|spot| (1..=6).contains(spot)),
        }
    }

    /// The strength and spot of the rows at `time` (UTC) of the beam `beam`. The attributes come first, but not while the spacecraft
    /// turns. An orientation that contradicts the attribute gives no spot.
    pub(crate) fn columns(
        &self,
        beam: &str,
        time: &TimestampNanosecondArray,
        orientations: &Orientations,
    ) -> Result<LaserColumns, ArrowError> {
        let rows = time.len();
        let mut strengths = UInt8Builder::with_capacity(rows);
        let mut spots = Int8Builder::with_capacity(rows);
        let (mut strength_contradicted, mut in_transition, mut strength_unknown) = (false, false, false);
        let orientation: Int8Array = time.iter().map(|time| orientations.at(time?)).collect();
        for (row, flight) in orientation.iter().enumerate() {
            if flight == Some(TRANSITION) {
                in_transition = true;
                strengths.append_null();
                spots.append_null();
                continue;
            }
            let by_orientation = flight.and_then(|orientation| strength(beam, orientation));
            let agreed = self.strength.is_none() || by_orientation.is_none() || self.strength == by_orientation;
            let known = self.strength.or(by_orientation);
            strength_contradicted |= !agreed;
            strength_unknown |= known.is_none() && time.is_valid(row);
            strengths.append_option(known.and_then(|strength| key(&STRENGTHS, strength)));
            spots.append_option(self.spot.or_else(|| spot(beam, flight.filter(|_| agreed)?)));
        }
        Ok(LaserColumns {
            orientation,
            strength: dictionary(strengths.finish(), &STRENGTH_TEXTS)?,
            spot: spots.finish(),
            strength_contradicted,
            in_transition,
            strength_unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    use super::*;

    fn attributes(strength: &str, spot: AttrValue) -> Attributes {
        let strength = AttrValue::AsciiString(strength.to_owned());
        [("atlas_beam_type".to_owned(), strength), ("atlas_spot_number".to_owned(), spot)].into()
    }

    /// Strength and spot of one row at time 5.
    fn row(laser: &LaserAttributes, beam: &str, orientations: &Orientations) -> (Option<String>, Option<i8>) {
        let columns = laser.columns(beam, &TimestampNanosecondArray::from(vec![5]), orientations).unwrap();
        let strength = cast(&columns.strength, &DataType::Utf8).unwrap();
        (strength.as_string::<i32>().iter().next().unwrap().map(str::to_owned), columns.spot.iter().next().unwrap())
    }

    #[test]
    fn attributes_are_read_in_every_form_and_other_values_are_ignored() {
        let read = |strength: &str, spot| {
            let laser = LaserAttributes::from_attributes(&attributes(strength, spot));
            (laser.strength, laser.spot)
        };
        assert_eq!(read("strong", AttrValue::AsciiString("1".to_owned())), (Some("strong"), Some(1)));
        assert_eq!(read("Weak ", AttrValue::StringArray(vec!["6".to_owned()])), (Some("weak"), Some(6)));
        assert_eq!(read("weak", AttrValue::I32(2)), (Some("weak"), Some(2)));
        assert_eq!(read("both", AttrValue::I32(7)), (None, None));
        assert_eq!(LaserAttributes::from_attributes(&Attributes::new()), LaserAttributes::default());
    }

    #[test]
    fn a_spot_that_would_contradict_the_strength_is_not_guessed() {
        let forward = Orientations::always(1);
        let weak = LaserAttributes { strength: Some("weak"), spot: None };
        assert_eq!(row(&weak, "gt1r", &forward), (Some("weak".to_owned()), None));
        assert_eq!(row(&weak, "gt1l", &forward), (Some("weak".to_owned()), Some(6)));
        assert_eq!(
            row(&LaserAttributes { spot: Some(2), ..weak }, "gt1r", &forward),
            (Some("weak".to_owned()), Some(2))
        );
    }

    #[test]
    fn the_attributes_are_ignored_while_turning() {
        let laser = LaserAttributes { strength: Some("strong"), spot: Some(1) };
        assert_eq!(row(&laser, "gt1l", &Orientations::always(2)), (None, None));
        assert_eq!(row(&laser, "gt1l", &Orientations::default()), (Some("strong".to_owned()), Some(1)));
    }
}
