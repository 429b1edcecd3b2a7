//! A warning about a statement.

/// A statement, or a part of it, whose answer is probably not the intended one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What the statement does.
    pub text: String,
    /// What to write instead, if that is not intended.
    pub hint: String,
}
