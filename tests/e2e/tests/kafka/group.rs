//! Two engines in one group: they share the partitions, one goes and the other takes over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use e2e::kafka::{Broker, flush, put};
use e2e::{Site, payloads};

use crate::{counts, repeated};

/// Records a second, at most.
const RATE: u64 = 1_000;

/// Two deaths may repeat what came in within a second before them: offsets are committed five times a second, and the
/// machine does other things too.
const REPEATED_MAX: u64 = 2 * RATE;

fn site(broker: &Broker) -> Site {
    let cfg = format!(
        "instruction_limit = 0 brokerlist = '{}' topics = {{ 'numbers' }} start = 'earliest'
        decoder_module = 'decoders.payload'
        consumer_conf = {{ ['group.id'] = 'g', ['session.timeout.ms'] = 3000, ['heartbeat.interval.ms'] = 300,
            ['auto.commit.interval.ms'] = 200 }}",
        broker.address()
    );
    Site::new()
        .ours("input/kafka.lua", "kafka", &cfg)
        .collect("all", "Type == 'numbers'")
}

/// Numbers for the topic until it is told to end; how many there were.
fn feed(broker: &Broker, ends: &AtomicBool, sent: &AtomicU64) -> u64 {
    let producer = broker.producer();
    let mut n = 0;
    while !ends.load(Ordering::Relaxed) {
        for _ in 0..RATE / 100 {
            n += 1;
            put(
                &producer,
                "numbers",
                &n.to_string(),
                n.to_string().as_bytes(),
            );
        }
        producer.poll(Duration::from_millis(10));
        sent.store(n, Ordering::Relaxed);
    }
    flush(&producer);
    n
}

fn seen(site: &Site) -> usize {
    payloads(&site.path("all.heka")).len()
}

#[test]
fn engines_share_the_partitions_and_take_over_from_each_other() {
    let broker = Broker::start();
    let (a, b) = (site(&broker), site(&broker));
    let (ends, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let n = std::thread::scope(|scope| {
        let feeder = scope.spawn(|| feed(&broker, &ends, &sent));
        // However this ends, the feeder does.
        let _end = EndsWith(&ends);
        run(&a, &b, &sent);
        ends.store(true, Ordering::Relaxed);
        feeder.join().expect("the feeder does not fail")
    });
    let mut engine = b.start();
    let all = || {
        let both = [payloads(&a.path("all.heka")), payloads(&b.path("all.heka"))];
        counts(both.iter().flatten())
    };
    engine.until("all is there", || all().len() as u64 >= n);
    engine.stop();
    let repeated = repeated(&all(), n);
    println!("{repeated} of {n} were repeated");
    assert!(repeated <= REPEATED_MAX, "{repeated} were repeated");
}

struct EndsWith<'a>(&'a AtomicBool);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether the assignment that a log tells last is all of the topic.
fn has_all(site: &Site) -> bool {
    let log = site.log();
    let last = log.lines().rfind(|line| line.contains("kafka: assigned"));
    last.is_some_and(|line| line.contains("numbers:0 numbers:1 numbers:2 numbers:3"))
}

fn run(a: &Site, b: &Site, sent: &AtomicU64) {
    let all = || {
        let both = [payloads(&a.path("all.heka")), payloads(&b.path("all.heka"))];
        counts(both.iter().flatten())
    };
    // Only then a death repeats what came in just before it, and not what was made up for in a hurry.
    let keep_up = || all().len() as u64 + RATE / 2 >= sent.load(Ordering::Relaxed);
    let mut first = a.start();
    first.until("it takes messages of all partitions", || {
        has_all(a) && seen(a) > 500
    });
    let mut second = b.start();
    second.until("both take messages", || seen(b) > 500);
    assert!(a.log().contains("kafka: revoked"), "{}", a.log());
    // A clean end gives everything over at once, and nothing comes twice.
    first.stop();
    second.until("the other took over", || has_all(b) && keep_up());
    let twice = all().values().filter(|&&n| n > 1).count();
    assert_eq!(twice, 0, "repeated by a clean end");
    let (seen_a, seen_b) = (seen(a), seen(b));
    let mut first = a.start();
    first.until("both take messages again", || {
        seen(a) > seen_a + 500 && seen(b) > seen_b + 500 && keep_up()
    });
    second.kill();
    // The dead member's partitions are given away when its session ends. What lies in its own queue is delivered by its
    // next start; here without its input.
    first.until("it has all partitions again", || has_all(a));
    let input = b.read("run/input/kafka.cfg");
    std::fs::remove_file(b.path("run/input/kafka.cfg")).expect("it is there");
    b.replay().expect(0);
    b.write("run/input/kafka.cfg", input);
    first.until("nothing is missing", keep_up);
    first.kill();
    std::fs::remove_file(a.path("run/input/kafka.cfg")).expect("it is there");
    a.replay().expect(0);
}
