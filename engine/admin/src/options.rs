//! What the operator set for the web UI, and what must hold before it starts.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use axum::http::HeaderName;

use crate::access::Role;
use crate::archive::Limits;

/// A directory that the pages may show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// How it is called.
    pub name: String,
    /// Where it lies.
    pub path: PathBuf,
}

/// Settings of the web UI.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where browsers reach it, when that is not where it listens.
    pub url: Option<String>,
    /// The file of users.
    pub users: Option<PathBuf>,
    /// The header in which a proxy in front names the user.
    pub proxy_header: Option<HeaderName>,
    /// The addresses of such proxies.
    pub proxies: Vec<IpAddr>,
    /// The role of users that the proxy names and the file of users does not.
    pub proxy_role: Option<Role>,
    /// What a reader of `/metrics` without a login sends as bearer token.
    pub metrics_token: Option<String>,
    /// PEM files of certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Directories that outputs write to.
    pub outputs: Vec<Root>,
    /// Directories of the data lake.
    pub lake: Vec<Root>,
    /// How much of the past of graphs is kept.
    pub history: Limits,
    /// Where alerts, owners, the audit log and the past of graphs are kept.
    pub state: PathBuf,
}

impl Options {
    /// Only this address; nothing else is set.
    pub fn new(listen: SocketAddr, state: PathBuf) -> Options {
        Options {
            listen,
            url: None,
            users: None,
            proxy_header: None,
            proxies: Vec::new(),
            proxy_role: None,
            metrics_token: None,
            tls: None,
            outputs: Vec::new(),
            lake: Vec::new(),
            history: Limits::default(),
            state,
        }
    }

    /// Whether there is a way to tell callers apart.
    pub fn has_login(&self) -> bool {
        self.users.is_some() || self.proxy_header.is_some()
    }

    /// Where browsers reach it, without a slash at the end: as set, else where it listens, on this host when that is
    /// everywhere.
    pub fn url(&self, hostname: &str) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        match &self.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if self.listen.ip().is_unspecified() => {
                format!("{scheme}://{hostname}:{}", self.listen.port())
            }
            None => format!("{scheme}://{}", self.listen),
        }
    }

    /// Looks whether these settings are safe together.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), String> {
        let listen = self.listen;
        if !listen.ip().is_loopback() && !self.has_login() {
            return Err(format!(
                "admin_listen is {listen}, which others can reach: set admin_users or admin_proxy_header, or listen on 127.0.0.1"
            ));
        }
        if let Some(url) = &self.url
            && !is_url(url)
        {
            return Err(format!(
                "admin_url is {url}, expected an address such as https://foresight.example.com"
            ));
        }
        if self.proxy_header.is_some() && self.proxies.is_empty() {
            return Err(
                "admin_proxy_header needs the addresses of the proxies in admin_proxies".into(),
            );
        }
        Ok(())
    }
}

/// Whether a text can begin links.
fn is_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or(text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_where_it_listens_unless_something_else_is_set() {
        let on = |address: &str, tls: bool, url: Option<&str>| Options {
            tls: tls.then(|| ("certificate".into(), "key".into())),
            url: url.map(str::to_owned),
            ..Options::new(address.parse().expect("an address"), "state".into())
        };
        let url = |options: Options| options.url("host.example");
        assert_eq!(
            url(on("127.0.0.1:5580", false, None)),
            "http://127.0.0.1:5580"
        );
        assert_eq!(url(on("[::1]:1", true, None)), "https://[::1]:1");
        assert_eq!(url(on("0.0.0.0:1", true, None)), "https://host.example:1");
        let set = on("127.0.0.1:1", false, Some("https://f.example/ui/"));
        assert_eq!(url(set.clone()), "https://f.example/ui");
        assert!(set.check().is_ok());
        for wrong in [
            "f.example",
            "ftp://f.example",
            "https://",
            "https://f example",
            "javascript:x",
        ] {
            assert!(
                on("127.0.0.1:1", false, Some(wrong)).check().is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn off_loopback_there_must_be_a_login() {
        let on = |address: &str| {
            let address = address.parse().expect("an address");
            Options::new(address, PathBuf::from("state"))
        };
        assert!(on("127.0.0.1:1").check().is_ok() && on("[::1]:1").check().is_ok());
        for address in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1"] {
            let error = on(address).check().expect_err("not safe");
            assert!(error.contains("set admin_users"), "{error}");
        }
        let with_users = Options {
            users: Some("users".into()),
            ..on("0.0.0.0:1")
        };
        assert!(with_users.check().is_ok());
        let with_proxy = Options {
            proxy_header: Some(HeaderName::from_static("x-user")),
            ..on("0.0.0.0:1")
        };
        assert!(with_proxy.check().is_err(), "of which proxy?");
    }
}
