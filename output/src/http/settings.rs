//! Which server, and what it is told.

use std::time::Duration;

use hyper::header::{
    AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION,
};
use hyper::{Method, Uri};
use stdx::secret::Secret;

use crate::packing::Packing;

/// Until an answer has to be there, unless told otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Headers that hold secrets, and have no place among those whose values stand in a configuration.
const SECRET: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Headers that belong to the connection, the body or the key.
const OURS: [&str; 7] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "idempotency-key",
    "transfer-encoding",
];

/// Who we are, to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A token.
    Bearer(Secret),
    /// A user and a password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
}

impl Authorization {
    /// The header's value.
    ///
    /// # Errors
    /// Why the secret is not there.
    pub fn read(&self) -> Result<String, String> {
        use base64::Engine;
        match self {
            Authorization::Bearer(token) => Ok(format!("Bearer {}", token.read()?)),
            Authorization::Basic { user, password } => {
                let pair = format!("{user}:{}", password.read()?);
                let text = base64::engine::general_purpose::STANDARD.encode(pair);
                Ok(format!("Basic {text}"))
            }
        }
    }
}

/// Everything that is known of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where requests go.
    pub url: Uri,
    /// How: POST or PUT.
    pub method: Method,
    /// What goes with each request.
    pub headers: HeaderMap,
    /// As `headers`, with values that only their places are known of.
    pub secret_headers: Vec<(HeaderName, Secret)>,
    /// Who we are.
    pub authorization: Option<Authorization>,
    /// What the bodies are compressed with before they come here.
    pub packing: Packing,
    /// Until an answer has to be there.
    pub timeout: Duration,
    /// Statuses by which the server refuses a body for good, beside those that always do.
    pub refused: Vec<u16>,
    /// For https.
    pub tls: tls::Settings,
}

impl Settings {
    /// The defaults for an address.
    ///
    /// # Errors
    /// When it is no address of HTTP, or holds a password.
    pub fn new(address: &str) -> Result<Settings, String> {
        // The text is not shown: somebody may have written a secret there.
        let wrong = || "the address must be http://host/path or https://host/path".to_owned();
        let url: Uri = address.parse().map_err(|_| wrong())?;
        let is_http = matches!(url.scheme_str(), Some("http" | "https"));
        let authority = url.authority().filter(|_| is_http).ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err("an address with a user: see user and password".into());
        }
        Ok(Settings {
            url,
            method: Method::POST,
            headers: HeaderMap::new(),
            secret_headers: Vec::new(),
            authorization: None,
            packing: Packing::None,
            timeout: TIMEOUT,
            refused: Vec::new(),
            tls: tls::Settings {
                verify: tls::Verify::Peer,
                ..tls::Settings::default()
            },
        })
    }

    /// Scheme, host and path; a query may hold a secret.
    pub fn shown(&self) -> String {
        let scheme = self.url.scheme_str().unwrap_or_default();
        let authority = self
            .url
            .authority()
            .map_or("", |authority| authority.as_str());
        format!("{scheme}://{authority}{}", self.url.path())
    }

    /// Adds a header.
    ///
    /// # Errors
    /// When it cannot be one, is ours to set, or should be a secret.
    pub fn add_header(&mut self, name: &str, value: &str) -> Result<(), String> {
        let name = header_name(name)?;
        if SECRET.contains(&name) {
            return Err(format!("{name} is a secret: it goes to secret_headers"));
        }
        let value = HeaderValue::from_str(value)
            .map_err(|_| format!("the value of {name} cannot be a header"))?;
        self.headers.insert(name, value);
        Ok(())
    }

    /// Adds a header whose value is a secret.
    ///
    /// # Errors
    /// When it cannot be one, or is ours to set; when its place is not written as one.
    pub fn add_secret_header(&mut self, name: &str, place: &str) -> Result<(), String> {
        let name = header_name(name)?;
        let secret = Secret::from_text(place).map_err(|what| format!("{name} must be {what}"))?;
        self.secret_headers.push((name, secret));
        Ok(())
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    let name: HeaderName = name.parse().map_err(|_| {
        format!(
            "{:?} cannot be a header",
            name.chars().take(80).collect::<String>()
        )
    })?;
    match OURS.contains(&name.as_str()) {
        true => Err(format!("{name} is not for a configuration to set")),
        false => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_no_secret_that_is_shown() {
        let settings = Settings::new("https://host:1/a/b?api_key=hush").expect("an address");
        assert_eq!(settings.shown(), "https://host:1/a/b");
        for bad in [
            "",
            "host",
            "ftp://a",
            "http://",
            "http://user:hush@host/",
            "s3://a/b",
        ] {
            let text = Settings::new(bad).expect_err(bad);
            assert!(!text.contains("hush"), "{text}");
        }
    }

    #[test]
    fn headers_are_checked() {
        let mut settings = Settings::new("http://host").expect("an address");
        settings.add_header("X-Source", "a b").expect("a header");
        for (name, value) in [
            ("Authorization", "hush"),
            ("cookie", "hush"),
            ("Content-Length", "1"),
            ("Host", "x"),
            ("a b", "x"),
            ("x", "hush\n"),
        ] {
            let text = settings.add_header(name, value).expect_err(name);
            assert!(!text.contains("hush"), "{text}");
        }
        settings
            .add_secret_header("Authorization", "env:TOKEN")
            .expect("a place");
        let text = settings
            .add_secret_header("X-Key", "hush")
            .expect_err("no place");
        assert!(!text.contains("hush"), "{text}");
    }

    #[test]
    fn who_we_are_is_written_as_the_standards_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        std::fs::write(&path, "open sesame\n").expect("written");
        let basic = Authorization::Basic {
            user: "Aladdin".into(),
            password: Secret::File(path.clone()),
        };
        let expected = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
        assert_eq!(basic.read().as_deref(), Ok(expected));
        let bearer = Authorization::Bearer(Secret::File(path));
        assert_eq!(bearer.read().as_deref(), Ok("Bearer open sesame"));
    }
}
