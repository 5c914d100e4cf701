//! The decoders and encoders of the distribution, each called as an input or output calls it.

use modules::Setup;
use sandbox::{Answer, Kind};
use schemas::message::{Field, FieldValue, Message};

/// Calls `decode(data, default_headers)` of a decoder; what it injected, or the error that it returned or raised.
fn decode(decoder: &str, cfg: &str, data: &str, defaults: &str) -> Result<Vec<Message>, String> {
    let source = format!(
        "require 'string'\nlocal err = require '{decoder}'.decode(string.gsub([==[{data}]==], '^\\n', ''), {defaults})\n\
         if err then error(err, 0) end"
    );
    let plugin = Setup::new(Kind::Input).configured(cfg).run(&source)?;
    let decode = |bytes: Vec<u8>| Message::decode(&bytes).expect("it was just encoded");
    Ok(plugin.seen().injected.into_iter().map(decode).collect())
}

/// The one message as text: headers that are no defaults, then Fields by name.
fn decoded(decoder: &str, cfg: &str, data: &str, defaults: &str) -> String {
    match decode(decoder, cfg, data, defaults) {
        Ok(messages) if messages.len() == 1 => text(&messages[0]),
        Ok(messages) => format!("{} messages", messages.len()),
        Err(error) => format!("error: {error}"),
    }
}

fn text(message: &Message) -> String {
    let mut parts = Vec::new();
    if message.timestamp < 1_000_000 {
        parts.push(format!("Timestamp={}", message.timestamp));
    }
    let texts = [
        ("Type", &message.type_),
        ("Logger", &message.logger),
        ("Payload", &message.payload),
        ("EnvVersion", &message.env_version),
        ("Hostname", &message.hostname),
    ];
    for (name, value) in texts {
        let value = value.as_ref();
        // The test plugin's own, and its empty host name.
        if let Some(value) = value.filter(|value| !value.is_empty() && *value != b"input.test") {
            parts.push(format!("{name}={}", String::from_utf8_lossy(value)));
        }
    }
    if let Some(severity) = message.severity {
        parts.push(format!("Severity={severity}"));
    }
    let mut fields: Vec<String> = message.fields.iter().map(field).collect();
    fields.sort();
    parts.extend(fields);
    parts.join(" ")
}

fn field(field: &Field) -> String {
    let bytes = |all: &Vec<Vec<u8>>| {
        let all: Vec<_> = all.iter().map(|one| String::from_utf8_lossy(one)).collect();
        all.join(",")
    };
    let value = match &field.value {
        FieldValue::String(texts) => bytes(texts),
        FieldValue::Bytes(all) => format!("bytes:{}", bytes(all)),
        FieldValue::Integer(numbers) => format!("i{numbers:?}"),
        FieldValue::Double(numbers) => format!("{numbers:?}"),
        FieldValue::Bool(truths) => format!("{truths:?}"),
    };
    let unit = field.representation.as_deref().map(String::from_utf8_lossy);
    format!(
        "[{}]={value}{}",
        String::from_utf8_lossy(&field.name),
        unit.unwrap_or_default()
    )
}

#[test]
fn payload_is_the_bytes() {
    assert_eq!(
        decoded(
            "decoders.payload",
            "",
            "any text",
            "{ Type = 't', Fields = { a = 1 } }"
        ),
        "Type=t Payload=any text [a]=[1.0]"
    );
}

#[test]
fn heka_json_is_a_message() {
    let json = r#"{"Timestamp":5,"Type":"t","Severity":3,"Hostname":null,"Fields":{"a":"x","n":[1,2],"gone":null,
                  "b":{"value":7,"value_type":2,"representation":"B"},"yes":true}}"#;
    assert_eq!(
        decoded("decoders.heka.json", "", json, "nil"),
        "Timestamp=5 Type=t Severity=3 [a]=x [b]=i[7]B [n]=[1.0, 2.0] [yes]=[true]"
    );
    let defaults = "{ Type = 'd', Logger = 'l', Fields = { a = 'd', more = 1 } }";
    assert_eq!(
        decoded("decoders.heka.json", "", json, defaults),
        "Timestamp=5 Type=t Logger=l Severity=3 [a]=x [b]=i[7]B [more]=[1.0] [n]=[1.0, 2.0] [yes]=[true]"
    );
    let list = r#"{"Fields":[{"name":"a","value":["x"]},{"name":"a","value":"y"}]}"#;
    assert_eq!(
        decoded("decoders.heka.json", "", list, defaults),
        "Type=d Logger=l [a]=x [a]=y [more]=[1.0]"
    );
    assert_eq!(decoded("decoders.heka.json", "", "{}", "nil"), "");
}

#[test]
fn what_is_no_heka_json_is_an_error() {
    let error = |json: &str| decoded("decoders.heka.json", "", json, "nil");
    assert_eq!(error("5"), "error: not a JSON object");
    assert_eq!(error(r#"{"Fields":5}"#), "error: Fields is no JSON object");
    assert!(error("{").contains("error: "), "{}", error("{"));
    assert!(error(r#"{"Fields":{"a":{"b":{}}}}"#).contains("unsupported type"));
    assert!(error(r#"{"Fields":{"a":[1,"b"]}}"#).contains("array has mixed types"));
}

#[test]
fn heka_json_is_changed_as_configured() {
    let json = r#"{"Timestamp":5,"Type":"t","Fields":{"a":1,"password":"p"}}"#;
    let with = |cfg: &str, defaults: &str| {
        let cfg = format!("decoders_heka_json_mutate = {{ {cfg} }}");
        decoded("decoders.heka.json_mutate", &cfg, json, defaults)
    };
    assert_eq!(
        decoded("decoders.heka.json_mutate", "", json, "nil"),
        "Timestamp=5 Type=t [a]=[1.0] [password]=p"
    );
    assert_eq!(
        with("scrub_fields = { 'password', 'x' }", "nil"),
        "Timestamp=5 Type=t [a]=[1.0]"
    );
    let defaults = "{ Timestamp = 9, Logger = 'l', Fields = { Type = 'd', more = 'm' } }";
    assert_eq!(
        with("preserve_metadata = true", defaults),
        "Timestamp=9 Logger=l [Fields.a]=[1.0] [Fields.password]=p [Timestamp]=[5.0] [Type]=t [more]=m"
    );
    assert_eq!(
        with(
            "preserve_metadata = true, preserve_metadata_use_timestamp = true, flatten_delimiter = '_'",
            defaults
        ),
        "Timestamp=5 Logger=l [Fields_a]=[1.0] [Fields_password]=p [Timestamp]=[5.0] [Type]=t [more]=m"
    );
    assert!(with("flatten_delimiter = 1", "nil").contains("flatten_delimiter must be a string"));
    assert!(
        decoded(
            "decoders.heka.json_mutate",
            "decoders_heka_json_mutate = 1",
            json,
            "nil"
        )
        .contains("decoders_heka_json_mutate must be a table")
    );
    let headers_only = decoded("decoders.heka.json_mutate", "", r#"{"Type":"t"}"#, "nil");
    assert_eq!(headers_only, "Type=t");
}

#[test]
fn tables_become_fields() {
    let json = r#"{"a":1,"s":{"b":"x","c":{"d":true}},"gone":null,"list":[7,8]}"#;
    let with = |cfg: &str, defaults: &str| {
        let cfg = format!("decoders_heka_table_to_fields = {{ module_name = 'cjson', {cfg} }}");
        decoded("decoders.heka.table_to_fields", &cfg, json, defaults)
    };
    assert_eq!(
        with(
            "module_function = 'decode'",
            "{ Type = 't', Fields = { a = 'd', more = 'm' } }"
        ),
        "Type=t [a]=[1.0] [list.1]=[7.0] [list.2]=[8.0] [more]=m [s.b]=x [s.c.d]=[true]"
    );
    assert_eq!(
        with(
            "module_function = 'decode', max_depth = 2, separator = '_'",
            "nil"
        ),
        "[a]=[1.0] [list_1]=[7.0] [list_2]=[8.0] [s_b]=x [s_c]={\"d\":true}"
    );
    let error = |cfg: &str, data: &str| decoded("decoders.heka.table_to_fields", cfg, data, "nil");
    assert!(
        error("", json)
            .contains("decoders_heka_table_to_fields.module_name must be the name of a module")
    );
    assert!(
        with("module_function = 'nothing'", "nil").contains("module_function must name a function")
    );
    let decode =
        "decoders_heka_table_to_fields = { module_name = 'cjson', module_function = 'decode' }";
    assert_eq!(error(decode, "5"), "error: parse failed");
    assert!(error(decode, "{").starts_with("error: "));
}

#[test]
fn a_record_parser_takes_functions_and_grammars() {
    // `record_parser` finds the grammar; the pattern captures a table.
    let source = "
        require 'string'
        require 'lpeg'
        some = { grammar = lpeg.Ct(lpeg.Cg(lpeg.C(lpeg.R'09'^1), 'number')) }
        local found = require
        require = function(name) if name == 'some' then return some end return found(name) end
        local new = found 'record_parser'.new
        local parse = new({ module_name = 'some', module_grammar = 'grammar' }, 'cfg')
        assert(parse('12').number == '12' and parse('x') == nil)
        local ok, err = pcall(new, { module_name = 'some', module_grammar = 'other' }, 'cfg')
        assert(not ok and string.find(err, 'cfg.module_grammar must name an LPeg pattern of the module', 1, true), err)";
    if let Err(error) = Setup::new(Kind::Input).run(source) {
        panic!("{error}");
    }
}

#[test]
fn tables_become_messages() {
    let with = |json: &str, map: &str, defaults: &str| {
        let cfg = format!(
            "decoders_heka_table_to_message = {{ module_name = 'cjson', module_function = 'decode', map = {map} }}"
        );
        decoded("decoders.heka.table_to_message", &cfg, json, defaults)
    };
    // One key in the nested table: its text has no certain order.
    let json = r#"{"time":5,"len":"321","Type":"t","s":{"b":"x"},"gone":null,"ok":"TRUE"}"#;
    assert_eq!(
        with(json, "nil", "{ Type = 'd', Logger = 'l' }"),
        "Type=t Logger=l [len]=321 [ok]=TRUE [s]={\"b\":\"x\"} [time]=[5.0]"
    );
    let json = r#"{"time":5,"len":"321","Type":"t","s":{"b":"x","c":1},"ok":"TRUE"}"#;
    let map = "{ time = { header = 'Timestamp' }, len = { field = 'length', type = 'int', representation = 'B' }, \
               s = { b = { field = 'deep' } }, ok = { field = 'ok', type = 'boolean' } }";
    assert_eq!(
        with(json, map, "nil"),
        "Timestamp=5 Type=t [deep]=x [length]=i[321]B [ok]=[1.0] [s.c]=[1.0]"
    );
    assert!(with(json, "1", "nil").contains("cfg.map must be nil or a table"));
}

/// What an encoder makes of the message; `nil` for nothing.
fn encoded(encoder: &str, cfg: &str, message: &Message) -> String {
    let source = format!(
        "local encode = require '{encoder}'.encode\n\
         function process_message()\n\
         local data = encode()\n\
         return 0, data and tostring(data) or 'nil'\n\
         end"
    );
    let plugin = Setup::new(Kind::Output).configured(cfg).run(&source);
    match plugin
        .unwrap_or_else(|error| panic!("{error}"))
        .process(&message.to_bytes())
    {
        Answer::Status { message, .. } => {
            String::from_utf8_lossy(&message.unwrap_or_default()).into_owned()
        }
        other => format!("{other:?}"),
    }
}

fn sample() -> Message {
    let mut message = Message::new(*b"\x00\x01\x0a\xff456789abcdef", 1_700_000_000_003_000_000);
    message.type_ = Some("My Type".into());
    message.logger = Some("Log/ger".into());
    message.payload = Some("{\"a\":1}".into());
    message.fields = vec![
        Field::string("user", "ann"),
        Field::double("n", 2.5),
        Field::bool("no", false),
        Field::with("list", FieldValue::Integer(vec![1, 2])),
    ];
    message
}

#[test]
fn payloads_and_messages_are_passed_on() {
    let message = sample();
    assert_eq!(encoded("encoders.payload", "", &message), "{\"a\":1}");
    assert_eq!(encoded("encoders.lines", "", &message), "{\"a\":1}\n");
    let raw = encoded("encoders.heka.protobuf", "", &message);
    assert_eq!(raw, String::from_utf8_lossy(&message.to_bytes()));
    let mut bare = message;
    bare.payload = None;
    assert_eq!(encoded("encoders.lines", "", &bare), "nil");
    bare.payload = Some("line\n".into());
    assert_eq!(encoded("encoders.lines", "", &bare), "line\n");
}

#[test]
fn elasticsearch_gets_two_lines() {
    let from_message = "encoders_elasticsearch_common = { es_index_from_timestamp = true }";
    let payload = "encoders.elasticsearch.payload";
    let first = "{\"index\":{\"_index\":\"heka-2023.11.14\",\"_type\":\"message\"}}\n";
    assert_eq!(
        encoded(payload, from_message, &sample()),
        format!("{first}{{\"a\":1}}\n")
    );
    let mut message = sample();
    message.payload = Some("{}\n".into());
    assert_eq!(
        encoded(payload, from_message, &message),
        format!("{first}{{}}\n")
    );
    message.payload = None;
    assert_eq!(encoded(payload, from_message, &message), "nil");

    let cfg = "encoders_elasticsearch_common = { es_index_from_timestamp = true, \
               index = '%{Type}-%{user}-%{nothing}-%{%Y}', type_name = '%{Logger}', id = '%{Uuid}' }";
    let found = encoded(payload, cfg, &sample());
    let expected = "{\"index\":{\"_index\":\"my type-ann-%{nothing}-2023\",\"_type\":\"Log/ger\",\
                    \"_id\":\"01AFF-3435-3637-3839-616263646566\"}}";
    let (first, _) = found.split_once('\n').expect("two lines");
    // A slash may be written with a backslash.
    assert_eq!(first.replace("\\/", "/"), expected);
}

#[test]
fn mozlog_documents_have_headers_and_fields() {
    let cfg = "encoders_elasticsearch_common = { index = 'i' }";
    let found = encoded("encoders.elasticsearch.mozlog", cfg, &sample());
    let (first, rest) = found.split_once('\n').expect("two lines");
    assert_eq!(
        first,
        "{\"index\":{\"_index\":\"i\",\"_type\":\"message\"}}"
    );
    let members = [
        "\"Timestamp\":\"2023-11-14T22:13:20.003Z\"",
        "\"Uuid\":\"01AFF-3435-3637-3839-616263646566\"",
        "\"Type\":\"My Type\"",
        "\"user\":\"ann\"",
        "\"n\":2.5",
        "\"no\":false",
        "\"list\":[1,2]",
        "\"Payload\":\"{\\\"a\\\":1}\"",
    ];
    for member in members {
        assert!(rest.contains(member), "{member} in {rest}");
    }
    assert!(rest.ends_with("}\n") && !rest.contains("Fields"), "{rest}");
}

#[test]
fn a_wrong_configuration_of_elasticsearch_is_named() {
    let refused = |cfg: &str, error: &str| {
        let setup = Setup::new(Kind::Output).configured(cfg);
        let found = setup
            .run("require 'encoders.elasticsearch.payload'")
            .err()
            .expect(cfg);
        assert!(found.contains(error), "{found}");
    };
    refused("", "encoders_elasticsearch_common must be a table");
    let with = |key: &str| format!("encoders_elasticsearch_common = {{ {key} = 1 }}");
    refused(&with("index"), "index must be nil or a string");
    refused(&with("type_name"), "type_name must be nil or a string");
    refused(
        &with("es_index_from_timestamp"),
        "es_index_from_timestamp must be nil or boolean",
    );
}
