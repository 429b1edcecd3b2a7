//! What the environment and the home of a user say of object stores. The caller reads it.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The variables of the environment and the files of a user, from which the settings of object stores follow.
#[derive(Clone, Default)]
pub struct AwsSources {
    /// The variables whose names begin with `AWS_`.
    pub variables: BTreeMap<String, String>,
    /// The text of `~/.aws/config`; empty if the file does not exist.
    pub config: String,
    /// The text of `~/.aws/credentials`; empty if the file does not exist.
    pub credentials: String,
    /// The folder `~/.aws/sso/cache`, where `aws sso login` leaves its tokens.
    pub sso_cache: PathBuf,
}

impl std::fmt::Debug for AwsSources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsSources").finish_non_exhaustive()
    }
}

impl AwsSources {
    /// The value of a variable, if it is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|text| text.trim()).filter(|text| !text.is_empty())
    }
}
