//! `foresight demo`, what `make run` starts: every submission of its producer, `input/telemetry_producer.lua`, ends where it belongs.

use std::path::Path;
use std::process::Command;

use e2e::kafka::Broker;
use e2e::{Engine, Site, free_port, messages, program, python};
use schemas::message::Message;

/// What the demonstration shows of documents.
const TABLE: &str = "demo/results/payload/analysis.by_doc_type.by_doc_type.tsv";

/// Submissions that are waited for.
const POSTED: usize = 300;

fn demo(site: &Site, rate: &str, more: &[&str]) -> Engine {
    let [edge, syslog, admin] = [(); 3].map(|()| free_port().to_string());
    let ports = [
        "--port",
        &edge,
        "--syslog-port",
        &syslog,
        "--admin-port",
        &admin,
    ];
    let args = [&["demo", "demo", "--rate", rate][..], &ports, more].concat();
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

/// What DuckDB says to the statement that the start text shows, as rows of type, country and count.
fn ask_lake(site: &Site) -> Vec<(String, String, usize)> {
    let text = site.read("stdout");
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("duckdb -c "));
    let line = line.expect("the start text shows a line for DuckDB");
    // As a shell reads it.
    let statement = line.trim_matches('"').replace("\\\"", "\"");
    let ask =
        "import sys, duckdb\nfor row in duckdb.sql(sys.argv[1]).fetchall(): print(*row, sep='\\t')";
    let asked = Command::new(python())
        .args(["-c", ask, &statement])
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success(), "{statement}: {words}");
    let rows = String::from_utf8_lossy(&asked.stdout).into_owned();
    let rows = rows.lines().map(|row| {
        let row: Vec<&str> = row.split('\t').collect();
        (
            row[0].to_owned(),
            row[1].to_owned(),
            row[2].parse().expect("a count"),
        )
    });
    rows.collect()
}

/// Messages of all files below a folder.
fn lake(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let counts = entries.map(|entry| match entry.path().is_dir() {
        true => lake(&entry.path()),
        false => messages(&entry.path()).len(),
    });
    counts.sum()
}

/// Lines of JSON that say this.
fn lines(site: &Site, what: &str) -> usize {
    if !site.exists("demo/results/logs.json") {
        return 0;
    }
    let text = site.read("demo/results/logs.json");
    text.lines().filter(|line| line.contains(what)).count()
}

/// What became of submissions.
#[derive(Debug)]
struct Counts {
    raw: usize,
    documents: usize,
    errors: usize,
    duplicates: usize,
}

impl Counts {
    fn of(site: &Site) -> Counts {
        let results = site.path("demo/results");
        Counts {
            raw: landfill(&results.join("landfill")).len(),
            documents: messages(&results.join("documents.heka")).len(),
            errors: messages(&results.join("errors.heka")).len(),
            duplicates: lines(site, "duplicateDelta"),
        }
    }

    fn made(&self) -> usize {
        self.documents + self.errors + self.duplicates
    }
}

/// How many submissions the edge has answered with 200, as it says at its end.
fn taken(site: &Site) -> usize {
    let log = site.log();
    let (_, count) = log
        .split_once(": taken ")
        .expect("the edge tells at its end");
    let count = count.split(|c: char| !c.is_ascii_digit()).next();
    count.unwrap_or_default().parse().expect("it is a number")
}

/// Runs the demonstration with these arguments, then once more without the producer, so that everything gets to its end.
fn run(site: &Site, more: &[&str]) -> Counts {
    let mut engine = demo(site, "100", more);
    engine.until("the producer has posted", || Counts::of(site).raw >= POSTED);
    engine.stop();
    let taken = taken(site);
    let mut engine = demo(site, "0", more);
    engine.until("documents, errors and duplicates", || {
        let counts = Counts::of(site);
        counts.raw >= taken && counts.made() >= taken
    });
    engine.until("the table of documents", || site.exists(TABLE));
    let documents = Counts::of(site).documents;
    engine.until("the lake has all documents", || {
        let rows: usize = ask_lake(site).iter().map(|row| row.2).sum();
        rows >= documents
    });
    let rows = ask_lake(site);
    assert_eq!(rows.iter().map(|row| row.2).sum::<usize>(), documents);
    for doc_type in ["main", "event", "visit"] {
        assert!(
            rows.iter().any(|row| row.0 == doc_type && row.1.len() == 2),
            "{rows:?}"
        );
    }
    engine.until("the lake of messages has all documents", || {
        lake(&site.path("demo/results/lake/heka")) >= documents
    });
    engine.stop();
    assert_eq!(lake(&site.path("demo/results/lake/heka")), documents);
    let counts = Counts::of(site);
    assert_eq!(counts.raw, taken, "{counts:?}");
    assert!(
        counts.documents > counts.errors + counts.duplicates,
        "most are good: {counts:?}"
    );
    assert!(counts.errors > 0, "some are broken: {counts:?}");
    let table = site.read(TABLE);
    for doc_type in ["main", "event", "visit"] {
        assert!(table.contains(doc_type), "{table}");
    }
    counts
}

#[test]
fn every_submission_ends_where_it_belongs() {
    let counts = run(&Site::new(), &[]);
    assert_eq!(counts.made(), counts.raw, "{counts:?}");
}

#[test]
fn every_submission_ends_where_it_belongs_by_way_of_kafka() {
    let broker = Broker::start();
    let counts = run(&Site::new(), &["--kafka", &broker.address()]);
    // What comes twice from Kafka is a duplicate.
    assert!(
        counts.documents + counts.errors <= counts.raw && counts.made() >= counts.raw,
        "{counts:?}"
    );
}

/// The whole of a file of lines of JSON that the alert output writes.
fn told(site: &Site) -> String {
    site.read("demo/results/alerts.json")
}

#[test]
fn the_fault_of_the_producer_is_told_shown_and_drawn() {
    let site = Site::new();
    let mut engine = demo(&site, "100", &["--fault-after", "18"]);
    engine.until("the alert in the file", || {
        told(&site).contains("telemetry.error: rate is high")
    });
    engine.until("the alert among those that the page shows", || {
        site.read("demo/data/admin/alerts.json")
            .contains("telemetry.error: rate is high")
    });
    let graph = "demo/results/payload/analysis.errors_rate.errors_count.cbuf";
    engine.until("the mark in the graph", || {
        site.read(graph).contains("rate is high")
    });
    let state = site.read("demo/data/admin/alerting/output.alerts.json");
    assert!(state.contains("\"state\":\"firing\""), "{state}");
    engine.stop();
    let stdout = site.read("stdout");
    assert!(stdout.contains("18 s after the start"), "{stdout}");
}
