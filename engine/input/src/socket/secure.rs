//! What plugins do with TLS connections: `ssl.wrap`, and the methods that plain sockets do not have.

use sandbox::native::{Call, Error, ObjectMut, Type};

use super::object::{Socket, State, socket, wrong_state};
use super::tls::{Agreed, Tls};
use super::wait::Failure;
use super::{push_failure, waiting};
use crate::ssl::Peer;

pub(crate) use super::tls::Side;

/// `wrap(socket, ...)`: takes the connection out of the socket at argument 1, which is closed then, and pushes one that
/// speaks TLS over it. The timeouts stay.
pub(crate) fn wrap(call: &mut Call<'_>, side: Side, is_verified: bool) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    match &socket.state {
        State::Client(stream) if stream.tls().is_none() => {}
        State::Closed => {
            drop(socket);
            return push_failure(call, &Failure::Closed);
        }
        _ => return Err(wrong_state(&socket, "tcp{client}")),
    }
    let (domain, timeouts) = (socket.domain, socket.timeouts);
    let mut state = std::mem::replace(&mut socket.state, State::Closed);
    if let State::Client(stream) = &mut state {
        stream.set_tls(Tls::new(side, is_verified));
    }
    drop(socket);
    call.recount(1)?;
    call.push_object(Socket {
        state,
        domain,
        timeouts,
    })?;
    Ok(1)
}

/// The TLS side of the connection at argument 1.
fn secure<'s>(socket: &'s mut ObjectMut<'_, Socket>) -> Result<&'s mut Tls, Error> {
    let error = wrong_state(socket, "SSL connection");
    match &mut socket.state {
        State::Client(stream) => stream.tls_mut().map(|(tls, _)| tls).ok_or(error),
        _ => Err(error),
    }
}

/// `dohandshake()`: true, or false and the reason.
pub(super) fn dohandshake(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    let clock = socket.timeouts.start();
    let error = wrong_state(&socket, "SSL connection");
    let outcome = match &mut socket.state {
        State::Client(stream) => {
            let (tls, raw) = stream.tls_mut().ok_or(error)?;
            waiting(call, |running| tls.handshake(raw, &clock, running))
        }
        State::Closed => Err(Failure::Closed),
        _ => return Err(error),
    };
    drop(socket);
    call.push_bool(outcome.is_ok())?;
    match outcome {
        Ok(()) => Ok(1),
        Err(failure) => {
            call.push_bytes(failure.to_string())?;
            Ok(2)
        }
    }
}

/// `sni(name)`, of clients: the host that is wanted, and that the certificate must be for.
pub(super) fn sni(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = super::host_at(call, 2)?;
    let mut socket = socket(call)?;
    if !secure(&mut socket)?.set_name(&name) {
        return Err(Error::new(
            "the name must be set at the client, before the handshake",
        ));
    }
    Ok(0)
}

/// `getsniname()`: the host that was asked for, or nil.
pub(super) fn getsniname(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    let name = secure(&mut socket)?.name().map(str::to_owned);
    drop(socket);
    push_optional(call, name)
}

/// `getalpn()`: the application protocol, or nil.
pub(super) fn getalpn(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    let protocol = secure(&mut socket)?.alpn().map(<[u8]>::to_vec);
    drop(socket);
    push_optional(call, protocol)
}

fn push_optional(call: &mut Call<'_>, bytes: Option<impl AsRef<[u8]>>) -> Result<usize, Error> {
    match bytes {
        Some(bytes) => call.push_bytes(bytes)?,
        None => call.push_nil()?,
    }
    Ok(1)
}

/// `want()`: what the connection waits for: `read`, `write` or `nothing`.
pub(super) fn want(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    let wants = secure(&mut socket)?.wants();
    drop(socket);
    call.push_bytes(wants)?;
    Ok(1)
}

/// The other side's certificates, its own first.
fn certificates(call: &Call<'_>) -> Result<Vec<Peer>, Error> {
    let mut socket = socket(call)?;
    let found = secure(&mut socket)?.peer_certificates();
    Ok(found.iter().map(|der| Peer::new(der.to_vec())).collect())
}

/// `getpeercertificate([n])`: the other side's certificate, or nil.
pub(super) fn getpeercertificate(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.opt_integer(2)?.unwrap_or(1);
    let n = usize::try_from(n - 1).map_err(|_| Error::argument(2, "invalid certificate index"))?;
    match certificates(call)?.into_iter().nth(n) {
        Some(certificate) => call.push_object(certificate)?,
        None => call.push_nil()?,
    }
    Ok(1)
}

/// `getpeerchain()`: an array of all certificates that the other side sent.
pub(super) fn getpeerchain(call: &mut Call<'_>) -> Result<usize, Error> {
    let found = certificates(call)?;
    call.push_table(found.len(), 0)?;
    for (i, certificate) in found.into_iter().enumerate() {
        call.push_object(certificate)?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    Ok(1)
}

/// `getpeerverification()`: whether the other side has shown a good certificate; if not, an empty table of reasons too.
pub(super) fn getpeerverification(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    let verified = secure(&mut socket)?.is_verified();
    drop(socket);
    call.push_bool(verified)?;
    if verified {
        return Ok(1);
    }
    call.push_table(0, 0)?;
    Ok(2)
}

/// `info([field])`: a table about the cipher and the protocol, or one of its fields; nil before the handshake.
pub(super) fn info(call: &mut Call<'_>) -> Result<usize, Error> {
    call.opt_bytes(2)?;
    let mut socket = socket(call)?;
    let agreed = secure(&mut socket)?.agreed();
    drop(socket);
    let Some((agreed, facts)) = agreed.and_then(|a| Some((a, tls::facts(a.suite)?))) else {
        call.push_nil()?;
        return Ok(1);
    };
    call.push_table(0, 9)?;
    let texts = [
        ("protocol", version_name(&agreed)),
        ("cipher", facts.name),
        ("key", facts.key),
        ("authentication", facts.authentication),
        ("encryption", facts.encryption),
        ("mac", "AEAD"),
    ];
    for (name, text) in texts {
        call.push_bytes(text)?;
        call.raw_set_field(-2, name)?;
    }
    for name in ["bits", "algbits"] {
        call.push_integer(facts.bits.into())?;
        call.raw_set_field(-2, name)?;
    }
    call.push_bool(false)?;
    call.raw_set_field(-2, "export")?;
    if call.type_of(2) == Type::String {
        call.push_value(2)?;
        call.raw_get(-2);
    }
    Ok(1)
}

fn version_name(agreed: &Agreed) -> &'static str {
    match agreed.version {
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3",
        _ => "TLSv1.2",
    }
}
