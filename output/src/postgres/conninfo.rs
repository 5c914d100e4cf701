//! What PostgreSQL's own library takes for a connection: `key=value` pairs, or a URL.

use std::path::PathBuf;
use std::time::Duration;

use tls::{Settings, Verify};
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use super::secure::Secure;

/// Where the server listens on this machine if nobody says where it is.
const DEFAULT_HOST: &str = "/var/run/postgresql";
/// Options that one text may have.
const MAX_OPTIONS: usize = 256;

/// How to connect.
pub(super) struct Options {
    pub(super) config: Config,
    settings: Settings,
    checks_name: bool,
}

impl Options {
    /// What makes connections safe.
    ///
    /// # Errors
    /// When a certificate cannot be used.
    pub(super) fn tls(&self) -> Result<Secure, String> {
        match self.config.get_ssl_mode() {
            SslMode::Disable => Ok(Secure::never()),
            _ => Secure::new(&self.settings, self.checks_name).map_err(|error| error.to_string()),
        }
    }
}

/// The options of a text: pairs, a URL, or the name of a database.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parse(text: &str) -> Result<Options, String> {
    if text.starts_with("postgresql://") || text.starts_with("postgres://") {
        let config: Config = text.parse().map_err(|error| words(&error))?;
        return Ok(finished(config, Settings::default(), false));
    }
    if !text.contains('=') {
        return of_parts(text, &[]);
    }
    let pairs = pairs(text)?;
    of_pairs(
        pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str())),
    )
}

/// The options of a database's name and what is given beside it.
///
/// # Errors
/// What is wrong with it.
pub(super) fn of_parts(name: &str, parts: &[(&str, Option<&str>)]) -> Result<Options, String> {
    let given = parts
        .iter()
        .filter_map(|(key, value)| Some((*key, (*value)?)));
    let name = [("dbname", name)]
        .into_iter()
        .filter(|(_, name)| !name.is_empty());
    of_pairs(name.chain(given))
}

fn words(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn finished(mut config: Config, settings: Settings, checks_name: bool) -> Options {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host(DEFAULT_HOST);
    }
    Options {
        config,
        settings,
        checks_name,
    }
}

fn of_pairs<'t>(pairs: impl Iterator<Item = (&'t str, &'t str)>) -> Result<Options, String> {
    let mut config = Config::new();
    let mut settings = Settings::default();
    let mut checks_name = false;
    for (key, value) in pairs {
        match key {
            // An empty value means the default.
            _ if value.is_empty() => {}
            "sslmode" => {
                let (mode, verify) = match value {
                    "disable" => (SslMode::Disable, Verify::None),
                    "allow" | "prefer" => (SslMode::Prefer, Verify::None),
                    "require" => (SslMode::Require, Verify::None),
                    "verify-ca" | "verify-full" => (SslMode::Require, Verify::Peer),
                    _ => return Err(format!("invalid sslmode value: \"{value}\"")),
                };
                config.ssl_mode(mode);
                settings.verify = verify;
                checks_name = value == "verify-full";
            }
            "sslrootcert" => {
                settings.cafile = Some(PathBuf::from(value)).filter(|p| p.as_os_str() != "system")
            }
            "sslcert" => settings.certificate = Some(PathBuf::from(value)),
            "sslkey" => settings.key = Some(PathBuf::from(value)),
            _ => set(&mut config, key, value)?,
        }
    }
    Ok(finished(config, settings, checks_name))
}

fn set(config: &mut Config, key: &str, value: &str) -> Result<(), String> {
    let invalid = || format!("invalid value \"{value}\" for connection option \"{key}\"");
    let number = || value.trim().parse::<u32>().map_err(|_| invalid());
    let seconds = || number().map(|n| Duration::from_secs(n.into()));
    match key {
        "host" => {
            for host in value.split(',') {
                config.host(host);
            }
            return Ok(());
        }
        "hostaddr" => config.hostaddr(value.parse().map_err(|_| invalid())?),
        "port" => config.port(value.trim().parse().map_err(|_| invalid())?),
        "dbname" => config.dbname(value),
        "user" => config.user(value),
        "password" => config.password(value),
        "application_name" | "fallback_application_name" => config.application_name(value),
        "options" => config.options(value),
        "connect_timeout" => config.connect_timeout(seconds()?),
        "keepalives" => config.keepalives(number()? != 0),
        "keepalives_idle" => config.keepalives_idle(seconds()?),
        "keepalives_interval" => config.keepalives_interval(seconds()?),
        "keepalives_count" => config.keepalives_retries(number()?),
        "tcp_user_timeout" => config.tcp_user_timeout(Duration::from_millis(number()?.into())),
        "target_session_attrs" => config.target_session_attrs(match value {
            "any" => TargetSessionAttrs::Any,
            "read-write" | "primary" => TargetSessionAttrs::ReadWrite,
            _ => return Err(invalid()),
        }),
        // Texts are UTF-8 whatever is asked for; the others change nothing here.
        "client_encoding" => match value.to_lowercase().as_str() {
            "utf8" | "utf-8" | "unicode" | "auto" => config,
            _ => return Err(invalid()),
        },
        "gssencmode" | "sslcompression" | "sslsni" => config,
        _ => return Err(format!("invalid connection option \"{key}\"")),
    };
    Ok(())
}

/// The pairs of a text: a value with spaces stands between quotes, a backslash takes the next character as it is.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if pairs.len() == MAX_OPTIONS {
            return Err(format!("more than {MAX_OPTIONS} connection options"));
        }
        let missing = || format!("missing \"=\" after \"{rest}\" in connection info string");
        let (key, behind) = rest.split_once('=').ok_or_else(missing)?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(missing());
        }
        let (value, behind) = value_of(behind.trim_start())?;
        pairs.push((key.to_owned(), value));
        rest = behind.trim_start();
    }
    Ok(pairs)
}

/// The value at the head of a text, and what is behind it.
fn value_of(text: &str) -> Result<(String, &str), String> {
    let quoted = text.starts_with('\'');
    let mut characters = text.char_indices().skip(usize::from(quoted));
    let mut value = String::new();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, next)| next)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if c.is_whitespace() && !quoted => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    match quoted {
        true => Err("unterminated quoted string in connection info string".into()),
        false => Ok((value, "")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_postgres::config::Host;

    fn error_of(text: &str) -> String {
        parse(text).map(drop).expect_err("it should be refused")
    }

    #[test]
    fn pairs_with_quotes_and_backslashes() {
        let found = pairs(r" a=1  b = 'two \' words' c=x\ y d='' ").expect("good");
        let expected = [("a", "1"), ("b", "two ' words"), ("c", "x y"), ("d", "")];
        let found: Vec<_> = found
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert!(pairs("a b=1").is_err());
        assert!(pairs("a='1").is_err());
        assert!(pairs(&"a=1 ".repeat(1000)).is_err());
    }

    #[test]
    fn what_upstreams_plugins_give() {
        let text = "host=example.com port=5432 keepalives=1 keepalives_idle=30 dbname=pipeline user=user password=secret";
        let options = parse(text).expect("good");
        assert_eq!(
            options.config.get_hosts(),
            [Host::Tcp("example.com".into())]
        );
        assert_eq!(options.config.get_ports(), [5432]);
        assert_eq!(options.config.get_password(), Some(b"secret".as_slice()));
        assert_eq!(
            options.config.get_keepalives_idle(),
            Duration::from_secs(30)
        );
        assert_eq!(options.config.get_ssl_mode(), SslMode::Prefer);
    }

    #[test]
    fn names_urls_and_defaults() {
        let options = parse("test").expect("good");
        assert_eq!(options.config.get_dbname(), Some("test"));
        assert_eq!(
            options.config.get_hosts(),
            [Host::Unix(DEFAULT_HOST.into())]
        );
        let options = parse("postgresql://me@h:1/db").expect("good");
        assert_eq!(options.config.get_user(), Some("me"));
        let options = of_parts("db", &[("user", Some("me")), ("port", None)]).expect("good");
        assert_eq!(
            (options.config.get_user(), options.config.get_dbname()),
            (Some("me"), Some("db"))
        );
    }

    #[test]
    fn how_safe_a_connection_is() {
        let options = parse("sslmode=verify-full sslrootcert=/ca.pem").expect("good");
        assert_eq!(options.settings.verify, Verify::Peer);
        assert!(options.checks_name);
        assert_eq!(options.config.get_ssl_mode(), SslMode::Require);
        assert!(options.tls().is_err(), "there is no such file");
        assert!(
            !parse("sslmode=verify-ca dbname=x")
                .expect("good")
                .checks_name
        );
        assert_eq!(
            error_of("sslmode=maybe"),
            "invalid sslmode value: \"maybe\""
        );
    }

    #[test]
    fn what_is_refused() {
        assert_eq!(
            error_of("nothing=1"),
            "invalid connection option \"nothing\""
        );
        assert_eq!(
            error_of("port=x"),
            "invalid value \"x\" for connection option \"port\""
        );
        assert!(error_of("client_encoding=latin1").contains("client_encoding"));
        assert!(error_of("postgresql://h:port/").contains("port"));
    }
}
