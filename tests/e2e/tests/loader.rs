//! `output/loader.lua` behind `input/http_edge.lua`: every example of `schemas/validation`, duplicates, and errors that
//! `output/reprocess_errors.lua` sends again.

use std::io::Write;
use std::path::{Path, PathBuf};

use e2e::http::Client;
use e2e::{Engine, Site, field_number, field_text, frame, free_port, messages};
use schemas::message::{Field, FieldValue, Message};

/// What the client's address begins with; the test database knows it.
const CLIENT: &str = "192.0.2.";

/// One file of `schemas/validation`.
struct Example {
    name: String,
    uri: String,
    id: String,
    body: Vec<u8>,
    passes: bool,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = found.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().expect("it is an entry of a folder");
    name.to_string_lossy().into_owned()
}

fn example(namespace: &str, path: &Path, number: usize) -> Example {
    let name = file_name(path);
    let parts: Vec<_> = name.split('.').collect();
    let [doc_type, version, _, verdict, "json"] = parts[..] else {
        panic!("{name} must be <docType>.<version>.<name>.{{pass,fail}}.json");
    };
    let id = format!("8b2d7b1e-5a5d-4b7a-9a5e-{number:012}");
    let uri = match namespace {
        "telemetry" => format!("telemetry/{id}/{doc_type}/Firefox/145.0/nightly/2026?v=4"),
        _ => format!("{namespace}/{doc_type}/{version}/{id}"),
    };
    assert!(verdict == "pass" || verdict == "fail", "{name}");
    Example {
        passes: verdict == "pass",
        uri: format!("/submit/{uri}"),
        body: std::fs::read(path).expect("an example is readable"),
        id,
        name,
    }
}

fn examples() -> Vec<Example> {
    let namespaces = entries(&root().join("schemas/validation"));
    let files = namespaces.iter().flat_map(|folder| {
        let namespace = file_name(folder);
        entries(folder)
            .into_iter()
            .map(move |path| (namespace.clone(), path))
    });
    let all: Vec<_> = files
        .enumerate()
        .map(|(n, (namespace, path))| example(&namespace, &path, n))
        .collect();
    assert!(all.iter().any(|e| e.passes) && all.iter().any(|e| !e.passes));
    all
}

/// The schemas of the project, in the run directory, so that a test may change them.
fn copy_schemas(site: &Site) {
    for namespace in entries(&root().join("schemas/json")) {
        for folder in entries(&namespace) {
            for file in entries(&folder) {
                let inside = format!(
                    "schemas/{}/{}/{}",
                    file_name(&namespace),
                    file_name(&folder),
                    file_name(&file)
                );
                site.write(inside, std::fs::read(&file).expect("a schema is readable"));
            }
        }
    }
}

/// The loader's configuration but for its name and where the schemas are.
const LOADER: &str = "
message_matcher = \"Type == 'telemetry-raw'\"
read_queue = 'input'
ticker_interval = 1
memory_limit = 67108864
output_limit = 1048576
instruction_limit = 0
preserve_data = true
";

struct Setup {
    site: Site,
    engine: Engine,
    port: u16,
}

impl Setup {
    fn new() -> Setup {
        let port = free_port();
        let edge = format!("instruction_limit = 0\nport = {port}\ntype = 'telemetry-raw'");
        let site = Site::new()
            .set("max_message_size", "8388608")
            .with_load_directory()
            .ours("input/http_edge.lua", "edge", &edge)
            .collect("all", "Type != 'telemetry-raw'");
        copy_schemas(&site);
        let schemas = site.path("schemas");
        let database = root().join("tests/modules/data/places.mmdb");
        let loader = format!(
            "{LOADER}
            decoders_moz_ingest_common = {{
                sub_decoders = {{ telemetry = 'decoders.moz_ingest.telemetry', ['*'] = 'decoders.moz_ingest.json' }},
                city_db_file = '{database}', cf_items = 1000,
            }}
            decoders_moz_ingest_telemetry = {{ schema_path = '{schemas}/telemetry' }}
            decoders_moz_ingest_json = {{ namespace_path = '{schemas}' }}",
            database = database.display(),
            schemas = schemas.display(),
        );
        let site = site.ours("output/loader.lua", "loader", &loader);
        let engine = site.start();
        Setup { site, engine, port }
    }

    fn post(&mut self, uri: &str, body: &[u8]) {
        let (port, mut client) = (self.port, None);
        self.engine.until("the edge listens", || {
            client = Client::connect(port);
            client.is_some()
        });
        let headers = format!("X-Forwarded-For: 10.0.0.1, {CLIENT}1\r\n");
        let answer = client
            .expect("it was waited for")
            .post(uri, &headers, body)
            .expect("an answer");
        assert_eq!(answer.status, 200, "{uri}");
    }

    /// What the loader made, once there are `n` messages.
    fn made(&mut self, n: usize) -> Vec<Message> {
        let heka = self.site.path("all.heka");
        let what = format!("the loader has made {n} messages");
        self.engine.until(&what, || messages(&heka).len() >= n);
        let all = messages(&heka);
        assert_eq!(all.len(), n);
        all
    }
}

fn kind(message: &Message) -> String {
    String::from_utf8_lossy(message.type_.as_deref().unwrap_or_default()).into_owned()
}

/// No Field and no header tells where the client is.
fn has_no_address(message: &Message) {
    let bytes = message.to_bytes();
    for address in [CLIENT, "127.0.0.1", "10.0.0.1"] {
        let found = bytes
            .windows(address.len())
            .any(|part| part == address.as_bytes());
        assert!(!found, "an address in {message:?}");
    }
}

fn verdict(example: &Example, message: &Message) {
    let text = |name| field_text(message, name).unwrap_or_default();
    let (name, kind) = (&example.name, kind(message));
    let expected = if example.passes {
        ["validated", "telemetry"]
    } else {
        ["error", "telemetry.error"]
    };
    assert!(
        expected.contains(&kind.as_str()),
        "{name}: {kind}, {}",
        text("DecodeError")
    );
    assert_eq!(text("geoCity"), "Sampleton", "{name}");
    let content = message.field(b"content");
    assert_eq!(
        content.is_none(),
        example.passes,
        "{name}: content is kept for errors alone"
    );
    if !example.passes {
        assert_eq!(text("DecodeErrorType"), "json", "{name}");
        assert_eq!(
            text("content").as_bytes(),
            example.body,
            "{name}: as it came"
        );
    }
    has_no_address(message);
}

#[test]
fn every_example_ends_as_its_name_says() {
    let mut setup = Setup::new();
    let all = examples();
    for example in &all {
        setup.post(&example.uri, &example.body);
    }
    for message in setup.made(all.len()) {
        let id = field_text(&message, "documentId").expect("the loader tells it");
        let example = all.iter().find(|e| e.id == id).expect("it was posted");
        verdict(example, &message);
    }
}

/// The bytes compressed as a gzip file.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(bytes).expect("a Vec takes any bytes");
    packed.finish().expect("a Vec takes any bytes")
}

/// The most memory that the engine has had, in bytes.
fn peak_memory(engine: &Engine) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid()));
    let status = status.expect("the engine runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.expect("Linux tells it") << 10
}

#[test]
fn hostile_bodies_become_errors_as_they_came() {
    let visit = br#"{"page":"/","seconds":1}"#;
    let good = gzip(visit);
    let mut bomb = visit[..visit.len() - 1].to_vec();
    // More than the loader may have.
    bomb.resize(90 << 20, b' ');
    bomb.push(b'}');
    let bomb = gzip(&bomb);
    let nested = [&b"[".repeat(50_000)[..], &b"]".repeat(50_000)].concat();
    let bodies: [&[u8]; 8] = [
        &bomb,
        &good[..good.len() - 9],
        &[&good[..10], b"no deflate stream"].concat(),
        b"\x1f\x8b",
        b"{\"page\":\"/\xff\xfe\",\"seconds\":1}",
        &gzip(b"{\"page\":\"/\xc3\",\"seconds\":1}"),
        &nested,
        b"",
    ];
    let mut setup = Setup::new();
    for (n, body) in bodies.iter().enumerate() {
        let uri = format!("/submit/web/visit/1/8b2d7b1e-5a5d-4b7a-9a5e-{n:012}");
        setup.post(&uri, body);
    }
    setup.post(
        "/submit/web/visit/1/8b2d7b1e-5a5d-4b7a-9a5e-000000000099",
        &good,
    );
    let all = setup.made(bodies.len() + 1);
    for (body, message) in bodies.iter().zip(&all) {
        let shown = body[..body.len().min(40)].escape_ascii();
        assert_eq!(kind(message), "error", "{shown}");
        let content = message.field(b"content").map(|field| &field.value);
        match content {
            Some(FieldValue::Bytes(values)) => assert_eq!(values[0], *body, "{shown}"),
            other => panic!("{shown}: content is {other:?}"),
        }
    }
    assert_eq!(kind(&all[bodies.len()]), "validated", "the loader goes on");
    let peak = peak_memory(&setup.engine);
    assert!(peak < 256 << 20, "{peak} bytes");
}

#[test]
fn duplicates_are_found_also_after_a_restart() {
    let mut setup = Setup::new();
    let uri = "/submit/web/visit/1/8b2d7b1e-5a5d-4b7a-9a5e-000000000001";
    let body = br#"{"page":"/","seconds":1}"#;
    setup.post(uri, body);
    setup.post(uri, body);
    let all = setup.made(2);
    assert_eq!(kind(&all[0]), "validated");
    assert_eq!(kind(&all[1]), "duplicate");

    let Setup { site, engine, port } = setup;
    engine.stop();
    let engine = site.start();
    let mut setup = Setup { site, engine, port };
    setup.post(uri, body);
    setup.post(&uri.replace("0001", "0002"), body);
    let all = setup.made(4);
    assert_eq!(kind(&all[2]), "duplicate");
    assert_eq!(field_number(&all[2], "duplicateDelta"), Some(0.0));
    assert!(all[2].field(b"submission").is_none() && all[2].field(b"content").is_none());
    assert_eq!(kind(&all[3]), "validated");
    all.iter().for_each(has_no_address);
}

#[test]
fn errors_are_put_right_once_the_schema_is_there() {
    let mut setup = Setup::new();
    setup.post(
        "/submit/shop/order/1/8b2d7b1e-5a5d-4b7a-9a5e-000000000001",
        b"{\"n\":1}",
    );
    setup.post(
        "/submit/shop/order/1/8b2d7b1e-5a5d-4b7a-9a5e-000000000002",
        b"{\"n\":\"x\"}",
    );
    for message in setup.made(2) {
        let why = field_text(&message, "DecodeError").expect("an error tells why");
        assert_eq!(
            why,
            "namespace: shop schema: order version: 1 error: schema not found"
        );
    }

    // A new namespace is a folder.
    setup.site.write(
        "schemas/shop/order/order.1.schema.json",
        r#"{"properties":{"n":{"type":"integer"}}}"#,
    );
    let again = "filename = 'reprocess_errors.lua'\nmessage_matcher = \"Type == 'error'\"\nread_queue = 'input'\n\
        initial_position = 'oldest'\n";
    setup.site.write("load/output/again.cfg", again);
    // Two raw messages again; one of them an error again, that is then left alone.
    let all = setup.made(4);
    assert_eq!(kind(&all[2]), "validated");
    assert_eq!(field_text(&all[2], "geoCity").as_deref(), Some("Sampleton"));
    assert_eq!(kind(&all[3]), "error");
    assert_eq!(field_number(&all[3], "reprocessed"), Some(1.0));
    let detail = field_text(&all[3], "DecodeErrorDetail").expect("the violations are told");
    assert!(detail.contains("#/n"), "{detail}");
    all.iter().for_each(has_no_address);
}

fn raw(number: u8, uri: &str, content: &str) -> Message {
    let mut message = Message::new([number; 16], 1_517_486_400_000_000_000);
    message.type_ = Some(b"old-raw".to_vec());
    message.fields = vec![
        Field::string("remote_addr", format!("{CLIENT}1")),
        Field::string("uri", uri),
        Field::with("content", FieldValue::Bytes(vec![content.into()])),
    ];
    message
}

/// What becomes of a file of messages that `input/heka_store.lua` reads with this configuration.
fn from_store(all: &[Message], cfg: &str) -> Vec<Message> {
    let bytes: Vec<u8> = all.iter().flat_map(frame).collect();
    let site = Site::new().set("max_message_size", "1048576");
    let store = site.write("store/a.done", bytes);
    let cfg = format!(
        "store_path = \"{}\"\ndecode_frames = true\n{cfg}",
        store.parent().expect("it has one").display()
    );
    let site = site
        .ours("input/heka_store.lua", "store", &cfg)
        .collect("all", "TRUE");
    site.replay().expect(0);
    messages(&site.path("all.heka"))
}

#[test]
fn a_landfill_is_loaded_and_errors_in_files_come_back() {
    let schemas = root().join("schemas/json");
    let cfg = format!(
        "decoder_module = 'decoders.moz_ingest.common'
         decoders_moz_ingest_common = {{ sub_decoders = {{ web = 'decoders.moz_ingest.json' }} }}
         decoders_moz_ingest_json = {{ namespace_path = '{}' }}",
        schemas.display()
    );
    let good = raw(1, "/submit/web/visit/1/a", r#"{"page":"/","seconds":1}"#);
    let bad = raw(2, "/submit/web/visit/1/b", "{}");
    let unheard_of = raw(3, "/submit/unheard/of/1/c", "{}");
    let made = from_store(&[good, bad.clone(), unheard_of], &cfg);
    let kinds: Vec<_> = made.iter().map(kind).collect();
    assert_eq!(
        kinds,
        ["validated", "error"],
        "what has no decoder is dropped"
    );
    made.iter().for_each(has_no_address);

    let again = from_store(&made[1..], "decoder_module = 'decoders.moz_ingest.errors'");
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].type_, bad.type_);
    assert_eq!(field_text(&again[0], "content").as_deref(), Some("{}"));
    assert_eq!(field_number(&again[0], "reprocessed"), Some(1.0));
}
