//! Certificates, keys and TLS settings, shared by all that talk over TLS.
//!
//! [`Settings`] are what an operator says, [`client`] and [`server`] make rustls' configurations of them. Sessions are not
//! resumed, so a configuration holds no memory that grows with its connections.

mod certificate;
mod ciphers;
mod files;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, ServerConfig, SupportedProtocolVersion};

pub use certificate::{Attribute, Certificate, Digest};
pub use ciphers::{SuiteFacts, facts};
pub use files::{certificate_in, pem_of};

use verify::Verifier;

/// Why settings cannot be used, or a certificate cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of certificates.
    #[error("error loading certificate ({0})")]
    Certificate(String),
    /// A file with a private key.
    #[error("error loading private key ({0})")]
    Key(String),
    /// Trusted certificates.
    #[error("error loading CA locations ({0})")]
    Roots(String),
    /// Nothing is left of the cipher suites.
    #[error("error setting cipher list ({0})")]
    Ciphers(String),
    /// Everything else.
    #[error("{0}")]
    Other(String),
}

/// What to ask of the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Nothing: whoever answers is believed.
    #[default]
    None,
    /// A client needs a certificate that a trusted one vouches for only if it has one; a server must have one.
    Peer,
    /// As `Peer`, and a client must have one too.
    Required,
}

/// Which versions of the protocol may be spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// TLS 1.2
    pub tls12: bool,
    /// TLS 1.3
    pub tls13: bool,
}

impl Default for Versions {
    fn default() -> Versions {
        Versions {
            tls12: true,
            tls13: true,
        }
    }
}

/// One side of TLS as an operator describes it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Versions that may be spoken.
    pub versions: Versions,
    /// A list of cipher suites for TLS 1.2 in OpenSSL's words; empty for all.
    pub ciphers: Option<String>,
    /// As `ciphers`, for TLS 1.3.
    pub suites: Option<String>,
    /// A PEM file: our certificate, then those between it and a root.
    pub certificate: Option<PathBuf>,
    /// A PEM file with our private key.
    pub key: Option<PathBuf>,
    /// A PEM file of trusted certificates. Without it and `capath` the system's are trusted.
    pub cafile: Option<PathBuf>,
    /// A folder of such files.
    pub capath: Option<PathBuf>,
    /// What to ask of the other side.
    pub verify: Verify,
    /// Application protocols, the preferred one first.
    pub alpn: Vec<Vec<u8>>,
}

/// The name to connect to when there is none that the certificate could be compared with: its issuer is checked alone.
pub fn no_name() -> ServerName<'static> {
    ServerName::IpAddress(std::net::IpAddr::from([0, 0, 0, 0]).into())
}

/// The configuration of a client.
///
/// # Errors
/// When a file cannot be used, or no cipher suite or version is left.
pub fn client(settings: &Settings) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ciphers::provider(settings)?);
    let verifier = Arc::new(verifier(settings, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(settings)?)
        .map_err(|error| Error::Other(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity(settings)? {
        Some((chain, key)) => builder
            .with_client_auth_cert(chain, key)
            .map_err(|error| Error::Key(error.to_string()))?,
        None => builder.with_no_client_auth(),
    };
    config.resumption = rustls::client::Resumption::disabled();
    config.alpn_protocols.clone_from(&settings.alpn);
    Ok(config)
}

/// The configuration of a server.
///
/// # Errors
/// As [`client`]; when there is no certificate and key.
pub fn server(settings: &Settings) -> Result<ServerConfig, Error> {
    let provider = Arc::new(ciphers::provider(settings)?);
    let verifier = match settings.verify {
        Verify::None => None,
        _ => Some(Arc::new(verifier(settings, &provider)?)),
    };
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions(settings)?)
        .map_err(|error| Error::Other(error.to_string()))?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let missing = || Error::Certificate("a server needs a certificate and a key".into());
    let (chain, key) = identity(settings)?.ok_or_else(missing)?;
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| Error::Key(error.to_string()))?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols.clone_from(&settings.alpn);
    Ok(config)
}

fn versions(settings: &Settings) -> Result<Vec<&'static SupportedProtocolVersion>, Error> {
    let mut versions = Vec::new();
    if settings.versions.tls13 {
        versions.push(&rustls::version::TLS13);
    }
    if settings.versions.tls12 {
        versions.push(&rustls::version::TLS12);
    }
    if versions.is_empty() {
        return Err(Error::Other("no protocol version is left".into()));
    }
    Ok(versions)
}

fn verifier(settings: &Settings, provider: &Arc<CryptoProvider>) -> Result<Verifier, Error> {
    if settings.verify == Verify::None {
        return Ok(Verifier::believing(provider));
    }
    let roots = match (&settings.cafile, &settings.capath) {
        (None, None) => files::system_roots()?.to_vec(),
        (file, folder) => files::roots(file.as_deref(), folder.as_deref())?,
    };
    Verifier::checking(provider, roots, settings.verify == Verify::Required)
}

/// Our certificates and key, if we have any.
#[allow(clippy::type_complexity)] // rustls takes the two apart
fn identity(
    settings: &Settings,
) -> Result<Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>, Error> {
    match (&settings.certificate, &settings.key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let chain = files::certificates(certificate).map_err(Error::Certificate)?;
            Ok(Some((chain, files::key(key)?)))
        }
        (Some(_), None) => Err(Error::Key("a certificate needs its key".into())),
        (None, Some(_)) => Err(Error::Certificate("a key needs its certificate".into())),
    }
}

/// What a failed handshake says, in OpenSSL's words where plugins may look for them.
pub fn text_of(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(reason) => {
            format!("certificate verify failed ({reason})")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
