//! Group commit: everybody who waits for the queue is served by one sync, then all who came meanwhile by the next.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sandbox::{Intake, Place};
use tokio::sync::oneshot;

/// How long one wait for the queue is, so that those whose time is over are told.
const STEP: Duration = Duration::from_millis(100);
/// The pause after a wait that ended at once without success.
const PAUSE: Duration = Duration::from_millis(5);

/// Someone who waits until what lies before `place` is safe.
struct Waiting {
    place: Place,
    deadline: Instant,
    answer: oneshot::Sender<bool>,
}

/// The thread that waits for the queue on behalf of all submissions.
pub struct Committer {
    orders: Option<Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has none.
    pub fn start(intake: Arc<dyn Intake>) -> std::io::Result<Committer> {
        let (orders, waiting) = channel();
        let thread = std::thread::Builder::new()
            .name("edge-commit".into())
            .spawn(move || work(&*intake, &waiting))?;
        Ok(Committer {
            orders: Some(orders),
            thread: Some(thread),
        })
    }

    /// Waits until everything before `place` is safe; false if that takes longer than `patience`.
    pub async fn safe(&self, place: Place, patience: Duration) -> bool {
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting {
            place,
            deadline: Instant::now() + patience,
            answer,
        };
        let sent = self
            .orders
            .as_ref()
            .is_some_and(|orders| orders.send(waiting).is_ok());
        sent && answered.await.unwrap_or(false)
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            let _it_has_nothing_to_tell = thread.join();
        }
    }
}

fn work(intake: &dyn Intake, orders: &Receiver<Waiting>) {
    let mut group: Vec<Waiting> = Vec::new();
    while let Ok(first) = orders.recv() {
        group.push(first);
        group.extend(orders.try_iter());
        while let Some(last) = group.iter().map(|waiting| waiting.place).max() {
            let began = Instant::now();
            if intake.commit(last, STEP) {
                tell(group.drain(..), true);
            } else {
                let now = Instant::now();
                tell(
                    group.extract_if(.., |waiting| waiting.deadline <= now),
                    false,
                );
                if began.elapsed() < STEP {
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }
}

fn tell(waiting: impl Iterator<Item = Waiting>, safe: bool) {
    for waiting in waiting {
        // A client that has gone away does not care.
        let _gone = waiting.answer.send(safe);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// Is safe up to any place while `works`, and counts the syncs.
    struct Disk {
        works: AtomicBool,
        syncs: AtomicUsize,
    }

    impl Intake for Disk {
        fn append(&self, _: &[u8]) -> Result<Option<Place>, sandbox::InjectError> {
            Ok(None)
        }

        fn appended(&self) -> Place {
            Place::default()
        }

        fn commit(&self, _: Place, timeout: Duration) -> bool {
            self.syncs.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(timeout.min(Duration::from_millis(2)));
            self.works.load(Ordering::Relaxed)
        }
    }

    fn run(works: bool, n: u64, patience: Duration) -> (Vec<bool>, usize) {
        let disk = Arc::new(Disk {
            works: works.into(),
            syncs: 0.into(),
        });
        let committer = Committer::start(disk.clone()).expect("a thread");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let answers = runtime.block_on(async {
            let place = |offset| Place { segment: 0, offset };
            let all = (0..n).map(|offset| committer.safe(place(offset), patience));
            futures_join(all).await
        });
        drop(committer);
        (answers, disk.syncs.load(Ordering::Relaxed))
    }

    /// Polls all until all are done.
    async fn futures_join<F: Future<Output = bool>>(all: impl Iterator<Item = F>) -> Vec<bool> {
        let mut all: Vec<_> = all.map(|future| (Box::pin(future), None)).collect();
        std::future::poll_fn(|context| {
            for (future, answer) in &mut all {
                if answer.is_none()
                    && let std::task::Poll::Ready(safe) = future.as_mut().poll(context)
                {
                    *answer = Some(safe);
                }
            }
            if all.iter().all(|(_, answer)| answer.is_some()) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        })
        .await;
        all.into_iter().filter_map(|(_, answer)| answer).collect()
    }

    #[test]
    fn one_sync_serves_many() {
        let (answers, syncs) = run(true, 1_000, Duration::from_secs(60));
        assert_eq!(answers.len(), 1_000);
        assert!(answers.iter().all(|safe| *safe));
        assert!(syncs < 500, "{syncs} syncs");
    }

    #[test]
    fn nobody_waits_longer_than_told() {
        let (answers, _) = run(false, 10, Duration::from_millis(20));
        assert_eq!(answers, [false; 10]);
    }
}
