//! The decoders: `decoders.lines`, `decoders.syslog`, `decoders.nginx.access`, `decoders.nginx.error`, `decoders.json`,
//! `decoders.heka.protobuf` and `decoders.heka.framed_protobuf`, each between `input/file.lua` and an output.

use e2e::{Site, field_number, field_text, frame, messages};
use schemas::message::{Field, FieldValue, Message};

/// Between records, so that they may hold line ends.
const DELIMITER: &str = "\\1\\2\\3";

/// Decodes records with a decoder and returns the messages.
fn decode(cfg: &str, records: &[&[u8]]) -> Vec<Message> {
    let site = Site::new();
    let input = site.write("in.data", records.join(&b"\x01\x02\x03"[..]));
    let cfg = format!(
        "input_filename = \"{}\"\ndelimiter = \"{DELIMITER}\"\nsend_decode_failures = true\n{cfg}",
        input.display()
    );
    let site = site
        .ours("input/file.lua", "file", &cfg)
        .collect("all", "TRUE");
    site.replay().expect(0);
    messages(&site.path("all.heka"))
}

fn text(bytes: &Option<Vec<u8>>) -> Option<String> {
    bytes
        .as_ref()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// A message as one line of text, for tables of cases.
fn show(message: &Message) -> String {
    let mut parts = Vec::new();
    let headers = [
        ("type", text(&message.type_)),
        (
            "host",
            text(&message.hostname).filter(|host| host != "e2e.host"),
        ),
        (
            "sev",
            message
                .severity
                .filter(|severity| *severity != 7)
                .map(|severity| severity.to_string()),
        ),
        ("payload", text(&message.payload)),
    ];
    parts.extend(
        headers
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", value?))),
    );
    let mut fields: Vec<String> = message.fields.iter().map(show_field).collect();
    fields.sort();
    parts.extend(fields);
    parts.join(" ")
}

fn show_field(field: &Field) -> String {
    let values = match &field.value {
        FieldValue::String(values) | FieldValue::Bytes(values) => values
            .iter()
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect(),
        FieldValue::Integer(values) => values.iter().map(|value| format!("i{value}")).collect(),
        FieldValue::Double(values) => values.iter().map(ToString::to_string).collect(),
        FieldValue::Bool(values) => values.iter().map(ToString::to_string).collect::<Vec<_>>(),
    };
    format!(
        "[{}]={}",
        String::from_utf8_lossy(&field.name),
        values.join(",")
    )
}

/// Decodes each record; what comes out must be the line beside it, or an error with that text.
fn check(cfg: &str, cases: &[(&str, &str)]) {
    let records: Vec<&[u8]> = cases.iter().map(|(record, _)| record.as_bytes()).collect();
    let found = decode(cfg, &records);
    assert_eq!(found.len(), cases.len(), "one message for each record");
    for (message, (record, expected)) in found.iter().zip(cases) {
        let shown = if message.type_.as_deref() == Some(b"error.decode") {
            assert_eq!(field_text(message, "data").as_deref(), Some(*record));
            format!("error: {}", text(&message.payload).unwrap_or_default())
        } else {
            show(message)
        };
        assert_eq!(shown, *expected, "{record:?}");
    }
}

#[test]
fn lines_become_payloads_with_the_default_headers() {
    let cfg = "default_headers = { Type = \"raw\", Severity = 3, Fields = { origin = \"test\" } }";
    check(
        cfg,
        &[
            (
                "a line\n with more",
                "type=raw sev=3 payload=a line\n with more [origin]=test",
            ),
            (
                "\u{7f}\u{e9}",
                "type=raw sev=3 payload=\u{7f}\u{e9} [origin]=test",
            ),
        ],
    );
}

#[test]
fn syslog_of_rfc_5424() {
    check(
        "decoder_module = \"decoders.syslog\"",
        &[
            (
                "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \u{feff}'su root' failed",
                "host=mymachine.example.com sev=2 payload='su root' failed [msgid]=ID47 [programname]=su [syslogfacility]=i4",
            ),
            (
                "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
                "host=192.0.2.1 sev=5 payload=%% It's time [programname]=myproc [syslogfacility]=i20",
            ),
            (
                "<165>1 - h app x1 - [ex@32473 iut=\"3\" src=\"A \\\"q\\\" \\] \\\\\"][b@1]",
                "host=h sev=5 payload= [procid]=x1 [programname]=app [sd.ex@32473.iut]=3 [sd.ex@32473.src]=A \"q\" ] \\ \
             [syslogfacility]=i20",
            ),
            ("<0>1 - - - - - -\r\n", "sev=0 payload= [syslogfacility]=i0"),
            (
                "<1>1 2003-13-24T05:14:15Z h a - - - x",
                "error: invalid RFC 5424 timestamp",
            ),
            (
                "<1>1 2003-12-24T25:14:15Z h a - - - x",
                "error: invalid RFC 5424 timestamp",
            ),
            (
                "<1>1 yesterday h a - - - x",
                "error: invalid RFC 5424 timestamp",
            ),
            (
                "<1>1 - h a - - [x y=\"1] z",
                "error: invalid RFC 5424 structured data",
            ),
            (
                "<1>1 - h a - - -x",
                "error: invalid RFC 5424 structured data",
            ),
            ("<1>1 - h a", "error: not an RFC 5424 header"),
            ("<192>1 - h a - - - x", "error: invalid syslog priority"),
        ],
    );
}

#[test]
fn syslog_of_rfc_3164_and_of_files() {
    check(
        "decoder_module = \"decoders.syslog\"",
        &[
            (
                "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
                "host=mymachine sev=2 payload='su root' failed for lonvick on /dev/pts/8 [programname]=su [syslogfacility]=i4",
            ),
            (
                "<13>Feb  5 17:32:18 10.0.0.99 sshd[123]: Use the BFG!\0",
                "host=10.0.0.99 sev=5 payload=Use the BFG! [programname]=sshd [syslogfacility]=i1",
            ),
            (
                "Feb 28 01:02:03 h app[a-b]: text",
                "host=h payload=text [procid]=a-b [programname]=app",
            ),
            (
                "<14>Jan  1 00:00:00 cron[7]: no host",
                "sev=6 payload=no host [programname]=cron [syslogfacility]=i1",
            ),
            (
                "2026-03-11T22:14:15.003456+01:00 host kernel: [1.5] usb",
                "host=host payload=[1.5] usb [programname]=kernel",
            ),
            (
                "2026-03-11T22:14:15Z host just text",
                "host=host payload=just text",
            ),
            ("Foo 11 22:14:15 h a: x", "error: invalid syslog timestamp"),
            ("Oct 11 22:64:15 h a: x", "error: invalid syslog timestamp"),
            (
                "2026-03-99T22:14:15Z h a: x",
                "error: invalid syslog timestamp",
            ),
            ("<13>no time at all", "error: no syslog timestamp"),
            (
                "<999>Oct 11 22:14:15 h a: x",
                "error: invalid syslog priority",
            ),
            ("", "error: no syslog timestamp"),
            ("Oct 11 22:14:15 lonely", "error: no hostname"),
        ],
    );
}

#[test]
fn syslog_times_are_exact_and_pids_are_headers() {
    let records: [&[u8]; 4] = [
        b"<165>1 2003-08-24T05:14:15.000003-07:00 h app 8710 - - x",
        b"<165>1 2016-12-31T23:59:60.5Z h app - - - leap second",
        b"2026-03-11T22:14:15.25+01:30 h app[42]: x",
        b"<165>1 1970-01-01T00:00:00Z h app - - - x",
    ];
    let found = decode("decoder_module = \"decoders.syslog\"", &records);
    let times: Vec<i64> = found.iter().map(|message| message.timestamp).collect();
    // Lua's numbers carry a time of today to 256 ns.
    let expected: [i64; 4] = [
        1_061_727_255_000_003_000,
        1_483_228_800_500_000_000,
        1_773_261_855_250_000_000,
        0,
    ];
    for (time, expected) in times.iter().zip(expected) {
        assert!((time - expected).abs() <= 256, "{time} is not {expected}");
    }
    assert_eq!(found[0].pid, Some(8710));
    assert_eq!(found[2].pid, Some(42));
}

#[test]
fn a_time_without_a_year_is_of_the_last_months() {
    let found = decode(
        "decoder_module = \"decoders.syslog\"\ndecoders_syslog = { tz_offset_hours = 5 }",
        &[b"Jun 15 12:00:00 h a: x", b"Dec 31 23:59:59 h a: x"],
    );
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_nanos() as i64;
    const DAY: i64 = 86_400_000_000_000;
    for message in &found {
        let ahead = message.timestamp - now;
        assert!(
            (-367 * DAY..=181 * DAY).contains(&ahead),
            "{}",
            message.timestamp
        );
        assert_eq!(
            message.timestamp / 1_000_000_000 % 86_400,
            if message == &found[0] {
                17 * 3600
            } else {
                17_999
            }
        );
    }
}

const TEMPLATE: &str = "decoder_module = \"decoders.syslog\"\n\
    decoders_syslog = { template = \"<%PRI%>%TIMESTAMP:::date-rfc3339% %HOSTNAME% %syslogtag:1:32%%msg:::sp-if-no-1st-sp%%msg%\"";

#[test]
fn syslog_by_a_template() {
    check(
        &format!("{TEMPLATE}, keep_data = \"line\" }}"),
        &[
            (
                "<34>2026-03-11T22:14:15Z h app[x]: text\nmore\n",
                "host=h sev=2 payload=text\nmore [line]=<34>2026-03-11T22:14:15Z h app[x]: text\nmore\n [procid]=x \
                 [programname]=app [syslogfacility]=4",
            ),
            (
                "Mar 11 22:14:15 h app: text",
                "error: decoders.syslog parse failed",
            ),
        ],
    );
    check(
        "decoder_module = \"decoders.syslog\"\n\
         decoders_syslog = { template = \"%syslogseverity-text% %hostname% %app-name% %structured-data% %msg%\" }",
        &[(
            "err h app [a@1 x=\"1\" y=\"2\"][b@2 z=\"3\"] text",
            "host=h sev=3 payload=text [app-name]=app [sd.a@1.x]=1 [sd.a@1.y]=2 [sd.b@2.z]=3",
        )],
    );
}

#[test]
fn syslog_hands_the_text_to_sub_decoders() {
    let sub_decoders = "printf_messages = { \"lpeg.openssh_portable\" }, sub_decoders = {\n\
        app = \"lpeg.logfmt\", nginx = \"decoders.nginx.error\",\n\
        sshd = { \"Accepted publickey for ann from 10.11.12.13 port 4242 ssh2\", \"<<FAIL>>\" } } }";
    let cases = [
        (
            "<34>2026-03-11T22:14:15Z h app[7]: a=1 b",
            "host=h sev=2 [a]=1 [b]=true [programname]=app [syslogfacility]=FOUR",
        ),
        (
            "<34>2026-03-11T22:14:15Z h nginx: 2026/03/11 22:14:15 [warn] 1#2: *3 slow",
            "host=h sev=4 payload=slow [connection]=3 [programname]=nginx [syslogfacility]=FOUR [tid]=2",
        ),
        (
            "<34>2026-03-11T22:14:15Z h nginx: slow",
            "error: decoders.syslog.nginx parse failed",
        ),
        (
            "<38>2026-03-11T22:14:15Z h sshd[5]: Accepted password for bob from 10.0.0.1 port 9 ssh2",
            "host=h sev=6 payload=Accepted password for bob from 10.0.0.1 port 9 ssh2 [authmsg]=Accepted [extra]= \
             [method]=password [programname]=sshd [ssh_remote_ipaddr]=10.0.0.1 [ssh_remote_port]=9 \
             [syslogfacility]=FOUR [user]=bob",
        ),
        (
            "<38>2026-03-11T22:14:15Z h sshd[5]: Something else",
            "error: decoders.syslog.sshd parse failed",
        ),
        (
            "<38>2026-03-11T22:14:15Z h other: text",
            "host=h sev=6 payload=text [programname]=other [syslogfacility]=FOUR",
        ),
    ];
    let without = "decoder_module = \"decoders.syslog\"\ndecoders_syslog = { ";
    // A template's facility is a plain number.
    for (cfg, four) in [(without.to_string(), "i4"), (format!("{TEMPLATE}, "), "4")] {
        let expected = cases.map(|(_, expected)| expected.replace("FOUR", four));
        let pairs: Vec<(&str, &str)> = cases
            .iter()
            .zip(&expected)
            .map(|((line, _), expected)| (*line, expected.as_str()))
            .collect();
        check(&format!("{cfg}{sub_decoders}"), &pairs);
    }
}

#[test]
fn nginx_access_lines() {
    let format = "decoder_module = \"decoders.nginx.access\"\ndefault_headers = { Type = \"nginx\" }\n\
        decoders_nginx_access = { log_format = '$remote_addr - $remote_user [$time_local] \"$request\" $status \
        $body_bytes_sent \"$http_referer\" \"$http_user_agent\"'";
    let line = "192.0.2.1 - - [11/Mar/2026:22:14:15 +0000] \"GET / HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0 (X11; Linux) \
        Gecko Firefox/115.0\"";
    let fields = "[body_bytes_sent]=512 [http_referer]=-";
    let rest = "[remote_addr]=192.0.2.1 [remote_user]=- [request]=GET / HTTP/1.1 [status]=200";
    let agent = "[http_user_agent]=Mozilla/5.0 (X11; Linux) Gecko Firefox/115.0";
    let normal = "[user_agent_browser]=Firefox [user_agent_os]=Linux [user_agent_version]=115";
    let cases = [
        ("", format!("type=nginx {fields} {agent} {rest}")),
        (
            ", payload_keep = true",
            format!("type=nginx payload={line} {fields} {agent} {rest}"),
        ),
        (
            ", user_agent_transform = true, user_agent_conditional = true",
            format!("type=nginx {fields} {rest} {normal}"),
        ),
        (
            ", user_agent_transform = true, user_agent_keep = true",
            format!("type=nginx {fields} {agent} {rest} {normal}"),
        ),
    ];
    for (options, expected) in cases {
        check(
            &format!("{format}{options} }}"),
            &[(line, &expected), ("nonsense", "error: parse failed")],
        );
    }
    let found = decode(&format!("{format} }}"), &[line.as_bytes()]);
    assert_eq!(found[0].timestamp, 1_773_267_255_000_000_000);
}

#[test]
fn nginx_error_lines() {
    let line = "2026/03/11 22:14:15 [crit] 12#34: *56 open() failed";
    check(
        "decoder_module = \"decoders.nginx.error\"",
        &[
            (line, "sev=2 payload=open() failed [connection]=56 [tid]=34"),
            (
                "2026/03/11 22:14:15 [notice] 12#34: started",
                "sev=5 payload=started [tid]=34",
            ),
            ("2026/03/11 22:14:15 [loud] 12#34: x", "error: parse failed"),
        ],
    );
    let found = decode(
        "decoder_module = \"decoders.nginx.error\"",
        &[line.as_bytes()],
    );
    assert_eq!(found[0].timestamp, 1_773_267_255_000_000_000);
    assert_eq!(found[0].pid, Some(12));
}

#[test]
fn json_objects_become_messages() {
    check(
        "decoder_module = \"decoders.json\"",
        &[
            (
                r#"{"Type":"login","user":{"id":7,"name":"ann"},"tags":["a","b"],"n":[1,2.5],"ok":[true,false]}"#,
                "type=login [n]=1,2.5 [ok]=true,false [tags]=a,b [user.id]=7 [user.name]=ann",
            ),
            (
                r#" { "a" : null , "b" : false , "c" : -1.5e2 } "#,
                "[b]=false [c]=-150",
            ),
            (
                r#"{"m":[1,"a"],"e":[],"o":[{"x":[1,{}]}]}"#,
                r#"[e]=[] [m]=[1,"a"] [o]=[{"x":[1,{}]}]"#,
            ),
            (
                r#"{"s":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00","Severity":3,"Payload":"p"}"#,
                "sev=3 payload=p [s]=\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600}",
            ),
            (
                r#"{"Severity":"high","Hostname":5}"#,
                "[Hostname]=5 [Severity]=high",
            ),
            ("{}", ""),
        ],
    );
}

#[test]
fn what_is_no_json_object_is_an_error() {
    check(
        "decoder_module = \"decoders.json\"",
        &[
            ("[1]", "error: expected a JSON object"),
            ("5", "error: expected a JSON object"),
        ],
    );
    let broken = [
        "",
        "{\"a\":1",
        "{\"a\":1}x",
        "{\"a\"}",
        "{\"a\":01}",
        "{\"a\":tru}",
        "{\"a\":[1,]}",
        "{,}",
        "{\"a\":\"x",
        "{\"a\":\"x\ny\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud800\"}",
    ];
    let records: Vec<&[u8]> = broken.iter().map(|text| text.as_bytes()).collect();
    let found = decode("decoder_module = \"decoders.json\"", &records);
    assert_eq!(found.len(), broken.len());
    for (message, record) in found.iter().zip(broken) {
        let error = text(&message.payload).unwrap_or_default();
        assert!(
            error.starts_with("failed to parse offset:"),
            "{record}: {error}"
        );
    }
}

#[test]
fn json_has_limits_and_options() {
    let cfg = "decoder_module = \"decoders.json\"\n\
               decoders_json = { separator = \"_\", max_depth = 3, keep_payload = true }";
    check(
        cfg,
        &[
            (
                r#"{"a":{"b":{"c":1}}}"#,
                r#"payload={"a":{"b":{"c":1}}} [a_b_c]=1"#,
            ),
            (
                r#"{"a":{"b":{"c":{"d":1}}}}"#,
                "error: objects are nested deeper than 3 levels",
            ),
        ],
    );
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20_000), "]".repeat(20_000));
    let found = decode("decoder_module = \"decoders.json\"", &[deep.as_bytes()]);
    assert_eq!(text(&found[0].type_).as_deref(), Some("error.decode"));
}

#[test]
fn json_times_are_numbers_or_texts() {
    let records: [&[u8]; 3] = [
        br#"{"Timestamp":1000000000}"#,
        br#"{"Timestamp":"1970-01-01T00:00:02.5Z"}"#,
        br#"{"Timestamp":"1970-31-01T00:00:02.5Z"}"#,
    ];
    let found = decode("decoder_module = \"decoders.json\"", &records);
    assert_eq!(found[0].timestamp, 1_000_000_000);
    assert_eq!(found[1].timestamp, 2_500_000_000);
    assert_eq!(
        field_text(&found[2], "Timestamp").as_deref(),
        Some("1970-31-01T00:00:02.5Z"),
        "kept as a field"
    );
}

fn sample(payload: &str) -> Message {
    let mut message = Message::new([9; 16], 77);
    message.payload = Some(payload.into());
    message.pid = Some(3);
    message.fields.push(Field::integer("n", 1 << 60));
    message
}

#[test]
fn protobuf_passes_through_unchanged() {
    let message = sample("p");
    let found = decode(
        "decoder_module = \"decoders.heka.protobuf\"",
        &[&message.to_bytes(), b"no message"],
    );
    assert_eq!(found[0], message);
    assert_eq!(text(&found[1].type_).as_deref(), Some("error.decode"));
}

#[test]
fn default_headers_fill_in_what_the_message_lacks() {
    let cfg = "decoder_module = \"decoders.heka.protobuf\"\n\
               default_headers = { Type = \"new\", Payload = \"other\", Fields = { added = 5, n = 1 } }";
    let found = decode(cfg, &[&sample("p").to_bytes()]).remove(0);
    assert_eq!(text(&found.type_).as_deref(), Some("new"));
    assert_eq!(text(&found.payload).as_deref(), Some("p"));
    assert_eq!((found.timestamp, found.uuid), (77, Some([9; 16])));
    assert_eq!(field_number(&found, "added"), Some(5.0));
    assert_eq!(found.fields.len(), 2);
    assert_eq!(found.fields[0], Field::integer("n", 1 << 60));
}

#[test]
fn framed_protobuf_is_found_between_garbage() {
    let (a, b) = (sample("a"), sample("b"));
    let two = [
        b"garbage".to_vec(),
        frame(&a),
        b"\x1e\x02more".to_vec(),
        frame(&b),
    ]
    .concat();
    let cut = &frame(&a)[..20];
    let found = decode(
        "decoder_module = \"decoders.heka.framed_protobuf\"",
        &[&two, b"none", cut, &frame(&b)],
    );
    assert_eq!(found[..2], [a, b.clone()]);
    assert_eq!(
        text(&found[2].payload).as_deref(),
        Some("no framed message found")
    );
    assert_eq!(
        text(&found[3].payload).as_deref(),
        Some("no framed message found")
    );
    assert_eq!(found[4], b, "the cut message does not spoil the next");
}
