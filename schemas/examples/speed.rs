//! How long the steps of one message take: `cargo run --release -p foresight-schemas --example speed [STEP]`.
//!
//! The message has 8 headers and 6 fields, about 250 bytes, all of it in the first-level cache; so this shows the work
//! of the code, not that of memory. Each line is the best of several rounds.

use std::hint::black_box;
use std::time::Instant;

use schemas::encode::Encoder;
use schemas::frame::{FrameBuf, StreamReader, records};
use schemas::message::{Field, Message};
use schemas::{Index, ValueType, validate};

const ROUNDS: usize = 20;
const CALLS_MAX: usize = 100_000;

fn main() {
    let only = std::env::args().nth(1);
    let message = sample();
    println!("message of {} bytes", message.len());
    let mut index = Index::default();
    let report = |name: &str, per_call: usize, step: &mut dyn FnMut()| {
        if only.as_deref().is_none_or(|only| only == name) {
            println!("{name:<16} {:8.1} ns", best_ns(step) / per_call as f64);
        }
    };

    report("parse", 1, &mut || {
        index
            .parse(black_box(&message))
            .expect("the sample is valid");
        black_box(&index);
    });
    report("outline", 1, &mut || {
        index
            .outline(black_box(&message))
            .expect("the sample is valid");
        black_box(&index);
    });
    report("validate", 1, &mut || {
        validate(black_box(&message)).expect("the sample is valid")
    });
    index.parse(&message).expect("the sample is valid");
    let view = index.view(&message);
    report("header", 1, &mut || {
        black_box(black_box(&view).type_());
    });
    report("field", 1, &mut || {
        black_box(black_box(&view).field(black_box(b"request_time"), 0));
    });
    report("field_value", 1, &mut || {
        let field = black_box(&view).field(black_box(b"request_time"), 0);
        black_box(field.and_then(|field| field.value(0)));
    });

    let mut frame = FrameBuf::new();
    report("encode", 1, &mut || {
        frame.clear();
        encode(frame.message());
        black_box(frame.finish());
    });

    let block = frame.finish().repeat(1000);
    report("records", 1000, &mut || {
        for record in records(black_box(&block)) {
            black_box(record);
        }
    });
    let mut reader = StreamReader::new(1 << 20);
    report("stream", 1000, &mut || {
        reader.push(&block).expect("the block fits");
        while reader.find(true).found {}
    });
    let separators = vec![0x1e; 128 << 10];
    report("garbage", separators.len(), &mut || {
        reader.push(&separators).expect("the garbage fits");
        black_box(reader.find(true));
    });
}

fn best_ns(step: &mut dyn FnMut()) -> f64 {
    let calls = calls_for(step);
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..calls {
            step();
        }
        best = best.min(start.elapsed().as_nanos() as f64 / calls as f64);
    }
    best
}

/// As many calls as take some milliseconds. The first one is slow: it warms the caches.
fn calls_for(step: &mut dyn FnMut()) -> usize {
    step();
    let start = Instant::now();
    step();
    (10_000_000 / (start.elapsed().as_nanos() as usize + 1)).clamp(10, CALLS_MAX)
}

fn encode(out: &mut Vec<u8>) {
    let mut encoder = Encoder::new(out);
    encoder.uuid(&[7; 16]);
    encoder.timestamp(black_box(1_500_000_000_123_456_789));
    encoder.type_(black_box(b"nginx.access"));
    encoder.logger(b"input.nginx");
    encoder.severity(6);
    encoder.payload(b"GET /index.html HTTP/1.1");
    encoder.pid(4711);
    encoder.hostname(b"web1.example.com");
    encoder.string_field(b"remote_addr", b"192.168.17.23");
    encoder.string_field(b"request", b"GET /index.html HTTP/1.1");
    encoder.double_field(b"status", 200.0);
    encoder.double_field(b"request_time", 0.025);
    encoder.integer_field(b"bytes_sent", 51_234);
    let mark = encoder.field_begin(b"cached");
    encoder.value_type(ValueType::Bool);
    encoder.bool_value(true);
    encoder.field_end(mark);
}

fn sample() -> Vec<u8> {
    let mut message = Message::new([7; 16], 1_500_000_000_123_456_789);
    message.type_ = Some(b"nginx.access".to_vec());
    message.logger = Some(b"input.nginx".to_vec());
    message.severity = Some(6);
    message.payload = Some(b"GET /index.html HTTP/1.1".to_vec());
    message.pid = Some(4711);
    message.hostname = Some(b"web1.example.com".to_vec());
    message.fields = vec![
        Field::string("remote_addr", "192.168.17.23"),
        Field::string("request", "GET /index.html HTTP/1.1"),
        Field::double("status", 200.0),
        Field::double("request_time", 0.025),
        Field::integer("bytes_sent", 51_234),
        Field::bool("cached", true),
    ];
    message.to_bytes()
}
