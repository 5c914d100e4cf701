//! LuaSec's table of parameters, read and checked.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use sandbox::native::{Call, Error, Type};
use tls::{Settings, Verify, Versions};

/// Protocols that can be named. Those before TLS 1.2 mean that, and 1.3: nothing older is spoken.
pub(super) const PROTOCOLS: &[&str] = &["any", "sslv23", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"];

/// Options that can be named. Those that switch on what is unsafe, or off what is not there, change nothing.
pub(super) const OPTIONS: &[&str] = &[
    "all",
    "cipher_server_preference",
    "cookie_exchange",
    "no_compression",
    "no_query_mtu",
    "no_renegotiation",
    "no_session_resumption_on_renegotiation",
    "no_sslv2",
    "no_sslv3",
    "no_ticket",
    "no_tlsv1",
    "no_tlsv1_1",
    "no_tlsv1_2",
    "no_tlsv1_3",
    "single_dh_use",
    "single_ecdh_use",
];

/// Words that a list may have.
const MAX_WORDS: i64 = 64;

/// What the table said.
pub(super) struct Params {
    pub(super) is_server: bool,
    pub(super) settings: Settings,
}

/// Reads the table at `i`; the inner reason is for the plugin, as a second result.
pub(super) fn read(call: &mut Call<'_>, i: i32) -> Result<Result<Params, String>, Error> {
    let protocol = text(call, i, "protocol")?;
    let mode = text(call, i, "mode")?;
    let verify = words(call, i, "verify")?;
    let options = words(call, i, "options")?;
    let alpn = words(call, i, "alpn")?;
    let settings = Settings {
        versions: Versions::default(),
        ciphers: text(call, i, "ciphers")?,
        suites: text(call, i, "ciphersuites")?,
        certificate: path(call, i, "certificate")?,
        key: path(call, i, "key")?,
        cafile: path(call, i, "cafile")?,
        capath: path(call, i, "capath")?,
        verify: Verify::None,
        alpn: Vec::new(),
    };
    Ok(check(protocol, mode, &verify, &options, alpn, settings))
}

fn check(
    protocol: Option<String>,
    mode: Option<String>,
    verify: &[String],
    options: &[String],
    alpn: Vec<String>,
    mut settings: Settings,
) -> Result<Params, String> {
    settings.versions = versions(protocol.as_deref().unwrap_or("any"), options)?;
    let is_server = match mode.as_deref() {
        Some("server") => true,
        Some("client") => false,
        other => return Err(format!("invalid mode ({})", other.unwrap_or("nil"))),
    };
    for option in options {
        if !OPTIONS.contains(&option.as_str()) {
            return Err(format!("invalid option ({option})"));
        }
    }
    settings.verify = verification(verify)?;
    for protocol in &alpn {
        if protocol.is_empty() || protocol.len() > 255 {
            return Err("invalid ALPN name".into());
        }
    }
    settings.alpn = alpn.into_iter().map(String::into_bytes).collect();
    Ok(Params {
        is_server,
        settings,
    })
}

fn versions(protocol: &str, options: &[String]) -> Result<Versions, String> {
    if !PROTOCOLS.contains(&protocol) {
        return Err(format!("invalid protocol ({protocol})"));
    }
    let off = |name: &str| options.iter().any(|option| option == name);
    Ok(Versions {
        tls12: protocol != "tlsv1_3" && !off("no_tlsv1_2"),
        tls13: protocol != "tlsv1_2" && !off("no_tlsv1_3"),
    })
}

fn verification(words: &[String]) -> Result<Verify, String> {
    let mut verify = Verify::None;
    for word in words {
        match word.as_str() {
            "none" => {}
            "peer" | "client_once" if verify == Verify::None => verify = Verify::Peer,
            "peer" | "client_once" => {}
            "fail_if_no_peer_cert" => verify = Verify::Required,
            other => return Err(format!("invalid verify option ({other})")),
        }
    }
    // To ask for a certificate is what `peer` says; without it the rest means nothing, as in OpenSSL.
    let asks = words.iter().any(|word| word == "peer");
    Ok(if asks { verify } else { Verify::None })
}

/// A text of the table; none when it is nil.
fn text(call: &mut Call<'_>, i: i32, key: &str) -> Result<Option<String>, Error> {
    call.raw_get_field(i, key)?;
    let text = call.text_at(-1);
    let is_nil = call.is_nil(-1);
    call.pop(1);
    match text.map(String::from_utf8) {
        Some(Ok(text)) => Ok(Some(text)),
        None if is_nil => Ok(None),
        _ => Err(Error::new(format!("{key} must be a string"))),
    }
}

fn path(call: &mut Call<'_>, i: i32, key: &str) -> Result<Option<PathBuf>, Error> {
    call.raw_get_field(i, key)?;
    let bytes = call.bytes_at(-1).map(<[u8]>::to_vec);
    let is_nil = call.is_nil(-1);
    call.pop(1);
    match bytes {
        Some(bytes) => Ok(Some(PathBuf::from(OsStr::from_bytes(&bytes)))),
        None if is_nil => Ok(None),
        None => Err(Error::new(format!("{key} must be a string"))),
    }
}

/// A word, or an array of words.
fn words(call: &mut Call<'_>, i: i32, key: &str) -> Result<Vec<String>, Error> {
    call.raw_get_field(i, key)?;
    let mut words = Vec::new();
    match call.type_of(-1) {
        Type::Nil => {}
        Type::String => words.extend(word(call)),
        Type::Table => {
            for n in 1..=MAX_WORDS {
                call.raw_get_index(-1, n)?;
                let next = word(call);
                call.pop(1);
                let Some(next) = next else { break };
                words.push(next);
            }
        }
        _ => {
            return Err(Error::new(format!(
                "{key} must be a string or an array of strings"
            )));
        }
    }
    call.pop(1);
    Ok(words)
}

/// The text on top.
fn word(call: &Call<'_>) -> Option<String> {
    call.bytes_at(-1)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}
