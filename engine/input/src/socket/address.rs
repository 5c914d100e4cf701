//! Names and ports to socket addresses, without holding the plugin while a name server takes its time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::time::Duration;

use super::wait::{Clock, Failure, Running};

/// The longest time between two looks at whether the plugin has to stop.
const STEP: Duration = Duration::from_millis(100);

/// Which addresses are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
    /// Both.
    Any,
}

impl Family {
    /// LuaSocket's names: `inet`, `inet6`, `unspec`.
    pub fn parse(name: &[u8]) -> Option<Family> {
        match name {
            b"inet" => Some(Family::V4),
            b"inet6" => Some(Family::V6),
            b"unspec" => Some(Family::Any),
            _ => None,
        }
    }

    /// The family of an address, by its name.
    pub fn name_of(address: &SocketAddr) -> &'static str {
        match address {
            SocketAddr::V4(_) => "inet",
            SocketAddr::V6(_) => "inet6",
        }
    }

    fn wants(self, address: &SocketAddr) -> bool {
        match self {
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
            Family::Any => true,
        }
    }
}

/// All addresses of `host`, in the order of the system's preference, never none. `*` is every local interface.
///
/// # Errors
/// `HostNotFound`; `Timeout` when `clock` runs out or the host stops first.
pub fn resolve(
    host: &str,
    port: u16,
    family: Family,
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<Vec<SocketAddr>, Failure> {
    let mut addresses = match literal(host, family) {
        Some(ip) => vec![SocketAddr::new(ip, port)],
        None => look_up(host, port, clock, running)?,
    };
    addresses.retain(|address| family.wants(address));
    if addresses.is_empty() {
        return Err(Failure::HostNotFound);
    }
    Ok(addresses)
}

/// What needs no name server.
fn literal(host: &str, family: Family) -> Option<IpAddr> {
    if host == "*" {
        return Some(match family {
            Family::V6 => Ipv6Addr::UNSPECIFIED.into(),
            _ => Ipv4Addr::UNSPECIFIED.into(),
        });
    }
    host.parse().ok()
}

fn look_up(
    host: &str,
    port: u16,
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<Vec<SocketAddr>, Failure> {
    let name = host.to_owned();
    let resolver = move || Ok((name.as_str(), port).to_socket_addrs()?.collect());
    ask_resolver(resolver, clock, running)
}

/// What an address is called.
///
/// # Errors
/// As [`resolve`].
pub fn look_up_name(
    address: IpAddr,
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<String, Failure> {
    ask_resolver(move || dns_lookup::lookup_addr(&address), clock, running)
}

/// The system's resolver cannot be interrupted, so it works on a thread of its own, which is left behind when the
/// plugin has to stop.
fn ask_resolver<T: Send + 'static>(
    question: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    clock: &Clock,
    running: &mut dyn Running,
) -> Result<T, Failure> {
    let (sender, receiver) = mpsc::channel();
    let resolver = move || {
        // Nobody listens any more when the plugin has stopped.
        let _ = sender.send(question());
    };
    std::thread::Builder::new()
        .name("resolver".into())
        .spawn(resolver)?;
    loop {
        match receiver.recv_timeout(STEP.min(clock.left().unwrap_or(STEP))) {
            Ok(found) => return found.map_err(|_| Failure::HostNotFound),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(Failure::HostNotFound),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
        if clock.left().is_some_and(|left| left.is_zero()) || !running.running() {
            return Err(Failure::Timeout);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socket::wait::Timeouts;

    fn addresses(host: &str, family: Family) -> Result<Vec<SocketAddr>, Failure> {
        resolve(host, 80, family, &Timeouts::default().start(), &mut || true)
    }

    #[test]
    fn literals_and_the_star() {
        let v4 = addresses("127.0.0.1", Family::Any).expect("an address");
        assert_eq!(v4, ["127.0.0.1:80".parse().expect("good")]);
        let v6 = addresses("::1", Family::V6).expect("an address");
        assert_eq!(v6, ["[::1]:80".parse().expect("good")]);
        let star = addresses("*", Family::V4).expect("an address");
        assert!(star[0].ip().is_unspecified());
        assert!(matches!(
            addresses("::1", Family::V4),
            Err(Failure::HostNotFound)
        ));
    }

    #[test]
    fn the_name_of_this_machine() {
        let found = addresses("localhost", Family::Any).expect("an address");
        assert!(found.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn a_name_nobody_has() {
        let found = addresses("no such host", Family::Any);
        assert!(matches!(found, Err(Failure::HostNotFound)));
    }
}
