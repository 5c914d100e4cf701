//! One message in all its parts: what the output writes, what the input makes of it.

use std::collections::BTreeMap;

use e2e::kafka::{Broker, flush, put};
use e2e::{Site, field_number, field_text, messages};
use schemas::message::Message;

/// Injects twelve messages of three owners; ends then.
const OWNERS: &str = r#"
function process_message()
    for i = 1, 12 do
        inject_message({ Type = "owned", Timestamp = 1.7e18 + i * 1e9, Payload = tostring(i),
            Fields = { owner = "owner" .. i % 3, topic = "t-" .. i % 2 } })
    end
    return 0
end
"#;

#[test]
fn keys_headers_topics_and_times_are_those_of_the_message() {
    let broker = Broker::start();
    let cfg = format!(
        "message_matcher = \"Type == 'owned'\" async_buffer_size = 1000 brokerlist = '{}'
        topic_variable = 'Fields[topic]' key_variable = 'Fields[owner]' timestamp = 'message'
        headers = {{ number = 'Payload', missing = 'Fields[missing]' }}
        producer_conf = {{ ['enable.idempotence'] = true, ['compression.codec'] = 'zstd' }}
        topic_confs = {{ ['*'] = {{ ['message.timeout.ms'] = 60000 }} }}",
        broker.address()
    );
    let site = Site::new()
        .input("owners", "", OWNERS)
        .ours("output/kafka.lua", "kafka", &cfg);
    site.replay().expect(0);
    let mut partitions: BTreeMap<(String, Vec<u8>), i32> = BTreeMap::new();
    for (topic, numbers) in [("t-0", [2, 4, 6, 8, 10, 12]), ("t-1", [1, 3, 5, 7, 9, 11])] {
        let mut found = Vec::new();
        let mut last: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for record in broker.records(topic, 6) {
            let message = Message::decode(&record.value).expect("a whole message");
            let number: u64 =
                String::from_utf8_lossy(message.payload.as_ref().expect("it has one"))
                    .parse()
                    .expect("a number");
            let key = record.key.expect("a key");
            assert_eq!(key, format!("owner{}", number % 3).into_bytes());
            assert_eq!(
                record.headers,
                [("number".to_string(), number.to_string().into_bytes())]
            );
            assert_eq!(record.time, Some(1_700_000_000_000 + number as i64 * 1000));
            let place = partitions
                .entry((topic.into(), key.clone()))
                .or_insert(record.partition);
            assert_eq!(*place, record.partition, "what belongs together is apart");
            assert!(
                last.insert(key, number)
                    .is_none_or(|before| before < number)
            );
            found.push(number);
        }
        found.sort_unstable();
        assert_eq!(found, numbers);
    }
}

/// Three inputs of the same broker: one that decodes, one that begins in the past, and one that begins in the future.
fn three_inputs(broker: &Broker) -> Site {
    let input = |site: Site, name: &str, cfg: &str| {
        let cfg = format!(
            "instruction_limit = 0 brokerlist = '{}' consumer_conf = {{ ['group.id'] = '{name}' }} {cfg}",
            broker.address()
        );
        site.ours("input/kafka.lua", name, &cfg)
    };
    let site = input(
        Site::new(),
        "json",
        "topics = { 'json', 'nothing-yet' } start = 'earliest' decoder_module = 'decoders.json'
        default_headers = { Logger = 'from.kafka', Fields = { extra = 'x' } } kafka_fields = true",
    );
    let site = input(
        site,
        "back",
        "topics = { 'old' } start = '2020-01-01T00:00:00Z' decoder_module = 'decoders.payload'
        topic_conf = { ['auto.offset.reset'] = 'error' }",
    );
    let site = input(
        site,
        "ahead",
        "topics = { 'json:0', 'json:1', 'json:2', 'json:3' } start = '2100-01-01T00:00:00Z'
        decoder_module = 'decoders.payload' default_headers = { Logger = 'ahead' }
        topic_conf = { ['auto.offset.reset'] = 'error' }",
    );
    site.collect("all", "TRUE")
}

fn text(bytes: &Option<Vec<u8>>) -> String {
    String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
}

/// The decoded record, with the parts of the record beside it.
fn check_decoded(message: &Message, n: f64) {
    assert_eq!(text(&message.type_), "json");
    assert_eq!(field_number(message, "n"), Some(n), "{message:?}");
    let field = |name| field_text(message, name);
    assert_eq!(field("extra").as_deref(), Some("x"));
    assert_eq!(field("kafka_topic").as_deref(), Some("json"));
    assert_eq!(field("kafka_key").as_deref(), Some("k\0"));
    assert_eq!(field("kafka_header_from").as_deref(), Some("test"));
    let partition = field_number(message, "kafka_partition");
    assert!(partition.is_some_and(|p| (0.0..4.0).contains(&p)));
    assert!(field_number(message, "kafka_offset").is_some());
}

#[test]
fn a_record_becomes_a_message_with_its_key_and_headers() {
    let broker = Broker::start();
    let producer = broker.producer();
    put(&producer, "old", "k", b"{\"n\": 1}");
    put(&producer, "json", "k\0", b"{\"n\": 2}");
    put(&producer, "json", "k\0", b"no json");
    flush(&producer);
    let site = three_inputs(&broker);
    let mut engine = site.start();
    let all = site.path("all.heka");
    engine.until("the records are there", || messages(&all).len() >= 3);
    engine.until("the future has begun", || {
        site.log().contains("found the start of json:")
    });
    // Only what comes now is ahead.
    put(&producer, "json", "k\0", b"{\"n\": 3}");
    flush(&producer);
    engine.until("the new record is there twice", || {
        messages(&all).len() >= 5
    });
    engine.stop();
    let all = messages(&all);
    let of = |logger: &str| -> Vec<&Message> {
        all.iter()
            .filter(|message| text(&message.logger) == logger)
            .collect()
    };
    let decoded: Vec<&Message> = of("from.kafka");
    assert_eq!(decoded.len(), 2, "{all:?}");
    check_decoded(decoded[0], 2.0);
    check_decoded(decoded[1], 3.0);
    let of_type = |name: &str| all.iter().find(|message| text(&message.type_) == name);
    let failed = of_type("error.decode").expect("it was told");
    assert_eq!(field_text(failed, "data").as_deref(), Some("no json"));
    let old = of_type("old").expect("the old record");
    assert_eq!(text(&old.payload), "{\"n\": 1}");
    let ahead: Vec<String> = of("ahead")
        .iter()
        .map(|message| text(&message.payload))
        .collect();
    assert_eq!(ahead, ["{\"n\": 3}"]);
}
