//! Clients end on a thread of their own, so that a broker that is away holds up no plugin.

use std::sync::mpsc;
use std::time::Duration;

/// Runs `close`, which ends a client, and waits for it, but not longer than `limit`; then it goes on alone.
pub fn within(limit: Duration, close: impl FnOnce() + Send + 'static) {
    let (done, waiting) = mpsc::channel::<()>();
    let work = move || {
        close();
        drop(done);
    };
    // Where no thread can be had, what is to be closed is dropped here, as well as it can be.
    if std::thread::Builder::new()
        .name("kafka-close".into())
        .spawn(work)
        .is_ok()
    {
        // Nothing is ever sent: the end of the channel is the answer.
        let _ended = waiting.recv_timeout(limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_for_the_end_but_not_for_ever() {
        let (send, receive) = mpsc::channel();
        within(Duration::from_secs(60), move || {
            send.send(()).expect("the test waits");
        });
        assert!(receive.try_recv().is_ok(), "waited until it had ended");
        let (hold, held) = mpsc::channel::<()>();
        within(Duration::from_millis(1), move || {
            let _released = held.recv();
        });
        drop(hold);
    }
}
