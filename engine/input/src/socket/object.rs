//! The socket object that plugins hold, in all the states it can be in.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::event::PollFlags;
use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, function};
use socket2::{Protocol, SockAddr, Type};

use super::address::Family;
use super::stream::Stream;
use super::wait::{Clock, Failure, Running, Timeouts};
use super::{datagram, options, secure, tcp, tls};

/// What kind of addresses a socket has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Domain {
    /// A host and a port.
    Inet(Family),
    /// A path.
    Unix,
}

impl Domain {
    fn raw(self) -> socket2::Domain {
        match self {
            Domain::Inet(Family::V6) => socket2::Domain::IPV6,
            Domain::Inet(_) => socket2::Domain::IPV4,
            Domain::Unix => socket2::Domain::UNIX,
        }
    }
}

/// What a socket is at the moment.
pub(super) enum State {
    /// A stream socket that is neither connected nor listening.
    Master(socket2::Socket),
    /// A connected stream.
    Client(Stream),
    /// A listening socket.
    Server(socket2::Socket),
    /// A datagram socket.
    Datagram {
        /// The socket.
        socket: socket2::Socket,
        /// Whether it has a peer.
        connected: bool,
    },
    /// Closed.
    Closed,
}

/// A socket of a plugin.
pub(super) struct Socket {
    pub(super) state: State,
    pub(super) domain: Domain,
    pub(super) timeouts: Timeouts,
}

const METHODS: &[(&str, Function)] = &[
    ("accept", function(tcp::accept)),
    ("bind", function(tcp::bind)),
    ("close", function(close)),
    ("connect", function(tcp::connect)),
    ("dirty", function(dirty)),
    ("dohandshake", function(secure::dohandshake)),
    ("getalpn", function(secure::getalpn)),
    ("getfamily", function(getfamily)),
    ("getfd", function(getfd)),
    ("getoption", function(options::getoption)),
    ("getpeercertificate", function(secure::getpeercertificate)),
    ("getpeerchain", function(secure::getpeerchain)),
    ("getpeername", function(getpeername)),
    ("getpeerverification", function(secure::getpeerverification)),
    ("getsniname", function(secure::getsniname)),
    ("getsockname", function(getsockname)),
    ("getstats", function(tcp::getstats)),
    ("gettimeout", function(options::gettimeout)),
    ("info", function(secure::info)),
    ("listen", function(tcp::listen)),
    ("receive", function(receive)),
    ("receivefrom", function(datagram::receivefrom)),
    ("send", function(send)),
    ("sendto", function(datagram::sendto)),
    ("setoption", function(options::setoption)),
    ("setpeername", function(tcp::connect)),
    ("setsockname", function(tcp::bind)),
    ("setstats", function(tcp::setstats)),
    ("settimeout", function(options::settimeout)),
    ("shutdown", function(tcp::shutdown)),
    ("sni", function(secure::sni)),
    ("want", function(secure::want)),
];

const METAMETHODS: &[(&str, Function)] = &[("__tostring", function(tostring))];

impl Object for Socket {
    fn class() -> Class {
        Class {
            name: "socket",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        match &self.state {
            // Its read buffer, whether it is there yet or not.
            State::Client(stream) => 32 * 1024 + stream.tls().map_or(0, |_| tls::MEMORY),
            _ => 0,
        }
    }

    fn descriptors(&self) -> usize {
        usize::from(!matches!(self.state, State::Closed))
    }
}

impl Socket {
    fn new(state: State, domain: Domain) -> Socket {
        Socket {
            state,
            domain,
            timeouts: Timeouts::default(),
        }
    }

    /// A stream socket without a peer.
    pub(super) fn master(domain: Domain) -> Result<Socket, Failure> {
        let socket = open(domain, Type::STREAM)?;
        Ok(Socket::new(State::Master(socket), domain))
    }

    /// A datagram socket.
    pub(super) fn datagram(domain: Domain) -> Result<Socket, Failure> {
        let socket = open(domain, Type::DGRAM)?;
        Ok(Socket::new(
            State::Datagram {
                socket,
                connected: false,
            },
            domain,
        ))
    }

    /// A socket that listens at `address`.
    pub(super) fn server(address: &SockAddr, backlog: i32) -> Result<Socket, Failure> {
        let domain = domain_of(address);
        let socket = open(domain, Type::STREAM)?;
        socket.set_reuse_address(true)?;
        socket.bind(address)?;
        socket.listen(backlog)?;
        Ok(Socket::new(State::Server(socket), domain))
    }

    /// A socket that is connected to `address`.
    pub(super) fn client(
        address: &SockAddr,
        local: Option<&SockAddr>,
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<Socket, Failure> {
        let domain = domain_of(address);
        let socket = open(domain, Type::STREAM)?;
        if let Some(local) = local {
            socket.bind(local)?;
        }
        connect(&socket, address, clock, running)?;
        Ok(Socket::connected(socket, domain)?)
    }

    /// A connected stream.
    pub(super) fn connected(socket: socket2::Socket, domain: Domain) -> io::Result<Socket> {
        Ok(Socket::new(State::Client(Stream::new(socket)?), domain))
    }

    /// What LuaSocket calls its class.
    pub(super) fn class_name(&self) -> &'static str {
        match (&self.state, self.domain) {
            (State::Closed, _) => "closed",
            (State::Client(stream), _) if stream.tls().is_some() => "SSL connection",
            (State::Master(_), Domain::Unix) => "unix{master}",
            (State::Client(_), Domain::Unix) => "unix{client}",
            (State::Server(_), Domain::Unix) => "unix{server}",
            (State::Master(_), _) => "tcp{master}",
            (State::Client(_), _) => "tcp{client}",
            (State::Server(_), _) => "tcp{server}",
            (
                State::Datagram {
                    connected: true, ..
                },
                Domain::Unix,
            ) => "unixdgram{connected}",
            (State::Datagram { .. }, Domain::Unix) => "unixdgram{unconnected}",
            (
                State::Datagram {
                    connected: true, ..
                },
                _,
            ) => "udp{connected}",
            (State::Datagram { .. }, _) => "udp{unconnected}",
        }
    }

    /// The system's socket.
    ///
    /// # Errors
    /// `closed`
    pub(super) fn raw(&self) -> Result<&socket2::Socket, Failure> {
        match &self.state {
            State::Master(socket) | State::Server(socket) | State::Datagram { socket, .. } => {
                Ok(socket)
            }
            State::Client(stream) => Ok(stream.socket()),
            State::Closed => Err(Failure::Closed),
        }
    }

    /// The descriptor, if the socket is open.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.raw().ok().map(AsFd::as_fd)
    }

    /// Whether bytes wait where `select` cannot see them.
    pub(super) fn has_unread(&self) -> bool {
        matches!(&self.state, State::Client(stream) if stream.has_unread())
    }
}

/// A new socket; all of them are non-blocking, waiting is done by `Clock`.
fn open(domain: Domain, kind: Type) -> io::Result<socket2::Socket> {
    let protocol = match (domain, kind) {
        (Domain::Unix, _) => None,
        (_, Type::DGRAM) => Some(Protocol::UDP),
        _ => Some(Protocol::TCP),
    };
    let socket = socket2::Socket::new(domain.raw(), kind, protocol)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn domain_of(address: &SockAddr) -> Domain {
    match (address.is_ipv6(), address.is_unix()) {
        (true, _) => Domain::Inet(Family::V6),
        (_, true) => Domain::Unix,
        _ => Domain::Inet(Family::V4),
    }
}

/// Connects a non-blocking socket and waits for the outcome.
pub(super) fn connect(
    socket: &socket2::Socket,
    address: &SockAddr,
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<(), Failure> {
    match socket.connect(address) {
        Ok(()) => return Ok(()),
        Err(error) if is_pending(&error) => {}
        Err(error) => return Err(error.into()),
    }
    clock.wait(socket, PollFlags::OUT, running)?;
    match socket.take_error()? {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn is_pending(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// The socket at argument 1, for writing.
pub(super) fn socket<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, Socket>, Error> {
    call.check_object_mut::<Socket>(1)
}

/// The error of a method that the socket does not have in its state.
pub(super) fn wrong_state(socket: &Socket, expected: &str) -> Error {
    Error::argument(
        1,
        format!("{expected} expected, got {}", socket.class_name()),
    )
}

fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_object::<Socket>(1)?.class_name();
    let identity = call.identity(1)?;
    let number = identity.rsplit(' ').next().unwrap_or("");
    call.push_bytes(format!("{name}: {number}"))?;
    Ok(1)
}

fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut socket = socket(call)?;
    if let State::Client(stream) = &mut socket.state {
        stream.say_goodbye();
    }
    socket.state = State::Closed;
    drop(socket);
    call.recount(1)?;
    call.push_integer(1)?;
    Ok(1)
}

fn dirty(call: &mut Call<'_>) -> Result<usize, Error> {
    let dirty = call.check_object::<Socket>(1)?.has_unread();
    call.push_bool(dirty)?;
    Ok(1)
}

fn getfd(call: &mut Call<'_>) -> Result<usize, Error> {
    let fd = call
        .check_object::<Socket>(1)?
        .fd()
        .map_or(-1, |fd| fd.as_raw_fd());
    call.push_integer(fd.into())?;
    Ok(1)
}

/// `getfamily()`: `inet4`, `inet6` or `unix`
fn getfamily(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = match call.check_object::<Socket>(1)?.domain {
        Domain::Inet(Family::V6) => "inet6",
        Domain::Inet(_) => "inet4",
        Domain::Unix => "unix",
    };
    call.push_bytes(name)?;
    Ok(1)
}

fn getsockname(call: &mut Call<'_>) -> Result<usize, Error> {
    let address = call
        .check_object::<Socket>(1)?
        .raw()
        .and_then(|raw| Ok(raw.local_addr()?));
    push_name(call, address)
}

fn getpeername(call: &mut Call<'_>) -> Result<usize, Error> {
    let address = call
        .check_object::<Socket>(1)?
        .raw()
        .and_then(|raw| Ok(raw.peer_addr()?));
    push_name(call, address)
}

fn push_name(call: &mut Call<'_>, address: Result<SockAddr, Failure>) -> Result<usize, Error> {
    match address {
        Ok(address) => push_address(call, &address),
        Err(failure) => super::push_failure(call, &failure),
    }
}

/// Pushes ip, port and family, or a path.
pub(super) fn push_address(call: &mut Call<'_>, address: &SockAddr) -> Result<usize, Error> {
    match address.as_socket() {
        Some(address) => {
            call.push_bytes(address.ip().to_string())?;
            call.push_integer(address.port().into())?;
            call.push_bytes(Family::name_of(&address))?;
            Ok(3)
        }
        None => {
            let path = address.as_pathname().unwrap_or(Path::new(""));
            call.push_bytes(path.as_os_str().as_bytes())?;
            Ok(1)
        }
    }
}

fn receive(call: &mut Call<'_>) -> Result<usize, Error> {
    let is_datagram = matches!(socket(call)?.state, State::Datagram { .. });
    if is_datagram {
        datagram::receive(call)
    } else {
        tcp::receive(call)
    }
}

fn send(call: &mut Call<'_>) -> Result<usize, Error> {
    let is_datagram = matches!(socket(call)?.state, State::Datagram { .. });
    if is_datagram {
        datagram::send(call)
    } else {
        tcp::send(call)
    }
}
