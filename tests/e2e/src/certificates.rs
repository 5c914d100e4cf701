//! An authority made for one test, and a certificate of `localhost` and 127.0.0.1 that it vouches for.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// PEM files: `ca.pem`, `leaf.pem` and `leaf.key`.
pub struct Certificates {
    folder: tempfile::TempDir,
}

impl Default for Certificates {
    fn default() -> Certificates {
        Certificates::new()
    }
}

impl Certificates {
    /// Makes all of them anew.
    ///
    /// # Panics
    /// When there is no place to write them.
    pub fn new() -> Certificates {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "authority");
        let authority = params.self_signed(&key).expect("signed");
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("good names");
        params.distinguished_name.push(DnType::CommonName, "leaf");
        let leaf = params.signed_by(&leaf_key, &issuer).expect("signed");
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("ca.pem", authority.pem()),
            ("leaf.pem", leaf.pem()),
            ("leaf.key", leaf_key.serialize_pem()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("written");
        }
        Certificates { folder }
    }

    /// The path of one of the files.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A Lua table for `ssl_params`: both sides show the certificate and want one of the authority.
    pub fn params(&self, mode: &str) -> String {
        let folder = self.folder.path().display();
        format!(
            "{{ mode = '{mode}', protocol = 'any', key = '{folder}/leaf.key', certificate = '{folder}/leaf.pem', \
             cafile = '{folder}/ca.pem', verify = {{ 'peer', 'fail_if_no_peer_cert' }}, options = {{ 'all', 'no_sslv3' }} }}"
        )
    }
}
