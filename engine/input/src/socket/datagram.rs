//! What datagram sockets do: send and receive whole datagrams, with or without a fixed peer.

use std::cell::Cell;
use std::io;

use rustix::event::PollFlags;
use rustix::net::{RecvFlags, SocketAddrAny, SocketAddrUnix, recvfrom};
use sandbox::native::{Call, Error, ObjectMut};

use super::address::Family;
use super::object::{Domain, Socket, State, socket, wrong_state};
use super::tcp::{address_at, data_at};
use super::wait::{Clock, Failure, Running};
use super::{first_that_works, push_failure, push_outcome, waiting};

/// No datagram is larger.
pub(super) const MAX_DATAGRAM: usize = 65_536;

thread_local! {
    /// Where datagrams arrive before they become Lua strings.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// `setpeername(host, port)`, `setpeername(path)`, or `setpeername("*")`
pub(super) fn set_peer(
    call: &mut Call<'_>,
    mut socket: ObjectMut<'_, Socket>,
) -> Result<usize, Error> {
    let outcome = match call.check_bytes(2)? {
        b"*" if socket.domain != Domain::Unix => disconnect(&mut socket),
        _ => {
            let clock = socket.timeouts.start();
            let addresses = address_at(call, socket.domain, &clock)?;
            let connected = addresses.and_then(|addresses| {
                let raw = socket.raw()?;
                first_that_works(addresses, |address| Ok(raw.connect(&address)?))
            });
            connected.map(|()| mark(&mut socket, true))
        }
    };
    drop(socket);
    push_outcome(call, outcome)
}

fn disconnect(socket: &mut Socket) -> Result<(), Failure> {
    rustix::net::connect_unspec(socket.raw()?)?;
    mark(socket, false);
    Ok(())
}

fn mark(socket: &mut Socket, now: bool) {
    if let State::Datagram { connected, .. } = &mut socket.state {
        *connected = now;
    }
}

/// `send(data)` to the peer
pub(super) fn send(call: &mut Call<'_>) -> Result<usize, Error> {
    let data = data_at(call, 2)?;
    let socket = socket(call)?;
    let State::Datagram {
        socket: raw,
        connected: true,
    } = &socket.state
    else {
        return Err(wrong_state(&socket, "udp{connected}"));
    };
    let clock = socket.timeouts.start();
    let sent = waiting(call, |running| {
        retry(raw, PollFlags::OUT, &clock, running, || {
            raw.send_with_flags(&data, libc::MSG_NOSIGNAL)
        })
    });
    drop(socket);
    push_sent(call, sent)
}

/// `sendto(data, host, port)` or `sendto(data, path)`
pub(super) fn sendto(call: &mut Call<'_>) -> Result<usize, Error> {
    let data = data_at(call, 2)?;
    let socket = socket(call)?;
    let State::Datagram { socket: raw, .. } = &socket.state else {
        return Err(wrong_state(&socket, "udp{unconnected}"));
    };
    let clock = socket.timeouts.start();
    let address = destination(call, socket.domain, &clock)?;
    let sent = address.and_then(|address| {
        waiting(call, |running| {
            retry(raw, PollFlags::OUT, &clock, running, || {
                raw.send_to(&data, &address)
            })
        })
    });
    drop(socket);
    push_sent(call, sent)
}

/// The address that the arguments behind the data name.
fn destination(
    call: &Call<'_>,
    domain: Domain,
    clock: &Clock,
) -> Result<Result<socket2::SockAddr, Failure>, Error> {
    let Domain::Inet(family) = domain else {
        let path = call.check_bytes(3)?;
        let path = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(path);
        return Ok(socket2::SockAddr::unix(path).map_err(Failure::from));
    };
    let (host, port) = (super::host_at(call, 3)?, super::port_at(call, 4)?);
    let found = waiting(call, |running| {
        super::address::resolve(&host, port, family, clock, running)
    });
    Ok(found.map(|addresses| addresses[0].into()))
}

fn push_sent(call: &mut Call<'_>, sent: Result<usize, Failure>) -> Result<usize, Error> {
    match sent {
        Ok(_) => {
            call.push_integer(1)?;
            Ok(1)
        }
        Err(failure) => push_failure(call, &failure),
    }
}

/// Repeats `work` until it does not have to wait any more.
fn retry<T>(
    raw: &socket2::Socket,
    wanted: PollFlags,
    clock: &Clock,
    running: &mut dyn Running,
    mut work: impl FnMut() -> io::Result<T>,
) -> Result<T, Failure> {
    loop {
        match work() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                clock.wait(raw, wanted, running)?;
            }
            other => return other.map_err(Failure::from),
        }
    }
}

/// `receive([size])`
pub(super) fn receive(call: &mut Call<'_>) -> Result<usize, Error> {
    receive_with(call, false)
}

/// `receivefrom([size])`: the datagram, and where it came from.
pub(super) fn receivefrom(call: &mut Call<'_>) -> Result<usize, Error> {
    receive_with(call, true)
}

fn receive_with(call: &mut Call<'_>, with_sender: bool) -> Result<usize, Error> {
    let size = call
        .opt_integer(2)?
        .map_or(MAX_DATAGRAM, |n| usize::try_from(n).unwrap_or(0));
    let size = size.min(MAX_DATAGRAM);
    call.check_memory(size)?;
    let socket = socket(call)?;
    let State::Datagram { socket: raw, .. } = &socket.state else {
        return Err(wrong_state(&socket, "udp{unconnected}"));
    };
    let clock = socket.timeouts.start();
    let mut buffer = BUFFER.take();
    buffer.resize(MAX_DATAGRAM, 0);
    let received = waiting(call, |running| {
        retry(raw, PollFlags::IN, &clock, running, || {
            let (len, _, sender) = recvfrom(raw, &mut buffer[..size], RecvFlags::empty())?;
            Ok((len, sender))
        })
    });
    drop(socket);
    let pushed = match received {
        Ok((len, sender)) => {
            call.push_bytes(&buffer[..len])?;
            if with_sender {
                push_sender(call, sender).map(|count| count + 1)
            } else {
                Ok(1)
            }
        }
        Err(failure) => push_failure(call, &failure),
    };
    BUFFER.set(buffer);
    pushed
}

/// Pushes ip, port and family, or a path, which is empty for a sender without one.
fn push_sender(call: &mut Call<'_>, sender: Option<SocketAddrAny>) -> Result<usize, Error> {
    let inet = sender
        .as_ref()
        .and_then(|any| std::net::SocketAddr::try_from(any.clone()).ok());
    if let Some(address) = inet {
        call.push_bytes(address.ip().to_string())?;
        call.push_integer(address.port().into())?;
        call.push_bytes(Family::name_of(&address))?;
        return Ok(3);
    }
    let unix = sender.and_then(|any| SocketAddrUnix::try_from(any).ok());
    let path = unix.as_ref().and_then(|unix| unix.path_bytes());
    call.push_bytes(path.unwrap_or(b""))?;
    Ok(1)
}
