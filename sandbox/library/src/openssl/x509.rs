//! `openssl.x509`: reads certificates and tells whom they are for. Nothing is verified.

use sandbox::native::{Call, Class, Error, Function, Object, function};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{Any, Decode, DecodePem, Encode, Tag, Tagged};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;

use super::to_hex;
use crate::work::charge;

/// Reading takes some nanoseconds for each byte.
const STEPS_PER_KIB: usize = 8 * 1024;
/// The longest certificate, in bytes of its text; honest ones have some thousand.
const MAX_CERTIFICATE: usize = 1 << 20;
/// What a certificate takes in memory, for each byte of its text.
const MEMORY_PER_BYTE: usize = 4;

/// What `openssl.x509` holds.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[("read", function(read))];

const CERTIFICATE_METHODS: &[(&str, Function)] = &[
    ("check_host", function(check_host)),
    ("issuer", function(issuer)),
    ("parse", function(parse)),
    ("subject", function(subject)),
];

const NAME_METHODS: &[(&str, Function)] = &[
    ("get_text", function(get_text)),
    ("oneline", function(oneline)),
];

/// Parts of names: short and long name, and object identifier.
const PARTS: &[(&str, &str, ObjectIdentifier)] = &[
    ("CN", "commonName", oid("2.5.4.3")),
    ("SN", "surname", oid("2.5.4.4")),
    ("serialNumber", "serialNumber", oid("2.5.4.5")),
    ("C", "countryName", oid("2.5.4.6")),
    ("L", "localityName", oid("2.5.4.7")),
    ("ST", "stateOrProvinceName", oid("2.5.4.8")),
    ("street", "streetAddress", oid("2.5.4.9")),
    ("O", "organizationName", oid("2.5.4.10")),
    ("OU", "organizationalUnitName", oid("2.5.4.11")),
    ("title", "title", oid("2.5.4.12")),
    ("GN", "givenName", oid("2.5.4.42")),
    ("emailAddress", "emailAddress", oid("1.2.840.113549.1.9.1")),
    ("UID", "userId", oid("0.9.2342.19200300.100.1.1")),
    ("DC", "domainComponent", oid("0.9.2342.19200300.100.1.25")),
];

const COMMON_NAME: ObjectIdentifier = oid("2.5.4.3");
const SUBJECT_ALT_NAME: ObjectIdentifier = oid("2.5.29.17");

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

struct X509 {
    certificate: Certificate,
    memory: usize,
}

impl Object for X509 {
    fn class() -> Class {
        Class {
            name: "openssl.x509",
            methods: CERTIFICATE_METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.memory
    }
}

struct X509Name {
    name: Name,
    memory: usize,
}

impl Object for X509Name {
    fn class() -> Class {
        Class {
            name: "openssl.x509_name",
            methods: NAME_METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.memory
    }
}

/// `x509.read(text)`: a certificate in PEM or DER; nil and why not.
fn read(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    charge(call, text.len(), STEPS_PER_KIB)?;
    let memory = text.len().saturating_mul(MEMORY_PER_BYTE);
    call.check_memory(memory.saturating_mul(2))?;
    let certificate = match text {
        _ if text.len() > MAX_CERTIFICATE => {
            call.push_nil()?;
            call.push_bytes("certificate is too long")?;
            return Ok(2);
        }
        [0x30, ..] => Certificate::from_der(text),
        _ => Certificate::from_pem(text),
    };
    match certificate {
        Ok(certificate) => call.push_object(X509 {
            certificate,
            memory,
        })?,
        Err(error) => {
            call.push_nil()?;
            call.push_bytes(error.to_string().to_lowercase())?;
            return Ok(2);
        }
    }
    Ok(1)
}

fn push_name(call: &mut Call<'_>, name: &Name) -> Result<(), Error> {
    let len = name.encoded_len().map_or(0, |len| u32::from(len) as usize);
    let memory = len * MEMORY_PER_BYTE;
    call.check_memory(memory)?;
    call.push_object(X509Name {
        name: name.clone(),
        memory,
    })
}

fn subject(call: &mut Call<'_>) -> Result<usize, Error> {
    let x509 = call.check_object::<X509>(1)?;
    push_name(call, &x509.certificate.tbs_certificate.subject)?;
    Ok(1)
}

fn issuer(call: &mut Call<'_>) -> Result<usize, Error> {
    let x509 = call.check_object::<X509>(1)?;
    push_name(call, &x509.certificate.tbs_certificate.issuer)?;
    Ok(1)
}

/// `certificate:parse()`: a table with what the certificate says.
fn parse(call: &mut Call<'_>) -> Result<usize, Error> {
    let x509 = call.check_object::<X509>(1)?;
    let said = &x509.certificate.tbs_certificate;
    call.push_table(0, 8)?;
    call.push_integer(said.version as i64)?;
    call.raw_set_field(-2, "version")?;
    call.push_bytes(to_hex(said.serial_number.as_bytes()))?;
    call.raw_set_field(-2, "serialNumber")?;
    push_name(call, &said.issuer)?;
    call.raw_set_field(-2, "issuer")?;
    push_name(call, &said.subject)?;
    call.raw_set_field(-2, "subject")?;
    for (key, time) in [
        ("notBefore", said.validity.not_before),
        ("notAfter", said.validity.not_after),
    ] {
        call.push_integer(time.to_unix_duration().as_secs() as i64)?;
        call.raw_set_field(-2, key)?;
    }
    let names = alternative_names(&x509.certificate);
    call.push_table(names.len(), 0)?;
    for (i, name) in (1..).zip(names) {
        call.push_bytes(name)?;
        call.raw_set_index(-2, i)?;
    }
    call.raw_set_field(-2, "dnsNames")?;
    Ok(1)
}

/// The parts of a name with their values, in their order.
fn parts(name: &Name) -> impl Iterator<Item = (ObjectIdentifier, &Any)> {
    let parts = name.0.iter().flat_map(|part| part.0.iter());
    parts.map(|part| (part.oid, &part.value))
}

/// A value as UTF-8, whatever kind of string it is.
fn text(value: &Any) -> Vec<u8> {
    let bytes = value.value();
    match value.tag() {
        Tag::BmpString => {
            let units = bytes
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            text.collect::<String>().into_bytes()
        }
        // The old eight-bit alphabet is used as Latin-1.
        Tag::TeletexString => bytes
            .iter()
            .map(|&c| char::from(c))
            .collect::<String>()
            .into_bytes(),
        _ => bytes.to_vec(),
    }
}

/// `name:get_text(part)`: the first value of a part such as `CN`; nil when there is none.
fn get_text(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_object::<X509Name>(1)?;
    let wanted = String::from_utf8_lossy(call.check_bytes(2)?);
    let known = PARTS
        .iter()
        .find(|(short, long, _)| wanted == *short || wanted == *long);
    let wanted = known
        .map(|(_, _, oid)| *oid)
        .or_else(|| ObjectIdentifier::new(&wanted).ok());
    let Some(wanted) = wanted else {
        return Err(Error::argument(2, "unknown part of a name"));
    };
    match parts(&name.name).find(|(oid, _)| *oid == wanted) {
        Some((_, value)) => call.push_bytes(text(value))?,
        None => call.push_nil()?,
    }
    Ok(1)
}

/// `name:oneline()`: all parts, such as `/C=US/CN=example.com`.
fn oneline(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_object::<X509Name>(1)?;
    let mut line = Vec::new();
    for (oid, value) in parts(&name.name) {
        let short = PARTS.iter().find(|(_, _, known)| *known == oid);
        let short = short.map_or_else(|| oid.to_string(), |(short, _, _)| short.to_string());
        line.extend_from_slice(format!("/{short}=").as_bytes());
        line.extend_from_slice(&text(value));
    }
    call.push_bytes(line)?;
    Ok(1)
}

/// The host names that the certificate lists.
fn alternative_names(certificate: &Certificate) -> Vec<String> {
    let extensions = certificate.tbs_certificate.extensions.iter().flatten();
    let names = extensions
        .filter(|extension| extension.extn_id == SUBJECT_ALT_NAME)
        .filter_map(|extension| SubjectAltName::from_der(extension.extn_value.as_bytes()).ok())
        .flat_map(|names| names.0)
        .filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        });
    names.collect()
}

/// `certificate:check_host(host)`: whether the certificate is for the host.
fn check_host(call: &mut Call<'_>) -> Result<usize, Error> {
    let x509 = call.check_object::<X509>(1)?;
    let host = call.check_bytes(2)?;
    let names = alternative_names(&x509.certificate);
    let matches = match names.is_empty() {
        // Only a certificate that lists no host names is known by its common name.
        true => parts(&x509.certificate.tbs_certificate.subject)
            .filter(|(oid, _)| *oid == COMMON_NAME)
            .any(|(_, value)| is_name_of(&text(value), host)),
        false => names.iter().any(|name| is_name_of(name.as_bytes(), host)),
    };
    call.push_bool(matches)?;
    Ok(1)
}

/// Whether a certificate's name stands for the host: `*` as its first label stands for any one label (RFC 6125).
fn is_name_of(name: &[u8], host: &[u8]) -> bool {
    let host = host.strip_suffix(b".").unwrap_or(host);
    if host.is_empty() {
        return false;
    }
    let Some(domain) = name.strip_prefix(b"*.") else {
        return name.eq_ignore_ascii_case(host);
    };
    let Some(dot) = host.iter().position(|&c| c == b'.') else {
        return false;
    };
    // A name such as `*.com` would stand for too much.
    dot > 0 && domain.contains(&b'.') && domain.eq_ignore_ascii_case(&host[dot + 1..])
}
