//! Notes: oddities of a granule that do not keep it from being read.

use std::fmt;

use isdb_schema::printable::Printable;

use crate::identity::source::IdentitySource;

/// A difference between a granule and the product's description that does not keep the granule from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// `ancillary_data/atlas_sdp_gps_epoch` is missing; 2018-01-01T00:00:00Z was assumed.
    EpochAssumed,
    /// `delta_time` has units or a reference date that differ from the product's; it was converted.
    TimeConverted {
        /// Its attribute `units`.
        units: String,
    },
    /// The file's name has the ids of two granules, so it was not used.
    NameAmbiguous {
        /// The first two.
        ids: [String; 2],
    },
    /// Two sources of the identity disagree; the first in the order of [`IdentitySource`] was used.
    IdentityContradicted {
        /// The part of the identity: `start`, `rgt`, `cycle`, `region`, `release` or `revision`.
        what: &'static str,
        /// The value that was used (`start` in UTC).
        used: String,
        /// The source of that value.
        used_from: IdentitySource,
        /// The value that was not used.
        other: String,
        /// The source of the other value.
        other_from: IdentitySource,
    },
    /// `atlas_beam_type` of the beam and `sc_orient` disagree on its strength; `atlas_beam_type` was used.
    StrengthContradicted {
        /// The beam.
        beam: &'static str,
    },
    /// Neither attributes nor `sc_orient` give the strength of some rows of these beams: NULL there.
    StrengthUnknown {
        /// The beams.
        beams: Vec<&'static str>,
    },
    /// The spacecraft was turning over some rows of these beams: strength and spot are NULL there.
    InTransition {
        /// The beams.
        beams: Vec<&'static str>,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EpochAssumed => write!(f, "no atlas_sdp_gps_epoch: 2018-01-01T00:00:00Z assumed"),
            Self::TimeConverted { units } => write!(f, "delta_time converted from \"{}\"", Printable(units)),
            Self::NameAmbiguous { ids: [first, second] } => {
                write!(f, "the file's name was not used: it has two granule ids, {first} and {second}")
            }
            Self::IdentityContradicted { what, used, used_from, other, other_from } => {
                write!(f, "{what} is {used} by {used_from}, which was used, and {other} by {other_from}")
            }
            Self::StrengthContradicted { beam } => write!(f, "{beam}: sc_orient contradicts atlas_beam_type"),
            Self::StrengthUnknown { beams } => write!(f, "{}: the strength of the beam is unknown", beams.join(" ")),
            Self::InTransition { beams } => {
                write!(f, "{}: the spacecraft was turning, so strength and spot are unknown", beams.join(" "))
            }
        }
    }
}
