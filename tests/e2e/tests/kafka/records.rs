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

#[test]
fn a_record_becomes_a_message_with_its_key_and_headers() {
    let broker = Broker::start();
    let producer = broker.producer();
    put(&producer, "old", "k", b"{\"n\": 1}");
    put(&producer, "json", "k\0", b"{\"n\": 2}");
    put(&producer, "json", "k\0", b"no json");
    flush(&producer);
    let cfg = |name: &str, rest: &str| {
        format!(
            "instruction_limit = 0 brokerlist = '{}'
            consumer_conf = {{ ['group.id'] = '{name}' }} {rest}",
            broker.address()
        )
    };
    let site = Site::new()
        .ours(
            "input/kafka.lua",
            "json",
            &cfg(
                "json",
                "topics = { 'json', 'nothing-yet' } start = 'earliest' decoder_module = 'decoders.json'
                default_headers = { Logger = 'from.kafka', Fields = { extra = 'x' } } kafka_fields = true",
            ),
        )
        // Times lie between those of the records, which are now, and the far ends.
        .ours(
            "input/kafka.lua",
            "back",
            &cfg(
                "back",
                "topics = { 'old' } start = '2020-01-01T00:00:00Z' decoder_module = 'decoders.payload'
                topic_conf = { ['auto.offset.reset'] = 'error' }",
            ),
        )
        .ours(
            "input/kafka.lua",
            "ahead",
            &cfg(
                "ahead",
                "topics = { 'json:0', 'json:1', 'json:2', 'json:3' } start = '2100-01-01T00:00:00Z'
                decoder_module = 'decoders.payload' default_headers = { Logger = 'ahead' }
                topic_conf = { ['auto.offset.reset'] = 'error' }",
            ),
        )
        .collect("all", "TRUE");
    let mut engine = site.start();
    let all = site.path("all.heka");
    engine.until("the records are there", || messages(&all).len() >= 3);
    // Only what comes now is ahead.
    put(&producer, "json", "k\0", b"{\"n\": 3}");
    flush(&producer);
    engine.until("the new record is there twice", || {
        messages(&all).len() >= 5
    });
    engine.stop();
    let all = messages(&all);
    let text = |bytes: &Option<Vec<u8>>| {
        String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned()
    };
    let of = |logger: &str| {
        all.iter()
            .filter(move |m| text(&m.logger) == logger)
            .collect::<Vec<_>>()
    };
    let decoded = of("from.kafka");
    assert_eq!(decoded.len(), 2, "{all:?}");
    for (message, n) in decoded.iter().zip([2.0, 3.0]) {
        assert_eq!(text(&message.type_), "json");
        assert_eq!(field_number(message, "n"), Some(n), "{message:?}");
        assert_eq!(field_text(message, "extra").as_deref(), Some("x"));
        assert_eq!(field_text(message, "kafka_topic").as_deref(), Some("json"));
        assert_eq!(field_text(message, "kafka_key").as_deref(), Some("k\0"));
        assert_eq!(
            field_text(message, "kafka_header_from").as_deref(),
            Some("test")
        );
        assert!(field_number(message, "kafka_partition").is_some_and(|p| (0.0..4.0).contains(&p)));
    }
    let failed = all
        .iter()
        .find(|m| text(&m.type_) == "error.decode")
        .expect("it was told");
    assert_eq!(field_text(failed, "data").as_deref(), Some("no json"));
    let old = all
        .iter()
        .find(|m| text(&m.type_) == "old")
        .expect("the old record");
    assert_eq!(text(&old.payload), "{\"n\": 1}");
    let ahead: Vec<String> = of("ahead").iter().map(|m| text(&m.payload)).collect();
    assert_eq!(ahead, ["{\"n\": 3}"]);
}
