//! Certificates in the hands of plugins, with LuaSec's methods.

use sandbox::native::{Call, Class, Error, Function, Object, function};
use tls::{Attribute, Certificate, Digest};

/// The certificate of another side, in DER.
pub(crate) struct Peer {
    der: Vec<u8>,
}

const METHODS: &[(&str, Function)] = &[
    ("digest", function(digest)),
    ("extensions", function(extensions)),
    ("issuer", function(issuer)),
    ("notafter", function(notafter)),
    ("notbefore", function(notbefore)),
    ("pem", function(pem)),
    ("serial", function(serial)),
    ("subject", function(subject)),
    ("validat", function(validat)),
];

impl Object for Peer {
    fn class() -> Class {
        Class {
            name: "SSL:Certificate",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.der.len()
    }
}

impl Peer {
    /// A certificate, which may be none.
    pub(crate) fn new(der: Vec<u8>) -> Peer {
        Peer { der }
    }
}

/// `loadcertificate(pem)`: the certificate in a text, or nil and the reason.
pub(super) fn load(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    let found = tls::certificate_in(text).map(|der| Certificate::parse(&der).map(|_| der.clone()));
    match found.and_then(|parsed| parsed) {
        Ok(der) => {
            call.push_object(Peer::new(der))?;
            Ok(1)
        }
        Err(error) => super::push_reason(call, &error.to_string()),
    }
}

/// Reads the certificate at argument 1 and pushes what `look` finds in it.
fn with(call: &mut Call<'_>, look: impl FnOnce(&Certificate) -> String) -> Result<usize, Error> {
    let peer = call.check_object::<Peer>(1)?;
    let found = look(&parse(&peer)?);
    drop(peer);
    call.push_bytes(found)?;
    Ok(1)
}

fn parse(peer: &Peer) -> Result<Certificate, Error> {
    Certificate::parse(&peer.der).map_err(|error| Error::new(error.to_string()))
}

fn serial(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, |certificate| certificate.serial())
}

fn notbefore(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, |certificate| certificate.not_before())
}

fn notafter(call: &mut Call<'_>) -> Result<usize, Error> {
    with(call, |certificate| certificate.not_after())
}

/// `digest([algorithm])` with `sha1`, `sha256`, `sha384` or `sha512`
fn digest(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.opt_bytes(2)?.unwrap_or(b"sha1");
    let Some(digest) = Digest::parse(name) else {
        let reason = format!(
            "digest algorithm not supported ({})",
            String::from_utf8_lossy(name)
        );
        return super::push_reason(call, &reason);
    };
    let peer = call.check_object::<Peer>(1)?;
    let hex = digest.hex(&peer.der);
    drop(peer);
    call.push_bytes(hex)?;
    Ok(1)
}

fn pem(call: &mut Call<'_>) -> Result<usize, Error> {
    let peer = call.check_object::<Peer>(1)?;
    let text = tls::pem_of(&peer.der);
    drop(peer);
    call.push_bytes(text)?;
    Ok(1)
}

/// `validat(seconds[, seconds])`: whether it holds at a time, or from one to another.
fn validat(call: &mut Call<'_>) -> Result<usize, Error> {
    let from = call.check_integer(2)?;
    let until = call.opt_integer(3)?.unwrap_or(from);
    let peer = call.check_object::<Peer>(1)?;
    let certificate = parse(&peer)?;
    let holds = certificate.is_valid_at(from) && certificate.is_valid_at(until);
    drop(peer);
    call.push_bool(holds)?;
    Ok(1)
}

fn subject(call: &mut Call<'_>) -> Result<usize, Error> {
    push_names(call, |certificate| certificate.subject())
}

fn issuer(call: &mut Call<'_>) -> Result<usize, Error> {
    push_names(call, |certificate| certificate.issuer())
}

/// Pushes an array of `{oid = ..., name = ..., value = ...}`.
fn push_names(
    call: &mut Call<'_>,
    look: impl FnOnce(&Certificate) -> Vec<Attribute>,
) -> Result<usize, Error> {
    let peer = call.check_object::<Peer>(1)?;
    let names = look(&parse(&peer)?);
    drop(peer);
    call.push_table(names.len(), 0)?;
    for (i, attribute) in names.iter().enumerate() {
        call.push_table(0, 3)?;
        call.push_bytes(&attribute.oid)?;
        call.raw_set_field(-2, "oid")?;
        call.push_bytes(&attribute.name)?;
        call.raw_set_field(-2, "name")?;
        call.push_bytes(&attribute.value)?;
        call.raw_set_field(-2, "value")?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    Ok(1)
}

/// `extensions()`: a table with the alternative names under their identifier, if there are any.
fn extensions(call: &mut Call<'_>) -> Result<usize, Error> {
    let peer = call.check_object::<Peer>(1)?;
    let names = parse(&peer)?.alternative_names();
    drop(peer);
    call.push_table(0, 1)?;
    if names.is_empty() {
        return Ok(1);
    }
    call.push_table(0, 2)?;
    call.push_bytes("X509v3 Subject Alternative Name")?;
    call.raw_set_field(-2, "name")?;
    for (kind, name) in &names {
        call.raw_get_field(-1, kind)?;
        if call.is_nil(-1) {
            call.pop(1);
            call.push_table(1, 0)?;
            call.push_value(-1)?;
            call.raw_set_field(-3, kind)?;
        }
        let next = call.raw_len(-1) as i64 + 1;
        call.push_bytes(name)?;
        call.raw_set_index(-2, next)?;
        call.pop(1);
    }
    call.raw_set_field(-2, "2.5.29.17")?;
    Ok(1)
}
