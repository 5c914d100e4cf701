//! Edge, Kafka, loader: submissions posted to one engine are validated by another.

use std::path::{Path, PathBuf};

use e2e::http::Client;
use e2e::kafka::Broker;
use e2e::{Site, field_text, free_port, messages};

const N: usize = 40;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn edge(broker: &Broker, port: u16) -> Site {
    let http = format!("instruction_limit = 0\nport = {port}\ntype = 'telemetry-raw'");
    let kafka = format!(
        "message_matcher = \"Type == 'telemetry-raw'\" read_queue = 'input'
        async_buffer_size = 20000 ticker_interval = 1
        brokerlist = '{}' topic_variable = 'Type' headers = {{ uri = 'Fields[uri]' }}
        producer_conf = {{ ['enable.idempotence'] = true, ['compression.codec'] = 'gzip' }}",
        broker.address()
    );
    Site::new()
        .set("max_message_size", "8388608")
        .ours("input/http_edge.lua", "edge", &http)
        .ours("output/kafka.lua", "kafka", &kafka)
}

fn loader(broker: &Broker) -> Site {
    let schemas = root().join("schemas/json");
    let schemas = schemas.display();
    let kafka = format!(
        "instruction_limit = 0 brokerlist = '{}' topics = {{ 'telemetry-raw' }} start = 'earliest'
        consumer_conf = {{ ['group.id'] = 'loader' }}",
        broker.address()
    );
    let database = root().join("tests/modules/data/places.mmdb");
    let loader = format!(
        "message_matcher = \"Type == 'telemetry-raw'\" read_queue = 'input' ticker_interval = 1
        memory_limit = 67108864 output_limit = 1048576 instruction_limit = 0
        decoders_moz_ingest_common = {{
            sub_decoders = {{ telemetry = 'decoders.moz_ingest.telemetry', ['*'] = 'decoders.moz_ingest.json' }},
            city_db_file = '{}', cf_items = 1000,
        }}
        decoders_moz_ingest_telemetry = {{ schema_path = '{schemas}/telemetry' }}
        decoders_moz_ingest_json = {{ namespace_path = '{schemas}' }}",
        database.display()
    );
    Site::new()
        .set("max_message_size", "8388608")
        .ours("input/kafka.lua", "kafka", &kafka)
        .ours("output/loader.lua", "loader", &loader)
        .collect("validated", "Type == 'validated'")
        .collect("errors", "Type == 'error'")
}

/// The first example that must pass: namespace, type, version and body.
fn example() -> (String, String, String, Vec<u8>) {
    let folder = root().join("schemas/validation");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("examples")
        .flatten()
        .filter(|namespace| namespace.file_name() != "telemetry")
        .flat_map(|namespace| {
            std::fs::read_dir(namespace.path())
                .expect("a folder")
                .flatten()
        })
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".pass.json"))
        .collect();
    files.sort();
    let file = files.first().expect("an example that passes");
    let part = |path: &Path| {
        path.file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned()
    };
    let name = part(file);
    let mut parts = name.split('.');
    let (doc_type, version) = (parts.next(), parts.next());
    (
        part(file.parent().expect("a folder")),
        doc_type.expect("a type").into(),
        version.expect("a version").into(),
        std::fs::read(file).expect("readable"),
    )
}

#[test]
fn submissions_go_through_kafka_to_the_loader() {
    let broker = Broker::start();
    let port = free_port();
    let (edge, loader) = (edge(&broker, port), loader(&broker));
    let mut front = edge.start();
    let mut back = loader.start();
    let (namespace, doc_type, version, body) = example();
    let mut client = None;
    front.until("the edge listens", || {
        client = Client::connect(port);
        client.is_some()
    });
    let mut client = client.expect("it was waited for");
    for i in 0..N {
        let id = format!("8b2d7b1e-5a5d-4b7a-9a5e-{i:012}");
        let uri = format!("/submit/{namespace}/{doc_type}/{version}/{id}");
        let body = if i == 0 { &b"no json"[..] } else { &body };
        let answer = client.post(&uri, "", body).expect("an answer");
        assert_eq!(answer.status, 200);
    }
    let validated = loader.path("validated.heka");
    back.until("all are validated", || messages(&validated).len() >= N - 1);
    back.until("the bad one is an error", || {
        messages(&loader.path("errors.heka")).len() == 1
    });
    front.stop();
    back.stop();
    let found = messages(&validated);
    let mut ids: Vec<_> = found
        .iter()
        .filter_map(|m| field_text(m, "documentId"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((found.len(), ids.len()), (N - 1, N - 1));
    // The raw message came as a whole.
    let records = broker.records("telemetry-raw", N);
    assert_eq!(records.len(), N);
    assert!(records.iter().all(|record| record.headers[0].0 == "uri"));
}
