//! What a certificate says.

use ring::digest;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

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
pub struct Certificate<'a>(X509Certificate<'a>);

impl<'a> Certificate<'a> {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(der: &'a [u8]) -> Result<Certificate<'a>, Error> {
        match X509Certificate::from_der(der) {
            Ok((_, certificate)) => Ok(Certificate(certificate)),
            Err(error) => Err(Error::Certificate(error.to_string())),
        }
    }

    /// Whom it is for.
    pub fn subject(&self) -> Vec<Attribute> {
        attributes(self.0.subject())
    }

    /// Who vouches for it.
    pub fn issuer(&self) -> Vec<Attribute> {
        attributes(self.0.issuer())
    }

    /// Its number in upper-case hexadecimal digits.
    pub fn serial(&self) -> String {
        self.0
            .raw_serial()
            .iter()
            .map(|byte| format!("{byte:02X}"))
            .collect()
    }

    /// From when it holds, as OpenSSL prints it.
    pub fn not_before(&self) -> String {
        printed(self.0.validity().not_before)
    }

    /// Until when it holds, as OpenSSL prints it.
    pub fn not_after(&self) -> String {
        printed(self.0.validity().not_after)
    }

    /// Whether it holds at a time, in seconds since 1970.
    pub fn is_valid_at(&self, seconds: i64) -> bool {
        let validity = self.0.validity();
        (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&seconds)
    }

    /// The hosts and addresses it is for: the kind as LuaSec calls it, and the name.
    pub fn alternative_names(&self) -> Vec<(&'static str, Vec<u8>)> {
        let Ok(Some(extension)) = self.0.subject_alternative_name() else {
            return Vec::new();
        };
        let names = extension.value.general_names.iter().take(MAX_NAMES);
        let known = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(("dNSName", name.as_bytes().to_vec())),
            GeneralName::RFC822Name(name) => Some(("rfc822Name", name.as_bytes().to_vec())),
            GeneralName::URI(name) => Some(("uniformResourceIdentifier", name.as_bytes().to_vec())),
            GeneralName::IPAddress(bytes) => Some(("iPAddress", printed_address(bytes)?)),
            _ => None,
        });
        known.collect()
    }
}

fn attributes(name: &X509Name<'_>) -> Vec<Attribute> {
    let attributes = name.iter_attributes().take(MAX_NAMES).map(|attribute| {
        let oid = attribute.attr_type().to_id_string();
        let name = oid2sn(attribute.attr_type(), oid_registry());
        Attribute {
            name: name.map_or_else(|_| oid.clone(), str::to_owned),
            oid,
            value: attribute.as_slice().to_vec(),
        }
    });
    attributes.collect()
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
fn printed(time: ASN1Time) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time = time.to_datetime();
    let month = MONTHS[u8::from(time.month()) as usize - 1];
    let (day, year) = (time.day(), time.year());
    let (hour, minute, second) = time.to_hms();
    format!("{month} {day:2} {hour:02}:{minute:02}:{second:02} {year} GMT")
}
