//! `kill -9` at random moments, many times, while numbered messages run through all stages.
//!
//! Nothing may be lost, no record of our own outputs may be torn, what is repeated is bounded, and a preserved state
//! agrees exactly with the place it says it belongs to. The moments come from a seed, which is printed.
//!
//! `FORESIGHT_CRASH_ROUNDS` sets how often each scenario is killed, `FORESIGHT_CRASH_SEED` the seed.

mod audit;
mod traffic;

use std::time::{Duration, Instant};

use audit::Audit;
use traffic::{Scenario, site};

/// Kills per scenario when nothing else is said: a few seconds of traffic.
const ROUNDS: u64 = 8;

/// An engine lives so long at least, and at most this many milliseconds longer.
const LIFE_MS: (u64, u64) = (20, 900);

/// What a crash may repeat, as time at the rate of the round. Places are recorded twenty times a second; the rest is
/// generosity for a machine that does other things at the same time.
const REPEATED_MAX: Duration = Duration::from_millis(1500);

/// The queues stay as a whole, so that everything can be counted again.
const KEEP: (&str, &str) = ("retention", "{ keep_bytes = 1e12 }");

/// And that many more, because a round may end before its rate is known.
const REPEATED_FREE: f64 = 5000.0;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Random numbers that can be had again (the step of SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

fn crash(scenario: &Scenario) {
    let seed = setting("FORESIGHT_CRASH_SEED").unwrap_or(20_26);
    let rounds = setting("FORESIGHT_CRASH_ROUNDS").unwrap_or(ROUNDS);
    println!(
        "{}: FORESIGHT_CRASH_SEED={seed} FORESIGHT_CRASH_ROUNDS={rounds}",
        scenario.name
    );
    let mut random = Random(seed);
    let site = site(scenario);
    let mut audit = Audit::default();
    for round in 0..rounds {
        let before = audit.queued(&site, scenario);
        let mut engine = site.start();
        engine.until("the engine takes messages", || {
            audit.queued(&site, scenario) > before
        });
        let began = Instant::now();
        let life = Duration::from_millis(LIFE_MS.0 + random.next() % LIFE_MS.1);
        // Not a wait for an event: the moment of the crash is what is random here.
        std::thread::sleep(life);
        engine.kill();
        audit.after_a_kill(&site, scenario, round, began.elapsed());
    }
    // What is still in the queues is delivered, without new messages.
    std::fs::remove_file(site.path("run/input/numbers.cfg")).expect("it is there");
    site.replay().expect(0);
    let repeated = audit.at_the_end(&site, scenario);
    println!("{}: {repeated}", scenario.name);
    let allowed = audit.messages_in(REPEATED_MAX) + REPEATED_FREE;
    assert!(
        repeated.worst() <= allowed,
        "{}: {repeated}, allowed are {allowed:.0}",
        scenario.name
    );
}

#[test]
fn nothing_is_lost_by_a_kill() {
    crash(&Scenario {
        name: "default",
        settings: &[KEEP],
        keeps_queues: true,
        burst: 100,
    });
}

#[test]
fn nothing_is_lost_by_a_kill_when_every_message_is_synced() {
    let settings = &[KEEP, ("sync", "\"always\"")];
    crash(&Scenario {
        name: "sync always",
        settings,
        keeps_queues: true,
        burst: 100,
    });
}

#[test]
fn nothing_is_lost_by_a_kill_when_old_segments_go_at_once() {
    let settings = &[("analysis_threads", "2")];
    crash(&Scenario {
        name: "retention",
        settings,
        keeps_queues: false,
        burst: 100,
    });
}

#[test]
fn nothing_is_lost_by_a_kill_at_full_speed() {
    let settings = &[KEEP, ("analysis_threads", "2"), ("backpressure", "4")];
    crash(&Scenario {
        name: "full speed",
        settings,
        keeps_queues: true,
        burst: 0,
    });
}
