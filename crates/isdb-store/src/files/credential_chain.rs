//! Which credentials the environment and a profile lead to. Nothing is requested here: a profile that leads to a key by way of others
//! becomes a description of that way.

use std::path::PathBuf;

use secrecy::SecretString;

use super::aws_sources::AwsSources;
use super::profile::Profile;
use super::storage_settings::{AssumedRole, SsoAccount, StorageCredentials};
use crate::error::{Error, Result};

/// Profiles that follow each other at most.
const MOST_PROFILES: usize = 8;
/// The region of requests for credentials, if none is set.
const DEFAULT_REGION: &str = "us-east-1";

/// Returns the first that exist of: a key in the environment, a web identity in it, those of the profile `name`, the role of a container, the
/// role of the machine.
pub(super) fn credentials(sources: &AwsSources, name: &str) -> Result<StorageCredentials> {
    if let Some(key) = key_of_environment(sources)? {
        return Ok(key);
    }
    let variable = |name: &str| sources.variable(name);
    if let (Some(file), Some(role)) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN")) {
        let session_name = variable("AWS_ROLE_SESSION_NAME").map(str::to_owned);
        let (token_file, role_arn) = (PathBuf::from(file), role.to_owned());
        return Ok(StorageCredentials::WebIdentity { token_file, role_arn, session_name });
    }
    let mut chain = Chain { sources, names: Vec::new() };
    let found = chain.follow(name)?.or_else(|| of_container(sources));
    Ok(found.unwrap_or_default())
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn key_of_environment(sources: &AwsSources) -> Result<Option<StorageCredentials>> {
    match (sources.variable("AWS_ACCESS_KEY_ID"), sources.variable("AWS_SECRET_ACCESS_KEY")) {
        (Some(id), Some(key)) => {
            let token = sources.variable("AWS_SESSION_TOKEN").map(secret);
            Ok(Some(StorageCredentials::Key { id: secret(id), secret: secret(key), token }))
        }
        (None, None) => Ok(None),
        (id, _) => {
            let (set, missing) = match id {
                Some(_) => ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
                None => ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"),
            };
            let problem = format!("expected {missing} as well, found none");
            Err(Error::StorageSetting { setting: set.to_owned(), problem })
        }
    }
}

fn of_container(sources: &AwsSources) -> Option<StorageCredentials> {
    if let Some(uri) = sources.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        return Some(StorageCredentials::Container { relative_uri: uri.to_owned() });
    }
    let uri = sources.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")?.to_owned();
    let token_file = PathBuf::from(sources.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")?);
    Some(StorageCredentials::Pod { uri, token_file })
}

/// The error of profiles that lead back to the profile `name`.
fn circle(name: &str) -> Error {
    invalid(name, "expected profiles whose source_profile ends at a key, found a circle")
}

/// Follows profiles from one to the next.
struct Chain<'s> {
    sources: &'s AwsSources,
    /// The profiles so far.
    names: Vec<String>,
}

impl Chain<'_> {
    /// The credentials that the profile `name` leads to; `None` if it says nothing of credentials.
    fn follow(&mut self, name: &str) -> Result<Option<StorageCredentials>> {
        let profile = Profile::find(self.sources, name);
        let is_repeated = self.names.iter().any(|known| known == name);
        self.names.push(name.to_owned());
        if self.names.len() > MOST_PROFILES {
            return Err(circle(name));
        }
        // A profile that is its own source has a key for it.
        if let (Some(role), false) = (profile.get("role_arn"), is_repeated) {
            return self.role(name, role, &profile).map(Some);
        }
        if let (Some(id), Some(key)) = (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            let token = profile.get("aws_session_token").map(secret);
            return Ok(Some(StorageCredentials::Key { id: secret(id), secret: secret(key), token }));
        }
        if profile.get("sso_session").is_some() || profile.get("sso_start_url").is_some() {
            return self.sso(name, &profile).map(Some);
        }
        if let Some(command) = profile.get("credential_process") {
            let (profile, command) = (name.to_owned(), command.to_owned());
            return Ok(Some(StorageCredentials::Process { profile, command }));
        }
        if is_repeated {
            return Err(circle(name));
        }
        Ok(None)
    }

    /// A role, with the credentials that may assume it.
    fn role(&mut self, name: &str, role_arn: &str, profile: &Profile) -> Result<StorageCredentials> {
        let session_name = profile.get("role_session_name").map(str::to_owned);
        if let Some(file) = profile.get("web_identity_token_file") {
            let (token_file, role_arn) = (PathBuf::from(file), role_arn.to_owned());
            return Ok(StorageCredentials::WebIdentity { token_file, role_arn, session_name });
        }
        if profile.get("mfa_serial").is_some() {
            let problem = format!(
                "its role needs a code (mfa_serial), which isdb does not ask for; \
                 `eval \"$(aws configure export-credentials --profile {name} --format env)\"` sets the key that it leads to"
            );
            return Err(invalid(name, &problem));
        }
        let source = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(source), _) => {
                let missing = format!("expected its source_profile {source} to have credentials, found none");
                self.follow(source)?.ok_or_else(|| invalid(name, &missing))?
            }
            (None, Some("Environment")) => key_of_environment(self.sources)?
                .ok_or_else(|| invalid(name, "expected AWS_ACCESS_KEY_ID in the environment, found none"))?,
            (None, Some("Ec2InstanceMetadata")) => StorageCredentials::Machine,
            (None, Some("EcsContainer")) => of_container(self.sources)
                .ok_or_else(|| invalid(name, "expected the variables of a container's role, found none"))?,
            _ => {
                return Err(invalid(
                    name,
                    "expected source_profile, credential_source or web_identity_token_file beside role_arn",
                ));
            }
        };
        Ok(StorageCredentials::Role(Box::new(AssumedRole {
            source,
            role_arn: role_arn.to_owned(),
            session_name,
            external_id: profile.get("external_id").map(str::to_owned),
            duration_seconds: profile.get("duration_seconds").and_then(|seconds| seconds.parse().ok()),
            endpoint: self.endpoint("AWS_ENDPOINT_URL_STS", profile.get("region"), "sts"),
            region: self.region(profile.get("region")),
        })))
    }

    /// A role of an account that a single sign-on gives.
    fn sso(&self, name: &str, profile: &Profile) -> Result<StorageCredentials> {
        let session = profile.get("sso_session").map(|session| Profile::sso_session(self.sources, session));
        let value = |key: &str| {
            let found = session.as_ref().and_then(|session| session.get(key)).or_else(|| profile.get(key));
            found
                .map(str::to_owned)
                .ok_or_else(|| invalid(name, &format!("expected {key} for single sign-on, found none")))
        };
        let region = value("sso_region")?;
        Ok(StorageCredentials::Sso(SsoAccount {
            profile: name.to_owned(),
            start_url: value("sso_start_url")?,
            account_id: value("sso_account_id")?,
            role_name: value("sso_role_name")?,
            endpoint: self.endpoint("AWS_ENDPOINT_URL_SSO", Some(&region), "portal.sso"),
            cache: self.sources.sso_cache.clone(),
        }))
    }

    fn region(&self, of_profile: Option<&str>) -> String {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"].into_iter().find_map(|name| self.sources.variable(name));
        of_profile.or(variables).unwrap_or(DEFAULT_REGION).to_owned()
    }

    /// The URL of a service that gives credentials.
    fn endpoint(&self, variable: &str, region: Option<&str>, service: &str) -> String {
        let usual = || format!("https://{service}.{}.amazonaws.com", self.region(region));
        self.sources.variable(variable).map_or_else(usual, |url| url.trim_end_matches('/').to_owned())
    }
}

fn invalid(profile: &str, problem: &str) -> Error {
    Error::StorageSetting { setting: format!("profile {profile}"), problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const CONFIG: &str = "[profile work]\nsso_session = corp\nsso_account_id = 11\nsso_role_name = Reader\n\
        [sso-session corp]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n\
        [profile old]\nsso_start_url = https://old.example\nsso_region = us-east-2\nsso_account_id = 1\nsso_role_name = R\n\
        [profile lake]\nrole_arn = arn:aws:iam::11:role/lake\nsource_profile = work\nregion = eu-central-1\nexternal_id = x7\n\
        [profile self]\nrole_arn = arn:self\nsource_profile = self\naws_access_key_id = AKSELF\naws_secret_access_key = s\n\
        [profile a]\nrole_arn = arn:a\nsource_profile = b\n[profile b]\nrole_arn = arn:b\nsource_profile = a\n\
        [profile web]\nrole_arn = arn:web\nweb_identity_token_file = /run/token\n\
        [profile vault]\ncredential_process = /opt/vault \"my lake\"\n\
        [profile code]\nrole_arn = arn:c\nsource_profile = self\nmfa_serial = arn:mfa\n\
        [profile half]\nsso_start_url = https://old.example\n[profile bare]\nregion = x\n\
        [profile from_bare]\nrole_arn = arn:f\nsource_profile = bare\n";

    fn found(name: &str, variables: &[(&str, &str)]) -> Result<StorageCredentials> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        credentials(&AwsSources { variables, config: CONFIG.to_owned(), ..AwsSources::default() }, name)
    }

    #[test]
    fn a_profile_leads_to_single_sign_on_by_its_session_or_its_own_keys() {
        let StorageCredentials::Sso(account) = found("work", &[]).unwrap() else { panic!("expected SSO") };
        assert_eq!((account.start_url.as_str(), account.account_id.as_str()), ("https://corp.example/start", "11"));
        assert_eq!(account.endpoint, "https://portal.sso.eu-west-1.amazonaws.com");
        let StorageCredentials::Sso(account) =
            found("old", &[("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1/")]).unwrap()
        else {
            panic!("expected SSO")
        };
        assert_eq!((account.role_name.as_str(), account.endpoint.as_str()), ("R", "http://127.0.0.1:1"));
    }

    #[test]
    fn a_role_has_the_credentials_of_its_source() {
        let StorageCredentials::Role(role) = found("lake", &[]).unwrap() else { panic!("expected a role") };
        assert!(matches!(role.source, StorageCredentials::Sso(_)));
        assert_eq!((role.external_id.as_deref(), role.region.as_str()), (Some("x7"), "eu-central-1"));
        assert_eq!(role.endpoint, "https://sts.eu-central-1.amazonaws.com");
        let StorageCredentials::Role(own) = found("self", &[]).unwrap() else { panic!("expected a role") };
        let StorageCredentials::Key { id, .. } = own.source else { panic!("expected a key") };
        assert_eq!(id.expose_secret(), "AKSELF");
        assert!(matches!(found("web", &[]).unwrap(), StorageCredentials::WebIdentity { .. }));
        assert!(matches!(found("vault", &[]).unwrap(), StorageCredentials::Process { .. }));
    }

    #[test]
    fn what_leads_nowhere_is_reported_with_the_profile() {
        for (name, expected) in [
            ("a", "a circle"),
            ("code", "mfa_serial"),
            ("half", "expected sso_region"),
            ("from_bare", "expected its source_profile bare"),
        ] {
            let problem = found(name, &[]).unwrap_err().to_string();
            assert!(problem.contains(expected) && problem.contains("profile "), "{problem}");
        }
        assert!(matches!(found("bare", &[]).unwrap(), StorageCredentials::Machine));
    }
}
