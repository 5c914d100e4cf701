//! What is believed and what is not, with certificates made here.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;

use super::*;

/// An authority, and a certificate of `localhost` that it vouches for, as files.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "authority");
        let authority = params.self_signed(&key).expect("signed");
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = CertificateParams::new(names).expect("good names");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "leaf");
        let leaf = params.signed_by(&leaf_key, &issuer).expect("signed");
        let files = Files { folder };
        files.write("ca.pem", &authority.pem());
        files.write("leaf.pem", &leaf.pem());
        files.write("leaf.key", &leaf_key.serialize_pem());
        files.write("ca.key", &issuer.key().serialize_pem());
        files
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn identity(&self, name: &str) -> Settings {
        Settings {
            certificate: Some(self.path(&format!("{name}.pem"))),
            key: Some(self.path(&format!("{name}.key"))),
            ..Settings::default()
        }
    }

    fn trusting(&self, name: &str) -> Settings {
        Settings {
            cafile: Some(self.path(name)),
            verify: Verify::Peer,
            ..Settings::default()
        }
    }
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").expect("a name")
}

/// Shakes hands in memory; the words of the side that refused.
fn handshake(
    client_settings: &Settings,
    server_settings: &Settings,
    name: ServerName<'static>,
) -> Result<(), String> {
    let config = Arc::new(client(client_settings).expect("good settings"));
    let mut client = rustls::ClientConnection::new(config, name).expect("a connection");
    let config = Arc::new(server(server_settings).expect("good settings"));
    let mut server = rustls::ServerConnection::new(config).expect("a connection");
    client.writer().write_all(b"hello").expect("room");
    let mut wire = Vec::new();
    for _ in 0..10 {
        wire.clear();
        while client.wants_write() {
            client.write_tls(&mut wire).expect("room");
        }
        server.read_tls(&mut wire.as_slice()).expect("room");
        server.process_new_packets().map_err(|e| text_of(&e))?;
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).expect("room");
        }
        client.read_tls(&mut wire.as_slice()).expect("room");
        client.process_new_packets().map_err(|e| text_of(&e))?;
    }
    let mut said = [0; 5];
    server
        .reader()
        .read_exact(&mut said)
        .map_err(|e| e.to_string())?;
    assert_eq!(&said, b"hello");
    Ok(())
}

#[test]
fn a_vouched_server_is_believed_by_name_and_without() {
    let files = Files::new();
    let (client, server) = (files.trusting("ca.pem"), files.identity("leaf"));
    handshake(&client, &server, localhost()).expect("believed");
    handshake(&client, &server, no_name()).expect("believed");
    let other = ServerName::try_from("example.com").expect("a name");
    let refused = handshake(&client, &server, other).expect_err("another name");
    assert!(refused.contains("certificate verify failed"), "{refused}");
}

#[test]
fn a_stranger_is_refused_unless_nothing_is_checked() {
    let (files, strangers) = (Files::new(), Files::new());
    let server = strangers.identity("leaf");
    for name in [localhost(), no_name()] {
        let refused = handshake(&files.trusting("ca.pem"), &server, name);
        assert!(
            refused
                .expect_err("a stranger")
                .contains("certificate verify failed")
        );
    }
    handshake(&Settings::default(), &server, localhost()).expect("nothing is checked");
}

#[test]
fn a_certificate_that_is_trusted_itself_needs_no_issuer() {
    let files = Files::new();
    let (client, server) = (files.trusting("leaf.pem"), files.identity("leaf"));
    handshake(&client, &server, localhost()).expect("trusted itself");
    handshake(&client, &server, no_name()).expect("trusted itself");
    let other = ServerName::try_from("example.com").expect("a name");
    assert!(handshake(&client, &server, other).is_err());
    // An authority that serves itself, as `openssl req -x509` makes them.
    let (client, server) = (files.trusting("ca.pem"), files.identity("ca"));
    handshake(&client, &server, no_name()).expect("trusted itself");
}

#[test]
fn servers_ask_for_certificates() {
    let files = Files::new();
    let asking = |verify| Settings {
        cafile: Some(files.path("ca.pem")),
        verify,
        ..files.identity("leaf")
    };
    let bare = files.trusting("ca.pem");
    handshake(&bare, &asking(Verify::Peer), localhost()).expect("none is needed");
    let refused = handshake(&bare, &asking(Verify::Required), localhost());
    assert!(refused.is_err());
    let with_own = Settings {
        certificate: Some(files.path("leaf.pem")),
        key: Some(files.path("leaf.key")),
        ..files.trusting("ca.pem")
    };
    handshake(&with_own, &asking(Verify::Required), localhost()).expect("it has one");
    let strangers = Files::new();
    let stranger = Settings {
        cafile: Some(files.path("ca.pem")),
        verify: Verify::Peer,
        ..strangers.identity("leaf")
    };
    assert!(handshake(&stranger, &asking(Verify::Peer), localhost()).is_err());
}

#[test]
fn folders_of_trusted_certificates() {
    let files = Files::new();
    let client = Settings {
        capath: Some(files.folder.path().into()),
        verify: Verify::Peer,
        ..Settings::default()
    };
    handshake(&client, &files.identity("leaf"), localhost()).expect("found in the folder");
}

#[test]
fn versions_and_suites_are_narrowed() {
    let files = Files::new();
    let only = |tls12, tls13| Settings {
        versions: Versions { tls12, tls13 },
        ..Settings::default()
    };
    let server = |tls12, tls13| Settings {
        versions: Versions { tls12, tls13 },
        ..files.identity("leaf")
    };
    handshake(&only(true, false), &server(true, true), localhost()).expect("1.2");
    handshake(&only(true, true), &server(false, true), localhost()).expect("1.3");
    assert!(handshake(&only(true, false), &server(false, true), localhost()).is_err());
    assert!(client(&only(false, false)).is_err());
}

#[test]
fn files_that_cannot_be_used() {
    let files = Files::new();
    let text = |settings: &Settings| server(settings).expect_err("unusable").to_string();
    let mut settings = files.identity("leaf");
    settings.key = Some(files.path("none"));
    assert!(text(&settings).starts_with("error loading private key ("));
    files.write(
        "locked",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
    );
    settings.key = Some(files.path("locked"));
    assert!(text(&settings).contains("encrypted keys are not supported"));
    settings.key = Some(files.path("ca.key"));
    assert!(text(&settings).starts_with("error loading private key ("));
    settings = files.identity("leaf");
    settings.certificate = Some(files.path("leaf.key"));
    assert!(text(&settings).contains("no certificate found"));
    settings.certificate = Some(Path::new("/dev/zero").into());
    assert!(text(&settings).contains("no regular file"));
    assert!(text(&Settings::default()).contains("needs a certificate"));
    let error = client(&files.trusting("leaf.key")).expect_err("no roots");
    assert!(
        error
            .to_string()
            .starts_with("error loading CA locations (")
    );
}

#[test]
fn what_a_certificate_says() {
    let files = Files::new();
    let der = &files::certificates(&files.path("leaf.pem")).expect("one")[0];
    let certificate = Certificate::parse(der).expect("good");
    let names = |attributes: Vec<Attribute>| {
        let texts = attributes
            .into_iter()
            .map(|a| format!("{} {} {}", a.oid, a.name, String::from_utf8_lossy(&a.value)));
        texts.collect::<Vec<_>>()
    };
    assert_eq!(
        names(certificate.subject()).last().map(String::as_str),
        Some("2.5.4.3 commonName leaf")
    );
    assert_eq!(
        names(certificate.issuer()).last().map(String::as_str),
        Some("2.5.4.3 commonName authority")
    );
    assert_eq!(certificate.not_before(), "Jan  1 00:00:00 1975 GMT");
    assert!(certificate.is_valid_at(1_800_000_000));
    assert!(!certificate.is_valid_at(0));
    let expected = [
        ("dNSName", b"localhost".to_vec()),
        ("iPAddress", b"127.0.0.1".to_vec()),
    ];
    assert_eq!(certificate.alternative_names(), expected);
    assert_eq!(
        Digest::Sha1.hex(b"abc"),
        "a9993e364706816aba3e25717850c26c9cd0d89d"
    );
    assert!(Certificate::parse(b"garbage").is_err());
}
