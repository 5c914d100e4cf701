//! What matches and what does not: the language as a table.

use matcher::{Matcher, Warning};
use schemas::message::{Field, FieldValue, Message};
use schemas::view::Index;

/// A message with something of everything.
fn full() -> Message {
    let mut message = Message::new(*b"0123456789abcdef", 1_600_000_000_123_456_789);
    message.type_ = Some(b"nginx.access".to_vec());
    message.logger = Some(b"input.tcp".to_vec());
    message.severity = Some(4);
    message.payload = Some(b"GET /index.html (cached) 200 [ok] 100%".to_vec());
    message.env_version = Some(b"1.2".to_vec());
    message.pid = Some(4711);
    message.hostname = Some(b"web-7.example.org".to_vec());
    message.fields = vec![
        Field::string("path", "/index.html"),
        Field::integer("status", 200),
        Field::double("time", 0.25),
        Field::bool("cached", true),
        Field::bytes("raw", b"\x00\xff'\\\""),
        Field::with(
            "sizes",
            FieldValue::Integer(vec![10, 20, 9_007_199_254_740_993]),
        ),
        Field::with(
            "tags",
            FieldValue::String(vec![b"a".to_vec(), b"b".to_vec()]),
        ),
        Field::string("path", "/second"),
        Field::integer("zero", 0),
        Field::integer("one", 1),
        Field::double("one.0", 1.0),
        Field::double("nan", f64::NAN),
        Field::double("big", 9.007_199_254_740_992e15),
        Field::string("number", "200"),
        Field::string("", "nameless"),
        Field::string(" spaced name ", "x"),
        Field::bool("no", false),
        Field::string("empty", ""),
    ];
    message
}

/// A message with the required headers and nothing else.
fn bare() -> Message {
    Message::new([0; 16], 0)
}

fn matches(message: &Message, expression: &[u8]) -> bool {
    let shown = String::from_utf8_lossy(expression);
    let matcher = Matcher::parse(expression).unwrap_or_else(|error| panic!("{shown}: {error:#}"));
    let bytes = message.to_bytes();
    let mut index = Index::default();
    index.parse(&bytes).expect("just encoded");
    matcher.matches(&index.view(&bytes))
}

fn check(message: &Message, expected: bool, expressions: &[&str]) {
    for expression in expressions {
        assert_eq!(
            matches(message, expression.as_bytes()),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn headers_that_match() {
    check(
        &full(),
        true,
        &[
            "TRUE",
            " \r\n\tTRUE \r\n\t",
            "Type == 'nginx.access'",
            "Type==\"nginx.access\"",
            "Type != 'nginx'",
            "Type != ''",
            "Type > 'nginx'",
            "Type >= 'nginx.access'",
            "Type < 'nginx.access2'",
            "Type <= 'nginx.access'",
            "Type < 'o'",
            "Type != NIL",
            "Logger == 'input.tcp'",
            "Logger != NIL",
            "Hostname =~ '^web'",
            "Hostname != NIL",
            "EnvVersion >= '1.10'",
            "EnvVersion != NIL",
            "Payload != NIL",
            "Severity == 4",
            "Severity != 5",
            "Severity < 4.5",
            "Severity <= 4",
            "Severity > 3",
            "Severity >= +4",
            "Severity == 4.0",
            "Severity == 4e0",
            "Severity == 40e-1",
            "Severity > -1",
            "Pid == 4711",
            "Pid != NIL",
            "Pid > 4.7e3",
            "Uuid == '0123456789abcdef'",
            "Uuid == '30313233-3435-3637-3839-616263646566'",
            "Uuid > '0'",
            "Uuid < '1'",
            "Uuid =~ '^0123'",
            "Uuid !~ '-'%",
        ],
    );
}

#[test]
fn headers_that_do_not_match() {
    check(
        &full(),
        false,
        &[
            "FALSE",
            "Type == 'nginx'",
            "Type == 'Nginx.access'",
            "Type == 'nginx.access '",
            "Type == NIL",
            "Type != 'nginx.access'",
            "Type < 'nginx.access'",
            "Type <= 'nginx'",
            "Type > 'nginx.access'",
            "Type >= 'o'",
            "Logger == NIL",
            "Hostname == NIL",
            "EnvVersion == NIL",
            "Payload == NIL",
            "Pid == NIL",
            "Pid == 4712",
            "Pid < 4711",
            "Severity == 7",
            "Severity != 4",
            "Severity == 4.000001",
            "Severity > 4",
            "Severity >= 4.1",
            "Severity < 4",
            "Uuid == '0123456789abcde'",
            "Uuid == '30313233-3435-3637-3839-616263646567'",
            "Uuid != '30313233-3435-3637-3839-616263646566'",
        ],
    );
}

#[test]
fn timestamps() {
    check(
        &full(),
        true,
        &[
            "Timestamp == 1600000000123456789",
            "Timestamp != 1600000000123456788",
            "Timestamp != 1600000000123456790",
            "Timestamp > 1600000000123456788",
            "Timestamp < 1600000000123456790",
            "Timestamp > 1.6e18",
            "Timestamp == 1.600000000123456789e18",
            "Timestamp == 1600000000123456.789e3",
            "Timestamp > 0",
            "Timestamp > -1",
            "Timestamp < 1e30",
            "Timestamp == '2020-09-13T12:26:40.123456789Z'",
            "Timestamp > '2020-09-13T12:26:40Z'",
            "Timestamp < \"2020-09-13T12:26:41Z\"",
            "Timestamp == '2020-09-13T14:26:40.123456789+0200'",
            "Timestamp == '2020-09-13T14:26:40.123456789+02:00'",
            "Timestamp == '2020-09-13T09:56:40.123456789-02:30'",
            "Timestamp < '9999-12-31T23:59:60Z'",
            "Timestamp > '0000-01-01T00:00:00Z'",
        ],
    );
    check(
        &full(),
        false,
        &[
            "Timestamp == 1600000000123456788",
            "Timestamp == 1600000000123456790",
            "Timestamp == 1.6e18",
            "Timestamp < '2020-09-13T12:26:40Z'",
            "Timestamp == '2020-09-13T10:26:40.123456789+0200'",
            "Timestamp > 1e30",
            "Timestamp == '2020-09-13T12:26:40.123456788Z'",
        ],
    );
}

#[test]
fn fields_that_match() {
    check(
        &full(),
        true,
        &[
            "Fields[path] == '/index.html'",
            "Fields[path][0] == '/index.html'",
            "Fields[path][0][0] == '/index.html'",
            "Fields[path][1] == '/second'",
            "Fields[path][1][0] =~ 'second'",
            "Fields[path][2] == NIL",
            "Fields[path][255][255] == NIL",
            "Fields[path][206] == NIL",
            "Fields[path] != '/'",
            "Fields[path] > '/'",
            "Fields[path] <= '/index.html'",
            "Fields[path] =~ 'html$'",
            "Fields[path] !~ 'htm$'",
            "Fields[status] == 200",
            "Fields[status] == 200.0",
            "Fields[status] == 2e2",
            "Fields[status] != 200.5",
            "Fields[status] < 200.5",
            "Fields[status] >= 199.5",
            "Fields[status] != NIL",
            "Fields[sizes] == 10",
            "Fields[sizes][0][1] == 20",
            "Fields[sizes][0][2] == 9007199254740993",
            "Fields[sizes][0][2] != 9007199254740992",
            "Fields[sizes][0][2] > 9007199254740992",
            "Fields[sizes][0][2] < 9007199254740994.0",
            "Fields[sizes][0][3] == NIL",
            "Fields[big] == 9007199254740992",
            "Fields[big] < 9007199254740993",
            "Fields[tags][0][1] == 'b'",
            "Fields[time] == 0.25",
            "Fields[time] == 25e-2",
            "Fields[time] < 1",
            "Fields[time] > 0",
            "Fields[nan] != 1",
            "Fields[nan] != NIL",
            "Fields[nan] != TRUE",
            "Fields[cached] == TRUE",
            "Fields[cached] != FALSE",
            "Fields[no] == FALSE",
            "Fields[no] != TRUE",
            "Fields[one] == TRUE",
            "Fields[one.0] == TRUE",
            "Fields[zero] == FALSE",
            "Fields[status] != TRUE",
            "Fields[status] != FALSE",
            "Fields[raw] != ''",
            "Fields[raw] =~ '%z'",
            "Fields[raw] =~ '\\'\\\\\\\"'%",
            "Fields[number] == '200'",
            "Fields[] == 'nameless'",
            "Fields[ spaced name ] == 'x'",
            "Fields[empty] == ''",
            "Fields[empty] =~ ''",
            "Fields[empty] <= ''",
            "Fields[missing] == NIL",
            "Fields[missing][3][4] == NIL",
        ],
    );
}

#[test]
fn fields_that_do_not_match() {
    check(
        &full(),
        false,
        &[
            "Fields[path] == '/second'",
            "Fields[path] == NIL",
            "Fields[path][1] == '/index.html'",
            "Fields[path][2] != NIL",
            "Fields[Path] == '/index.html'",
            "Fields[status] == '200'",
            "Fields[status] != '200'",
            "Fields[status] =~ '200'",
            "Fields[status] !~ 'x'",
            "Fields[number] == 200",
            "Fields[number] != 201",
            "Fields[number] == TRUE",
            "Fields[number] != TRUE",
            "Fields[cached] == 1",
            "Fields[cached] != 0",
            "Fields[cached] == FALSE",
            "Fields[cached] != TRUE",
            "Fields[cached] == 'true'",
            "Fields[status] == TRUE",
            "Fields[status] == FALSE",
            "Fields[sizes][0][2] == 9007199254740992",
            "Fields[big] == 9007199254740993",
            "Fields[nan] == 1",
            "Fields[nan] < 1",
            "Fields[nan] >= 1",
            "Fields[nan] == FALSE",
            "Fields[spaced name] == 'x'",
            "Fields[tags][1] == 'b'",
            "Fields[empty] == NIL",
            "Fields[empty] > ''",
        ],
    );
}

#[test]
fn a_missing_field_fails_every_test_but_nil() {
    check(
        &full(),
        false,
        &[
            "Fields[missing] == 'a'",
            "Fields[missing] != 'a'",
            "Fields[missing] < 'a'",
            "Fields[missing] <= 'a'",
            "Fields[missing] > ''",
            "Fields[missing] >= ''",
            "Fields[missing] =~ ''",
            "Fields[missing] !~ 'a'",
            "Fields[missing] == 1",
            "Fields[missing] != 1",
            "Fields[missing] == TRUE",
            "Fields[missing] != TRUE",
            "Fields[missing] == FALSE",
            "Fields[missing] != FALSE",
            "Fields[missing] != NIL",
        ],
    );
}

#[test]
fn a_missing_header_is_unequal_less_and_matches_nothing() {
    check(
        &bare(),
        true,
        &[
            "Type == NIL",
            "Logger == NIL",
            "Hostname == NIL",
            "EnvVersion == NIL",
            "Payload == NIL",
            "Pid == NIL",
            "Type != 'a'",
            "Type != ''",
            "Type < 'a'",
            "Type < ''",
            "Type <= ''",
            "Type !~ 'a'",
            "Type !~ ''",
            "Payload !~ '.'%",
            "Pid != 0",
            "Pid < 0",
            "Pid <= -2147483648",
            "Severity == 7",
            "Timestamp == 0",
            "Timestamp == '1970-01-01T00:00:00Z'",
        ],
    );
    check(
        &bare(),
        false,
        &[
            "Type != NIL",
            "Logger != NIL",
            "Hostname != NIL",
            "EnvVersion != NIL",
            "Payload != NIL",
            "Pid != NIL",
            "Type == ''",
            "Type == 'a'",
            "Type > ''",
            "Type >= ''",
            "Type =~ ''",
            "Type =~ '.*'",
            "Payload =~ ''%",
            "Pid == 0",
            "Pid > 0",
            "Severity < 7",
        ],
    );
}

#[test]
fn patterns() {
    check(
        &full(),
        true,
        &[
            "Payload =~ 'index'",
            "Payload =~ '^GET'",
            "Payload =~ '%d%d%d'",
            "Payload =~ '%s%[ok%]'",
            "Payload =~ '%d+%%$'",
            "Payload =~ 'index%.html'",
            "Payload =~ 'index.html'%",
            "Payload =~ '[ok]'%",
            "Payload =~ '100%'%",
            "Payload =~ '(cached)'",
            "Payload =~ '(cached).200'",
            "Payload =~ '%b()'",
            "Payload =~ '%f[%d]200%f[%D]'",
            "Payload =~ '.-cached.*ok'",
            "Payload =~ ''",
            "Payload =~ ''%",
            "Payload !~ '^index'",
            "Payload !~ '(index).'",
            "Payload !~ 'index-html'%",
            "Type =~ 'nginx.access'",
            "Type =~ 'nginx%.%a+$'",
            "Hostname =~ \"^web%-[0-9]+%.\"",
        ],
    );
    check(
        &full(),
        false,
        &[
            "Payload =~ '^index'",
            "Payload =~ '(index).'",
            "Payload =~ '(GET)%s'",
            "Payload =~ 'INDEX'",
            "Payload =~ 'index.html$'",
            "Payload =~ 'index%.html'%",
            "Payload !~ 'cached'",
            "Payload !~ ''",
        ],
    );
}

#[test]
fn malformed_patterns_match_nothing() {
    for pattern in [
        "[", "[^", "[a", "a[", "%", "ok%", "%b", "%b(", "%f", "%fx", "%f[a",
    ] {
        for (operator, expected) in [("=~", false), ("!~", true)] {
            let expression = format!("Payload {operator} '{pattern}'");
            assert_eq!(
                matches(&full(), expression.as_bytes()),
                expected,
                "{expression}"
            );
            let matcher = Matcher::parse(&expression).expect("a malformed pattern is no error");
            let [Warning::BadPattern { pattern: named, .. }] = matcher.warnings() else {
                panic!("{expression}: {:?}", matcher.warnings());
            };
            assert_eq!(named, pattern);
        }
    }
    assert!(
        Matcher::parse("Type =~ '['%")
            .expect("plain text")
            .warnings()
            .is_empty()
    );
}

#[test]
fn operators_bind_as_written() {
    check(
        &full(),
        true,
        &[
            "TRUE || FALSE && FALSE",
            "FALSE && FALSE || TRUE",
            "(FALSE || TRUE) && TRUE",
            "FALSE && (TRUE) || TRUE",
            "FALSE && (FALSE || TRUE) || TRUE",
            "((((TRUE))))",
            "( TRUE\n) ",
            "TRUE && (FALSE || (TRUE && (FALSE || TRUE)))",
            "TRUE&&TRUE||FALSE",
            "Type == 'x' && (Severity == 1) || Pid == 4711",
            "FALSE || (FALSE) || TRUE && (TRUE)",
            "Type =~ 'nginx'%&&TRUE",
        ],
    );
    check(
        &full(),
        false,
        &[
            "FALSE || FALSE && TRUE",
            "(TRUE || TRUE) && FALSE",
            "(TRUE) && FALSE || FALSE",
            "TRUE && (TRUE || FALSE) && FALSE",
            "(FALSE) || (TRUE) && (FALSE)",
        ],
    );
}

#[test]
fn strings_escape_quotes_and_backslashes_only() {
    let mut message = bare();
    let cases: [(&[u8], &str); 9] = [
        (b"it's", r"'it\'s'"),
        (b"it's", r#""it's""#),
        (b"it's", r#""it\'s""#),
        (b"a\"b", r#"'a"b'"#),
        (b"a\"b", r#""a\"b""#),
        (b"a\\b", r"'a\b'"),
        (b"a\\b", r"'a\\b'"),
        (b"\\n\\t", r"'\n\t'"),
        (b"\\", r"'\\'"),
    ];
    for (payload, string) in cases {
        message.payload = Some(payload.to_vec());
        assert!(
            matches(&message, format!("Payload == {string}").as_bytes()),
            "{string}"
        );
    }
    message.payload = Some(b"\xff\n\xfe".to_vec());
    assert!(matches(&message, b"Payload == '\xff\n\xfe'"));
}

#[test]
fn limits_are_hindsights() {
    let tests = |count: usize| vec!["Type =~ '.'"; count].join(" && ");
    assert!(matches(&full(), tests(matcher::MAX_TESTS).as_bytes()));
    assert!(Matcher::parse(tests(matcher::MAX_TESTS + 1)).is_err());
    let string = |len: usize| format!("Type != '{}'", "\\'".repeat(len));
    assert!(matches(&full(), string(matcher::MAX_STRING).as_bytes()));
    assert!(Matcher::parse(string(matcher::MAX_STRING + 1)).is_err());
    // Hindsight takes the length of a name modulo 256; here a name is a name.
    let long = format!("Fields[{}] == NIL", "n".repeat(1000));
    assert!(matches(&full(), long.as_bytes()));
    let deep = format!("{}TRUE{}", "(".repeat(100_000), ")".repeat(100_000));
    assert!(matches(&full(), deep.as_bytes()));
}

#[test]
fn every_index_is_accepted() {
    for index in 0..=255 {
        let expression = format!("Fields[x][{index}][{index}] == NIL");
        assert!(matches(&full(), expression.as_bytes()), "{expression}");
    }
}

#[test]
fn what_means_something_else_than_upstream_is_said() {
    let warnings = |expression: &str| -> Vec<String> {
        let matcher = Matcher::parse(expression).expect(expression);
        matcher.warnings().iter().map(ToString::to_string).collect()
    };
    for same in [
        "TRUE",
        "(Type == 'a' && Pid == 1) || Pid == 2",
        "Type == 'a' && (Pid == 1) && Pid == 2",
        "Type == 'a' || (Pid == 1) || Pid == 2",
        "Type == 'a' && (Pid == 1 || Pid == 2)",
        "Timestamp > '2020-01-01T00:00:00+0000'",
        "Fields[x] == 1 && Fields[y][1] == 2",
        "Fields[x][1][0] == 1 && Fields[y][0][0] == 2",
    ] {
        assert_eq!(warnings(same), [""; 0], "{same}");
    }
    assert!(
        warnings("Type == 'a' && (Pid == 1) || Pid == 2")[0]
            .ends_with("Hindsight evaluated: Type == 'a' && (Pid == 1 || Pid == 2)")
    );
    assert!(warnings("Timestamp > '2020-01-01T00:00:00+0100'")[0].contains("+0100"));
    assert!(warnings("Fields[x][1] == 1 && Fields[y] == 2")[0].contains("index"));
    assert!(warnings("Timestamp > '2020-01-01T00:00:00Z' && Fields[y] == 2")[0].contains("index"));
    assert!(warnings("Uuid == '30313233-3435-3637-3839-616263646566'")[0].contains("Uuid"));
}

#[test]
fn a_pattern_bomb_is_no_match_and_counted() {
    let mut message = bare();
    message.payload = Some(b"a".repeat(20_000));
    let bytes = message.to_bytes();
    let mut index = Index::default();
    index.parse(&bytes).expect("just encoded");
    let view = index.view(&bytes);
    let bomb = Matcher::parse("Payload =~ 'a-a-a-a-a-b'").expect("well formed");
    let clone = bomb.clone();
    assert!(!bomb.matches(&view));
    assert!(!clone.matches(&view));
    assert_eq!(
        (bomb.patterns_exceeded(), clone.patterns_exceeded()),
        (2, 2)
    );
    let negated = Matcher::parse("Payload !~ 'a-a-a-a-a-b'").expect("well formed");
    assert!(negated.matches(&view));
    assert_eq!(negated.patterns_exceeded(), 1);
    let harmless = Matcher::parse("Payload =~ 'a+$' && Payload !~ 'b'").expect("well formed");
    assert!(harmless.matches(&view));
    assert_eq!(harmless.patterns_exceeded(), 0);
}

#[test]
fn what_a_matcher_needs() {
    let needs = |expression: &str| {
        let matcher = Matcher::parse(expression).expect(expression);
        (
            matcher.needs_message(),
            matcher.needs_fields(),
            matcher.always(),
        )
    };
    assert_eq!(needs("TRUE"), (false, false, true));
    assert_eq!(needs("FALSE"), (false, false, false));
    assert_eq!(needs("TRUE || Fields[x] == 1"), (false, false, true));
    assert_eq!(needs("FALSE && Fields[x] == 1"), (false, false, false));
    assert_eq!(needs("Type == 'a'"), (true, false, false));
    assert_eq!(needs("TRUE && Type == 'a'"), (true, false, false));
    assert_eq!(needs("Type == 'a' || Fields[x] == 1"), (true, true, false));
}

#[test]
fn source_and_plain_form() {
    let source = " Type==\"a'b\"&&( Fields[x][0][2]=~ 'y'%||Pid!=NIL )|| Severity<1.50 ";
    let matcher = Matcher::parse(source).expect("well formed");
    assert_eq!(matcher.source(), source.as_bytes());
    let plain = r"Type == 'a\'b' && (Fields[x][0][2] =~ 'y'% || Pid != NIL) || Severity < 1.5e0";
    assert_eq!(matcher.to_string(), plain);
    assert_eq!(matcher.tree().tests().count(), 4);
}
