//! Opens the store that an address names: a bucket of S3, or a folder.

use std::sync::Arc;
use std::time::Duration;

use stdx::backoff::Schedule;
use tokio::runtime::Runtime;

use crate::destination::Store;
use crate::directory::Directory;
use crate::object::Access;
use crate::rights::FileRights;
use crate::runtime::runtime;
use crate::s3::{Bucket, Settings};

/// A store that can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In S3.
    Bucket(Settings),
    /// A folder's path, and the rights of what is made in it.
    Directory(String, FileRights),
}

impl Location {
    /// What `s3://bucket/prefix` or the path of a folder means.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(address: &str) -> Result<Location, String> {
        match address.split_once("://") {
            Some(("s3", _)) => Settings::new(address).map(Location::Bucket),
            Some(_) => Err("a store is a folder or s3://bucket/prefix".into()),
            None if address.is_empty() || address.contains('\0') => {
                Err("the path of a store's folder is empty".into())
            }
            None => Ok(Location::Directory(
                address.to_owned(),
                FileRights::default(),
            )),
        }
    }

    /// As [`Location::parse`], with what the environment says of S3: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, whose
    /// servers get the bucket in the path. For commands.
    ///
    /// # Errors
    /// As [`Location::parse`].
    pub fn from_environment(address: &str) -> Result<Location, String> {
        let mut location = Location::parse(address)?;
        if let Location::Bucket(settings) = &mut location {
            let endpoint =
                ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"].map(|name| std::env::var(name).ok());
            settings.endpoint = endpoint.into_iter().flatten().next();
            settings.path_style = settings.endpoint.is_some();
        }
        Ok(location)
    }

    /// Goes to a place inside of the store, which [`crate::rights::prefix`] has checked.
    pub fn descend(&mut self, prefix: &str) {
        match self {
            Location::Bucket(settings) => settings.prefix.push_str(&format!("{prefix}/")),
            Location::Directory(path, _) => {
                *path = format!("{}/{prefix}", path.trim_end_matches('/'))
            }
        }
    }

    /// Opens the store; nothing is asked of it yet.
    pub fn open(&self, runtime: &Runtime) -> Arc<dyn Store> {
        match self {
            Location::Bucket(settings) => Arc::new(runtime.block_on(Bucket::open(settings))),
            Location::Directory(path, rights) => {
                Arc::new(Directory::new(path).with_rights(*rights))
            }
        }
    }
}

/// A store for a command: what the environment says counts, and a few attempts are made.
///
/// # Errors
/// What is wrong with the address, or with the system.
pub fn access(address: &str) -> Result<Access, String> {
    let location = Location::from_environment(address)?;
    let runtime = runtime()?;
    let retry = Schedule {
        first: Duration::from_millis(200),
        longest: Duration::from_secs(5),
        attempts: Some(5),
    };
    Ok(Access {
        store: location.open(runtime),
        runtime,
        retry,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_bucket_or_a_folder() {
        assert!(matches!(
            Location::parse("s3://a/b"),
            Ok(Location::Bucket(_))
        ));
        let folder = Location::Directory("/a".into(), FileRights::default());
        assert_eq!(Location::parse("/a"), Ok(folder));
        let mut below = Location::parse("/a").expect("a folder");
        below.descend("x/y");
        let folder = Location::Directory("/a/x/y".into(), FileRights::default());
        assert_eq!(below, folder);
        let mut below = Location::parse("s3://a/b").expect("a bucket");
        below.descend("x/y");
        assert_eq!(Ok(below), Location::parse("s3://a/b/x/y"));
        for bad in ["", "ftp://a", "s3://"] {
            assert!(Location::parse(bad).is_err(), "{bad}");
        }
    }
}
