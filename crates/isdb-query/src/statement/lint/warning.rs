//! A warning about a statement.

/// A statement, or a part of it, whose answer is probably not the intended one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The meaning of the statement as written.
    pub text: String,
    /// The correct form, if the statement is not what was intended.
    pub hint: String,
}
