//! The choices that a config spells as words.

use schemars::JsonSchema;
use serde::Deserialize;
use strum::VariantNames;

/// A span of the calendar (UTC) that no window crosses, so that a condition on dates skips whole fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Span {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month.
    Month,
    /// A quarter.
    #[default]
    Quarter,
}

/// The aim of consolidation.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, strum::EnumString, strum::VariantNames,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Policy {
    /// Few fragments overlap a query's box: fragments that share space are rewritten.
    #[default]
    Space,
    /// There are few fragments: small ones are joined.
    Size,
    /// Fragments stay as they were written.
    None,
}

impl Policy {
    /// The words that [`FromStr`](std::str::FromStr) parses.
    pub const WORDS: &[&str] = Self::VARIANTS;
}
