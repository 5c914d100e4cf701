//! Brings finished data to a destination in the background: several at once, not too fast, again and again until it is there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use stdx::backoff::{Backoff, Schedule};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::destination::{Body, Destination, Failure, Outlook};

/// How a courier works.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// Deliveries at once.
    pub concurrency: usize,
    /// Attempts a second, at most; none for no limit.
    pub per_second: Option<f64>,
    /// Bytes a second, at most; none for no limit.
    pub bytes_per_second: Option<f64>,
    /// The waits between attempts, and how many there are.
    pub retry: Schedule,
    /// Which failures end the attempts: those that are as hopeless as this one, or worse.
    pub gives_up: Outlook,
}

/// The longest rest that a destination gets because it asks for it.
pub const REST_MAX: Duration = Duration::from_secs(3600);

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            concurrency: 4,
            per_second: None,
            bytes_per_second: None,
            retry: Schedule {
                first: Duration::from_millis(200),
                longest: Duration::from_secs(30),
                attempts: None,
            },
            gives_up: Outlook::Lasting,
        }
    }
}

/// Work that comes before the first attempt, such as compression; on a thread that may wait.
pub type Preparation = Arc<dyn Fn() -> std::io::Result<()> + Send + Sync>;

/// What is to be delivered.
pub struct Parcel {
    /// Under which key.
    pub key: String,
    /// What.
    pub body: Body,
    /// What has to be done before.
    pub prepare: Option<Preparation>,
    /// What the sender knows it by.
    pub name: String,
}

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its key.
    pub key: String,
    /// What the sender knows it by.
    pub name: String,
    /// Bytes that were kept in memory for it.
    pub bytes: usize,
    /// Whether it is there for good.
    pub outcome: Result<(), Failure>,
}

/// What went wrong so far, though it may have gone well later.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Troubles {
    /// Attempts that failed.
    pub count: u64,
    /// Why the last one did.
    pub last: String,
    /// Whether somebody has to do something about the last one.
    pub lasts: bool,
}

/// What all deliveries of a courier share.
struct Route {
    destination: Arc<dyn Destination>,
    pace: Pace,
    /// From when on the next attempt may begin.
    free: Mutex<Instant>,
    troubles: Mutex<Troubles>,
}

/// Delivers parcels; when it is dropped it gives up what is under way.
pub struct Courier {
    runtime: &'static Runtime,
    route: Arc<Route>,
    waiting: VecDeque<Parcel>,
    under_way: JoinSet<Receipt>,
}

impl Courier {
    /// A courier to `destination`.
    pub fn new(
        runtime: &'static Runtime,
        destination: Arc<dyn Destination>,
        pace: Pace,
    ) -> Courier {
        let route = Route {
            destination,
            pace,
            free: Mutex::new(Instant::now()),
            troubles: Mutex::default(),
        };
        Courier {
            runtime,
            route: Arc::new(route),
            waiting: VecDeque::new(),
            under_way: JoinSet::new(),
        }
    }

    /// Takes a parcel.
    pub fn send(&mut self, parcel: Parcel) {
        self.waiting.push_back(parcel);
        self.start();
    }

    /// Parcels without a receipt.
    pub fn pending(&self) -> usize {
        self.waiting.len() + self.under_way.len()
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        lock(&self.route.troubles).clone()
    }

    /// A receipt, if there is one already.
    pub fn receipt(&mut self) -> Option<Receipt> {
        let done = self.under_way.try_join_next()?;
        self.start();
        Some(receipt_of(done))
    }

    /// Waits for the next receipt; none when nothing is under way. Whoever stops waiting misses nothing.
    pub async fn next_receipt(&mut self) -> Option<Receipt> {
        let done = self.under_way.join_next().await?;
        self.start();
        Some(receipt_of(done))
    }

    fn start(&mut self) {
        while self.under_way.len() < self.route.pace.concurrency.max(1) {
            let Some(parcel) = self.waiting.pop_front() else {
                return;
            };
            let work = deliver(Arc::clone(&self.route), parcel);
            self.under_way.spawn_on(work, self.runtime.handle());
        }
    }
}

fn receipt_of(done: Result<Receipt, tokio::task::JoinError>) -> Receipt {
    done.expect("deliveries neither panic nor are aborted one by one")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn deliver(route: Arc<Route>, parcel: Parcel) -> Receipt {
    let mut backoff = Backoff::new(route.pace.retry);
    let mut prepare = parcel.prepare.clone();
    let outcome = loop {
        let Err(failure) = attempt(&route, &parcel, &mut prepare).await else {
            break Ok(());
        };
        {
            let mut troubles = lock(&route.troubles);
            troubles.count += 1;
            troubles.last = format!("{}: {failure}", parcel.key);
            troubles.lasts = failure.lasts();
        }
        // Whatever lasts is no better than what passes; a pace that gives up on passing ones would try nothing twice.
        if failure.lasts() && failure.outlook >= route.pace.gives_up {
            break Err(failure);
        }
        if let Some(rest) = failure.rest {
            route.rest(rest);
        }
        match backoff.next_wait() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => break Err(failure),
        }
    };
    let bytes = match &parcel.body {
        Body::Bytes(bytes) => bytes.len(),
        Body::File(_) => 0,
    };
    Receipt {
        bytes,
        key: parcel.key,
        name: parcel.name,
        outcome,
    }
}

async fn attempt(
    route: &Route,
    parcel: &Parcel,
    prepare: &mut Option<Preparation>,
) -> Result<(), Failure> {
    if let Some(work) = prepare.clone() {
        let done = tokio::task::spawn_blocking(move || work()).await;
        let done = done.map_err(|error| Failure::passing(format!("preparing: {error}")))?;
        done.map_err(|error| Failure::passing(format!("preparing: {error}")))?;
        *prepare = None;
    }
    let len = parcel.body.len()?;
    route.wait_for_turn(len).await;
    route.destination.put(&parcel.key, &parcel.body).await
}

impl Route {
    /// Leaves the destination alone for a while.
    fn rest(&self, rest: Duration) {
        let until = Instant::now() + rest.min(REST_MAX);
        let mut free = lock(&self.free);
        *free = (*free).max(until);
    }

    /// Waits until the limits allow an attempt with so many bytes.
    async fn wait_for_turn(&self, len: u64) {
        let turn = {
            let requests = self.pace.per_second.map_or(0.0, |rate| 1.0 / rate);
            let bytes = self
                .pace
                .bytes_per_second
                .map_or(0.0, |rate| len as f64 / rate);
            let cost =
                Duration::try_from_secs_f64(requests.max(bytes)).unwrap_or(Duration::MAX / 4);
            let mut free = lock(&self.free);
            let turn = (*free).max(Instant::now());
            *free = turn.checked_add(cost).unwrap_or(turn);
            turn
        };
        tokio::time::sleep_until(turn).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Work;
    use crate::runtime::runtime;

    /// Says what was planned, one after the other, then takes everything.
    struct Moody {
        plan: Mutex<VecDeque<Failure>>,
        taken: Mutex<Vec<String>>,
    }

    impl Destination for Moody {
        fn put<'a>(&'a self, key: &'a str, _: &'a Body) -> Work<'a, ()> {
            Box::pin(async move {
                match lock(&self.plan).pop_front() {
                    Some(failure) => Err(failure),
                    None => {
                        lock(&self.taken).push(key.to_owned());
                        Ok(())
                    }
                }
            })
        }
    }

    fn courier(plan: Vec<Failure>, pace: Pace) -> (Courier, Arc<Moody>) {
        let moody = Arc::new(Moody {
            plan: Mutex::new(plan.into()),
            taken: Mutex::default(),
        });
        let runtime = runtime().expect("threads");
        (Courier::new(runtime, moody.clone(), pace), moody)
    }

    fn quick() -> Pace {
        let mut pace = Pace::default();
        pace.retry.first = Duration::from_millis(1);
        pace
    }

    fn parcel(n: u64) -> Parcel {
        Parcel {
            key: n.to_string(),
            body: Body::Bytes(Arc::new([1])),
            prepare: None,
            name: n.to_string(),
        }
    }

    fn receipts(courier: &mut Courier) -> Vec<Receipt> {
        let mut all = Vec::new();
        while let Some(receipt) = courier.runtime.block_on(courier.next_receipt()) {
            all.push(receipt);
        }
        all
    }

    #[test]
    fn a_passing_failure_is_tried_again_and_a_lasting_one_is_told() {
        let plan = vec![
            Failure::passing("a"),
            Failure::passing("b"),
            Failure::lasting("c"),
        ];
        let pace = Pace {
            concurrency: 1,
            ..quick()
        };
        let (mut courier, moody) = courier(plan, pace);
        courier.send(parcel(1));
        courier.send(parcel(2));
        assert_eq!(courier.pending(), 2);
        let all = receipts(&mut courier);
        assert_eq!(all[0].outcome, Err(Failure::lasting("c")));
        assert_eq!((all[1].name.as_str(), &all[1].outcome), ("2", &Ok(())));
        assert_eq!(*lock(&moody.taken), ["2"]);
        let troubles = courier.troubles();
        assert_eq!((troubles.count, troubles.last.as_str()), (3, "1: c"));
        assert_eq!((courier.pending(), courier.receipt()), (0, None));
    }

    #[test]
    fn attempts_may_end_or_not() {
        let mut pace = quick();
        pace.retry.attempts = Some(1);
        let (mut courier, _) = courier(vec![Failure::passing("x"); 2], pace);
        courier.send(parcel(1));
        assert_eq!(
            receipts(&mut courier)[0].outcome,
            Err(Failure::passing("x"))
        );

        let stubborn = Pace {
            gives_up: Outlook::Refused,
            ..quick()
        };
        let plan = vec![Failure::lasting("no bucket"); 5];
        let (mut courier, moody) = self::courier(plan, stubborn.clone());
        courier.send(parcel(1));
        assert_eq!(receipts(&mut courier)[0].outcome, Ok(()));
        assert_eq!(lock(&moody.taken).len(), 1);
        let (mut courier, moody) = self::courier(vec![Failure::refused("too large")], stubborn);
        courier.send(parcel(1));
        let outcome = receipts(&mut courier).remove(0).outcome;
        assert_eq!(outcome, Err(Failure::refused("too large")));
        assert_eq!(lock(&moody.taken).len(), 0);
    }

    #[test]
    fn what_comes_before_is_done_until_it_works_and_then_not_again() {
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        let (mut courier, _) = courier(vec![Failure::passing("later")], quick());
        courier.send(Parcel {
            prepare: Some(Arc::new(move || {
                *lock(&counted) += 1;
                match *lock(&counted) {
                    1 => Err(std::io::ErrorKind::StorageFull.into()),
                    _ => Ok(()),
                }
            })),
            ..parcel(1)
        });
        assert_eq!(receipts(&mut courier)[0].outcome, Ok(()));
        assert_eq!(*lock(&count), 2);
    }

    #[test]
    fn limits_space_the_attempts_out() {
        let pace = Pace {
            per_second: Some(1000.0),
            bytes_per_second: Some(100.0),
            ..quick()
        };
        let (courier, _) = courier(vec![], pace);
        let begin = Instant::now();
        courier.runtime.block_on(async {
            courier.route.wait_for_turn(3).await;
            courier.route.wait_for_turn(0).await;
        });
        // 3 bytes at 100 a second, then one attempt at 1000 a second.
        assert!(*lock(&courier.route.free) - begin >= Duration::from_millis(31));
    }

    #[test]
    fn a_destination_that_asks_for_a_rest_gets_it() {
        let mut busy = Failure::passing("busy");
        busy.rest = Some(Duration::from_millis(300));
        let (mut courier, moody) = courier(vec![busy], quick());
        let begin = Instant::now();
        courier.send(parcel(1));
        assert_eq!(receipts(&mut courier)[0].outcome, Ok(()));
        assert_eq!(lock(&moody.taken).len(), 1);
        assert!(*lock(&courier.route.free) - begin >= Duration::from_millis(300));
    }
}
