//! A connected byte stream, plain or over TLS: buffered reads in LuaSocket's three patterns, and writes that tell how far
//! they came.

use std::io::{self, Read};
use std::net::Shutdown;
use std::time::Instant;

use rustix::event::PollFlags;
use socket2::Socket;

use super::tls::Tls;
use super::wait::{Clock, Failure, Running};

/// How much is read from the kernel at once.
const READ_SIZE: usize = 32 * 1024;

/// What `receive` was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// `*l`: a line of at most this many bytes, without its end and without any carriage return.
    Line(usize),
    /// `*a`: everything until the other side closes.
    All,
    /// This many bytes.
    Count(usize),
}

/// What a connection has moved, and since when it is.
#[derive(Clone, Copy, Debug)]
pub struct Stats {
    /// Bytes read by the plugin's side from the network.
    pub received: u64,
    /// Bytes given to the network.
    pub sent: u64,
    /// When the connection was made.
    pub born: Instant,
}

/// One connection over TCP or a Unix socket. The socket must be in non-blocking mode.
pub struct Stream {
    socket: Socket,
    tls: Option<Box<Tls>>,
    unread: Vec<u8>,
    at: usize,
    stats: Stats,
}

impl Stream {
    /// Takes over a connected socket and makes it non-blocking.
    ///
    /// # Errors
    /// The system's.
    pub fn new(socket: Socket) -> io::Result<Stream> {
        socket.set_nonblocking(true)?;
        let stats = Stats {
            received: 0,
            sent: 0,
            born: Instant::now(),
        };
        Ok(Stream {
            socket,
            tls: None,
            unread: Vec::new(),
            at: 0,
            stats,
        })
    }

    /// The socket, for its addresses and options.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Speaks TLS from now on. What came unasked before is dropped: it must not pass for what was said over TLS.
    pub fn set_tls(&mut self, tls: Tls) {
        self.unread.clear();
        self.at = 0;
        self.tls = Some(Box::new(tls));
    }

    /// The TLS side, if there is one.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_deref()
    }

    /// The TLS side, if there is one, with the socket below it.
    pub fn tls_mut(&mut self) -> Option<(&mut Tls, &Socket)> {
        self.tls.as_deref_mut().map(|tls| (tls, &self.socket))
    }

    /// Tells the other side of a TLS connection that this is the end, as far as it takes it without waiting.
    pub fn say_goodbye(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.say_goodbye(&self.socket);
        }
    }

    /// What was moved so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Changes what was counted so far; the age stays.
    pub fn set_counts(&mut self, received: u64, sent: u64) {
        self.stats.received = received;
        self.stats.sent = sent;
    }

    /// Whether bytes wait in the buffer, which `select` cannot see.
    pub fn has_unread(&self) -> bool {
        self.at < self.unread.len() || self.tls.as_ref().is_some_and(|tls| tls.has_unread())
    }

    /// Appends what `pattern` asks for to `out`, as long as `fits` agrees to its length. What came before a failure is
    /// in `out` as well.
    ///
    /// # Errors
    /// `Timeout`, `Closed` (not for `*a`, which ends there), `TooLong`, the system's.
    pub fn receive(
        &mut self,
        pattern: Pattern,
        out: &mut Vec<u8>,
        fits: &dyn Fn(usize) -> bool,
        clock: &Clock,
        running: &mut dyn Running,
    ) -> Result<(), Failure> {
        // Carriage returns take time, though no memory.
        let mut consumed = 0;
        loop {
            let unread = &self.unread[self.at..];
            let (used, done) = match pattern {
                Pattern::Line(longest) => {
                    take_line(unread, out, &|len| len <= longest && fits(len))?
                }
                Pattern::All => take_bytes(unread, usize::MAX, out, fits)?,
                Pattern::Count(count) => take_bytes(unread, count, out, fits)?,
            };
            self.at += used;
            consumed += used;
            if done {
                return Ok(());
            }
            let longest = match pattern {
                Pattern::Line(longest) => longest,
                _ => usize::MAX,
            };
            if consumed > longest || !fits(consumed) {
                return Err(Failure::TooLong);
            }
            match self.fill(clock, running) {
                Err(Failure::Closed) if pattern == Pattern::All => return Ok(()),
                other => other?,
            }
        }
    }

    /// Reads once from the other side; only called with an empty buffer.
    fn fill(&mut self, clock: &Clock, running: &mut dyn Running) -> Result<(), Failure> {
        self.unread.resize(READ_SIZE, 0);
        self.at = READ_SIZE;
        let n = match &mut self.tls {
            Some(tls) => tls.read(&self.socket, &mut self.unread, clock, running)?,
            None => read_plain(&self.socket, &mut self.unread, clock, running)?,
        };
        self.unread.truncate(n);
        self.at = 0;
        self.stats.received += n as u64;
        Ok(())
    }

    /// Sends `data`. The first value is how many bytes the kernel took, also when the second is a failure.
    pub fn send(
        &mut self,
        data: &[u8],
        clock: &Clock,
        running: &mut dyn Running,
    ) -> (usize, Result<(), Failure>) {
        let (sent, result) = match &mut self.tls {
            Some(tls) => tls.send(&self.socket, data, clock, running),
            None => send_plain(&self.socket, data, clock, running),
        };
        self.stats.sent += sent as u64;
        (sent, result)
    }

    /// Ends one or both directions.
    ///
    /// # Errors
    /// The system's.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }
}

fn read_plain(
    socket: &Socket,
    buffer: &mut [u8],
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<usize, Failure> {
    loop {
        match (&*socket).read(buffer) {
            Ok(0) => return Err(Failure::Closed),
            Ok(n) => return Ok(n),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                clock.wait(socket, PollFlags::IN, running)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn send_plain(
    socket: &Socket,
    data: &[u8],
    clock: &Clock,
    running: &mut dyn Running,
) -> (usize, Result<(), Failure>) {
    let mut sent = 0;
    while sent < data.len() {
        match socket.send_with_flags(&data[sent..], libc::MSG_NOSIGNAL) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                if let Err(failure) = clock.wait(socket, PollFlags::OUT, running) {
                    return (sent, Err(failure));
                }
            }
            Err(error) => return (sent, Err(error.into())),
        }
    }
    (sent, Ok(()))
}

/// Moves bytes up to the line end into `out`: how many were used, and whether the line is complete.
fn take_line(
    unread: &[u8],
    out: &mut Vec<u8>,
    fits: &dyn Fn(usize) -> bool,
) -> Result<(usize, bool), Failure> {
    let end = memchr::memchr(b'\n', unread);
    let line = &unread[..end.unwrap_or(unread.len())];
    if !fits(out.len() + line.len()) {
        return Err(Failure::TooLong);
    }
    match memchr::memchr(b'\r', line) {
        None => out.extend_from_slice(line),
        Some(_) => out.extend(line.iter().filter(|&&c| c != b'\r')),
    }
    Ok((line.len() + usize::from(end.is_some()), end.is_some()))
}

/// Moves bytes into `out` until it has `count`.
fn take_bytes(
    unread: &[u8],
    count: usize,
    out: &mut Vec<u8>,
    fits: &dyn Fn(usize) -> bool,
) -> Result<(usize, bool), Failure> {
    let wanted = count.saturating_sub(out.len()).min(unread.len());
    if !fits(out.len() + wanted) {
        return Err(Failure::TooLong);
    }
    out.extend_from_slice(&unread[..wanted]);
    Ok((wanted, out.len() >= count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::wait::Timeouts;
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn pair() -> (Stream, UnixStream) {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let stream = Stream::new(Socket::from(std::os::fd::OwnedFd::from(ours))).expect("open");
        (stream, theirs)
    }

    fn receive(stream: &mut Stream, pattern: Pattern) -> (Vec<u8>, Result<(), Failure>) {
        let mut out = Vec::new();
        let timeouts = Timeouts {
            block: Some(Duration::ZERO),
            total: None,
        };
        let result = stream.receive(pattern, &mut out, &|_| true, &timeouts.start(), &mut || {
            true
        });
        (out, result)
    }

    #[test]
    fn lines_lose_their_ends_and_carriage_returns() {
        let (mut stream, mut peer) = pair();
        peer.write_all(b"one\r\ntw\ro\n\nrest").expect("room");
        assert_eq!(receive(&mut stream, Pattern::Line(usize::MAX)).0, b"one");
        assert_eq!(receive(&mut stream, Pattern::Line(usize::MAX)).0, b"two");
        assert_eq!(receive(&mut stream, Pattern::Line(usize::MAX)).0, b"");
        let (partial, result) = receive(&mut stream, Pattern::Line(usize::MAX));
        assert_eq!(partial, b"rest");
        assert!(matches!(result, Err(Failure::Timeout)));
        drop(peer);
        assert!(matches!(
            receive(&mut stream, Pattern::Line(usize::MAX)).1,
            Err(Failure::Closed)
        ));
    }

    #[test]
    fn counts_and_all() {
        let (mut stream, mut peer) = pair();
        peer.write_all(b"abcdef").expect("room");
        assert_eq!(receive(&mut stream, Pattern::Count(2)).0, b"ab");
        assert!(stream.has_unread());
        assert_eq!(receive(&mut stream, Pattern::Count(0)).0, b"");
        drop(peer);
        let (rest, result) = receive(&mut stream, Pattern::All);
        assert_eq!(rest, b"cdef");
        assert!(result.is_ok());
        assert!(matches!(
            receive(&mut stream, Pattern::Count(1)).1,
            Err(Failure::Closed)
        ));
        assert_eq!(stream.stats().received, 6);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused() {
        let (mut stream, mut peer) = pair();
        peer.write_all(&[b'x'; 100]).expect("room");
        let mut out = Vec::new();
        let clock = Timeouts::default().start();
        let result = stream.receive(
            Pattern::Line(usize::MAX),
            &mut out,
            &|len| len <= 64,
            &clock,
            &mut || true,
        );
        assert!(matches!(result, Err(Failure::TooLong)));
        assert!(out.len() <= 64);
    }

    #[test]
    fn a_line_of_carriage_returns_ends_too() {
        let (mut stream, mut peer) = pair();
        peer.write_all(&[b'\r'; 100]).expect("room");
        let clock = Timeouts::default().start();
        let fits = |len: usize| len <= 64;
        let result = stream.receive(
            Pattern::Line(usize::MAX),
            &mut Vec::new(),
            &fits,
            &clock,
            &mut || true,
        );
        assert!(matches!(result, Err(Failure::TooLong)));
    }

    #[test]
    fn a_full_peer_leaves_a_partial_send() {
        let (mut stream, peer) = pair();
        let data = vec![b'x'; 8 << 20];
        let timeouts = Timeouts {
            block: Some(Duration::ZERO),
            total: None,
        };
        let (sent, result) = stream.send(&data, &timeouts.start(), &mut || true);
        assert!(sent > 0 && sent < data.len());
        assert!(matches!(result, Err(Failure::Timeout)));
        drop(peer);
        let (_, result) = stream.send(b"x", &timeouts.start(), &mut || true);
        assert!(matches!(result, Err(Failure::Closed)));
    }
}
