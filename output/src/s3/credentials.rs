//! Where the credentials of a store come from; never from a plugin's configuration itself, which is written to `.rtc` files.

use std::path::PathBuf;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_s3::config::Credentials;

/// The longest file of credentials, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// The source's name in what the SDK logs.
const NAME: &str = "foresight";

/// Where credentials come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Source {
    /// Wherever the SDK looks: the environment, profiles, web identities, containers, instances.
    #[default]
    Chain,
    /// A file, read again for each request; see [`parse`].
    File(PathBuf),
    /// Environment variables `<PREFIX>_ACCESS_KEY_ID`, `<PREFIX>_SECRET_ACCESS_KEY` and `<PREFIX>_SESSION_TOKEN`.
    Environment(String),
    /// None: requests are not signed.
    Anonymous,
}

/// What the SDK is given.
pub(super) enum Provider {
    /// Its own chain.
    Chain,
    /// Nothing.
    Anonymous,
    /// One of ours.
    Given(SharedCredentialsProvider),
}

impl Source {
    /// Reads `chain`, `none`, `file:<path>` or `env:<PREFIX>`.
    ///
    /// # Errors
    /// What was expected.
    pub fn from_text(text: &str) -> Result<Source, String> {
        match text.split_once(':') {
            None if text == "chain" => Ok(Source::Chain),
            None if text == "none" => Ok(Source::Anonymous),
            Some(("file", path)) if !path.is_empty() => Ok(Source::File(path.into())),
            Some(("env", prefix)) if !prefix.is_empty() => Ok(Source::Environment(prefix.into())),
            // The text is not shown: somebody may have written a secret there.
            _ => Err("credentials must be 'chain', 'none', 'file:<path>' or 'env:<PREFIX>'".into()),
        }
    }

    pub(super) fn provider(&self) -> Provider {
        match self {
            Source::Chain => Provider::Chain,
            Source::Anonymous => Provider::Anonymous,
            other => Provider::Given(SharedCredentialsProvider::new(other.clone())),
        }
    }

    fn read(&self) -> Result<Credentials, String> {
        let keys = match self {
            Source::File(path) => {
                let shown = path.display();
                let found =
                    std::fs::metadata(path).and_then(|found| match found.len() > FILE_MAX {
                        true => Err(std::io::ErrorKind::FileTooLarge.into()),
                        false => std::fs::read_to_string(path),
                    });
                let text = found.map_err(|error| format!("{shown}: {error}"))?;
                parse(&text).map_err(|reason| format!("{shown}: {reason}"))?
            }
            Source::Environment(prefix) => {
                let variable = |name: &str| std::env::var(format!("{prefix}_{name}")).ok();
                let keys = Keys {
                    id: variable("ACCESS_KEY_ID"),
                    secret: variable("SECRET_ACCESS_KEY"),
                    token: variable("SESSION_TOKEN"),
                };
                keys.whole()
                    .map_err(|name| format!("{prefix}_{} is not set", name.to_uppercase()))?
            }
            Source::Chain | Source::Anonymous => return Err("no credentials of our own".into()),
        };
        Ok(Credentials::new(keys.0, keys.1, keys.2, None, NAME))
    }
}

impl ProvideCredentials for Source {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(self.read().map_err(CredentialsError::not_loaded))
    }
}

/// Parts of credentials as they are found.
#[derive(Default)]
struct Keys {
    id: Option<String>,
    secret: Option<String>,
    token: Option<String>,
}

/// Id, secret and token.
type Whole = (String, String, Option<String>);

impl Keys {
    /// What is missing, or all of it.
    fn whole(self) -> Result<Whole, &'static str> {
        let id = self.id.ok_or("access_key_id")?;
        Ok((id, self.secret.ok_or("secret_access_key")?, self.token))
    }
}

/// Reads `aws_access_key_id = ...`, `aws_secret_access_key = ...` and perhaps `aws_session_token = ...`, one a line, in the
/// first section of a file in the form of the SDK's own.
fn parse(text: &str) -> Result<Whole, String> {
    let mut keys = Keys::default();
    let mut sections = 0;
    for line in text.lines().map(str::trim) {
        sections += u32::from(line.starts_with('['));
        let Some((name, value)) = line.split_once('=').filter(|_| sections < 2) else {
            continue;
        };
        let value = Some(value.trim().to_owned());
        match name.trim() {
            "aws_access_key_id" => keys.id = value,
            "aws_secret_access_key" => keys.secret = value,
            "aws_session_token" => keys.token = value,
            _ => {}
        }
    }
    keys.whole()
        .map_err(|name| format!("aws_{name} is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_section_of_a_file_counts() {
        let text = "# ours\n[lake]\naws_access_key_id = id\naws_secret_access_key=a=b\nregion = x\n[other]\naws_session_token = t\n";
        assert_eq!(parse(text), Ok(("id".into(), "a=b".into(), None)));
        assert_eq!(
            parse("aws_access_key_id = id\n"),
            Err("aws_secret_access_key is missing".into())
        );
    }

    #[test]
    fn a_source_is_written_in_four_ways_and_never_shown() {
        assert_eq!(Source::from_text("chain"), Ok(Source::Chain));
        assert_eq!(Source::from_text("none"), Ok(Source::Anonymous));
        assert_eq!(
            Source::from_text("env:LAKE"),
            Ok(Source::Environment("LAKE".into()))
        );
        assert_eq!(
            Source::from_text("file:/run/s3"),
            Ok(Source::File("/run/s3".into()))
        );
        for bad in ["", "file:", "env:", "AKIA:secret"] {
            let text = Source::from_text(bad).expect_err(bad);
            assert!(!text.contains("AKIA"), "{text}");
        }
    }

    #[test]
    fn a_missing_variable_or_file_is_named() {
        let missing = Source::Environment("FORESIGHT_NOWHERE".into()).read();
        let text = missing.expect_err("it is not set");
        assert_eq!(text, "FORESIGHT_NOWHERE_ACCESS_KEY_ID is not set");
        let text = Source::File("/no/such/file".into())
            .read()
            .expect_err("it is not there");
        assert!(text.starts_with("/no/such/file: "), "{text}");
    }
}
