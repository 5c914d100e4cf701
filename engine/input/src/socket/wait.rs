//! Waiting for sockets: with LuaSocket's two timeouts, and never longer than a moment without asking whether to stop.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

/// The longest time between two looks at whether the plugin has to stop.
const STEP: Duration = Duration::from_millis(100);
/// After this a wait counts as endless; it keeps sums of moments within bounds.
const ENDLESS: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Says whether the plugin may go on.
pub trait Running {
    /// False once the host wants the plugin to end.
    fn running(&mut self) -> bool;
}

impl<F: FnMut() -> bool> Running for F {
    fn running(&mut self) -> bool {
        self()
    }
}

/// Why an operation on a socket did not do all it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The time is over, or the host is stopping.
    #[error("timeout")]
    Timeout,
    /// The other side is gone.
    #[error("closed")]
    Closed,
    /// More bytes arrived than the plugin's memory has room for.
    #[error("too long")]
    TooLong,
    /// A name that does not resolve.
    #[error("host not found")]
    HostNotFound,
    /// TLS has to wait for bytes from the other side, and the time is over.
    #[error("wantread")]
    WantRead,
    /// TLS has to wait until the other side takes bytes, and the time is over.
    #[error("wantwrite")]
    WantWrite,
    /// What TLS complains about.
    #[error("{0}")]
    Tls(String),
    /// Everything else the system says.
    #[error("{}", text_of(.0))]
    System(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Failure::Closed,
            io::ErrorKind::TimedOut => Failure::Timeout,
            _ => Failure::System(error),
        }
    }
}

impl From<rustix::io::Errno> for Failure {
    fn from(error: rustix::io::Errno) -> Failure {
        io::Error::from(error).into()
    }
}

/// LuaSocket's words for what plugins compare with; the system's for the rest.
fn text_of(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".into(),
        io::ErrorKind::AddrInUse => "address already in use".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => {
            let text = error.to_string();
            match text.find(" (os error") {
                Some(at) => text[..at].to_owned(),
                None => text,
            }
        }
    }
}

/// The two timeouts of a socket: of one wait, and of a whole call. `None` waits as long as it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// The longest single wait.
    pub block: Option<Duration>,
    /// The longest call.
    pub total: Option<Duration>,
}

impl Timeouts {
    /// The clock of one call that starts now.
    pub fn start(&self) -> Clock {
        Clock {
            timeouts: *self,
            started: Instant::now(),
        }
    }
}

/// A number of seconds as a plugin gives it: none or a negative one means without end.
pub fn duration(seconds: Option<f64>) -> Option<Duration> {
    let seconds = seconds.filter(|s| *s >= 0.0)?;
    let duration = Duration::try_from_secs_f64(seconds).ok();
    duration.filter(|duration| *duration < ENDLESS)
}

/// Measures one call against its timeouts.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    timeouts: Timeouts,
    started: Instant,
}

impl Clock {
    /// How long a wait that begins now may take.
    pub(super) fn left(&self) -> Option<Duration> {
        let total = self.timeouts.total;
        let total = total.map(|total| total.saturating_sub(self.started.elapsed()));
        match (self.timeouts.block, total) {
            (Some(block), Some(total)) => Some(block.min(total)),
            (block, total) => block.or(total),
        }
    }

    /// Returns when `fd` is ready for what `wanted` says, or has an error to tell.
    ///
    /// # Errors
    /// `Timeout` when the time is over or the host stops.
    pub fn wait(
        &self,
        fd: &impl AsFd,
        wanted: PollFlags,
        running: &mut dyn Running,
    ) -> Result<(), Failure> {
        let mut fds = [PollFd::new(fd, wanted)];
        if any_ready(&mut fds, self.left(), running)? {
            return Ok(());
        }
        Err(Failure::Timeout)
    }
}

/// Waits until one of `fds` is ready: true, or until the time is over or the host stops: false.
///
/// # Errors
/// The system's.
pub fn any_ready(
    fds: &mut [PollFd<'_>],
    time: Option<Duration>,
    running: &mut dyn Running,
) -> Result<bool, Failure> {
    // What is ready at once costs one system call and no look at the clock.
    if poll(fds, Duration::ZERO)? {
        return Ok(true);
    }
    let end = time.map(|time| Instant::now() + time.min(ENDLESS));
    loop {
        let left = end.map_or(STEP, |end| end.saturating_duration_since(Instant::now()));
        if left.is_zero() || !running.running() {
            return Ok(false);
        }
        if poll(fds, left.min(STEP))? {
            return Ok(true);
        }
    }
}

fn poll(fds: &mut [PollFd<'_>], time: Duration) -> Result<bool, Failure> {
    let time = Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: i64::from(time.subsec_nanos()),
    };
    match rustix::event::poll(fds, Some(&time)) {
        Ok(n) => Ok(n > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_host_ends_an_endless_wait() {
        let (left, _right) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let mut looks = 0;
        let mut running = || {
            looks += 1;
            looks < 2
        };
        let clock = Timeouts::default().start();
        let result = clock.wait(&left, PollFlags::IN, &mut running);
        assert!(matches!(result, Err(Failure::Timeout)));
        assert_eq!(looks, 2);
    }

    #[test]
    fn ready_is_ready_even_without_time() {
        let (left, right) = std::os::unix::net::UnixStream::pair().expect("a pair");
        std::io::Write::write_all(&mut (&right), b"x").expect("room");
        let timeouts = Timeouts {
            block: Some(Duration::ZERO),
            total: None,
        };
        let waited = timeouts.start().wait(&left, PollFlags::IN, &mut || false);
        assert!(waited.is_ok());
    }

    #[test]
    fn no_time_is_a_timeout_without_waiting() {
        let (left, _right) = std::os::unix::net::UnixStream::pair().expect("a pair");
        let timeouts = Timeouts {
            block: None,
            total: Some(Duration::ZERO),
        };
        let waited = timeouts.start().wait(&left, PollFlags::IN, &mut || true);
        assert!(matches!(waited, Err(Failure::Timeout)));
    }

    #[test]
    fn seconds_of_plugins() {
        assert_eq!(duration(None), None);
        assert_eq!(duration(Some(-1.0)), None);
        assert_eq!(duration(Some(f64::NAN)), None);
        assert_eq!(duration(Some(f64::INFINITY)), None);
        assert_eq!(duration(Some(1e300)), None);
        assert_eq!(duration(Some(0.25)), Some(Duration::from_millis(250)));
    }

    #[test]
    fn the_words_plugins_compare_with() {
        let text = |code| Failure::from(io::Error::from_raw_os_error(code)).to_string();
        assert_eq!(text(libc::ECONNREFUSED), "connection refused");
        assert_eq!(text(libc::ECONNRESET), "closed");
        assert_eq!(text(libc::EPIPE), "closed");
        assert_eq!(text(libc::ETIMEDOUT), "timeout");
        assert_eq!(text(libc::EADDRINUSE), "address already in use");
        assert_eq!(text(libc::EADDRNOTAVAIL), "Cannot assign requested address");
    }
}
