//! `kafka` against librdkafka's own cluster in the process: what arrives is acknowledged, what is received is whole.

use modules::{Plugin, Setup};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use sandbox::{Answer, Checkpoint, Kind};
use schemas::message::Message;

type Cluster = MockCluster<'static, DefaultProducerContext>;

/// Calls after which only a hang can be the reason; each waits for up to a second.
const PATIENCE: usize = 60;

fn cluster(topics: &[(&str, i32)]) -> Cluster {
    let cluster = MockCluster::new(1).expect("a cluster in the process");
    for (topic, n_partitions) in topics {
        let made = cluster.create_topic(topic, *n_partitions, 1);
        made.expect("a topic");
    }
    cluster
}

fn plugin(kind: Kind, cluster: &Cluster, source: &str) -> Plugin {
    let brokers = format!("brokers = '{}'", cluster.bootstrap_servers());
    let setup = Setup::new(kind).configured(&brokers);
    setup.run(source).unwrap_or_else(|error| panic!("{error}"))
}

fn message(payload: &str) -> Vec<u8> {
    let mut message = Message::new([7; 16], 1);
    message.payload = Some(payload.into());
    message.to_bytes()
}

fn is_async(answer: &Answer) -> bool {
    matches!(answer, Answer::Status { code: -5, .. })
}

/// Calls `timer_event` until so many acknowledgements have come.
fn acknowledged(plugin: &mut Plugin, n: usize) -> Vec<(Option<u64>, u64)> {
    let mut all = Vec::new();
    for _ in 0..PATIENCE {
        plugin.sandbox.timer_event(0, false).expect("no error");
        all.extend(plugin.seen().acknowledged);
        if all.len() >= n {
            return all;
        }
    }
    panic!("only {all:?} was acknowledged");
}

/// Runs an input until its `process_message` says that all is well.
fn run_input(plugin: &mut Plugin) {
    match plugin.sandbox.process_input(&Checkpoint::None) {
        Answer::Status { code: 0, .. } => {}
        other => panic!("{other:?}"),
    }
}

/// Sends the payload, waits a little for what is under way.
const OUTPUT: &str = r#"
    require "kafka"
    local producer = kafka.producer(read_config("brokers"), { ["linger.ms"] = 0 })
    producer:create_topic("t")
    local raw = read_message("raw", nil, nil, true)
    function process_message(sequence_id)
        producer:poll()
        local ret = producer:send("t", -1, sequence_id, raw, "k", { a = "1", b = "\0\255" }, 1e12)
        if ret ~= 0 then return -3, tostring(ret) end
        producer:poll()
        return -5
    end
    function timer_event(ns, shutdown)
        producer:flush(1000)
    end
"#;

#[test]
fn messages_are_acknowledged_one_by_one_and_received_whole() {
    let cluster = cluster(&[("t", 1)]);
    let mut output = plugin(Kind::Output, &cluster, OUTPUT);
    for sequence in 1..=3 {
        let answer = output.process_as(&message(&sequence.to_string()), sequence);
        assert!(is_async(&answer), "{answer:?}");
    }
    let mut all = acknowledged(&mut output, 3);
    all.sort();
    assert_eq!(all, [(Some(1), 0), (Some(2), 0), (Some(3), 0)]);
    let mut input = plugin(
        Kind::Input,
        &cluster,
        r#"
        require "kafka"
        local consumer = kafka.consumer(read_config("brokers"), { "t" }, { ["group.id"] = "g" },
            { ["auto.offset.reset"] = "smallest" })
        function process_message()
            local n = 0
            for i = 1, 60 do
                local data, topic, partition, key, offset, time, headers = consumer:receive()
                if data then
                    assert(topic == "t" and partition == 0 and key == "k" and offset == n and time == 1e12)
                    assert(headers.a == "1" and headers.b == "\0\255")
                    n = n + 1
                    assert(decode_message(data).Payload == tostring(n))
                    inject_message(data)
                    if n == 3 then
                        assert(consumer:commit())
                        return 0
                    end
                end
            end
            return -1, "received " .. n
        end"#,
    );
    run_input(&mut input);
    assert_eq!(input.seen().injected.len(), 3);
}

#[test]
fn a_message_is_not_acknowledged_while_it_is_processed() {
    let cluster = cluster(&[("t", 1)]);
    let source = OUTPUT.replace(
        "producer:poll()\n        return -5",
        "producer:flush(5000) return -5",
    );
    let mut output = plugin(Kind::Output, &cluster, &source);
    assert!(is_async(&output.process_as(&message("1"), 1)));
    assert_eq!(output.seen().acknowledged, []);
    assert!(is_async(&output.process_as(&message("2"), 2)));
    assert_eq!(output.seen().acknowledged, [(Some(1), 0)]);
    assert_eq!(acknowledged(&mut output, 1), [(Some(2), 0)]);
}

#[test]
fn a_sequence_id_that_was_sent_twice_waits_for_both() {
    let cluster = cluster(&[("t", 2)]);
    let source = r#"
        require "kafka"
        local producer = kafka.producer(read_config("brokers"))
        producer:create_topic("t")
        function process_message(sequence_id)
            assert(producer:send("t", 0, sequence_id, "first") == 0)
            assert(producer:send("t", 99, sequence_id, "nowhere") == 0)
            return -5
        end
        function timer_event() producer:flush(1000) end
    "#;
    let mut output = plugin(Kind::Output, &cluster, source);
    assert!(is_async(&output.process_as(&message("1"), 9)));
    assert_eq!(acknowledged(&mut output, 1), [(Some(9), 1)]);
    let log = output.seen().log;
    assert!(log.is_empty(), "the lines were taken before: {log:?}");
}

#[test]
fn an_acknowledgement_goes_to_the_function_that_the_plugin_has() {
    let cluster = cluster(&[("t", 1)]);
    let source = format!(
        "{OUTPUT}
        local mine = {{}}
        function update_checkpoint(id, failures) assert(type(id) == 'userdata') mine[#mine + 1] = failures end
        local old = timer_event
        function timer_event() old() if #mine > 0 then error('mine: ' .. #mine .. ' ' .. mine[1]) end end"
    );
    let mut output = plugin(Kind::Output, &cluster, &source);
    assert!(is_async(&output.process_as(&message("1"), 1)));
    let errors = (0..PATIENCE).find_map(|_| output.sandbox.timer_event(0, false).err());
    assert!(errors.expect("an error").ends_with("mine: 1 0"));
    assert_eq!(output.seen().acknowledged, []);
}

#[test]
fn clients_stay_within_the_memory_of_the_plugin() {
    let source = r#"
        require "kafka"
        kept = {}
        local ok, err
        repeat
            ok, err = pcall(kafka.producer, "127.0.0.1:1", { log_level = 0 })
            kept[#kept + 1] = ok and err or nil
        until not ok
        assert(err == "not enough memory", err)
        local n = #kept
        assert(n >= 1 and n < 20, n)"#;
    let mut setup = Setup::new(Kind::Output);
    setup.limits.memory = 8 << 20;
    setup.run(source).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_broker_that_is_away_is_told_and_holds_nothing_up() {
    let source = r#"
        require "kafka"
        local consumer = kafka.consumer("127.0.0.1:1", { "t" }, { ["group.id"] = "g" })
        function process_message()
            for i = 1, 2 do assert(not consumer:receive()) end
            return 0
        end"#;
    let mut input = Setup::new(Kind::Input).run(source).expect("it loads");
    run_input(&mut input);
    let log = input.seen().log;
    let is_told = |line: &(u8, String)| line.0 <= 3 && line.1.contains("Connection refused");
    assert!(log.iter().any(is_told), "{log:?}");
}
