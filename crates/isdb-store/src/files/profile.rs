//! Profiles in the two files of the AWS command line.

use std::collections::BTreeMap;

use super::aws_sources::AwsSources;

/// The keys of one profile.
pub(super) struct Profile(BTreeMap<String, String>);

impl Profile {
    /// The profile `name`. A key in the file of credentials comes before the same one in the other file.
    pub(super) fn find(sources: &AwsSources, name: &str) -> Profile {
        let in_config = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let mut keys = section(&sources.config, &in_config);
        let credentials = section(&sources.credentials, name);
        // A key and a token of two files do not belong together.
        if credentials.contains_key("aws_access_key_id") {
            keys.retain(|key, _| !key.starts_with("aws_"));
        }
        keys.extend(credentials);
        Profile(keys)
    }

    /// The section `[sso-session NAME]` of the config.
    pub(super) fn sso_session(sources: &AwsSources, name: &str) -> Profile {
        Profile(section(&sources.config, &format!("sso-session {name}")))
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The keys of the section `name` of a file, those that are indented below `s3 =` included.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    let mut is_inside = false;
    let mut is_other_service = false;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(header) = trimmed.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            is_inside = header.split_whitespace().eq(name.split_whitespace());
            continue;
        }
        let Some((key, value)) = trimmed.split_once('=').filter(|_| is_inside) else { continue };
        let (key, value) = (key.trim(), value.trim());
        if line.starts_with(char::is_whitespace) && is_other_service {
            continue;
        }
        is_other_service = value.is_empty() && key != "s3";
        // A comment may follow a value after a space.
        let value = value.split(" #").next().unwrap_or_default().trim_end();
        keys.insert(key.to_ascii_lowercase(), value.to_owned());
    }
    keys
}
