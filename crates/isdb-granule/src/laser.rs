//! Which laser made the rows of a beam: strength and spot, row by row, from the beam's own attributes and the
//! spacecraft's orientation. What neither tells stays NULL.

use arrow::array::{Array, Int8Array, Int8Builder, LargeStringArray, LargeStringBuilder, TimestampNanosecondArray};
use hdf5::AttrValue;

use crate::metadata::{Attributes, text};
use crate::orientation::{Orientations, TRANSITION, spot, strength};

/// What a beam's group says about its laser: the attributes `atlas_beam_type` and `atlas_spot_number`.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Laser {
    strength: Option<&'static str>,
    spot: Option<i8>,
}

/// The columns that tell the laser, of as many rows as the beam has.
pub(crate) struct LaserColumns {
    pub(crate) orientation: Int8Array,
    pub(crate) strength: LargeStringArray,
    pub(crate) spot: Int8Array,
    /// Whether `atlas_beam_type` and `sc_orient` name different beams strong in some row.
    pub(crate) contradicted: bool,
    /// Whether the spacecraft was turning in some row.
    pub(crate) in_transition: bool,
    /// Whether nothing tells the strength of some row.
    pub(crate) unknown: bool,
}

impl Laser {
    /// Reads the attributes of a beam's group; words and numbers that mean nothing count as absent.
    pub(crate) fn of(attributes: &Attributes) -> Self {
        let named = text(attributes, "atlas_beam_type");
        let known = |word: &&str| named.as_ref().is_some_and(|named| named.eq_ignore_ascii_case(word));
        let number = attributes.get("atlas_spot_number").and_then(AttrValue::as_i64);
        let number = number.or_else(|| text(attributes, "atlas_spot_number")?.parse().ok());
        Self {
            strength: ["strong", "weak"].into_iter().find(known),
            spot: number.and_then(|spot| i8::try_from(spot).ok()).filter(|spot| (1..=6).contains(spot)),
        }
    }

    /// Strength and spot of the rows at `time` (UTC) of the beam called `beam`. The attributes come first; while the
    /// spacecraft turns they hold for nothing. An orientation that contradicts the attribute gives no spot.
    pub(crate) fn columns(
        &self,
        beam: &str,
        time: &TimestampNanosecondArray,
        orientations: &Orientations,
    ) -> LaserColumns {
        let rows = time.len();
        let mut strengths = LargeStringBuilder::with_capacity(rows, rows * "strong".len());
        let mut spots = Int8Builder::with_capacity(rows);
        let (mut contradicted, mut in_transition, mut unknown) = (false, false, false);
        let orientation: Int8Array = time.iter().map(|time| orientations.at(time?)).collect();
        for (row, flown) in orientation.iter().enumerate() {
            if flown == Some(TRANSITION) {
                in_transition = true;
                strengths.append_null();
                spots.append_null();
                continue;
            }
            let by_orientation = flown.and_then(|flown| strength(beam, flown));
            let agreed = self.strength.is_none() || by_orientation.is_none() || self.strength == by_orientation;
            let known = self.strength.or(by_orientation);
            contradicted |= !agreed;
            unknown |= known.is_none() && time.is_valid(row);
            strengths.append_option(known);
            spots.append_option(self.spot.or_else(|| spot(beam, flown.filter(|_| agreed)?)));
        }
        LaserColumns {
            orientation,
            strength: strengths.finish(),
            spot: spots.finish(),
            contradicted,
            in_transition,
            unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(strength: &str, spot: AttrValue) -> Attributes {
        let strength = AttrValue::AsciiString(strength.to_owned());
        [("atlas_beam_type".to_owned(), strength), ("atlas_spot_number".to_owned(), spot)].into()
    }

    /// Strength and spot of one row at time 5.
    fn row(laser: &Laser, beam: &str, orientations: &Orientations) -> (Option<String>, Option<i8>) {
        let columns = laser.columns(beam, &TimestampNanosecondArray::from(vec![5]), orientations);
        (columns.strength.iter().next().unwrap().map(str::to_owned), columns.spot.iter().next().unwrap())
    }

    #[test]
    fn attributes_of_any_writer_are_read_and_nonsense_is_not() {
        let read = |strength: &str, spot| {
            let laser = Laser::of(&attributes(strength, spot));
            (laser.strength, laser.spot)
        };
        assert_eq!(read("strong", AttrValue::AsciiString("1".to_owned())), (Some("strong"), Some(1)));
        assert_eq!(read("Weak ", AttrValue::StringArray(vec!["6".to_owned()])), (Some("weak"), Some(6)));
        assert_eq!(read("weak", AttrValue::I32(2)), (Some("weak"), Some(2)));
        assert_eq!(read("both", AttrValue::I32(7)), (None, None));
        assert_eq!(Laser::of(&Attributes::new()), Laser::default());
    }

    #[test]
    fn a_spot_that_would_contradict_the_strength_is_not_guessed() {
        let forward = Orientations::always(1);
        let weak = Laser { strength: Some("weak"), spot: None };
        assert_eq!(row(&weak, "gt1r", &forward), (Some("weak".to_owned()), None));
        assert_eq!(row(&weak, "gt1l", &forward), (Some("weak".to_owned()), Some(6)));
        assert_eq!(row(&Laser { spot: Some(2), ..weak }, "gt1r", &forward), (Some("weak".to_owned()), Some(2)));
    }

    #[test]
    fn while_turning_not_even_the_attributes_count() {
        let laser = Laser { strength: Some("strong"), spot: Some(1) };
        assert_eq!(row(&laser, "gt1l", &Orientations::always(2)), (None, None));
        assert_eq!(row(&laser, "gt1l", &Orientations::default()), (Some("strong".to_owned()), Some(1)));
    }
}
