//! Cipher suites under OpenSSL's names, and lists of them in OpenSSL's words.

use rustls::crypto::{CryptoProvider, ring};
use rustls::{CipherSuite, SupportedCipherSuite};

use crate::{Error, Settings};

/// Words of a list that are looked at.
const MAX_WORDS: usize = 256;

/// What there is to say about a cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuiteFacts {
    /// OpenSSL's name.
    pub name: &'static str,
    /// How the key is agreed on: `ECDH`, or `any` where the suite does not say.
    pub key: &'static str,
    /// How the server proves who it is: `RSA`, `ECDSA` or `any`.
    pub authentication: &'static str,
    /// The cipher.
    pub encryption: &'static str,
    /// Bits of the cipher's key.
    pub bits: u32,
}

const fn new(
    name: &'static str,
    key: &'static str,
    authentication: &'static str,
    encryption: &'static str,
    bits: u32,
) -> SuiteFacts {
    SuiteFacts {
        name,
        key,
        authentication,
        encryption,
        bits,
    }
}

/// What there is to say about a suite; `None` for those that are never used here.
#[rustfmt::skip]
pub fn facts(suite: CipherSuite) -> Option<SuiteFacts> {
    const AES128: &str = "AESGCM(128)";
    const AES256: &str = "AESGCM(256)";
    const CHACHA: &str = "CHACHA20/POLY1305(256)";
    Some(match suite {
        CipherSuite::TLS13_AES_256_GCM_SHA384 => new("TLS_AES_256_GCM_SHA384", "any", "any", AES256, 256),
        CipherSuite::TLS13_AES_128_GCM_SHA256 => new("TLS_AES_128_GCM_SHA256", "any", "any", AES128, 128),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => new("TLS_CHACHA20_POLY1305_SHA256", "any", "any", CHACHA, 256),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 => new("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDH", "ECDSA", AES256, 256),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 => new("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDH", "ECDSA", AES128, 128),
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 => new("ECDHE-ECDSA-CHACHA20-POLY1305", "ECDH", "ECDSA", CHACHA, 256),
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => new("ECDHE-RSA-AES256-GCM-SHA384", "ECDH", "RSA", AES256, 256),
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => new("ECDHE-RSA-AES128-GCM-SHA256", "ECDH", "RSA", AES128, 128),
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 => new("ECDHE-RSA-CHACHA20-POLY1305", "ECDH", "RSA", CHACHA, 256),
        _ => return None,
    })
}

/// The cryptography to use, with the suites that the settings leave.
pub(crate) fn provider(settings: &Settings) -> Result<CryptoProvider, Error> {
    let mut provider = ring::default_provider();
    let (tls13, tls12): (Vec<_>, Vec<_>) = std::mem::take(&mut provider.cipher_suites)
        .into_iter()
        .partition(|suite| suite.tls13().is_some());
    let tls13 = select(tls13, settings.suites.as_deref())?;
    let tls12 = select(tls12, settings.ciphers.as_deref())?;
    provider.cipher_suites = tls13.into_iter().chain(tls12).collect();
    Ok(provider)
}

/// The suites that a list chooses, in its order.
fn select(
    all: Vec<SupportedCipherSuite>,
    list: Option<&str>,
) -> Result<Vec<SupportedCipherSuite>, Error> {
    let Some(list) = list else { return Ok(all) };
    let mut chosen: Vec<SupportedCipherSuite> = Vec::new();
    let mut banned: Vec<SupportedCipherSuite> = Vec::new();
    let words = list.split([':', ',', ' ']).filter(|word| !word.is_empty());
    for word in words.take(MAX_WORDS) {
        // Strength is the order anyway, and levels of security are above what is asked for.
        if word.starts_with('@') {
            continue;
        }
        let bare = word.trim_start_matches(['!', '-', '+']);
        let found: Vec<_> = all.iter().copied().filter(|s| matches(*s, bare)).collect();
        match word.as_bytes()[0] {
            b'!' => banned.extend(found),
            b'-' => chosen.retain(|suite| !found.contains(suite)),
            b'+' => chosen.sort_by_key(|suite| found.contains(suite)),
            _ => chosen.extend(found),
        }
    }
    let mut suites = Vec::new();
    for suite in chosen {
        if !banned.contains(&suite) && !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    match suites.is_empty() {
        true => Err(Error::Ciphers(format!("no suite of '{list}' can be used"))),
        false => Ok(suites),
    }
}

/// Whether a word means this suite: its name, a group, or groups joined by `+`.
fn matches(suite: SupportedCipherSuite, word: &str) -> bool {
    facts(suite.suite()).is_some_and(|facts| {
        facts.name == word || word.split('+').all(|group| is_in_group(&facts, group))
    })
}

fn is_in_group(facts: &SuiteFacts, group: &str) -> bool {
    match group {
        "ALL" | "DEFAULT" | "COMPLEMENTOFALL" | "HIGH" | "FIPS" | "TLSv1.2" | "AEAD" => true,
        "ECDHE" | "EECDH" | "kECDHE" | "kEECDH" | "ECDH" => facts.key == "ECDH",
        "RSA" | "aRSA" => facts.authentication == "RSA",
        "ECDSA" | "aECDSA" => facts.authentication == "ECDSA",
        "AES" | "AESGCM" => facts.encryption.starts_with("AES"),
        "AES128" => facts.encryption == "AESGCM(128)",
        "AES256" => facts.encryption == "AESGCM(256)",
        "CHACHA20" => facts.encryption.starts_with("CHACHA20"),
        "SHA256" => !facts.name.ends_with("SHA384"),
        "SHA384" => facts.name.ends_with("SHA384"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &str) -> Vec<&'static str> {
        let settings = Settings {
            ciphers: Some(list.into()),
            ..Settings::default()
        };
        let suites = provider(&settings).map_or(Vec::new(), |p| p.cipher_suites);
        let old = suites.into_iter().filter(|suite| suite.tls13().is_none());
        old.filter_map(|suite| Some(facts(suite.suite())?.name))
            .collect()
    }

    #[test]
    fn every_suite_has_its_name() {
        for suite in ring::default_provider().cipher_suites {
            assert!(facts(suite.suite()).is_some(), "{suite:?}");
        }
    }

    #[test]
    fn lists_in_openssls_words() {
        assert_eq!(names("ALL").len(), 6);
        assert_eq!(names("HIGH:!aNULL:!MD5:!RC4:@STRENGTH").len(), 6);
        assert_eq!(
            names("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"),
            ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(
            names("ECDHE+AESGCM+AES128:!ECDSA"),
            ["ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert_eq!(names("ALL:-AES:-ECDSA"), ["ECDHE-RSA-CHACHA20-POLY1305"]);
        assert_eq!(
            names("ALL:+CHACHA20").last(),
            Some(&"ECDHE-RSA-CHACHA20-POLY1305")
        );
    }

    #[test]
    fn a_list_that_leaves_nothing_is_an_error() {
        assert_eq!(names("RC4-SHA"), [""; 0]);
        assert_eq!(names(""), [""; 0]);
        assert_eq!(names("ALL:!ALL"), [""; 0]);
    }
}
