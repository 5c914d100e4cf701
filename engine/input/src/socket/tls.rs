//! TLS over a connected socket: the handshake, reads and writes, with the waits and words of LuaSec.

use std::io::{self, Read, Write};
use std::sync::Arc;

use rustix::event::PollFlags;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, Connection, ServerConfig, ServerConnection};
use socket2::Socket;

use super::wait::{Clock, Failure, Running};

/// Data that is encrypted at once: one record.
const MAX_PIECE: usize = 16 * 1024;
/// What rustls holds for one connection, about: a record in each direction and its state.
pub(super) const MEMORY: usize = 64 * 1024;

/// Which side of TLS to be, and how.
#[derive(Clone, Debug)]
pub enum Side {
    /// The side that connected.
    Client(Arc<ClientConfig>),
    /// The side that was connected to.
    Server(Arc<ServerConfig>),
}

/// The TLS side of one connection.
pub struct Tls {
    phase: Phase,
    /// The host that the certificate must be for, and that a server of many hosts is told.
    name: Option<String>,
    /// Data that is encrypted, but not yet taken by the kernel, and not yet reported as sent.
    held: Vec<u8>,
    has_plaintext: bool,
    is_verified: bool,
}

enum Phase {
    New(Side),
    Open(Box<Connection>),
    /// What went wrong before the end, if anything did.
    Broken,
}

/// What a connection agreed on.
#[derive(Clone, Copy, Debug)]
pub struct Agreed {
    /// The version of the protocol.
    pub version: rustls::ProtocolVersion,
    /// The cipher suite.
    pub suite: rustls::CipherSuite,
}

impl Tls {
    /// A side that has not shaken hands yet.
    pub fn new(side: Side, is_verified: bool) -> Tls {
        Tls {
            phase: Phase::New(side),
            name: None,
            held: Vec::new(),
            has_plaintext: false,
            is_verified,
        }
    }

    /// Sets the host to ask for; false when it is too late, or this is the server.
    pub fn set_name(&mut self, name: &str) -> bool {
        self.name = Some(name.to_owned());
        matches!(self.phase, Phase::New(Side::Client(_)))
    }

    /// The host that was asked for, at either side.
    pub fn name(&self) -> Option<&str> {
        match &self.phase {
            Phase::Open(connection) => match &**connection {
                Connection::Server(server) => server.server_name(),
                Connection::Client(_) => self.name.as_deref(),
            },
            _ => self.name.as_deref(),
        }
    }

    fn connected(&self) -> Option<&Connection> {
        match &self.phase {
            Phase::Open(connection) if !connection.is_handshaking() => Some(connection),
            _ => None,
        }
    }

    /// Whether bytes, or the end, wait where `select` cannot see them.
    pub fn has_unread(&self) -> bool {
        self.has_plaintext
    }

    /// Whether the other side has shown a certificate, and a good one.
    pub fn is_verified(&self) -> bool {
        self.is_verified && !self.peer_certificates().is_empty()
    }

    /// The other side's certificate and those it sent with it.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        let connection = self.connected();
        connection
            .and_then(|c| c.peer_certificates())
            .unwrap_or(&[])
    }

    /// The application protocol both agreed on.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.connected()?.alpn_protocol()
    }

    /// What both agreed on, after the handshake.
    pub fn agreed(&self) -> Option<Agreed> {
        let connection = self.connected()?;
        Some(Agreed {
            version: connection.protocol_version()?,
            suite: connection.negotiated_cipher_suite()?.suite(),
        })
    }

    /// What an operation that ended early waits for.
    pub fn wants(&self) -> &'static str {
        match &self.phase {
            Phase::Open(connection) if connection.wants_write() => "write",
            Phase::Open(connection) if connection.is_handshaking() => "read",
            _ => "nothing",
        }
    }

    /// Shakes hands, or goes on with it.
    ///
    /// # Errors
    /// `WantRead` or `WantWrite` when the time is over, `Timeout` when the host stops, `Closed`, or what TLS complains of.
    pub fn handshake(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<(), Failure> {
        self.open()?;
        loop {
            self.flush(socket, clock, running)?;
            match &self.phase {
                Phase::Open(connection) if connection.is_handshaking() => {}
                Phase::Open(_) => return Ok(()),
                _ => return Err(Failure::Closed),
            }
            self.pull(socket, clock, running)?;
        }
    }

    /// Begins the conversation.
    fn open(&mut self) -> Result<(), Failure> {
        let Phase::New(side) = &self.phase else {
            return Ok(());
        };
        let connection = match side {
            Side::Client(config) => {
                let name = match &self.name {
                    Some(name) => ServerName::try_from(name.clone())
                        .map_err(|_| Failure::Tls(format!("invalid host name '{name}'")))?,
                    None => tls::no_name(),
                };
                ClientConnection::new(Arc::clone(config), name).map(Connection::Client)
            }
            Side::Server(config) => {
                ServerConnection::new(Arc::clone(config)).map(Connection::Server)
            }
        };
        let connection = connection.map_err(|error| Failure::Tls(tls::text_of(&error)))?;
        self.phase = Phase::Open(Box::new(connection));
        Ok(())
    }

    /// The conversation after the handshake.
    fn conversation(&mut self) -> Result<&mut Connection, Failure> {
        match &mut self.phase {
            Phase::Open(connection) if !connection.is_handshaking() => Ok(connection),
            _ => Err(Failure::Closed),
        }
    }

    /// Reads what the other side said; at least one byte.
    ///
    /// # Errors
    /// As [`Tls::handshake`].
    pub fn read(
        &mut self,
        socket: &Socket,
        buffer: &mut [u8],
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<usize, Failure> {
        loop {
            let connection = self.conversation()?;
            match connection.reader().read(buffer) {
                Ok(0) => return Err(Failure::Closed),
                Ok(n) => {
                    self.note_unread()?;
                    return Ok(n);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The end without a goodbye.
                Err(_) => return Err(Failure::Closed),
            }
            self.pull(socket, clock, running)?;
        }
    }

    /// Takes bytes from the kernel once.
    fn pull(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<(), Failure> {
        let Phase::Open(connection) = &mut self.phase else {
            return Err(Failure::Closed);
        };
        loop {
            match connection.read_tls(&mut &*socket) {
                Ok(0) if connection.is_handshaking() => return Err(self.broken(Failure::Closed)),
                Ok(_) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waited = clock.wait(socket, PollFlags::IN, running);
                    waited.map_err(|failure| wanted(failure, Failure::WantRead, running))?;
                }
                Err(error) => return Err(self.broken(error.into())),
            }
        }
        if let Err(error) = connection.process_new_packets() {
            // The other side is told why, if it takes it at once.
            let _ = connection.write_tls(&mut Quiet(socket));
            return Err(self.broken(Failure::Tls(tls::text_of(&error))));
        }
        // An answer to the other side's messages goes out when it can.
        if connection.wants_write() && !connection.is_handshaking() {
            let _ = connection.write_tls(&mut Quiet(socket));
        }
        self.note_unread()
    }

    fn broken(&mut self, failure: Failure) -> Failure {
        self.phase = Phase::Broken;
        self.has_plaintext = true;
        failure
    }

    fn note_unread(&mut self) -> Result<(), Failure> {
        if let Phase::Open(connection) = &mut self.phase {
            let state = connection
                .process_new_packets()
                .map_err(|error| Failure::Tls(tls::text_of(&error)))?;
            self.has_plaintext = state.plaintext_bytes_to_read() > 0 || state.peer_has_closed();
        }
        Ok(())
    }

    /// Gives the kernel all that waits.
    fn flush(
        &mut self,
        socket: &Socket,
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<(), Failure> {
        let Phase::Open(connection) = &mut self.phase else {
            return Err(Failure::Closed);
        };
        while connection.wants_write() {
            match connection.write_tls(&mut Quiet(socket)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let waited = clock.wait(socket, PollFlags::OUT, running);
                    waited.map_err(|failure| wanted(failure, Failure::WantWrite, running))?;
                }
                Err(error) => return Err(self.broken(error.into())),
            }
        }
        Ok(())
    }

    /// Sends `data`: how many bytes are on their way, also when the second is a failure. A piece that the kernel took only
    /// in part counts as not sent; the next call must begin with the same bytes.
    pub fn send(
        &mut self,
        socket: &Socket,
        data: &[u8],
        clock: &Clock,
        running: &mut dyn Running,
    ) -> (usize, Result<(), Failure>) {
        let mut sent = 0;
        while sent < data.len() {
            match self.send_piece(socket, &data[sent..], clock, running) {
                Ok(n) => sent += n,
                Err(failure) => return (sent, Err(failure)),
            }
        }
        (sent, Ok(()))
    }

    fn send_piece(
        &mut self,
        socket: &Socket,
        data: &[u8],
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<usize, Failure> {
        self.conversation()?;
        if self.held.is_empty() {
            // What is left of an answer goes first, so that the piece fits into rustls' buffer.
            self.flush(socket, clock, running)?;
            let piece = &data[..data.len().min(MAX_PIECE)];
            let taken = self.conversation()?.writer().write(piece)?;
            self.held.extend_from_slice(&piece[..taken]);
        } else if !data.starts_with(&self.held) {
            return Err(Failure::Tls("bad write retry".into()));
        }
        self.flush(socket, clock, running)?;
        let sent = self.held.len();
        self.held.clear();
        Ok(sent)
    }

    /// Says that nothing more comes, if the other side takes it at once.
    pub fn say_goodbye(&mut self, socket: &Socket) {
        if let Phase::Open(connection) = &mut self.phase {
            connection.send_close_notify();
            let _ = connection.write_tls(&mut Quiet(socket));
        }
    }
}

/// The word for a wait that ended too early: `timeout` only when the host stops, so that no plugin tries again.
fn wanted(failure: Failure, want: Failure, running: &mut dyn Running) -> Failure {
    match failure {
        Failure::Timeout if running.running() => want,
        other => other,
    }
}

/// Writes without a signal when the other side is gone.
struct Quiet<'a>(&'a Socket);

impl Write for Quiet<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.send_with_flags(data, libc::MSG_NOSIGNAL)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
