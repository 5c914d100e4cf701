//! Who may do what: roles, users, sessions, and the rules that every request meets before a handler sees it.

pub mod audit;
pub mod owners;
pub mod sessions;
pub mod users;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, Method, StatusCode, header};
use serde::Serialize;

use crate::options::Options;
use sessions::Sessions;
use users::Users;

/// The cookie of a session.
const COOKIE: &str = "foresight";

/// The header that a page sends with everything that changes something.
pub const TOKEN_HEADER: &str = "x-foresight-token";

/// The name of everybody who looks from this machine while there are no users.
const LOCAL: &str = "local";

/// What somebody may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everybody, without a login: only what it takes to log in.
    Anyone,
    /// Looks at everything but private keys of configurations.
    Viewer,
    /// Also deploys analysis plugins, and stops and restarts its own.
    Author,
    /// Also changes every plugin, and reads private keys and the audit log.
    Operator,
}

impl Role {
    /// The role of this name, as the file of users and the configuration write it.
    pub fn from_word(word: &str) -> Option<Role> {
        match word {
            "viewer" => Some(Role::Viewer),
            "author" => Some(Role::Author),
            "operator" => Some(Role::Operator),
            _ => None,
        }
    }

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Role::Anyone => "anyone",
            Role::Viewer => "viewer",
            Role::Author => "author",
            Role::Operator => "operator",
        }
    }
}

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user's name; empty without a login.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// What a page must send with every change, see [`TOKEN_HEADER`].
    pub token: String,
    /// Where the request comes from.
    pub address: IpAddr,
}

impl Caller {
    /// Whether the caller may change a plugin of this owner.
    pub fn may_change(&self, owner: Option<&str>) -> bool {
        match self.role {
            Role::Operator => true,
            Role::Author => owner == Some(&self.name),
            Role::Viewer | Role::Anyone => false,
        }
    }

    /// Whether the caller may see what lies in a store of this owner.
    pub fn may_look(&self, owner: Option<&str>, is_public: bool) -> bool {
        is_public || self.role == Role::Operator || owner.is_none_or(|owner| owner == self.name)
    }
}

/// Why a request goes no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nobody is logged in.
    #[error("log in first")]
    Login,
    /// The caller's role is not enough.
    #[error("your role does not allow this")]
    Role,
    /// It was not sent by one of our own pages.
    #[error("the request does not come from a page of this server")]
    Foreign,
    /// The name that the request was sent to is not ours, as with DNS rebinding.
    #[error("this server is not known by that name; without users it answers on localhost only")]
    Host,
}

impl Denied {
    /// The status of the answer.
    pub fn status(self) -> StatusCode {
        match self {
            Denied::Login => StatusCode::UNAUTHORIZED,
            Denied::Role | Denied::Foreign => StatusCode::FORBIDDEN,
            Denied::Host => StatusCode::MISDIRECTED_REQUEST,
        }
    }
}

/// The rules, with everything they need.
pub struct Access {
    options: Arc<Options>,
    /// Those who may log in.
    pub users: Users,
    /// Those who have.
    pub sessions: Sessions,
    /// Tokens of those who need no session.
    others: Sessions,
}

impl Access {
    /// The rules that the options ask for.
    pub fn new(options: Arc<Options>, users: Users) -> Access {
        Access {
            options,
            users,
            sessions: Sessions::default(),
            others: Sessions::default(),
        }
    }

    /// Whether everybody on this machine is an operator.
    pub fn is_open(&self) -> bool {
        !self.options.has_login()
    }

    /// Who makes the request.
    ///
    /// # Errors
    /// The request was sent to a name that is not ours.
    pub fn identify(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, Denied> {
        let caller = |name: &str, role, token| Caller {
            name: name.into(),
            role,
            token,
            address: peer,
        };
        if self.is_open() {
            if !host_is_loopback(headers) {
                return Err(Denied::Host);
            }
            let token = self.others.token_of(LOCAL);
            return Ok(caller(LOCAL, Role::Operator, token));
        }
        if let Some(name) = self.named_by_proxy(headers, peer) {
            let role = self.users.role(&name).or(self.options.proxy_role);
            let role = role.unwrap_or(Role::Anyone);
            let token = self.others.token_of(&name);
            return Ok(caller(&name, role, token));
        }
        // A user who was taken out of the file, or whose role has changed, is not what the session remembers.
        let found = session_of(headers)
            .and_then(|id| self.sessions.find(id))
            .and_then(|session| Some((self.users.role(&session.name)?, session)));
        Ok(match found {
            Some((role, session)) => caller(&session.name, role, session.token),
            None => caller("", Role::Anyone, String::new()),
        })
    }

    /// Lets the caller do what needs this role, or says why not.
    ///
    /// # Errors
    /// See [`Denied`].
    pub fn permit(
        &self,
        caller: &Caller,
        needs: Role,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<(), Denied> {
        if caller.role < needs {
            return Err(match caller.role {
                Role::Anyone => Denied::Login,
                _ => Denied::Role,
            });
        }
        if matches!(*method, Method::GET | Method::HEAD) {
            return Ok(());
        }
        if !is_same_origin(headers) {
            return Err(Denied::Foreign);
        }
        let token = headers
            .get(TOKEN_HEADER)
            .and_then(|token| token.to_str().ok());
        // Who is not logged in has nothing that a foreign page could use.
        let has_token = caller.role == Role::Anyone
            || token.is_some_and(|token| sessions::equal(token, &caller.token));
        if has_token {
            Ok(())
        } else {
            Err(Denied::Foreign)
        }
    }

    fn named_by_proxy(&self, headers: &HeaderMap, peer: IpAddr) -> Option<String> {
        let name = self.options.proxy_header.as_ref()?;
        if !self.options.proxies.contains(&peer) {
            return None;
        }
        // Of several, one may have come from outside.
        let mut values = headers.get_all(name).iter();
        let (value, None) = (values.next()?, values.next()) else {
            return None;
        };
        let value = value.to_str().ok()?.trim();
        users::is_name(value).then(|| value.to_owned())
    }
}

/// The cookie that begins or (without an id) ends a session.
pub fn cookie(id: Option<&str>, secure: bool) -> String {
    let (id, age) = match id {
        Some(id) => (id, sessions::LIFETIME.as_secs()),
        None => ("", 0),
    };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={id}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

/// The id of the session that the request's cookie names.
pub fn session_of(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|cookie| cookie.to_str().ok())
        .flat_map(|cookie| cookie.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// A page of another site can make a browser send requests to a name of its own that leads here; only these are ours.
fn host_is_loopback(headers: &HeaderMap) -> bool {
    let Some(host) = host(headers) else {
        return false;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]")
}

/// Browsers say where a request comes from; programs that are none need not.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let site_is_ours = text("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin_is_ours = headers.get(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host(headers)
    });
    site_is_ours && origin_is_ours
}

#[cfg(test)]
mod tests;
