//! Settings in the form that the AWS command line and its libraries use: environment variables, and profiles in two files.
//!
//! Nothing is read here: the caller passes the variables and the text of the files.

use super::aws_sources::AwsSources;
use super::credential_chain::credentials;
use super::profile::Profile;
use super::storage_settings::{StorageCredentials, StorageSettings};
use crate::error::{Error, Result};

impl StorageSettings {
    /// Completes these settings by those of the environment and of the user's profile. What is set already stays.
    ///
    /// Credentials are the first that exist of: `AWS_SKIP_SIGNATURE`, a key in the environment, a web identity token, the profile of
    /// `AWS_PROFILE` (else `default`), the role of a container, the role of the machine.
    ///
    /// # Errors
    /// [`Error::StorageSetting`] for a variable or a profile that cannot be used.
    pub fn with_aws(mut self, sources: &AwsSources) -> Result<StorageSettings> {
        let variable = |name: &str| sources.variable(name);
        let chosen = variable("AWS_PROFILE").or_else(|| variable("AWS_DEFAULT_PROFILE"));
        let name = chosen.unwrap_or("default");
        let profile = Profile::find(sources, name);
        if let (Some(name), true) = (chosen, profile.is_empty()) {
            let problem =
                "expected a profile of this name in ~/.aws/config or ~/.aws/credentials, found none".to_owned();
            return Err(Error::StorageSetting { setting: format!("AWS_PROFILE={name}"), problem });
        }
        let text = |names: &[&str], key: &str| {
            names.iter().find_map(|name| variable(name)).or_else(|| profile.get(key)).map(str::to_owned)
        };
        let endpoint = || text(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"], "endpoint_url");
        self.endpoint = self.endpoint.or_else(endpoint);
        self.region = self.region.or_else(|| text(&["AWS_REGION", "AWS_DEFAULT_REGION"], "region"));
        let flag = |name: &str| variable(name).map(|text| boolean(name, text)).transpose();
        if self.path_style.is_none() {
            let virtual_hosted = flag("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")?;
            let by_profile = || {
                profile.get("addressing_style").and_then(|style| match style {
                    "path" => Some(true),
                    "virtual" => Some(false),
                    _ => None,
                })
            };
            self.path_style = virtual_hosted.map(|virtual_hosted| !virtual_hosted).or_else(by_profile);
        }
        self.allow_http |= flag("AWS_ALLOW_HTTP")?.unwrap_or(false);
        if matches!(self.credentials, StorageCredentials::Machine) {
            self.credentials = match flag("AWS_SKIP_SIGNATURE")?.unwrap_or(false) {
                true => StorageCredentials::Anonymous,
                false => credentials(sources, name)?,
            };
        }
        Ok(self)
    }
}

/// As the AWS libraries read it.
fn boolean(name: &str, text: &str) -> Result<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => {
            let problem = "expected true or false".to_owned();
            Err(Error::StorageSetting { setting: format!("{name}={text}"), problem })
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const CONFIG: &str = "[default]\nregion = eu-west-1\ns3 =\n    addressing_style = path\nec2 =\n    addressing_style = virtual\n\n\
        [profile  lab]\nregion=us-west-2 # Oregon\nendpoint_url = https://s3.lab.example\n";
    const CREDENTIALS: &str = "# keys\n[default]\naws_access_key_id = AKID\naws_secret_access_key = a/b+c=\n\
        [lab]\naws_access_key_id = LAB\naws_secret_access_key = labsecret\naws_session_token = labtoken==\n";

    fn sources(variables: &[(&str, &str)]) -> AwsSources {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (config, credentials) = (CONFIG.to_owned(), CREDENTIALS.to_owned());
        AwsSources { variables, config, credentials, ..AwsSources::default() }
    }

    fn settings(variables: &[(&str, &str)]) -> StorageSettings {
        StorageSettings::default().with_aws(&sources(variables)).unwrap()
    }

    /// The id, the secret and the token.
    fn key(settings: &StorageSettings) -> (&str, &str, Option<&str>) {
        match &settings.credentials {
            StorageCredentials::Key { id, secret, token } => {
                (id.expose_secret(), secret.expose_secret(), token.as_ref().map(|token| token.expose_secret()))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_default_profile_is_used_without_variables() {
        let settings = settings(&[]);
        assert_eq!(key(&settings), ("AKID", "a/b+c=", None));
        assert_eq!((settings.region.as_deref(), settings.path_style), (Some("eu-west-1"), Some(true)));
    }

    #[test]
    fn a_named_profile_has_its_own_key_region_and_endpoint() {
        let settings = settings(&[("AWS_PROFILE", "lab")]);
        assert_eq!(key(&settings), ("LAB", "labsecret", Some("labtoken==")));
        assert_eq!(settings.region.as_deref(), Some("us-west-2"));
        assert_eq!(settings.endpoint.as_deref(), Some("https://s3.lab.example"));
    }

    #[test]
    fn variables_come_before_profiles_and_what_is_set_before_both() {
        let variables = [
            ("AWS_ACCESS_KEY_ID", "ENV"),
            ("AWS_SECRET_ACCESS_KEY", "envsecret"),
            ("AWS_SESSION_TOKEN", "envtoken"),
            ("AWS_REGION", "eu-north-1"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000"),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true"),
        ];
        let found = settings(&variables);
        assert_eq!(key(&found), ("ENV", "envsecret", Some("envtoken")));
        assert_eq!(
            (found.region.as_deref(), found.path_style, found.allow_http),
            (Some("eu-north-1"), Some(false), true)
        );
        let set = StorageSettings { region: Some("sa-east-1".to_owned()), ..StorageSettings::default() };
        assert_eq!(set.with_aws(&sources(&variables)).unwrap().region.as_deref(), Some("sa-east-1"));
    }

    #[test]
    fn a_public_bucket_needs_no_key_and_a_machine_may_have_a_role() {
        let public = settings(&[("AWS_SKIP_SIGNATURE", "true")]);
        assert!(matches!(public.credentials, StorageCredentials::Anonymous));
        let role = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/t"), ("AWS_ROLE_ARN", "arn:x")];
        assert!(matches!(settings(&role).credentials, StorageCredentials::WebIdentity { .. }));
        let nothing = StorageSettings::default().with_aws(&AwsSources::default()).unwrap();
        assert!(matches!(nothing.credentials, StorageCredentials::Machine));
    }

    #[test]
    fn what_cannot_be_used_is_reported_with_its_name_and_without_a_secret() {
        let problem = |variables: &[(&str, &str)]| {
            StorageSettings::default().with_aws(&sources(variables)).unwrap_err().to_string()
        };
        assert!(problem(&[("AWS_PROFILE", "nolab")]).contains("AWS_PROFILE=nolab"));
        let half = problem(&[("AWS_SECRET_ACCESS_KEY", "envsecret")]);
        assert!(half.contains("AWS_ACCESS_KEY_ID") && !half.contains("envsecret"), "{half}");
        assert!(problem(&[("AWS_ALLOW_HTTP", "maybe")]).contains("AWS_ALLOW_HTTP=maybe"));
    }
}
