//! The rows that a join returns.

use datafusion::logical_expr::JoinType;

/// What a join returns, in terms of the side that is indexed and of the probe, the side that is searched for in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// Whether the right side is indexed.
    pub(super) right_is_indexed: bool,
    /// The columns of the output.
    pub(super) output: Output,
    /// Whether rows of the probe without a match are returned with NULL.
    pub(super) keeps_probe: bool,
    /// Whether rows of the indexed side without a match are returned with NULL.
    pub(super) keeps_indexed: bool,
}

/// The columns of a join's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Pairs of rows, the left one first.
    Pairs,
    /// Rows of the probe that have a match, or that have none.
    Probe {
        /// Whether they have one.
        matched: bool,
    },
    /// Rows of the indexed side that have a match, or that have none.
    Indexed {
        /// Whether they have one.
        matched: bool,
    },
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Output::Pairs => f.write_str("Pairs"),
            Output::Probe { matched } => write!(f, "Probe(matched={matched})"),
            Output::Indexed { matched } => write!(f, "Indexed(matched={matched})"),
        }
    }
}

impl Shape {
    /// Returns the shape of a join; None for a type that this operator does not have.
    pub(super) fn new(join_type: JoinType, right_is_indexed: bool) -> Option<Shape> {
        let one_side = |of_right: bool, matched: bool| match of_right == right_is_indexed {
            true => Output::Indexed { matched },
            false => Output::Probe { matched },
        };
        let output = match join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => Output::Pairs,
            JoinType::LeftSemi => one_side(false, true),
            JoinType::LeftAnti => one_side(false, false),
            JoinType::RightSemi => one_side(true, true),
            JoinType::RightAnti => one_side(true, false),
            JoinType::LeftMark | JoinType::RightMark => return None,
        };
        let keeps_left = matches!(join_type, JoinType::Left | JoinType::Full);
        let keeps_right = matches!(join_type, JoinType::Right | JoinType::Full);
        let (keeps_probe, keeps_indexed) =
            if right_is_indexed { (keeps_left, keeps_right) } else { (keeps_right, keeps_left) };
        Some(Shape { right_is_indexed, output, keeps_probe, keeps_indexed })
    }

    /// Whether only rows of the probe in a circle matter.
    pub(super) fn restricts_probe(self) -> bool {
        !self.keeps_probe && self.output != Output::Probe { matched: false }
    }

    /// Whether rows of the indexed side are returned at the end, when it is known which of them have a match.
    pub(super) fn ends_with_indexed(self) -> bool {
        self.keeps_indexed || matches!(self.output, Output::Indexed { .. })
    }
}
