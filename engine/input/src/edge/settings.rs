//! What the operator sets for one listener of the HTTP edge: the keys with their defaults and limits.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use hyper::Uri;
use hyper::header::HeaderName;
use sandbox::native::Error;

use super::namespaces::Namespaces;
use super::table::Table;

/// Bytes of a message that are not the content: headers, URI, names. Generous, since header sizes are limited too.
const OVERHEAD: u64 = 128 * 1024;

/// Headers that become Fields unless the operator says otherwise; the production list of the public edge.
const HEADERS: &[&str] = &[
    "Content-Length",
    "Date",
    "DNT",
    "Host",
    "User-Agent",
    "X-Forwarded-For",
    "X-PingSender-Version",
    "X-Debug-ID",
    "X-Source-Tags",
    "X-Telemetry-Agent",
    "X-Foxsec-IP-Reputation",
    "X-LB-Tags",
    "X-Pipeline-Proxy",
];

/// All keys of a listener.
pub const KEYS: &[&str] = &[
    "address",
    "port",
    "type",
    "logger",
    "prefix",
    "namespaces",
    "namespaces_path",
    "headers",
    "client_ip",
    "client_ip_from",
    "max_uri_size",
    "max_content_size",
    "accept_too_long",
    "require_v4",
    "header_timeout",
    "body_timeout",
    "commit_timeout",
    "drain_timeout",
    "max_header_size",
    "max_headers",
    "max_connections",
    "max_buffered",
    "rate_limit",
    "rate_burst",
    "client_rate_limit",
    "client_rate_burst",
    "tls_certificate",
    "tls_key",
    "tee",
];

/// Where a client's address is taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientIp {
    /// The other end of the connection.
    Peer,
    /// The last entry of X-Forwarded-For, which the nearest proxy has written; else the peer.
    Forwarded,
}

/// How often something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Times a second in the long run.
    pub per_second: u32,
    /// Times at once.
    pub burst: u32,
}

/// Another backend that gets a share of the submissions.
#[derive(Clone, Debug)]
pub struct TeeTarget {
    /// Scheme and authority; path and query are those of the submission.
    pub url: Uri,
    /// The share of submissions, 0 to 1.
    pub share: f64,
    /// Whether the client waits for this backend too and gets its failure.
    pub wait: bool,
    /// The longest time a submission may take there.
    pub timeout: Duration,
    /// Submissions under way at once; more are dropped and counted, or wait when `wait` is set.
    pub in_flight_max: usize,
}

/// Certificate chain and private key in PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One listener. Sizes are in bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Type of its messages; the Kafka topic later on.
    pub type_: String,
    /// Logger of its messages.
    pub logger: String,
    /// What stands before the namespace in the path, with a slash at both ends.
    pub prefix: String,
    /// The namespaces that are taken.
    pub namespaces: Namespaces,
    /// Headers that become Fields, with the Field's name.
    pub headers: Vec<(HeaderName, String)>,
    /// Whether the peer's address becomes Field `remote_addr`.
    pub client_ip: bool,
    /// Whose rate is limited.
    pub client_ip_from: ClientIp,
    /// Longest path and query.
    pub max_uri_size: usize,
    /// Longest body.
    pub max_content_size: u64,
    /// Whether too long a path or body is answered by 202, for clients that would send it again and again.
    pub accept_too_long: bool,
    /// Whether telemetry submissions need `v=4` in their query.
    pub require_v4: bool,
    /// How long the headers may take, and how long a connection may idle.
    pub header_timeout: Duration,
    /// How long the body may take.
    pub body_timeout: Duration,
    /// How long a submission waits for the queue.
    pub commit_timeout: Duration,
    /// How long a stop waits for submissions under way.
    pub drain_timeout: Duration,
    /// Longest head of a request.
    pub max_header_size: usize,
    /// Most header lines of a request.
    pub max_headers: usize,
    /// Most connections; further ones wait in the kernel.
    pub max_connections: usize,
    /// Bytes of bodies in memory over all connections.
    pub max_buffered: usize,
    /// The rate of all submissions.
    pub rate: Option<Rate>,
    /// The rate of one client.
    pub client_rate: Option<Rate>,
    /// TLS, if the listener speaks it.
    pub tls: Option<TlsFiles>,
    /// Other backends.
    pub tee: Vec<TeeTarget>,
}

impl Settings {
    /// Reads a table. `max_message` is the engine's longest message.
    ///
    /// # Errors
    /// Names the key, what was found and what is expected.
    pub fn read(mut table: Table<'_, '_>, max_message: u64) -> Result<Settings, Error> {
        let t = &mut table;
        t.only(KEYS)?;
        let max_content_size = t.number("max_content_size", 102_400, 1, 1 << 30)?;
        if max_content_size + OVERHEAD > max_message {
            let needed = max_content_size + OVERHEAD;
            let why = format!(
                "is {max_content_size}, so messages may have {needed} bytes; set max_message_size, now {max_message}, \
                 in the main configuration to that or more"
            );
            return Err(t.refuse("max_content_size", &why));
        }
        let type_ = t.text("type")?.unwrap_or_else(|| "telemetry-raw".into());
        Ok(Settings {
            listen: listen(t)?,
            logger: t.text("logger")?.unwrap_or_else(|| "moz_ingest".into()),
            type_,
            prefix: prefix(t)?,
            namespaces: namespaces(t)?,
            headers: headers(t)?,
            client_ip: t.truth("client_ip", true)?,
            client_ip_from: client_ip_from(t)?,
            max_uri_size: t.number("max_uri_size", 256, 16, 65_534)? as usize,
            max_content_size,
            accept_too_long: t.truth("accept_too_long", false)?,
            require_v4: t.truth("require_v4", false)?,
            header_timeout: t.seconds("header_timeout", 30, 3_600)?,
            body_timeout: t.seconds("body_timeout", 30, 3_600)?,
            commit_timeout: t.seconds("commit_timeout", 10, 600)?,
            drain_timeout: t.seconds("drain_timeout", 10, 600)?,
            max_header_size: t.number("max_header_size", 16_384, 8_192, 1 << 20)? as usize,
            max_headers: t.number("max_headers", 64, 8, 1_000)? as usize,
            max_connections: t.number("max_connections", 20_000, 1, 1_000_000)? as usize,
            max_buffered: t.number("max_buffered", 256 << 20, 1 << 20, 1 << 40)? as usize,
            rate: rate(t, "rate_limit", "rate_burst")?,
            client_rate: rate(t, "client_rate_limit", "client_rate_burst")?,
            tls: tls(t)?,
            tee: t.tables("tee", tee)?,
        })
    }
}

fn listen(table: &mut Table<'_, '_>) -> Result<SocketAddr, Error> {
    let address = table.text("address")?.unwrap_or_else(|| "127.0.0.1".into());
    let port = table.number("port", 8080, 0, 65_535)? as u16;
    match address.parse::<IpAddr>() {
        Ok(ip) => Ok(SocketAddr::new(ip, port)),
        Err(_) => Err(table.refuse(
            "address",
            &format!("must be an IP address, found '{address}'"),
        )),
    }
}

fn prefix(table: &mut Table<'_, '_>) -> Result<String, Error> {
    let prefix = table.text("prefix")?.unwrap_or_else(|| "/submit/".into());
    if prefix.starts_with('/') && prefix.ends_with('/') {
        return Ok(prefix);
    }
    Err(table.refuse(
        "prefix",
        &format!("must begin and end with a slash, found '{prefix}'"),
    ))
}

fn namespaces(table: &mut Table<'_, '_>) -> Result<Namespaces, Error> {
    let listed = table.texts("namespaces")?;
    let path = table.text("namespaces_path")?;
    match (listed, path) {
        (None, None) => Ok(Namespaces::any()),
        (Some(listed), None) => Ok(Namespaces::listed(BTreeSet::from_iter(listed))),
        (listed, Some(path)) => {
            let listed = listed.unwrap_or_default();
            Namespaces::folders(path.into(), BTreeSet::from_iter(listed))
                .map_err(|error| table.refuse("namespaces_path", &error))
        }
    }
}

fn headers(table: &mut Table<'_, '_>) -> Result<Vec<(HeaderName, String)>, Error> {
    let names = table
        .texts("headers")?
        .unwrap_or_else(|| HEADERS.iter().map(ToString::to_string).collect());
    let parse = |name: String| match HeaderName::from_bytes(name.as_bytes()) {
        Ok(header) => Ok((header, name)),
        Err(_) => Err(table.refuse(
            "headers",
            &format!("has '{name}', which no header can be called"),
        )),
    };
    names.into_iter().map(parse).collect()
}

fn client_ip_from(table: &mut Table<'_, '_>) -> Result<ClientIp, Error> {
    match table.text("client_ip_from")?.as_deref() {
        None | Some("peer") => Ok(ClientIp::Peer),
        Some("forwarded") => Ok(ClientIp::Forwarded),
        Some(other) => Err(table.refuse(
            "client_ip_from",
            &format!("must be 'peer' or 'forwarded', found '{other}'"),
        )),
    }
}

fn rate(table: &mut Table<'_, '_>, limit: &str, burst: &str) -> Result<Option<Rate>, Error> {
    let per_second = table.number(limit, 0, 0, 10_000_000)? as u32;
    let burst = table.number(burst, u64::from(per_second.max(1)), 1, 10_000_000)? as u32;
    Ok((per_second > 0).then_some(Rate { per_second, burst }))
}

fn tls(table: &mut Table<'_, '_>) -> Result<Option<TlsFiles>, Error> {
    match (table.text("tls_certificate")?, table.text("tls_key")?) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles {
            certificate: certificate.into(),
            key: key.into(),
        })),
        (Some(_), None) => Err(table.refuse("tls_key", "is missing beside tls_certificate")),
        (None, Some(_)) => Err(table.refuse("tls_certificate", "is missing beside tls_key")),
    }
}

fn tee(mut table: Table<'_, '_>) -> Result<TeeTarget, Error> {
    let t = &mut table;
    t.only(&["url", "share", "wait", "timeout", "in_flight_max"])?;
    let text = t.text("url")?.unwrap_or_default();
    let url = text
        .parse::<Uri>()
        .ok()
        .filter(|url| {
            matches!(url.scheme_str(), Some("http" | "https"))
                && url.authority().is_some()
                && matches!(url.path(), "" | "/")
        })
        .ok_or_else(|| {
            t.refuse(
                "url",
                &format!("must be http://host:port or https://host:port, found '{text}'"),
            )
        })?;
    Ok(TeeTarget {
        url,
        share: t.share("share", 1.0)?,
        wait: t.truth("wait", false)?,
        timeout: t.seconds("timeout", 10, 600)?,
        in_flight_max: t.number("in_flight_max", 1_000, 1, 1_000_000)? as usize,
    })
}
