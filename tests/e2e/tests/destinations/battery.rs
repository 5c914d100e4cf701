//! Kills, cuts of the network, errors, slow and lost answers, expired credentials and a full disk, at random and under load:
//! every message arrives at least once, and where the destination can tell repeats exactly once.

use std::collections::BTreeMap;
use std::time::Duration;

use e2e::{Engine, Site, frame, program};
use schemas::message::Message;
use stdx::seed::Random;

use crate::targets::{Directory, Http, Kafka, S3, Stdout, Target};

/// Messages of a run.
const MESSAGES: usize = 20_000;

/// How often the engine is killed.
const KILLS: u64 = 8;

/// One request in so many meets a fault.
const ONE_IN: u64 = 5;

/// Blocks of 512 bytes that a file may have on a disk that is full.
const FULL: &str = "trap '' XFSZ; ulimit -f 60; exec \"$0\" run hindsight.cfg --log-level 7";

/// A site whose input queue has the messages, and whose output delivers them to `target`.
fn site(target: &dyn Target) -> Site {
    let all = (0..MESSAGES).flat_map(|n| {
        let mut uuid = [0; 16];
        uuid[..8].copy_from_slice(&n.to_le_bytes());
        let mut message = Message::new(uuid, n as i64);
        message.type_ = Some(b"number".to_vec());
        message.payload = Some(n.to_string().into_bytes());
        frame(&message)
    });
    let site = Site::new();
    let input = site.write("in.heka", all.collect::<Vec<u8>>());
    let cfg = format!(
        "instruction_limit = 0\ninput_filename = \"{}\"",
        input.display()
    );
    let site = site.ours("input/heka_file.lua", "in", &cfg);
    site.replay().expect(0);
    std::fs::remove_file(site.path("run/input/in.cfg")).expect("removed");
    let cfg = format!(
        "message_matcher = \"Type == 'number'\"\ninitial_position = 'oldest'\nread_queue = 'input'\n\
         ticker_interval = 1\nretry_delay_ms = 5\nretry_delay_max_ms = 50\n{}",
        target.cfg(&site)
    );
    site.ours(target.plugin(), "tried", &cfg)
}

fn start(site: &Site, is_full: bool) -> Engine {
    match is_full {
        false => site.start(),
        true => {
            let path = program::path().display().to_string();
            site.start_with("sh", &["-c", FULL, &path])
        }
    }
}

/// How often each message has arrived.
fn counts(target: &dyn Target) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for payload in target.received() {
        let number: usize = payload.parse().expect("payloads are numbers");
        *counts.entry(number).or_default() += 1;
    }
    counts
}

fn passes(mut target: impl Target, seed: u64) {
    let mut random = Random::from_seed(seed);
    let site = site(&target);
    for round in 0..KILLS {
        target.expire(&site, round % 4 == 1);
        if let Some(faults) = target.faults() {
            faults.set_one_in(ONE_IN);
            faults.set_down(random.one_in(4));
        }
        let engine = start(&site, round % 4 == 2);
        std::thread::sleep(Duration::from_millis(100 + random.below(300)));
        engine.kill();
        target.harvest(&site);
    }
    target.expire(&site, false);
    if let Some(faults) = target.faults() {
        faults.set_down(false);
    }
    // A stop waits for what is under way, but not for ever.
    for _ in 0..20 {
        site.replay().expect(0);
        target.harvest(&site);
        if target.is_done(&site) && counts(&target).len() == MESSAGES {
            break;
        }
    }
    let counts = counts(&target);
    assert_eq!(counts.len(), MESSAGES, "none is lost");
    let repeated = counts.values().filter(|n| **n > 1).count();
    println!("{}: {repeated} of {MESSAGES} came again", target.plugin());
    assert!(
        repeated == 0 || !target.is_exact(),
        "{repeated} are there twice"
    );
    assert!(
        !site.log().contains(crate::targets::SECRET),
        "no secret is logged"
    );
    let rtc = site.read("output/output.tried.rtc");
    assert!(
        !rtc.contains(crate::targets::SECRET),
        "no secret is written"
    );
}

#[test]
fn a_directory_passes() {
    passes(Directory::new(), 31);
}

#[test]
fn s3_passes() {
    passes(S3::new(), 32);
}

#[test]
fn http_passes() {
    passes(Http::new(), 33);
}

#[test]
fn the_standard_output_passes() {
    passes(Stdout::default(), 34);
}

#[test]
fn kafka_passes() {
    passes(Kafka::new(), 35);
}
