//! `openssl.digest` and `openssl.hmac`: hashes of whole strings, and contexts that are fed piece by piece.

use hmac::{Mac, SimpleHmac};
use md5::Md5;
use sandbox::native::{Call, Class, Error, Function, Object, function};
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::digest::core_api::BlockSizeUser;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::to_hex;
use crate::work::charge;

/// Without help of the processor, a byte takes some nanoseconds.
const STEPS_PER_KIB: usize = 2048;

/// What `openssl.digest` holds.
pub(super) const DIGEST: &[(&str, Function)] = &[
    ("digest", function(digest)),
    ("list", function(list)),
    ("new", function(new_digest)),
];

/// What `openssl.hmac` holds.
pub(super) const HMAC: &[(&str, Function)] =
    &[("hmac", function(hmac)), ("new", function(new_hmac))];

const DIGEST_METHODS: &[(&str, Function)] = &[
    ("final", function(finish::<DigestContext>)),
    ("info", function(info)),
    ("reset", function(reset)),
    ("update", function(update::<DigestContext>)),
];

const HMAC_METHODS: &[(&str, Function)] = &[
    ("final", function(finish::<HmacContext>)),
    ("update", function(update::<HmacContext>)),
];

/// The hash functions, by their names.
const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("md5", Algorithm::Md5),
    ("sha1", Algorithm::Sha1),
    ("sha224", Algorithm::Sha224),
    ("sha256", Algorithm::Sha256),
    ("sha384", Algorithm::Sha384),
    ("sha512", Algorithm::Sha512),
];

#[derive(Clone, Copy, PartialEq)]
enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    /// The hash function that argument `i` names, in letters of any case, with or without a hyphen.
    fn check(call: &Call<'_>, i: i32) -> Result<Algorithm, Error> {
        let name = call.check_bytes(i)?;
        let plain: Vec<u8> = name.iter().copied().filter(|&c| c != b'-').collect();
        let known = ALGORITHMS
            .iter()
            .find(|(known, _)| plain.eq_ignore_ascii_case(known.as_bytes()));
        known.map(|(_, algorithm)| *algorithm).ok_or_else(|| {
            let words = "must be a string, NID number or asn1_object identity digest method";
            Error::argument(i, words)
        })
    }

    fn name(self) -> &'static str {
        let named = ALGORITHMS.iter().find(|(_, known)| *known == self);
        named.map_or("", |(name, _)| name)
    }

    fn plain(self) -> Box<dyn Running> {
        match self {
            Algorithm::Md5 => Box::new(Plain(Md5::new())),
            Algorithm::Sha1 => Box::new(Plain(Sha1::new())),
            Algorithm::Sha224 => Box::new(Plain(Sha224::new())),
            Algorithm::Sha256 => Box::new(Plain(Sha256::new())),
            Algorithm::Sha384 => Box::new(Plain(Sha384::new())),
            Algorithm::Sha512 => Box::new(Plain(Sha512::new())),
        }
    }

    fn keyed(self, key: &[u8]) -> Box<dyn Running> {
        fn keyed<D>(key: &[u8]) -> Box<dyn Running>
        where
            D: Digest + BlockSizeUser + Clone + Send + 'static,
        {
            let mac = SimpleHmac::<D>::new_from_slice(key);
            Box::new(Keyed(mac.expect("HMAC takes keys of any length")))
        }
        match self {
            Algorithm::Md5 => keyed::<Md5>(key),
            Algorithm::Sha1 => keyed::<Sha1>(key),
            Algorithm::Sha224 => keyed::<Sha224>(key),
            Algorithm::Sha256 => keyed::<Sha256>(key),
            Algorithm::Sha384 => keyed::<Sha384>(key),
            Algorithm::Sha512 => keyed::<Sha512>(key),
        }
    }
}

/// A hash that has seen some bytes.
trait Running: Send {
    fn update(&mut self, bytes: &[u8]);

    /// The hash of what was seen and `last`; more can follow as if it had not been asked for.
    fn finish(&self, last: &[u8]) -> Vec<u8>;
}

struct Plain<D>(D);

impl<D: Digest + Clone + Send> Running for Plain<D> {
    fn update(&mut self, bytes: &[u8]) {
        Digest::update(&mut self.0, bytes);
    }

    fn finish(&self, last: &[u8]) -> Vec<u8> {
        self.0.clone().chain_update(last).finalize().to_vec()
    }
}

struct Keyed<D: Digest + BlockSizeUser>(SimpleHmac<D>);

impl<D: Digest + BlockSizeUser + Clone + Send> Running for Keyed<D> {
    fn update(&mut self, bytes: &[u8]) {
        Mac::update(&mut self.0, bytes);
    }

    fn finish(&self, last: &[u8]) -> Vec<u8> {
        let mac = self.0.clone().chain_update(last);
        mac.finalize().into_bytes().to_vec()
    }
}

/// An object that feeds a hash.
trait Context: Object {
    fn running(&mut self) -> &mut dyn Running;
}

struct DigestContext {
    algorithm: Algorithm,
    running: Box<dyn Running>,
}

impl Object for DigestContext {
    fn class() -> Class {
        Class {
            name: "openssl.evp_digest_ctx",
            methods: DIGEST_METHODS,
            metamethods: &[],
        }
    }
}

impl Context for DigestContext {
    fn running(&mut self) -> &mut dyn Running {
        &mut *self.running
    }
}

struct HmacContext(Box<dyn Running>);

impl Object for HmacContext {
    fn class() -> Class {
        Class {
            name: "openssl.hmac_ctx",
            methods: HMAC_METHODS,
            metamethods: &[],
        }
    }
}

impl Context for HmacContext {
    fn running(&mut self) -> &mut dyn Running {
        &mut *self.0
    }
}

/// Pushes a hash as bytes or as hexadecimal digits.
fn push_hash(call: &mut Call<'_>, hash: &[u8], raw: bool) -> Result<usize, Error> {
    match raw {
        true => call.push_bytes(hash)?,
        false => call.push_bytes(to_hex(hash))?,
    }
    Ok(1)
}

/// `digest.digest(name, text[, raw])`
fn digest(call: &mut Call<'_>) -> Result<usize, Error> {
    let algorithm = Algorithm::check(call, 1)?;
    let text = call.check_bytes(2)?;
    charge(call, text.len(), STEPS_PER_KIB)?;
    let raw = call.is_true(3);
    push_hash(call, &algorithm.plain().finish(text), raw)
}

/// `hmac.hmac(name, text, key[, raw])`
fn hmac(call: &mut Call<'_>) -> Result<usize, Error> {
    let algorithm = Algorithm::check(call, 1)?;
    let (text, key) = (call.check_bytes(2)?, call.check_bytes(3)?);
    charge(call, text.len() + key.len(), STEPS_PER_KIB)?;
    let raw = call.is_true(4);
    push_hash(call, &algorithm.keyed(key).finish(text), raw)
}

/// `digest.list()`: the names of the hash functions.
fn list(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_table(ALGORITHMS.len(), 0)?;
    for (i, (name, _)) in (1..).zip(ALGORITHMS) {
        call.push_bytes(name)?;
        call.raw_set_index(-2, i)?;
    }
    Ok(1)
}

/// `digest.new(name)`
fn new_digest(call: &mut Call<'_>) -> Result<usize, Error> {
    let algorithm = Algorithm::check(call, 1)?;
    call.push_object(DigestContext {
        algorithm,
        running: algorithm.plain(),
    })?;
    Ok(1)
}

/// `hmac.new(name, key)`
fn new_hmac(call: &mut Call<'_>) -> Result<usize, Error> {
    let algorithm = Algorithm::check(call, 1)?;
    let key = call.check_bytes(2)?;
    charge(call, key.len(), STEPS_PER_KIB)?;
    call.push_object(HmacContext(algorithm.keyed(key)))?;
    Ok(1)
}

/// `context:update(text)`
fn update<T: Context>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut context = call.check_object_mut::<T>(1)?;
    let text = call.check_bytes(2)?;
    charge(call, text.len(), STEPS_PER_KIB)?;
    context.running().update(text);
    call.push_bool(true)?;
    Ok(1)
}

/// `context:final([last, ][raw])`
fn finish<T: Context>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut context = call.check_object_mut::<T>(1)?;
    let last = match call.to_number(2).is_some() || call.bytes_at(2).is_some() {
        true => Some(call.check_bytes(2)?),
        false => None,
    };
    let raw = call.is_true(if last.is_some() { 3 } else { 2 });
    let last = last.unwrap_or_default();
    charge(call, last.len(), STEPS_PER_KIB)?;
    let hash = context.running().finish(last);
    push_hash(call, &hash, raw)
}

/// `context:info()`: a table with name and size.
fn info(call: &mut Call<'_>) -> Result<usize, Error> {
    let context = call.check_object::<DigestContext>(1)?;
    call.push_table(0, 2)?;
    call.push_bytes(context.algorithm.name())?;
    call.raw_set_field(-2, "name")?;
    call.push_integer(context.running.finish(b"").len() as i64)?;
    call.raw_set_field(-2, "size")?;
    Ok(1)
}

/// `context:reset()`: forgets what was seen.
fn reset(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut context = call.check_object_mut::<DigestContext>(1)?;
    context.running = context.algorithm.plain();
    call.push_bool(true)?;
    Ok(1)
}
