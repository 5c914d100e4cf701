//! The encoders `encoders.lines`, `encoders.payload`, `encoders.json` and Heka's, chosen through `encoding`.

use e2e::{Site, messages};

/// Injects one message of each kind that makes a difference.
const SOURCE: &str = r#"
    function process_message()
        inject_message{ Uuid = "00010203-0405-0607-0809-0a0b0c0d0e0f", Timestamp = 1.5e18, Type = "t", Pid = 1,
            Logger = "l", Payload = "one\n", Fields = {
                { name = "text", value = "q\"\\\n\1\127\195\169\255" },
                { name = "list", value = { 1, 2.5, 1e300 } },
                { name = "whole", value = 9007199254740992, value_type = 2 },
                { name = "tenth", value = 0.1 },
                { name = "odd", value = 0/0 },
                { name = "yes", value = true },
            } }
        inject_message{ Uuid = "00010203-0405-0607-0809-0a0b0c0d0e10", Timestamp = 1, Logger = "l", Pid = 1 }
        inject_message{ Uuid = "00010203-0405-0607-0809-0a0b0c0d0e11", Timestamp = 1, Payload = "two" }
        return 0
    end
"#;

fn encode(cfg: &str) -> Site {
    let site = Site::new();
    let out = site.path("out");
    let cfg = format!(
        "message_matcher = \"TRUE\"\noutput_file = \"{}\"\n{cfg}",
        out.display()
    );
    let site = site
        .input("source", "", SOURCE)
        .ours("output/log_file.lua", "log", &cfg)
        .collect("all", "TRUE");
    site.replay().expect(0);
    site
}

#[test]
fn payloads_are_lines_and_messages_without_one_are_left_out() {
    assert_eq!(
        encode("encoder_module = \"encoders.lines\"").read("out"),
        "one\ntwo\n"
    );
    assert_eq!(encode("").read("out"), "one\ntwo\n");
}

#[test]
fn payloads_and_messages_are_written_as_they_are() {
    assert_eq!(
        encode("encoder_module = \"encoders.payload\"").read("out"),
        "one\ntwo"
    );
    let site = encode("encoder_module = \"encoders.heka.protobuf\"");
    let all = messages(&site.path("all.heka"));
    let bytes: Vec<u8> = all.iter().flat_map(|message| message.to_bytes()).collect();
    assert_eq!(std::fs::read(site.path("out")).expect("there"), bytes);
}

#[test]
fn json_is_one_object_a_line() {
    let text = encode("encoder_module = \"encoders.json\"").read("out");
    let lines: Vec<&str> = text.lines().collect();
    let expected = "{\"Uuid\":\"00010203-0405-0607-0809-0a0b0c0d0e0f\",\"Timestamp\":\"1500000000000000000\",\"Type\":\"t\",\
                    \"Logger\":\"l\",\"Hostname\":\"e2e.host\",\"Payload\":\"one\\n\",\"Severity\":7,\"Pid\":1,\"Fields\":{\
                    \"text\":\"q\\\"\\\\\\u000a\\u0001\\u007f\u{e9}\u{fffd}\",\"list\":[1,2.5,1e+300],\
                    \"whole\":9007199254740992,\"tenth\":0.1,\"odd\":null,\"yes\":true}}";
    // Severity stands there only when the message has one; a line end may be written either way.
    let normal = |line: &str| {
        line.replace("\\n", "\\u000a")
            .replace("\"Severity\":7,", "")
    };
    assert_eq!(normal(lines[0]), normal(expected));
    assert_eq!(lines.len(), 3);
    assert!(
        lines[1].ends_with("\"Hostname\":\"e2e.host\",\"Pid\":1}"),
        "{}",
        lines[1]
    );
}

#[test]
fn frames_are_the_messages_as_they_are() {
    let site = encode("encoder_module = \"encoders.heka.framed_protobuf\"");
    assert_eq!(
        std::fs::read(site.path("out")).expect("there"),
        std::fs::read(site.path("all.heka")).expect("there")
    );
    assert_eq!(messages(&site.path("out")).len(), 3);
}

#[test]
fn an_encoder_that_is_none_is_refused() {
    let site = Site::new();
    let cfg =
        "message_matcher = \"TRUE\"\noutput_file = \"out\"\nencoder_module = \"decoders.lines\"";
    let site = site
        .ours("output/log_file.lua", "log", cfg)
        .input("source", "", SOURCE);
    site.replay().expect(8);
    assert!(
        site.read("run/output/log.err")
            .contains("decoders.lines has no function encode")
    );
}
