//! The `socket` module of input and output plugins: TCP, UDP and Unix sockets with LuaSocket's functions.
//!
//! Names, arguments and results are LuaSocket's, so plugins written for it work. Differences: nothing waits longer than a
//! moment after the host wants the plugin to stop (it is told `timeout`), what is received never outgrows the plugin's
//! memory, and datagrams are not cut at 8192 bytes.

mod address;
mod datagram;
mod dns;
mod object;
mod options;
pub(crate) mod secure;
mod select;
mod stream;
mod streams;
mod tcp;
mod tls;
mod tries;
mod wait;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sandbox::Kind;
use sandbox::native::{Call, Error, Function, Registry, function};

use address::{Family, resolve};
use object::{Domain, Socket};
use wait::{Failure, Timeouts};

/// How long an output may still wait in one call after a stop: it may have to hand over its last data.
const GRACE: Duration = Duration::from_secs(2);
/// The longest piece that one `receive` gives, whatever the plugin's memory allows.
const MAX_RECEIVE: usize = 256 * 1024 * 1024;

const FUNCTIONS: &[(&str, Function)] = &[
    ("bind", function(bind)),
    ("connect", function(connect)),
    ("connect4", function(connect4)),
    ("connect6", function(connect6)),
    ("gettime", function(gettime)),
    ("newtry", function(tries::newtry)),
    ("protect", function(tries::protect)),
    ("select", function(select::select)),
    ("skip", function(skip)),
    ("sleep", function(sleep)),
    ("tcp", function(tcp4)),
    ("tcp4", function(tcp4)),
    ("tcp6", function(tcp6)),
    ("udp", function(udp4)),
    ("udp4", function(udp4)),
    ("udp6", function(udp6)),
];

const UNIX: &[(&str, Function)] = &[
    ("dgram", function(unix_datagram)),
    ("stream", function(unix_stream)),
    ("tcp", function(unix_stream)),
    ("udp", function(unix_datagram)),
];

/// Offers `socket`, `socket.core` (the same) and `socket.unix` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("socket", function(open));
    registry.add_io("socket.core", function(open));
    registry.add_io("socket.unix", function(open_unix));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    tries::push_try(call)?;
    call.raw_set_field(-2, "try")?;
    call.push_library(dns::FUNCTIONS)?;
    call.raw_set_field(-2, "dns")?;
    push_unix(call)?;
    call.raw_set_field(-2, "unix")?;
    streams::set(call)?;
    call.push_bytes("LuaSocket 3.0")?;
    call.raw_set_field(-2, "_VERSION")?;
    call.push_integer(2048)?;
    call.raw_set_field(-2, "BLOCKSIZE")?;
    call.push_integer(select::MAX_SOCKETS as i64)?;
    call.raw_set_field(-2, "_SETSIZE")?;
    call.push_integer(datagram::MAX_DATAGRAM as i64)?;
    call.raw_set_field(-2, "_DATAGRAMSIZE")?;
    call.push_integer(-1)?;
    call.raw_set_field(-2, "_SOCKETINVALID")?;
    Ok(1)
}

fn open_unix(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unix(call)?;
    Ok(1)
}

/// The library of Unix sockets, which can also be called to make a stream.
fn push_unix(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_library(UNIX)?;
    call.push_library(&[("__call", function(unix_stream))])?;
    call.set_metatable(-2);
    Ok(())
}

/// Whether a wait that began at `started` may go on.
fn may_wait(call: &Call<'_>, started: Instant) -> bool {
    call.running() || (call.kind() != Kind::Input && started.elapsed() < GRACE)
}

/// Runs `work` with a function that says whether waiting may go on.
fn waiting<T>(call: &Call<'_>, work: impl FnOnce(&mut dyn wait::Running) -> T) -> T {
    let started = Instant::now();
    work(&mut || may_wait(call, started))
}

/// Pushes nil and the reason.
fn push_failure(call: &mut Call<'_>, failure: &Failure) -> Result<usize, Error> {
    call.push_nil()?;
    call.push_bytes(failure.to_string())?;
    Ok(2)
}

/// Pushes 1, or nil and the reason.
fn push_outcome(call: &mut Call<'_>, outcome: Result<(), Failure>) -> Result<usize, Error> {
    match outcome {
        Ok(()) => {
            call.push_integer(1)?;
            Ok(1)
        }
        Err(failure) => push_failure(call, &failure),
    }
}

/// Pushes a new socket, or nil and the reason.
fn push_socket(call: &mut Call<'_>, socket: Result<Socket, Failure>) -> Result<usize, Error> {
    match socket {
        Ok(socket) => {
            call.push_object(socket)?;
            Ok(1)
        }
        Err(failure) => push_failure(call, &failure),
    }
}

fn tcp4(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::master(Domain::Inet(Family::V4)))
}

fn tcp6(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::master(Domain::Inet(Family::V6)))
}

fn udp4(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::datagram(Domain::Inet(Family::V4)))
}

fn udp6(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::datagram(Domain::Inet(Family::V6)))
}

fn unix_stream(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::master(Domain::Unix))
}

fn unix_datagram(call: &mut Call<'_>) -> Result<usize, Error> {
    push_socket(call, Socket::datagram(Domain::Unix))
}

/// A host name argument.
fn host_at(call: &Call<'_>, i: i32) -> Result<String, Error> {
    let host = std::str::from_utf8(call.check_bytes(i)?);
    host.map(str::to_owned)
        .map_err(|_| Error::argument(i, "host name expected"))
}

/// A port argument: a number, or a string that holds one.
fn port_at(call: &Call<'_>, i: i32) -> Result<u16, Error> {
    let port = call.check_integer(i)?;
    u16::try_from(port).map_err(|_| Error::argument(i, "port out of range"))
}

/// `bind(host, port[, backlog])`: a listening socket.
fn bind(call: &mut Call<'_>) -> Result<usize, Error> {
    let (host, port) = (host_at(call, 1)?, port_at(call, 2)?);
    let backlog = call.opt_integer(3)?.unwrap_or(32).clamp(1, 4096) as i32;
    let clock = Timeouts::default().start();
    let addresses = waiting(call, |running| {
        resolve(&host, port, Family::Any, &clock, running)
    });
    let bound = addresses.and_then(|addresses| {
        first_that_works(addresses, |address| {
            Socket::server(&address.into(), backlog)
        })
    });
    push_socket(call, bound)
}

fn connect(call: &mut Call<'_>) -> Result<usize, Error> {
    let family = match call.opt_bytes(5)? {
        None => Family::Any,
        Some(name) => Family::parse(name).ok_or_else(|| Error::argument(5, "invalid option"))?,
    };
    connect_to(call, family)
}

fn connect4(call: &mut Call<'_>) -> Result<usize, Error> {
    connect_to(call, Family::V4)
}

fn connect6(call: &mut Call<'_>) -> Result<usize, Error> {
    connect_to(call, Family::V6)
}

/// `connect(host, port[, local host[, local port]])`: a connected socket.
fn connect_to(call: &mut Call<'_>, family: Family) -> Result<usize, Error> {
    let (host, port) = (host_at(call, 1)?, port_at(call, 2)?);
    let local = match call.is_none_or_nil(3) {
        true => None,
        false => Some((
            host_at(call, 3)?,
            if call.is_none_or_nil(4) {
                0
            } else {
                port_at(call, 4)?
            },
        )),
    };
    let clock = Timeouts::default().start();
    let connected = waiting(call, |running| {
        let local = match local {
            Some((host, port)) => resolve(&host, port, family, &clock, running)?
                .first()
                .copied(),
            None => None,
        };
        let addresses = resolve(&host, port, family, &clock, running)?;
        first_that_works(addresses, |address| {
            Socket::client(
                &address.into(),
                local.map(Into::into).as_ref(),
                &clock,
                running,
            )
        })
    });
    push_socket(call, connected)
}

/// The result for the first of `addresses` that has one; otherwise the last failure.
fn first_that_works<A, T>(
    addresses: Vec<A>,
    mut attempt: impl FnMut(A) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut last = Failure::HostNotFound;
    for address in addresses {
        match attempt(address) {
            Err(Failure::Timeout) => return Err(Failure::Timeout),
            Err(failure) => last = failure,
            done => return done,
        }
    }
    Err(last)
}

fn gettime(call: &mut Call<'_>) -> Result<usize, Error> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    call.push_number(since.map_or(0.0, |since| since.as_secs_f64()))?;
    Ok(1)
}

fn sleep(call: &mut Call<'_>) -> Result<usize, Error> {
    let time = call.check_number(1)?;
    if time > 0.0 {
        let slept = waiting(call, |running| {
            wait::any_ready(&mut [], wait::duration(Some(time)), running)
        });
        slept.map_err(|failure| Error::new(failure.to_string()))?;
    }
    Ok(0)
}

/// `skip(n, ...)`: the arguments without the first `n`.
fn skip(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = usize::try_from(call.check_integer(1)?).unwrap_or(0);
    Ok(call.arg_count().saturating_sub(1).saturating_sub(n))
}

#[cfg(test)]
mod tests;
