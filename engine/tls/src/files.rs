//! Certificates and keys out of PEM files.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::Error;

/// A file of certificates is not larger: the system's, with all roots, has a quarter of a megabyte.
const MAX_FILE: u64 = 8 << 20;
/// Files of one folder that are looked at.
const MAX_FILES: usize = 4096;

/// The bytes of a regular file; the words say why not.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let name = path.display();
    let file = File::open(path).map_err(|error| format!("{name}: {error}"))?;
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    if !is_file {
        return Err(format!("{name}: no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("{name}: {error}"))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("{name}: larger than {MAX_FILE} bytes"));
    }
    Ok(bytes)
}

/// All certificates of a file, at least one; the words say why not.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = certificates_in(path, &read(path)?)?;
    if found.is_empty() {
        return Err(format!("{}: no certificate found", path.display()));
    }
    Ok(found)
}

fn certificates_in(path: &Path, bytes: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    CertificateDer::pem_slice_iter(bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The first private key of a file.
pub(crate) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = read(path).map_err(Error::Key)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let encrypted = bytes.windows(9).any(|part| part == b"ENCRYPTED");
        let text = match encrypted {
            true => "encrypted keys are not supported".into(),
            false => error.to_string(),
        };
        Error::Key(format!("{}: {text}", path.display()))
    })
}

/// Trusted certificates of a file, a folder, or both.
pub(crate) fn roots(
    file: Option<&Path>,
    folder: Option<&Path>,
) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut roots = match file {
        Some(file) => certificates(file).map_err(Error::Roots)?,
        None => Vec::new(),
    };
    if let Some(folder) = folder {
        let complaint = |error| Error::Roots(format!("{}: {error}", folder.display()));
        for (n, entry) in std::fs::read_dir(folder).map_err(complaint)?.enumerate() {
            if n >= MAX_FILES {
                let text = format!("{}: more than {MAX_FILES} files", folder.display());
                return Err(Error::Roots(text));
            }
            let path = entry.map_err(complaint)?.path();
            // What is in the folder beside certificates is none of our business.
            let found = read(&path).and_then(|bytes| certificates_in(&path, &bytes));
            roots.extend(found.unwrap_or_default());
        }
    }
    Ok(roots)
}

/// The certificates that the system trusts, read once.
pub(crate) fn system_roots() -> Result<&'static [CertificateDer<'static>], Error> {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Error::Roots(
            "the system has no trusted certificates".into(),
        ));
    }
    Ok(roots)
}

/// The first certificate in a PEM text, in DER.
///
/// # Errors
/// When there is none.
pub fn certificate_in(text: &[u8]) -> Result<Vec<u8>, Error> {
    match CertificateDer::from_pem_slice(text) {
        Ok(der) => Ok(der.to_vec()),
        Err(error) => Err(Error::Certificate(error.to_string())),
    }
}

/// A certificate in DER as a PEM text.
pub fn pem_of(der: &[u8]) -> String {
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let encoded = STANDARD.encode(der);
    for line in encoded.as_bytes().chunks(64) {
        text.extend(line.iter().map(|&byte| char::from(byte)));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
