//! What a certificate says.

use ring::digest;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::db::DB;
use x509_cert::der::{DateTime, Decode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::time::Time;

use crate::Error;

/// Names and attributes that are read of one certificate.
const MAX_NAMES: usize = 4096;

/// A hash over the bytes of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-1: names a certificate, proves nothing.
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384
    Sha384,
    /// SHA-512
    Sha512,
}

impl Digest {
    /// The hash of this name in OpenSSL's words.
    pub fn parse(name: &[u8]) -> Option<Digest> {
        match name {
            b"sha1" => Some(Digest::Sha1),
            b"sha256" => Some(Digest::Sha256),
            b"sha384" => Some(Digest::Sha384),
            b"sha512" => Some(Digest::Sha512),
            _ => None,
        }
    }

    /// The hash of `bytes` in lower-case hexadecimal digits.
    pub fn hex(self, bytes: &[u8]) -> String {
        let algorithm = match self {
            Digest::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Digest::Sha256 => &digest::SHA256,
            Digest::Sha384 => &digest::SHA384,
            Digest::Sha512 => &digest::SHA512,
        };
        let hash = digest::digest(algorithm, bytes);
        hash.as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// One part of a name, such as `commonName`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The identifier in digits and dots.
    pub oid: String,
    /// Its name, or the identifier when it has none.
    pub name: String,
    /// The bytes as they stand.
    pub value: Vec<u8>,
}

/// A certificate that was read.
#[derive(Clone, Debug)]
pub struct Certificate(x509_cert::Certificate);

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(der: &[u8]) -> Result<Certificate, Error> {
        let read = x509_cert::Certificate::from_der(der);
        read.map(Certificate)
            .map_err(|error| Error::Certificate(error.to_string()))
    }

    /// Whom it is for.
    pub fn subject(&self) -> Vec<Attribute> {
        attributes(&self.0.tbs_certificate.subject)
    }

    /// Who vouches for it.
    pub fn issuer(&self) -> Vec<Attribute> {
        attributes(&self.0.tbs_certificate.issuer)
    }

    /// Its number in upper-case hexadecimal digits.
    pub fn serial(&self) -> String {
        let number = self.0.tbs_certificate.serial_number.as_bytes().iter();
        number.map(|byte| format!("{byte:02X}")).collect()
    }

    /// From when it holds, as OpenSSL prints it.
    pub fn not_before(&self) -> String {
        printed(self.0.tbs_certificate.validity.not_before)
    }

    /// Until when it holds, as OpenSSL prints it.
    pub fn not_after(&self) -> String {
        printed(self.0.tbs_certificate.validity.not_after)
    }

    /// Whether it holds at a time, in seconds since 1970.
    pub fn is_valid_at(&self, seconds: i64) -> bool {
        let validity = self.0.tbs_certificate.validity;
        let time = |time: Time| i64::try_from(time.to_unix_duration().as_secs());
        let (from, until) = (time(validity.not_before), time(validity.not_after));
        from.is_ok_and(|from| from <= seconds) && until.is_ok_and(|until| seconds <= until)
    }

    /// The hosts and addresses it is for: the kind as LuaSec calls it, and the name.
    pub fn alternative_names(&self) -> Vec<(&'static str, Vec<u8>)> {
        let found = self.0.tbs_certificate.get::<SubjectAltName>();
        let Ok(Some((_, names))) = found else {
            return Vec::new();
        };
        let names = names.0.into_iter().take(MAX_NAMES);
        let known = names.filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(("dNSName", name.as_bytes().to_vec())),
            GeneralName::Rfc822Name(name) => Some(("rfc822Name", name.as_bytes().to_vec())),
            GeneralName::UniformResourceIdentifier(name) => {
                Some(("uniformResourceIdentifier", name.as_bytes().to_vec()))
            }
            GeneralName::IpAddress(address) => {
                Some(("iPAddress", printed_address(address.as_bytes())?))
            }
            _ => None,
        });
        known.collect()
    }
}

fn attributes(name: &Name) -> Vec<Attribute> {
    let parts = name.0.iter().flat_map(|part| part.0.iter());
    let attributes = parts.take(MAX_NAMES).map(|part| Attribute {
        oid: part.oid.to_string(),
        name: long_name(part.oid).unwrap_or_else(|| part.oid.to_string()),
        value: part.value.value().to_vec(),
    });
    attributes.collect()
}

/// Long names that the database of identifiers lacks.
const LONG_NAMES: [(ObjectIdentifier, &str); 2] = [
    (
        ObjectIdentifier::new_unwrap("2.5.4.8"),
        "stateOrProvinceName",
    ),
    (ObjectIdentifier::new_unwrap("2.5.4.9"), "streetAddress"),
];

/// The longest name that is known: `commonName`, not `cn`.
fn long_name(oid: ObjectIdentifier) -> Option<String> {
    let ours = LONG_NAMES.iter().filter(|(known, _)| *known == oid);
    let names = ours
        .map(|(_, name)| *name)
        .chain(DB.find_names_for_oid(oid));
    names.max_by_key(|name| name.len()).map(str::to_owned)
}

fn printed_address(bytes: &[u8]) -> Option<Vec<u8>> {
    let address = match bytes.len() {
        4 => std::net::IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        16 => std::net::IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
        _ => return None,
    };
    Some(address.to_string().into_bytes())
}

/// As `ASN1_TIME_print`: `Jan  2 03:04:05 2026 GMT`
fn printed(time: Time) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time: DateTime = time.to_date_time();
    let month = MONTHS[usize::from(time.month()) - 1];
    let (day, year) = (time.day(), time.year());
    let (hour, minute, second) = (time.hour(), time.minutes(), time.seconds());
    format!("{month} {day:2} {hour:02}:{minute:02}:{second:02} {year} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_are_those_of_openssl() {
        for (oid, name) in [
            ("2.5.4.3", "commonName"),
            ("2.5.4.4", "surname"),
            ("2.5.4.5", "serialNumber"),
            ("2.5.4.6", "countryName"),
            ("2.5.4.7", "localityName"),
            ("2.5.4.8", "stateOrProvinceName"),
            ("2.5.4.9", "streetAddress"),
            ("2.5.4.10", "organizationName"),
            ("2.5.4.11", "organizationalUnitName"),
            ("2.5.4.42", "givenName"),
            ("1.2.840.113549.1.9.1", "emailAddress"),
            ("0.9.2342.19200300.100.1.25", "domainComponent"),
        ] {
            let found = long_name(ObjectIdentifier::new_unwrap(oid));
            assert_eq!(found.as_deref(), Some(name), "{oid}");
        }
        assert_eq!(long_name(ObjectIdentifier::new_unwrap("1.2.3.4.5.6")), None);
    }
}
