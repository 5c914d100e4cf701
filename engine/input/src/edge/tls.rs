//! The edge's certificates: read from PEM files, and read again when the files have changed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use super::settings::TlsFiles;

/// How old a certificate may get before its files are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Accepts TLS connections with the certificate of these files.
///
/// # Errors
/// When a file cannot be read, or does not hold what it should.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, String> {
    let resolver = Reloading {
        files: files.clone(),
        current: Mutex::new(Current {
            key: Arc::new(load(files)?),
            changed: changed(files),
            looked: Instant::now(),
        }),
    };
    let mut config = rustls::ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Hands out the certificate that lies in the files.
#[derive(Debug)]
struct Reloading {
    files: TlsFiles,
    /// Guards the certificate in use.
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    changed: Option<SystemTime>,
    looked: Instant,
}

impl ResolvesServerCert for Reloading {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_AGAIN {
            current.looked = Instant::now();
            let now = changed(&self.files);
            // Files that are being replaced may not fit each other yet: then the old ones serve on.
            if now != current.changed
                && let Ok(key) = load(&self.files)
            {
                current.key = Arc::new(key);
                current.changed = now;
            }
        }
        Some(Arc::clone(&current.key))
    }
}

/// When the newer of the files was written.
fn changed(files: &TlsFiles) -> Option<SystemTime> {
    let time = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    time(&files.certificate).max(time(&files.key))
}

fn load(files: &TlsFiles) -> Result<CertifiedKey, String> {
    let certificate = files.certificate.display();
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| format!("{certificate}: no certificates in PEM: {error}"))?;
    if chain.is_empty() {
        return Err(format!("{certificate}: no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| format!("{}: no private key in PEM: {error}", files.key.display()))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|error| format!("{certificate} and {}: {error}", files.key.display()))
}
