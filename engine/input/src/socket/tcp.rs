//! What stream sockets do: bind, listen, accept, connect, send, receive.

use std::borrow::Cow;
use std::net::Shutdown;

use rustix::event::PollFlags;
use sandbox::native::{Call, Error};
use socket2::SockAddr;

use super::address::{Family, resolve};
use super::object::{Domain, Socket, State, connect as connect_raw, socket, wrong_state};
use super::stream::{Pattern, Stream};
use super::wait::{Clock, Failure};
use super::{MAX_RECEIVE, host_at, port_at, push_failure, push_outcome, push_socket, waiting};

/// The address that the arguments from 2 on name, in the way of the socket's domain.
pub(super) fn address_at(
    call: &Call<'_>,
    domain: Domain,
    clock: &Clock,
) -> Result<Result<Vec<SockAddr>, Failure>, Error> {
    let Domain::Inet(family) = domain else {
        let path = call.check_bytes(2)?;
        let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path);
        return Ok(SockAddr::unix(path)
            .map(|address| vec![address])
            .map_err(Failure::from));
    };
    let (host, port) = (host_at(call, 2)?, port_at(call, 3)?);
    let addresses = waiting(call, |running| resolve(&host, port, family, clock, running));
    Ok(addresses.map(|addresses| addresses.into_iter().map(SockAddr::from).collect()))
}

/// `bind(host, port)` or `bind(path)`
pub(super) fn bind(call: &mut Call<'_>) -> Result<usize, Error> {
    let socket = socket(call)?;
    let clock = socket.timeouts.start();
    let addresses = address_at(call, socket.domain, &clock)?;
    let outcome = addresses.and_then(|addresses| {
        let raw = socket.raw()?;
        super::first_that_works(addresses, |address| Ok(raw.bind(&address)?))
    });
    drop(socket);
    push_outcome(call, outcome)
}

/// `listen([backlog])`
pub(super) fn listen(call: &mut Call<'_>) -> Result<usize, Error> {
    let backlog = call.opt_integer(2)?.unwrap_or(32).clamp(0, 4096) as i32;
    let mut socket = socket(call)?;
    let outcome = match std::mem::replace(&mut socket.state, State::Closed) {
        State::Master(raw) | State::Server(raw) => {
            let outcome = raw.listen(backlog);
            socket.state = if outcome.is_ok() {
                State::Server(raw)
            } else {
                State::Master(raw)
            };
            outcome.map_err(Failure::from)
        }
        State::Closed => Err(Failure::Closed),
        other => {
            socket.state = other;
            return Err(wrong_state(&socket, "tcp{master}"));
        }
    };
    drop(socket);
    push_outcome(call, outcome)
}

pub(super) fn accept(call: &mut Call<'_>) -> Result<usize, Error> {
    let server = socket(call)?;
    let raw = match &server.state {
        State::Server(raw) => raw,
        State::Closed => return push_failure(call, &Failure::Closed),
        _ => return Err(wrong_state(&server, "tcp{server}")),
    };
    // Who cannot be served is not accepted.
    call.check_descriptors(1)?;
    let clock = server.timeouts.start();
    let accepted = waiting(call, |running| {
        loop {
            match raw.accept() {
                Ok((client, _)) => return Ok(Socket::connected(client, server.domain)?),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    clock.wait(raw, PollFlags::IN, running)?;
                }
                // The peer was gone before we looked, or a signal came.
                Err(error) if is_passing(&error) => {}
                Err(error) => return Err(Failure::from(error)),
            }
        }
    });
    drop(server);
    push_socket(call, accepted)
}

fn is_passing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, Interrupted};
    matches!(error.kind(), Interrupted | ConnectionAborted)
}

/// `connect(host, port)` or `connect(path)`; datagram sockets get a peer, `*` takes it away.
pub(super) fn connect(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    if matches!(socket.state, State::Datagram { .. }) {
        return super::datagram::set_peer(call, socket);
    }
    if !matches!(socket.state, State::Master(_)) {
        return Err(wrong_state(&socket, "tcp{master}"));
    }
    let clock = socket.timeouts.start();
    let any = match socket.domain {
        Domain::Inet(Family::V4) => Domain::Inet(Family::Any),
        other => other,
    };
    let addresses = address_at(call, any, &clock)?;
    let outcome = addresses.and_then(|addresses| {
        waiting(call, |running| {
            super::first_that_works(addresses, |address| {
                if address.is_ipv6() && socket.domain == Domain::Inet(Family::V4) {
                    let fresh = Socket::master(Domain::Inet(Family::V6))?;
                    socket.state = fresh.state;
                    socket.domain = fresh.domain;
                }
                connect_raw(socket.raw()?, &address, &clock, running)
            })
        })
    });
    let outcome = outcome.and_then(|()| become_client(&mut socket));
    drop(socket);
    call.recount(1)?;
    push_outcome(call, outcome)
}

fn become_client(socket: &mut Socket) -> Result<(), Failure> {
    if let State::Master(raw) = std::mem::replace(&mut socket.state, State::Closed) {
        socket.state = State::Client(Stream::new(raw)?);
    }
    Ok(())
}

/// The bytes of argument `i`: a string, a number, or a zero-copy value.
pub(super) fn data_at<'a>(call: &Call<'a>, i: i32) -> Result<Cow<'a, [u8]>, Error> {
    let mut copied = Vec::new();
    match call.write_zero_copy(i, &mut copied) {
        Some(Ok(())) => Ok(Cow::Owned(copied)),
        Some(Err(text)) => Err(Error::new(text)),
        None => call.check_bytes(i).map(Cow::Borrowed),
    }
}

/// `send(data[, i[, j]])`: the index of the last byte sent.
pub(super) fn send(call: &mut Call<'_>) -> Result<usize, Error> {
    let data = data_at(call, 2)?;
    let (start, end) = range(call, data.len())?;
    let mut socket = socket(call)?;
    let clock = socket.timeouts.start();
    let (sent, outcome) = match &mut socket.state {
        State::Client(stream) => waiting(call, |running| {
            stream.send(&data[start..end], &clock, running)
        }),
        State::Closed => (0, Err(Failure::Closed)),
        _ => return Err(wrong_state(&socket, "tcp{client}")),
    };
    drop(socket);
    let last = (start + sent) as i64;
    match outcome {
        Ok(()) => {
            call.push_integer(last)?;
            Ok(1)
        }
        Err(failure) => {
            push_failure(call, &failure)?;
            call.push_integer(last)?;
            Ok(3)
        }
    }
}

/// The part of the data that arguments 3 and 4 choose, as in `string.sub`.
fn range(call: &Call<'_>, len: usize) -> Result<(usize, usize), Error> {
    let len = len as i64;
    let absolute = |i: i64| if i < 0 { len.saturating_add(i) + 1 } else { i };
    let start = absolute(call.opt_integer(3)?.unwrap_or(1)).max(1) - 1;
    let end = absolute(call.opt_integer(4)?.unwrap_or(-1)).clamp(0, len);
    Ok((start.min(end) as usize, end as usize))
}

/// `receive([pattern[, prefix]])`: the data, or nil, the reason and what came before.
pub(super) fn receive(call: &mut Call<'_>) -> Result<usize, Error> {
    let pattern = pattern_at(call)?;
    let prefix = call.opt_bytes(3)?.unwrap_or(b"");
    let mut socket = socket(call)?;
    let clock = socket.timeouts.start();
    let mut out = prefix.to_vec();
    let fits = |len: usize| len <= MAX_RECEIVE && call.check_memory(len).is_ok();
    let outcome = match &mut socket.state {
        State::Client(stream) => waiting(call, |running| {
            stream.receive(pattern, &mut out, &fits, &clock, running)
        }),
        State::Closed => Err(Failure::Closed),
        _ => return Err(wrong_state(&socket, "tcp{client}")),
    };
    drop(socket);
    match outcome {
        Ok(()) => {
            call.push_bytes(out)?;
            Ok(1)
        }
        Err(failure) => {
            push_failure(call, &failure)?;
            call.push_bytes(out)?;
            Ok(3)
        }
    }
}

fn pattern_at(call: &Call<'_>) -> Result<Pattern, Error> {
    if call.is_none_or_nil(2) {
        return Ok(Pattern::Line(usize::MAX));
    }
    if let Some(count) = call.number_at(2) {
        return Ok(Pattern::Count(count.max(0.0) as usize));
    }
    let pattern = call.check_bytes(2)?;
    match pattern.strip_prefix(b"*").unwrap_or(pattern) {
        [b'l', limit @ ..] => Ok(Pattern::Line(line_limit(limit))),
        [b'a', ..] => Ok(Pattern::All),
        _ => Err(Error::argument(2, "invalid receive pattern")),
    }
}

/// What stands behind `*l`: the longest line, in bytes. LuaSocket overlooks it.
fn line_limit(text: &[u8]) -> usize {
    let number = std::str::from_utf8(text).unwrap_or("").trim();
    number.parse().unwrap_or(usize::MAX)
}

/// `shutdown([mode])` with `both`, `send` or `receive`
pub(super) fn shutdown(call: &mut Call<'_>) -> Result<usize, Error> {
    let how = match call.opt_bytes(2)?.unwrap_or(b"both") {
        b"both" => Shutdown::Both,
        b"send" => Shutdown::Write,
        b"receive" => Shutdown::Read,
        _ => return Err(Error::argument(2, "invalid shutdown method")),
    };
    let socket = socket(call)?;
    let outcome = match &socket.state {
        State::Client(stream) => stream.shutdown(how).map_err(Failure::from),
        State::Closed => Err(Failure::Closed),
        _ => return Err(wrong_state(&socket, "tcp{client}")),
    };
    drop(socket);
    push_outcome(call, outcome)
}

/// Bytes received, bytes sent, age in seconds.
pub(super) fn getstats(call: &mut Call<'_>) -> Result<usize, Error> {
    let socket = socket(call)?;
    let State::Client(stream) = &socket.state else {
        return Err(wrong_state(&socket, "tcp{client}"));
    };
    let stats = stream.stats();
    drop(socket);
    call.push_number(stats.received as f64)?;
    call.push_number(stats.sent as f64)?;
    call.push_number(stats.born.elapsed().as_secs_f64())?;
    Ok(3)
}

/// `setstats(received, sent)`
pub(super) fn setstats(call: &mut Call<'_>) -> Result<usize, Error> {
    let count = |i| Ok::<u64, Error>(call.opt_number(i)?.unwrap_or(0.0) as u64);
    let (received, sent) = (count(2)?, count(3)?);
    let mut socket = socket(call)?;
    let State::Client(stream) = &mut socket.state else {
        return Err(wrong_state(&socket, "tcp{client}"));
    };
    stream.set_counts(received, sent);
    drop(socket);
    call.push_integer(1)?;
    Ok(1)
}
