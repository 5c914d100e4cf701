//! A bucket of S3, or of anything that speaks its language, as a store of objects.
//!
//! The SDK speaks the protocol and finds credentials; when to try again is decided here and in `courier.rs`, so that one
//! place knows how often something was tried.

mod credentials;
mod failure;
mod settings;

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    IdentityCache, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, Object as Listed, ObjectCannedAcl,
};
use aws_smithy_http_client::tls;
use stdx::backoff::{Backoff, Schedule};

use crate::destination::{Body, Destination, Entry, Failure, Page, Piece, Store, Work, check_key};
use crate::rights::ObjectRights;
use failure::told;

pub use credentials::Source as Credentials;
pub use settings::{PART_SIZE_MAX, PART_SIZE_MIN, Settings, bucket_and_prefix};

/// Parts of an upload; S3's own limit is 10,000.
const PARTS_MAX: u64 = 9_000;

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A part is tried so often before the whole object is begun anew.
const PART_ATTEMPTS: Schedule = Schedule {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
    attempts: Some(3),
};

/// Folders and objects that one page of a level has at most.
const LEVEL_MAX: i32 = 500;

/// What lies directly below a folder of a bucket: a page of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Level {
    /// The names of folders.
    pub folders: Vec<String>,
    /// Objects; their keys are names below the folder.
    pub entries: Vec<Entry>,
    /// Leads to the next page.
    pub next: Option<String>,
}

/// A bucket, and the prefix of all keys.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    name: String,
    /// Empty, or with a slash at its end.
    prefix: String,
    part_size: u64,
    rights: ObjectRights,
}

impl Bucket {
    /// A client; nothing is asked of the server yet.
    pub async fn open(settings: &Settings) -> Bucket {
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client())
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(settings.timeout));
        if let Some(region) = &settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        loader = match settings.credentials.provider() {
            credentials::Provider::Chain => loader,
            credentials::Provider::Anonymous => loader.no_credentials(),
            credentials::Provider::Given(provider) => loader.credentials_provider(provider),
        };
        let shared = loader.load().await;
        let mut config =
            aws_sdk_s3::config::Builder::from(&shared).force_path_style(settings.path_style);
        if !matches!(settings.credentials, Credentials::Chain) {
            // A file is read again for every request, so that new secrets are used at once.
            config = config.identity_cache(IdentityCache::no_cache());
        }
        if let Some(endpoint) = &settings.endpoint {
            config = config.endpoint_url(endpoint);
        }
        if shared.region().is_none() {
            config = config.region(Region::from_static(settings::REGION));
        }
        if !settings.checksums {
            config = config
                .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
                .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        }
        Bucket {
            client: Client::from_conf(config.build()),
            name: settings.bucket.clone(),
            prefix: settings.prefix.clone(),
            part_size: settings.part_size,
            rights: settings.rights.clone(),
        }
    }

    /// Where it is, as `s3://bucket/prefix`.
    pub fn address(&self) -> String {
        format!("s3://{}/{}", self.name, self.prefix)
    }

    /// What lies directly below `folder`, which is empty or ends with a slash; `after` is the `next` of the page before.
    ///
    /// # Errors
    /// What the server says.
    pub async fn level(&self, folder: &str, after: &str) -> Result<Level, Failure> {
        let base = format!("{}{folder}", self.prefix);
        let request = self.client.list_objects_v2().bucket(&self.name);
        let request = request.prefix(&base).delimiter("/").max_keys(LEVEL_MAX);
        let token = Some(after.to_owned()).filter(|after| !after.is_empty());
        let found = request.set_continuation_token(token).send().await;
        let found = found.map_err(told)?;
        let folders = found.common_prefixes().iter().filter_map(|folder| {
            let name = folder.prefix()?.strip_prefix(&base)?;
            Some(name.trim_end_matches('/').to_owned())
        });
        Ok(Level {
            folders: folders.collect(),
            entries: entries(found.contents(), &base),
            next: found.next_continuation_token,
        })
    }

    fn acl(&self) -> Option<ObjectCannedAcl> {
        self.rights.acl.as_deref().map(ObjectCannedAcl::from)
    }

    async fn put_at_once(&self, key: &str, body: ByteStream) -> Result<(), Failure> {
        let request = self.client.put_object().bucket(&self.name).key(key);
        let request = request
            .set_acl(self.acl())
            .set_tagging(self.rights.tags.clone());
        request.body(body).send().await.map_err(told)?;
        Ok(())
    }

    async fn put_in_parts(&self, key: &str, body: &Body, len: u64) -> Result<(), Failure> {
        let begun = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .key(key)
            .set_acl(self.acl())
            .set_tagging(self.rights.tags.clone());
        let begun = begun.send().await.map_err(told)?;
        let id = begun.upload_id().unwrap_or_default();
        let stored = async {
            let parts = self.put_parts(key, id, body, len).await?;
            let all = CompletedMultipartUpload::builder()
                .set_parts(Some(parts))
                .build();
            let finish = self
                .client
                .complete_multipart_upload()
                .bucket(&self.name)
                .key(key);
            let finished = finish.upload_id(id).multipart_upload(all).send().await;
            match finished {
                Ok(_) => Ok(()),
                Err(error) if failure::is_not_understood(&error) => {
                    self.confirm(key, len, told(error)).await
                }
                Err(error) => Err(told(error)),
            }
        };
        let outcome = stored.await;
        if outcome.is_err() {
            // What cannot be taken back here is left to the bucket's rules for unfinished uploads.
            let abort = self
                .client
                .abort_multipart_upload()
                .bucket(&self.name)
                .key(key);
            let _ = abort.upload_id(id).send().await;
        }
        outcome
    }

    /// Looks whether an object has been put together, when the answer was a success that nobody understands: then the
    /// failure is none. The same key always means the same bytes, so an object of this length is the one that was meant.
    async fn confirm(&self, key: &str, len: u64, failure: Failure) -> Result<(), Failure> {
        let request = self.client.head_object().bucket(&self.name).key(key);
        let found = request.send().await.map_err(told)?;
        let size = found
            .content_length()
            .and_then(|size| u64::try_from(size).ok());
        match size == Some(len) {
            true => Ok(()),
            false => Err(failure),
        }
    }

    async fn put_parts(
        &self,
        key: &str,
        id: &str,
        body: &Body,
        len: u64,
    ) -> Result<Vec<CompletedPart>, Failure> {
        let size = self.part_size.max(len.div_ceil(PARTS_MAX));
        let mut parts = Vec::new();
        for (n, from) in (1..).zip((0..len).step_by(usize::try_from(size).unwrap_or(usize::MAX))) {
            let mut backoff = Backoff::new(PART_ATTEMPTS);
            let etag = loop {
                let part = stream(body, from, size.min(len - from)).await?;
                let request = self.client.upload_part().bucket(&self.name).key(key);
                let sent = request.upload_id(id).part_number(n).body(part).send().await;
                match sent.map_err(told) {
                    Ok(sent) => break sent.e_tag,
                    Err(failure) if failure.lasts() => return Err(failure),
                    Err(failure) => match backoff.next_wait() {
                        Some(wait) => tokio::time::sleep(wait).await,
                        None => return Err(failure),
                    },
                }
            };
            parts.push(
                CompletedPart::builder()
                    .set_e_tag(etag)
                    .part_number(n)
                    .build(),
            );
        }
        Ok(parts)
    }
}

/// What a listing says of objects, without what all keys begin with.
fn entries(objects: &[Listed], base: &str) -> Vec<Entry> {
    let entry = |object: &Listed| {
        let key = object.key()?.strip_prefix(base)?;
        Some(Entry {
            key: key.to_owned(),
            size: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
            modified_s: object.last_modified().map_or(0, |time| time.secs()),
        })
    };
    objects.iter().filter_map(entry).collect()
}

/// One HTTP client for all buckets, so that connections are shared.
fn http_client() -> SharedHttpClient {
    static CLIENT: std::sync::OnceLock<SharedHttpClient> = std::sync::OnceLock::new();
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    CLIENT
        .get_or_init(|| {
            aws_smithy_http_client::Builder::new()
                .tls_provider(ring)
                .build_https()
        })
        .clone()
}

fn timeouts(answer: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(answer))
        .read_timeout(answer)
        // A body that does not flow is ended by the SDK's watch over streams; this bounds one that flows slowly.
        .operation_attempt_timeout(answer.saturating_mul(10))
        .build()
}

/// A part of a body, read while it is sent.
async fn stream(body: &Body, from: u64, len: u64) -> Result<ByteStream, Failure> {
    match body {
        Body::Bytes(bytes) => {
            let (from, len) = (from as usize, len as usize);
            let part = bytes.get(from..from + len).unwrap_or_default();
            Ok(ByteStream::from(part.to_vec()))
        }
        Body::File(path) => {
            let part = ByteStream::read_from()
                .path(path)
                .offset(from)
                .length(Length::Exact(len));
            part.build()
                .await
                .map_err(|error| Failure::lasting(format!("{}: {error}", path.display())))
        }
    }
}

impl Destination for Bucket {
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        Box::pin(async move {
            check_key(key)?;
            let key = format!("{}{key}", self.prefix);
            let len = body.len()?;
            match len > self.part_size {
                true => self.put_in_parts(&key, body, len).await,
                false => self.put_at_once(&key, stream(body, 0, len).await?).await,
            }
        })
    }
}

impl Store for Bucket {
    fn list<'a>(&'a self, prefix: &'a str, after: &'a str) -> Work<'a, Page> {
        Box::pin(async move {
            let mut request = self.client.list_objects_v2().bucket(&self.name);
            request = request.prefix(format!("{}{prefix}", self.prefix));
            if !after.is_empty() {
                request = request.start_after(format!("{}{after}", self.prefix));
            }
            let found = request.send().await.map_err(told)?;
            Ok(Page {
                entries: entries(found.contents(), &self.prefix),
                is_last: !found.is_truncated().unwrap_or(false),
            })
        })
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        from: u64,
        len: u64,
        version: Option<&'a str>,
    ) -> Work<'a, Piece> {
        Box::pin(async move {
            let mut request = self.client.get_object().bucket(&self.name);
            request = request
                .key(format!("{}{key}", self.prefix))
                .set_if_match(version.map(str::to_owned));
            request = request.range(format!(
                "bytes={from}-{}",
                from.saturating_add(len.max(1)) - 1
            ));
            let found = match request.send().await {
                Ok(found) => found,
                Err(error) if failure::is_behind_the_end(&error) => {
                    return Ok(Piece {
                        bytes: Vec::new(),
                        version: version.unwrap_or_default().to_owned(),
                    });
                }
                Err(error) => return Err(told(error)),
            };
            let wanted = version;
            let version = found.e_tag.unwrap_or_default();
            // Not every server looks at the condition.
            if wanted.is_some_and(|wanted| wanted != version) {
                return Err(Failure::lasting(format!("{key} was replaced")));
            }
            let body = found.body.collect().await;
            let body = body.map_err(|error| Failure::passing(format!("reading {key}: {error}")))?;
            Ok(Piece {
                bytes: body.to_vec(),
                version,
            })
        })
    }

    fn remove<'a>(&'a self, key: &'a str) -> Work<'a, ()> {
        Box::pin(async move {
            check_key(key)?;
            let request = self.client.delete_object().bucket(&self.name);
            let removed = request.key(format!("{}{key}", self.prefix)).send().await;
            match removed {
                // S3 says nothing of it, but some servers do.
                Err(error) if error.code() == Some("NoSuchKey") => Ok(()),
                removed => removed.map(drop).map_err(told),
            }
        })
    }
}
