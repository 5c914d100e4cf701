//! `output/loader.lua` and `output/reprocess_errors.lua` with injected messages: state, databases that change, wrong settings.

use std::path::Path;

use modules::{Plugin, Setup, root};
use sandbox::{Answer, Kind};
use schemas::message::{Field, FieldValue, Message};

const URI: &str = "/submit/web/visit/1/8b2d7b1e-5a5d-4b7a-9a5e-000000000001";

fn configuration(common: &str) -> String {
    let schemas = root().join("schemas/json");
    format!(
        "decoders_moz_ingest_common = {{ sub_decoders = {{ ['*'] = 'decoders.moz_ingest.json' }}, {common} }}
         decoders_moz_ingest_json = {{ namespace_path = '{}' }}",
        schemas.display()
    )
}

fn try_load(plugin: &str, configuration: &str, state: Option<Vec<u8>>) -> Result<Plugin, String> {
    let mut setup = Setup::new(Kind::Output).configured(configuration);
    setup.state = state;
    setup.load(&root().join("plugins/output").join(plugin))
}

fn loader(common: &str, state: Option<Vec<u8>>) -> Plugin {
    try_load("loader.lua", &configuration(common), state).expect("it loads")
}

fn raw(uri: &str, content: &str) -> Message {
    let mut message = Message::new([7; 16], 1_517_486_400_000_000_000);
    message.type_ = Some("telemetry-raw".into());
    message.logger = Some("moz_ingest".into());
    message.fields = vec![
        Field::string("remote_addr", "192.0.2.1"),
        Field::string("uri", uri),
        Field::with("content", FieldValue::Bytes(vec![content.into()])),
    ];
    message
}

fn text(message: &Message, name: &str) -> Option<String> {
    match &message.field(name.as_bytes())?.value {
        FieldValue::String(values) | FieldValue::Bytes(values) => {
            Some(String::from_utf8_lossy(values.first()?).into_owned())
        }
        _ => None,
    }
}

/// What the plugin injects for a message: its answer has to be `code`.
fn process(plugin: &mut Plugin, message: &Message, code: i32) -> Vec<Message> {
    match plugin.process(&message.to_bytes()) {
        Answer::Status { code: found, .. } => assert_eq!(found, code),
        other => panic!("{other:?}"),
    }
    let decode = |bytes: Vec<u8>| Message::decode(&bytes).expect("it was just encoded");
    plugin.seen().injected.into_iter().map(decode).collect()
}

fn one(plugin: &mut Plugin, message: &Message) -> Message {
    let mut made = process(plugin, message, 0);
    assert_eq!(made.len(), 1);
    made.remove(0)
}

fn kind(message: &Message) -> &str {
    std::str::from_utf8(message.type_.as_deref().unwrap_or_default()).expect("it is text")
}

#[test]
fn what_was_seen_is_part_of_the_state() {
    let filters = "cf_items = 1000, cf_partitions = 2";
    let (mut first, document) = (
        loader(filters, None),
        raw(URI, r#"{"page":"/","seconds":1}"#),
    );
    assert_eq!(kind(&one(&mut first, &document)), "validated");
    assert_eq!(kind(&one(&mut first, &document)), "duplicate");
    let state = first.preserve();
    let mut second = loader(filters, Some(state));
    assert_eq!(kind(&one(&mut second, &document)), "duplicate");
    let mut without = loader("", None);
    assert_eq!(kind(&one(&mut without, &document)), "validated");
    assert_eq!(kind(&one(&mut without, &document)), "validated");
}

#[test]
fn a_changed_database_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/places.mmdb");
    let bytes = std::fs::read(original).expect("the database is part of the project");
    // Renamed, as who brings a new database does it.
    let put = |bytes: &[u8]| {
        let new = folder.path().join("new");
        std::fs::write(&new, bytes).expect("written");
        std::fs::rename(&new, &path).expect("renamed");
    };
    put(&bytes);
    let geo = format!("city_db_file = '{}', reload_interval = 0", path.display());
    let mut plugin = loader(&geo, None);
    let document = raw(URI, r#"{"page":"/","seconds":1}"#);
    let city = |plugin: &mut Plugin| text(&one(plugin, &document), "geoCity").expect("it is told");
    assert_eq!(city(&mut plugin), "Sampleton");

    let mut changed = bytes.clone();
    let at = bytes
        .windows(9)
        .position(|part| part == b"Sampleton")
        .expect("the city");
    changed[at..at + 9].copy_from_slice(b"Othertown");
    put(&changed);
    assert_eq!(city(&mut plugin), "Othertown");
    put(b"no database");
    assert_eq!(
        city(&mut plugin),
        "Othertown",
        "the last good one stays in use"
    );
}

#[test]
fn a_city_that_is_too_small_is_not_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let cities = folder.path().join("cities.txt");
    std::fs::write(&cities, "1234\tElsewhere\n").expect("written");
    let geo = format!(
        "city_db_file = 'data/places.mmdb', city_size_file = '{}'",
        cities.display()
    );
    let made = one(
        &mut loader(&geo, None),
        &raw(URI, r#"{"page":"/","seconds":1}"#),
    );
    assert_eq!(text(&made, "geoCity").as_deref(), Some("??"));
    assert_eq!(text(&made, "geoCountry").as_deref(), Some("XA"));
    assert_eq!(text(&made, "remote_addr"), None);
}

#[test]
fn an_error_becomes_the_raw_message_again() {
    let geo = "city_db_file = 'data/places.mmdb'";
    let document = raw(URI, r#"{"page":"/"}"#);
    let error = one(&mut loader(geo, None), &document);
    assert_eq!(kind(&error), "error");
    let mut again = try_load("reprocess_errors.lua", "", None).expect("it loads");
    let restored = one(&mut again, &error);
    assert_eq!(restored.type_, document.type_);
    assert_eq!(restored.logger, document.logger);
    assert_eq!(restored.timestamp, document.timestamp);
    assert_eq!(text(&restored, "content"), text(&document, "content"));
    assert_eq!(text(&restored, "geoCity").as_deref(), Some("Sampleton"));
    assert_eq!(text(&restored, "remote_addr"), None);
    assert_eq!(text(&restored, "DecodeError"), None);
    let failed_again = one(&mut loader(geo, None), &restored);
    assert!(process(&mut again, &failed_again, -2).is_empty());
    assert!(process(&mut again, &document, -2).is_empty());

    let chosen = "error_types = { uri = true }\nset_type = 'other'";
    let mut chosen = try_load("reprocess_errors.lua", chosen, None).expect("it loads");
    assert!(process(&mut chosen, &error, -2).is_empty());
    let uri_error = one(&mut loader(geo, None), &raw("/nowhere", "{}"));
    assert_eq!(kind(&one(&mut chosen, &uri_error)), "other");
}

#[test]
fn wrong_settings_are_named() {
    let whole = |cfg: &str| try_load("loader.lua", cfg, None).err().expect("an error");
    let common = |more: &str| whole(&configuration(more));
    for (error, expected) in [
        (whole(""), "decoders_moz_ingest_common must be a table"),
        (
            whole("decoders_moz_ingest_common = {}"),
            "sub_decoders must be a table",
        ),
        (
            whole("decoders_moz_ingest_common = { sub_decoders = {} }"),
            "no sub_decoders configured",
        ),
        (
            whole("decoders_moz_ingest_common = { sub_decoders = { a = true } }"),
            "sub_decoder, invalid type: a",
        ),
        (
            whole(
                "decoders_moz_ingest_common = { sub_decoders = { a = 'moz_telemetry.normalize' } }",
            ),
            "sub_decoders, no transform_message function defined: a",
        ),
        (common("cf_items = 1"), "items must be > 256"),
        (
            common("cf_items = 1000, cf_partitions = 0"),
            "cf_partitions must be a whole number from 1 to 1024",
        ),
        (common("city_db_file = '/nowhere'"), "/nowhere"),
        (
            common("isp_docTypes = { a = true }"),
            "isp_docTypes cannot be defined without isp_db_file",
        ),
        (
            common("isp_db_file = 'data/places.mmdb'"),
            "isp_docTypes table must be set",
        ),
    ] {
        assert!(error.contains(expected), "{error}; expected {expected}");
    }
}
