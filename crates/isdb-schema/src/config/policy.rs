//! The words of a config that stand for a choice.

/// A span of the calendar (UTC) that no window crosses, so that dates leave out whole fragments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

impl Span {
    /// Every span, the shortest first.
    pub const ALL: [Span; 4] = [Span::Day, Span::Week, Span::Month, Span::Quarter];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Span::Day => "day",
            Span::Week => "week",
            Span::Month => "month",
            Span::Quarter => "quarter",
        }
    }

    /// The span behind a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Span> {
        Self::ALL.into_iter().find(|span| span.as_str() == word)
    }
}

/// What consolidation is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// A query's box should find few fragments: those that share space are packed anew.
    #[default]
    Space,
    /// There should be few fragments: small ones are joined.
    Size,
    /// Fragments stay as they were written.
    None,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Policy; 3] = [Policy::Space, Policy::Size, Policy::None];

    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::Space => "space",
            Policy::Size => "size",
            Policy::None => "none",
        }
    }

    /// The policy behind a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Policy> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == word)
    }
}
