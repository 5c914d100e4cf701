//! Secrets: a configuration, which is written to `.rtc` files, says only where they are; they are looked up when they are needed.

use std::path::PathBuf;

/// The longest file with a secret, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// Where a secret is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// All of a file but white space at its ends; read again each time, so that a new secret is used at once.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
}

impl Secret {
    /// Reads `file:<path>` or `env:<NAME>`.
    ///
    /// # Errors
    /// What was expected; the text is not in it, because somebody may have written the secret itself there.
    pub fn from_text(text: &str) -> Result<Secret, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Secret::File(path.into())),
            Some(("env", name)) if !name.is_empty() && !name.contains(['=', '\0']) => {
                Ok(Secret::Variable(name.into()))
            }
            _ => Err("'file:<path>' or 'env:<NAME>'".into()),
        }
    }

    /// The secret itself; an empty one is none.
    ///
    /// # Errors
    /// Why it is not there.
    pub fn read(&self) -> Result<String, String> {
        match self {
            Secret::File(path) => {
                let found =
                    std::fs::metadata(path).and_then(|found| match found.len() > FILE_MAX {
                        true => Err(std::io::ErrorKind::FileTooLarge.into()),
                        false => std::fs::read_to_string(path),
                    });
                let text = found.map_err(|error| format!("{}: {error}", path.display()))?;
                let text = text.trim();
                match text.is_empty() {
                    true => Err(format!("{} is empty", path.display())),
                    false => Ok(text.to_owned()),
                }
            }
            Secret::Variable(name) => std::env::var(name)
                .ok()
                .filter(|text| !text.is_empty())
                .ok_or_else(|| format!("the variable {name} is not set")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_looked_up_and_never_shown() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("token");
        std::fs::write(&path, "hush\n").expect("written");
        let secret = Secret::from_text(&format!("file:{}", path.display())).expect("a place");
        assert_eq!(secret.read(), Ok("hush".into()));
        std::fs::write(&path, "other").expect("written");
        assert_eq!(secret.read(), Ok("other".into()));
        std::fs::write(&path, " \n").expect("written");
        assert!(secret.read().is_err(), "empty");
        std::fs::write(&path, vec![b'x'; FILE_MAX as usize + 1]).expect("written");
        assert!(secret.read().is_err(), "too long");
        let missing = Secret::from_text("env:FORESIGHT_NOWHERE").expect("a place");
        assert_eq!(
            missing.read(),
            Err("the variable FORESIGHT_NOWHERE is not set".into())
        );
        for bad in ["", "hush", "file:", "env:", "env:a=b"] {
            let text = Secret::from_text(bad).expect_err(bad);
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
