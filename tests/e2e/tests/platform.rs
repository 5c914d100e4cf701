//! `foresight demo`, what `make run` starts: every submission of its producer, `input/telemetry_producer.lua`, ends where it belongs.

use std::path::Path;

use e2e::{Engine, Site, free_port, messages, program};
use schemas::message::Message;

/// Submissions that are waited for.
const POSTED: usize = 300;

fn demo(site: &Site, rate: &str) -> Engine {
    let [edge, syslog, admin] = [(); 3].map(|()| free_port().to_string());
    let args = [
        "demo",
        "demo",
        "--port",
        &edge,
        "--syslog-port",
        &syslog,
        "--admin-port",
        &admin,
        "--rate",
        rate,
    ];
    site.start_with(program::path(), &args)
}

/// What the finished and unfinished files of the landfill hold.
fn landfill(folder: &Path) -> Vec<Message> {
    // The demonstration makes the folder when it starts.
    let files = std::fs::read_dir(folder).into_iter().flatten();
    files
        .flatten()
        .flat_map(|entry| messages(&entry.path()))
        .collect()
}

/// Lines of JSON that say this.
fn lines(site: &Site, what: &str) -> usize {
    if !site.exists("demo/results/logs.json") {
        return 0;
    }
    let text = site.read("demo/results/logs.json");
    text.lines().filter(|line| line.contains(what)).count()
}

#[test]
fn every_submission_ends_where_it_belongs() {
    let site = Site::new();
    let results = site.path("demo/results");
    let mut engine = demo(&site, "100");
    engine.until("the producer has posted", || {
        landfill(&results.join("landfill")).len() >= POSTED
    });
    engine.stop();
    // Once more without the producer, so that everything gets to its end.
    let mut engine = demo(&site, "0");
    let raw = landfill(&results.join("landfill")).len();
    let counts = || {
        let documents = messages(&results.join("documents.heka")).len();
        let errors = messages(&results.join("errors.heka")).len();
        let duplicates = lines(&site, "duplicateDelta");
        (documents, errors, duplicates)
    };
    engine.until("documents, errors and duplicates", || {
        let (documents, errors, duplicates) = counts();
        documents + errors + duplicates >= raw
    });
    let table = "demo/results/payload/analysis.by_doc_type.by_doc_type.tsv";
    engine.until("the table of documents", || site.exists(table));
    engine.stop();
    let (documents, errors, duplicates) = counts();
    assert_eq!(
        documents + errors + duplicates,
        landfill(&results.join("landfill")).len(),
        "{documents} documents, {errors} errors, {duplicates} duplicates"
    );
    assert!(documents > errors + duplicates, "most are good");
    assert!(errors > 0, "some are broken");
    let table = site.read(table);
    for doc_type in ["main", "event", "visit"] {
        assert!(table.contains(doc_type), "{table}");
    }
}
