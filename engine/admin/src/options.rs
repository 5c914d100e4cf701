//! What the operator set for the web UI, and what must hold before it starts.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use axum::http::HeaderName;

use crate::access::Role;

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
    /// Where alerts, owners and the audit log are kept.
    pub state: PathBuf,
}

impl Options {
    /// Only this address; nothing else is set.
    pub fn new(listen: SocketAddr, state: PathBuf) -> Options {
        Options {
            listen,
            users: None,
            proxy_header: None,
            proxies: Vec::new(),
            proxy_role: None,
            metrics_token: None,
            tls: None,
            outputs: Vec::new(),
            lake: Vec::new(),
            state,
        }
    }

    /// Whether there is a way to tell callers apart.
    pub fn has_login(&self) -> bool {
        self.users.is_some() || self.proxy_header.is_some()
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
        if self.proxy_header.is_some() && self.proxies.is_empty() {
            return Err(
                "admin_proxy_header needs the addresses of the proxies in admin_proxies".into(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
