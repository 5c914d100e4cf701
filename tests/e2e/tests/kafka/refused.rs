//! Messages that the broker refuses after the client took them: dead letters as they were, and the others arrive.

use e2e::kafka::Broker;
use e2e::{Site, dead_letters, frame};
use schemas::message::Message;

/// Together several times what the output may hold.
const N: usize = 300;
/// Length of most payloads, in bytes.
const USUAL: usize = 60_000;
/// Above Kafka's usual limit of 1,048,588 bytes.
const HUGE: usize = 1_200_000;
/// Which are huge.
const REFUSED: [usize; 3] = [0, 100, 299];

fn message(n: usize) -> Message {
    let len = if REFUSED.contains(&n) { HUGE } else { USUAL };
    let mut message = Message::new([n as u8; 16], n as i64);
    message.type_ = Some(b"sample".to_vec());
    message.logger = Some(b"made by the test".to_vec());
    message.payload = Some(format!("{n}{}", " ".repeat(len)).into_bytes());
    message
}

#[test]
fn what_the_broker_refuses_is_kept_as_it_was() {
    let broker = Broker::start();
    let site = Site::new().set("max_message_size", "8388608");
    let bytes: Vec<u8> = (0..N).flat_map(|n| frame(&message(n))).collect();
    let input = site.write("in.heka", bytes);
    let input = format!(
        "instruction_limit = 0\nmemory_limit = 64 * 1024 * 1024\ninput_filename = \"{}\"",
        input.display()
    );
    let cfg = format!(
        "message_matcher = \"Type == 'sample'\"\nbrokerlist = '{}'\ntopic_constant = 'samples'\ndead_letter = true\n\
         async_buffer_size = 1000\nticker_interval = 1\nretry_delay_ms = 10\nencoder_module = 'encoders.payload'\n\
         producer_conf = {{ ['message.max.bytes'] = 4000000 }}",
        broker.address()
    );
    let site = site
        .ours("input/heka_file.lua", "in", &input)
        .ours("output/kafka.lua", "kafka", &cfg)
        .collect("letters", "Type == 'foresight.dead_letter'");
    let letters = site.path("letters.heka");
    let mut engine = site.start();
    engine.until("the dead letters are there", || {
        dead_letters(&letters).len() >= REFUSED.len()
    });
    let arrived = broker.records("samples", N - REFUSED.len());
    engine.stop();
    let mut numbers: Vec<usize> = arrived
        .iter()
        .map(|record| String::from_utf8_lossy(&record.value).trim().parse())
        .map(|number| number.expect("a number"))
        .collect();
    numbers.sort_unstable();
    let expected: Vec<usize> = (0..N).filter(|n| !REFUSED.contains(n)).collect();
    assert_eq!(numbers, expected);
    let letters = dead_letters(&letters);
    assert_eq!(letters.len(), REFUSED.len(), "{}", site.log());
    for n in REFUSED {
        let expected = message(n).to_bytes();
        let letter = letters.iter().find(|(_, original)| *original == expected);
        let (reason, _) = letter.expect("the original message");
        assert!(reason.contains("MessageSizeTooLarge"), "{reason}");
        assert!(reason.contains("to samples"), "{reason}");
    }
}
