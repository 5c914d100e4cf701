//! Live looks at messages: those who wait on a page get what their expression matches, and never hold the engine up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use matcher::Matcher;
use schemas::view::View;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::Queue;

/// Looks at once.
pub const WATCHES_MAX: usize = 16;

/// Messages that wait for a slow page; more are counted and left out.
const WAITING_MAX: usize = 64;

/// Longest message that is shown, bytes.
const MESSAGE_MAX: usize = 256 << 10;

/// How many messages a look has seen, and what became of them.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages of the queue.
    pub seen: AtomicU64,
    /// Of these, what the expression matches.
    pub matched: AtomicU64,
    /// Of these, what came too fast to be shown.
    pub left_out: AtomicU64,
}

struct Tap {
    queue: Queue,
    matcher: Matcher,
    counts: Arc<Counts>,
    sender: Sender<Vec<u8>>,
}

/// All looks.
#[derive(Default)]
pub struct Watches {
    /// Guards the list; held while a block is looked at.
    taps: Mutex<Vec<Tap>>,
    /// How many there are for each queue, so that a queue without any costs nothing.
    input: AtomicUsize,
    analysis: AtomicUsize,
}

/// One look; it ends when this is dropped.
pub struct Watch {
    /// The messages, bare.
    pub messages: Receiver<Vec<u8>>,
    /// What was counted.
    pub counts: Arc<Counts>,
}

impl Watches {
    fn lock(&self) -> MutexGuard<'_, Vec<Tap>> {
        self.taps.lock().expect("nothing panics under this lock")
    }

    /// Begins a look; `None` when there are too many.
    pub fn begin(&self, queue: Queue, matcher: Matcher) -> Option<Watch> {
        let mut taps = self.lock();
        taps.retain(|tap| !tap.sender.is_closed());
        if taps.len() >= WATCHES_MAX {
            return None;
        }
        let (sender, messages) = channel(WAITING_MAX);
        let counts = Arc::new(Counts::default());
        taps.push(Tap {
            queue,
            matcher,
            counts: Arc::clone(&counts),
            sender,
        });
        self.count(&taps);
        Some(Watch { messages, counts })
    }

    /// Whether anybody looks at this queue.
    pub fn wants(&self, queue: Queue) -> bool {
        self.of(queue).load(Ordering::Relaxed) > 0
    }

    /// Shows a message to those who look at its queue.
    pub fn show(&self, queue: Queue, view: &View<'_>) {
        let mut taps = self.lock();
        let mut is_over = false;
        for tap in taps.iter().filter(|tap| tap.queue == queue) {
            is_over |= tap.show(view);
        }
        if is_over {
            taps.retain(|tap| !tap.sender.is_closed());
            self.count(&taps);
        }
    }

    fn of(&self, queue: Queue) -> &AtomicUsize {
        match queue {
            Queue::Input => &self.input,
            Queue::Analysis => &self.analysis,
        }
    }

    fn count(&self, taps: &[Tap]) {
        for queue in [Queue::Input, Queue::Analysis] {
            let n = taps.iter().filter(|tap| tap.queue == queue).count();
            self.of(queue).store(n, Ordering::Relaxed);
        }
    }
}

impl Tap {
    /// Says whether nobody looks any more.
    fn show(&self, view: &View<'_>) -> bool {
        self.counts.seen.fetch_add(1, Ordering::Relaxed);
        if !self.matcher.matches(view) {
            return self.sender.is_closed();
        }
        self.counts.matched.fetch_add(1, Ordering::Relaxed);
        let fits = view.bytes().len() <= MESSAGE_MAX && self.sender.capacity() > 0;
        if !fits || self.sender.try_send(view.bytes().to_vec()).is_err() {
            self.counts.left_out.fetch_add(1, Ordering::Relaxed);
        }
        self.sender.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use schemas::message::Message;
    use schemas::view::Index;

    use super::*;

    fn show(watches: &Watches, queue: Queue, logger: &[u8]) {
        let mut message = Message::new([1; 16], 1);
        message.logger = Some(logger.to_vec());
        let bytes = message.to_bytes();
        let mut index = Index::default();
        index.parse(&bytes).expect("a message");
        watches.show(queue, &index.view(&bytes));
    }

    fn matcher() -> Matcher {
        Matcher::parse("Logger == 'a'").expect("an expression")
    }

    #[test]
    fn a_look_gets_what_it_asked_for() {
        let watches = Watches::default();
        assert!(!watches.wants(Queue::Input));
        let mut watch = watches.begin(Queue::Input, matcher()).expect("room");
        assert!(watches.wants(Queue::Input) && !watches.wants(Queue::Analysis));
        show(&watches, Queue::Input, b"a");
        show(&watches, Queue::Input, b"b");
        show(&watches, Queue::Analysis, b"a");
        assert!(watch.messages.try_recv().is_ok() && watch.messages.try_recv().is_err());
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!(
            (count(&watch.counts.seen), count(&watch.counts.matched)),
            (2, 1)
        );
        drop(watch);
        show(&watches, Queue::Input, b"a");
        assert!(!watches.wants(Queue::Input), "nobody looks any more");
    }

    #[test]
    fn a_slow_page_holds_nobody_up() {
        let watches = Watches::default();
        let watch = watches.begin(Queue::Input, matcher()).expect("room");
        for _ in 0..WAITING_MAX + 7 {
            show(&watches, Queue::Input, b"a");
        }
        assert_eq!(watch.counts.left_out.load(Ordering::Relaxed), 7);
    }

    #[test]
    fn looks_are_limited() {
        let watches = Watches::default();
        let begin = || watches.begin(Queue::Input, matcher());
        let all: Vec<_> = (0..WATCHES_MAX).map_while(|_| begin()).collect();
        assert_eq!(all.len(), WATCHES_MAX);
        assert!(begin().is_none());
        drop(all);
        assert!(begin().is_some());
    }
}
