//! Limits how often submissions come: over all clients, and from each.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::RwLock;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::settings::{Rate, Settings};

/// Clients that are remembered at most; beyond that the oldest are forgotten, in the worst case all.
const CLIENTS_MAX: usize = 100_000;
/// How often, in submissions, the number of clients is looked at.
const LOOK_EVERY: u32 = 1_024;

/// The limits of one listener.
pub struct Limiter {
    all: Option<DefaultDirectRateLimiter>,
    each: Option<PerClient>,
}

struct PerClient {
    quota: Quota,
    /// Replaced as a whole when there are too many clients.
    clients: RwLock<DefaultKeyedRateLimiter<IpAddr>>,
    n_seen: AtomicU32,
}

impl Limiter {
    /// The limits that are set.
    pub fn new(settings: &Settings) -> Limiter {
        let each = settings.client_rate.map(|rate| PerClient {
            quota: quota(rate),
            clients: RwLock::new(RateLimiter::keyed(quota(rate))),
            n_seen: AtomicU32::new(0),
        });
        Limiter {
            all: settings.rate.map(|rate| RateLimiter::direct(quota(rate))),
            each,
        }
    }

    /// Whether one more submission of this client is taken now.
    pub fn allows(&self, client: IpAddr) -> bool {
        self.each.as_ref().is_none_or(|each| each.allows(client))
            && self.all.as_ref().is_none_or(|all| all.check().is_ok())
    }
}

impl PerClient {
    fn allows(&self, client: IpAddr) -> bool {
        if self.n_seen.fetch_add(1, Ordering::Relaxed) % LOOK_EVERY == LOOK_EVERY - 1 {
            self.forget();
        }
        let clients = self.clients.read().expect("nothing panics under this lock");
        clients.check_key(&network(client)).is_ok()
    }

    fn forget(&self) {
        let clients = self.clients.read().expect("nothing panics under this lock");
        if clients.len() <= CLIENTS_MAX {
            return;
        }
        clients.retain_recent();
        if clients.len() <= CLIENTS_MAX {
            return;
        }
        drop(clients);
        *self
            .clients
            .write()
            .expect("nothing panics under this lock") = RateLimiter::keyed(self.quota);
    }
}

/// Who counts as one client: an IPv4 address, or an IPv6 network of 64 bits, which one customer has for himself.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

fn quota(rate: Rate) -> Quota {
    let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(at_least_one(rate.per_second)).allow_burst(at_least_one(rate.burst))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_client(burst: u32) -> PerClient {
        let quota = quota(Rate {
            per_second: 1,
            burst,
        });
        PerClient {
            quota,
            clients: RwLock::new(RateLimiter::keyed(quota)),
            n_seen: AtomicU32::new(0),
        }
    }

    #[test]
    fn each_client_has_its_own_burst() {
        let limiter = per_client(2);
        let client = |n: u8| IpAddr::from([10, 0, 0, n]);
        assert!(limiter.allows(client(1)) && limiter.allows(client(1)));
        assert!(!limiter.allows(client(1)));
        assert!(limiter.allows(client(2)));
    }

    #[test]
    fn an_ipv6_network_is_one_client() {
        let limiter = per_client(1);
        assert!(limiter.allows("2001:db8::1".parse().expect("an address")));
        assert!(!limiter.allows("2001:db8::2".parse().expect("an address")));
        assert!(limiter.allows("2001:db8:0:1::1".parse().expect("an address")));
        assert_eq!(
            network("::ffff:1.2.3.4".parse().expect("an address")),
            IpAddr::from([1, 2, 3, 4])
        );
    }

    #[test]
    fn clients_are_forgotten_when_there_are_too_many() {
        let limiter = per_client(1);
        for n in 0..CLIENTS_MAX as u32 + 2 * LOOK_EVERY {
            limiter.allows(IpAddr::from(n.to_be_bytes()));
        }
        assert!(limiter.clients.read().expect("unharmed").len() <= CLIENTS_MAX);
    }
}
