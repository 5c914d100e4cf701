//! The edge's certificates: read from their files, and read again when the files have changed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tls::Settings;
use tokio_rustls::TlsAcceptor;

use super::settings::TlsFiles;

/// How old a certificate may get before its files are looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

/// Accepts TLS connections with the certificate that lies in the files.
pub struct Certificates {
    files: TlsFiles,
    /// Guards the certificate in use.
    current: Mutex<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    changed: Option<SystemTime>,
    looked: Instant,
}

impl Certificates {
    /// Reads the files.
    ///
    /// # Errors
    /// When a file cannot be read, or does not hold what it should.
    pub fn load(files: &TlsFiles) -> Result<Certificates, tls::Error> {
        Ok(Certificates {
            files: files.clone(),
            current: Mutex::new(Current {
                acceptor: acceptor(files)?,
                changed: changed(files),
                looked: Instant::now(),
            }),
        })
    }

    /// What accepts the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.looked.elapsed() >= LOOK_AGAIN {
            current.looked = Instant::now();
            let now = changed(&self.files);
            // Files that are being replaced may not fit each other yet: then the old ones serve on.
            if now != current.changed
                && let Ok(acceptor) = acceptor(&self.files)
            {
                current.acceptor = acceptor;
                current.changed = now;
            }
        }
        current.acceptor.clone()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, tls::Error> {
    let config = tls::server(&Settings {
        certificate: Some(files.certificate.clone()),
        key: Some(files.key.clone()),
        alpn: vec![b"http/1.1".to_vec()],
        ..Settings::default()
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// When the newer of the files was written.
fn changed(files: &TlsFiles) -> Option<SystemTime> {
    let time = |path: &Path| path.metadata().and_then(|found| found.modified()).ok();
    time(&files.certificate).max(time(&files.key))
}
