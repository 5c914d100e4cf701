//! The broker dies and comes back, and so do the engines on both sides of it.

use e2e::kafka::Broker;
use e2e::{Site, payloads};

use crate::{counts, repeated};

/// Numbers without an end, until [`end_at`] sets one.
const ENDLESS: u64 = 1 << 40;
/// Numbers of the source's second life: enough for all that happens in it.
const SECOND_LIFE: u64 = 12_000;
/// Numbers a second, at most.
const RATE: u64 = 1_000;
/// Most records that may be under way, by `queue.buffering.max.messages`.
const UNDER_WAY: u64 = 2_000;
/// Three deaths may repeat what came in within a second before them: offsets and places are recorded at least five times a
/// second, and the machine does other things too.
const REPEATED_MAX: u64 = 3 * RATE;

/// Injects numbers, each with itself as checkpoint.
const NUMBERS: &str = r#"
require "socket"
local n_max = read_config("n_max")
function process_message(checkpoint)
    local n = checkpoint or 0
    while is_running() and n < n_max do
        n = n + 1
        inject_message({ Type = "number", Payload = tostring(n) }, n)
        if n % 10 == 0 then socket.sleep(0.01) end
    end
    return 0
end
"#;

fn from(broker: &Broker) -> Site {
    let cfg = format!(
        "message_matcher = \"Type == 'number'\" async_buffer_size = 1000 ticker_interval = 1 brokerlist = '{}'
        topic_constant = 'numbers' key_variable = 'Payload'
        producer_conf = {{ ['queue.buffering.max.messages'] = {UNDER_WAY}, ['reconnect.backoff.max.ms'] = 500 }}",
        broker.address()
    );
    Site::new()
        .input(
            "numbers",
            &format!("instruction_limit = 0 n_max = {ENDLESS}"),
            NUMBERS,
        )
        .ours("output/kafka.lua", "kafka", &cfg)
}

fn to(broker: &Broker) -> Site {
    let cfg = format!(
        "instruction_limit = 0 brokerlist = '{}' topics = {{ 'numbers' }} start = 'earliest'
        consumer_conf = {{ ['group.id'] = 'g', ['session.timeout.ms'] = 3000, ['heartbeat.interval.ms'] = 300,
            ['auto.commit.interval.ms'] = 200, ['reconnect.backoff.max.ms'] = 500 }}",
        broker.address()
    );
    Site::new()
        .ours("input/kafka.lua", "kafka", &cfg)
        .collect("all", "Type == 'number'")
}

/// Sets the last number that the source's next life injects.
fn end_at(from: &Site, n_max: u64) {
    let cfg = from.read("run/input/numbers.cfg");
    let (head, _) = cfg.rsplit_once('=').expect("n_max stands last");
    from.write("run/input/numbers.cfg", format!("{head}= {n_max}"));
}

#[test]
fn nothing_is_lost_when_the_broker_and_the_engines_die() {
    let mut broker = Broker::start();
    let (from, to) = (from(&broker), to(&broker));
    let all = || counts(&payloads(&to.path("all.heka")));
    // Only then a death repeats what came in just before it, and not what was made up for in a hurry.
    let injected = || {
        let checkpoint = from.checkpoint("input.numbers");
        checkpoint.and_then(|n| n.parse::<u64>().ok())
    };
    let keeps_up = |more: u64| {
        let injected = injected();
        let seen = all().len() as u64;
        injected.is_some_and(|n| seen > more && seen + RATE / 4 >= n)
    };
    let mut source = from.start();
    let mut sink = to.start();
    sink.until("numbers arrive", || keeps_up(RATE));
    sink.until("numbers arrive at their rate", || keeps_up(2 * RATE));
    broker.kill();
    for (site, engine) in [(&from, &mut source), (&to, &mut sink)] {
        let log = || site.log();
        engine.until("the missing broker is told", || {
            log().contains("Connection refused")
        });
    }
    broker.resume();
    let before = all().len() as u64;
    sink.until("numbers arrive again", || keeps_up(before + RATE));
    let before = all().len() as u64;
    sink.until("numbers arrive at their rate again", || {
        keeps_up(before + RATE)
    });
    source.kill();
    let n = injected().expect("it has injected") + SECOND_LIFE;
    end_at(&from, n);
    let mut source = from.start();
    sink.until("numbers arrive from the next life", || {
        keeps_up(before + SECOND_LIFE / 3)
    });
    sink.kill();
    let mut sink = to.start();
    sink.until("all is there", || all().len() as u64 >= n);
    // What is delivered stays delivered: the mark has followed, though no message came since.
    source.until("the last one is confirmed", || {
        let place = |key| from.checkpoint(key).unwrap_or_default();
        place("input->output.kafka") == place("input->analysis0") && !place("input").is_empty()
    });
    source.stop();
    sink.stop();
    let n_repeated = repeated(&all(), n);
    println!("{n_repeated} of {n} were repeated");
    assert!(n_repeated <= REPEATED_MAX, "{n_repeated} were repeated");
    // Behind a clean end nothing is repeated: the next number that comes is a new one.
    end_at(&from, n + 1);
    let source = from.start();
    let mut sink = to.start();
    sink.until("the new number is there", || all().len() as u64 > n);
    source.stop();
    sink.stop();
    assert_eq!(
        repeated(&all(), n + 1),
        n_repeated,
        "repeated by a clean restart"
    );
}

#[test]
fn a_stop_does_not_wait_for_a_broker_that_is_away() {
    let address = format!("127.0.0.1:{}", e2e::free_port());
    let output = format!(
        "message_matcher = \"Type == 'number'\" async_buffer_size = 1000 brokerlist = '{address}' topic_constant = 't'
        producer_conf = {{ ['queue.buffering.max.messages'] = 100 }}"
    );
    let input = format!(
        "instruction_limit = 0 brokerlist = '{address}' topics = {{ 't' }} consumer_conf = {{ ['group.id'] = 'g' }}"
    );
    let site = Site::new()
        .input("numbers", "instruction_limit = 0 n_max = 300", NUMBERS)
        .ours("output/kafka.lua", "out", &output)
        .ours("input/kafka.lua", "in", &input);
    let mut engine = site.start();
    engine.until_log("queue full");
    engine.until_log("brokers are down");
    let finished = engine.stop();
    assert!(!finished.log.contains("terminated"), "{}", finished.log);
    assert_eq!(site.checkpoint("input->output.out").as_deref(), Some("0:0"));
}
