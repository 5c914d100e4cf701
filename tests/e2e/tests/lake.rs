//! `output/landfill.lua` and `output/moz_telemetry_s3.lua` into S3, and `input/heka_store.lua`, `input/heka_s3.lua` and
//! `foresight cat` out of it, behind a bad network, with kills in the middle: every message exactly once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use e2e::{Site, files, frame, messages, payloads, program, python};
use s3server::{ACCESS_KEY, Proxy, SECRET_KEY, Server};
use schemas::message::{Field, Message};
use stdx::seed::Random;

const DAY_NS: i64 = 86_400_000_000_000;
/// 2026-11-01 in UTC.
const NOVEMBER_NS: i64 = 20_758 * DAY_NS;

/// A server of S3 with the bucket `lake`, and a network before it.
struct Cloud {
    folder: tempfile::TempDir,
    proxy: Proxy,
    _server: Server,
}

impl Cloud {
    fn new() -> Cloud {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("lake")).expect("made");
        let server = Server::start(folder.path(), 0).expect("it listens");
        Cloud {
            proxy: Proxy::start(server.address(), 7).expect("it listens"),
            folder,
            _server: server,
        }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// The keys of a plugin's configuration.
    fn options(&self, site: &Site) -> String {
        let keys =
            format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
        let file = site.write("keys", keys);
        format!(
            "store_options = {{ endpoint = '{}', credentials = 'file:{}', retry_ms = 5, retry_max_ms = 200, timeout = 5 }}\n",
            self.endpoint(),
            file.display()
        )
    }

    /// The objects, as the server keeps them, by key.
    fn objects(&self) -> BTreeMap<String, PathBuf> {
        let root = self.folder.path().join("lake");
        files(&root)
            .into_iter()
            .map(|path| {
                let key = path.strip_prefix(&root).expect("it lies in there");
                (key.to_string_lossy().into_owned(), path.clone())
            })
            .collect()
    }

    /// The payloads of all messages below a prefix.
    fn payloads(&self, prefix: &str) -> Vec<String> {
        let objects = self.objects();
        let wanted = objects.iter().filter(|(key, _)| key.starts_with(prefix));
        wanted.flat_map(|(_, path)| payloads(path)).collect()
    }

    fn put(&self, key: &str, bytes: &[u8]) {
        let path = self.folder.path().join("lake").join(key);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
}

fn sample(n: usize, fields: &[(&str, &str)]) -> Message {
    let mut uuid = [0; 16];
    uuid[..8].copy_from_slice(&n.to_le_bytes());
    let mut message = Message::new(uuid, NOVEMBER_NS + n as i64 * DAY_NS / 2);
    message.type_ = Some(b"raw".to_vec());
    message.payload = Some(n.to_string().into_bytes());
    message.fields = fields
        .iter()
        .map(|(name, value)| Field::string(name, *value))
        .collect();
    message
}

fn bytes(all: &[Message]) -> Vec<u8> {
    all.iter().flat_map(frame).collect()
}

/// Puts messages into the input queue by an engine of its own, which ends.
fn queued(site: Site, all: &[Message]) -> Site {
    let input = site.write("in.heka", bytes(all));
    let cfg = format!(
        "instruction_limit = 0\ninput_filename = \"{}\"",
        input.display()
    );
    let site = site.ours("input/heka_file.lua", "in", &cfg);
    site.replay().expect(0);
    std::fs::remove_file(site.path("run/input/in.cfg")).expect("removed");
    site
}

/// Runs, kills and runs again until nothing is left to carry away.
fn survive(cloud: &Cloud, site: &Site, batch: &[&str]) {
    let mut random = Random::from_seed(3);
    cloud.proxy.faults.set_one_in(5);
    for _ in 0..8 {
        let engine = site.start();
        std::thread::sleep(Duration::from_millis(50 + random.below(250)));
        engine.kill();
        cloud.proxy.faults.set_down(random.one_in(3));
    }
    cloud.proxy.faults.set_down(false);
    let is_empty = || {
        batch
            .iter()
            .all(|batch| files(&site.path(batch)).is_empty())
    };
    // A stop waits for what is carried, but not for ever.
    for _ in 0..10 {
        site.replay().expect(0);
        if is_empty() {
            break;
        }
    }
    assert!(is_empty(), "{:?}", files(&site.path(batch[0])));
}

fn exactly_once(mut found: Vec<String>, n: usize) {
    let count = found.len();
    found.sort_by_key(|text| text.parse::<usize>().expect("a number"));
    found.dedup();
    assert_eq!(found.len(), n, "none is lost");
    assert_eq!(count, n, "none is there twice");
}

#[test]
fn a_landfill_in_s3_survives_kills_and_a_bad_network() {
    const MESSAGES: usize = 30_000;
    let cloud = Cloud::new();
    let all: Vec<Message> = (0..MESSAGES)
        .map(|n| sample(n, &[("Host", ["in", "else"][n % 2])]))
        .collect();
    let site = queued(Site::new(), &all);
    let cfg = format!(
        "message_matcher = \"Type == 'raw'\"\ninitial_position = 'oldest'\nbatch_dir = \"{}\"\nlandfill_name = \"in\"\n\
         ticker_interval = 1\nsync_every = 0\nroll_size = 100000\nstore = \"s3://lake/landfill\"\n{}",
        site.path("batch").display(),
        cloud.options(&site)
    );
    let site = site.ours("output/landfill.lua", "landfill", &cfg);
    survive(&cloud, &site, &["batch"]);
    let keys: Vec<String> = cloud.objects().into_keys().collect();
    assert!(keys.len() > 10, "{} objects", keys.len());
    let is_dated = |key: &String| {
        let rest = key
            .strip_prefix("landfill/in/")
            .or_else(|| key.strip_prefix("landfill/in_other/"));
        rest.is_some_and(|rest| rest.as_bytes()[8] == b'/' && rest[9..].contains("_e2e.host_"))
    };
    assert!(keys.iter().all(is_dated), "{keys:?}");
    exactly_once(cloud.payloads("landfill/in/"), MESSAGES / 2);
    exactly_once(cloud.payloads("landfill/in_other/"), MESSAGES / 2);
    // Neither the log nor what is written for tools has the secret.
    for text in [site.log(), site.read("output/output.landfill.rtc")] {
        assert!(!text.contains(SECRET_KEY));
    }
}

#[test]
fn a_lake_in_s3_survives_kills_and_a_bad_network() {
    const MESSAGES: usize = 20_000;
    let cloud = Cloud::new();
    let kinds = ["main", "crash", "ev ent", "main", "core"];
    let field = |n: usize| {
        [
            ("docType", kinds[n % 5]),
            ("submissionDate", ["20261101", "20261102"][n / 10_000]),
        ]
    };
    let all: Vec<Message> = (0..MESSAGES).map(|n| sample(n, &field(n))).collect();
    let site = queued(Site::new(), &all);
    let dimensions = r#"{"version": 1, "dimensions": [
        {"field_name": "submissionDate", "allowed_values": "*"},
        {"field_name": "docType", "allowed_values": ["main", "crash", "ev ent"]},
        {"field_name": "none", "allowed_values": "*"}]}"#;
    site.write("dimensions.json", dimensions);
    let cfg = format!(
        "message_matcher = \"Type == 'raw'\"\ninitial_position = 'oldest'\nbatch_dir = \"batch\"\n\
         dimension_file = \"dimensions.json\"\nticker_interval = 1\nsync_every = 0\nmax_file_handles = 3\n\
         max_file_size = 50000\nflush_on_shutdown = true\nstore = \"s3://lake\"\n{}",
        cloud.options(&site)
    );
    let site = site.ours("output/moz_telemetry_s3.lua", "lake", &cfg);
    survive(&cloud, &site, &["batch"]);
    exactly_once(cloud.payloads(""), MESSAGES);
    let count = |prefix: &str| cloud.payloads(prefix).len();
    assert_eq!(count("20261101/main/UNKNOWN/"), 4000);
    assert_eq!(count("20261102/ev_ent/UNKNOWN/"), 2000);
    assert_eq!(count("20261102/OTHER/UNKNOWN/"), 2000);

    // And back again, some of it, by an engine that is restarted in the middle.
    let wanted = r#"{"version": 1, "dimensions": [
        {"field_name": "submissionDate", "allowed_values": {"min": "20261102"}},
        {"field_name": "docType", "allowed_values": ["crash", "OTHER"]},
        {"field_name": "none", "allowed_values": "UNKNOWN"}]}"#;
    let back = Site::new();
    back.write("wanted.json", wanted);
    let cfg = format!(
        "instruction_limit = 0\ns3_bucket = \"lake\"\ndimension_file = \"wanted.json\"\n{}",
        cloud.options(&back)
    );
    let back = back
        .ours("input/heka_s3.lua", "lake", &cfg)
        .collect("all", "TRUE");
    let mut engine = back.start();
    engine.until("some have come", || {
        payloads(&back.path("all.heka")).len() > 100
    });
    engine.stop();
    back.replay().expect(0);
    let mut found = payloads(&back.path("all.heka"));
    found.sort();
    found.dedup();
    assert_eq!(
        found.len(),
        4000,
        "what came in the middle of a stop may come again"
    );
    let is_wanted = |text: &String| matches!(text.parse::<usize>(), Ok(n) if n >= 10_000 && matches!(n % 5, 1 | 4));
    assert!(found.iter().all(is_wanted));
}

/// What the public plugin's own test has in `environment.experiments`.
const EXPERIMENTS: [&str; 4] = [
    r#"{"foo":{"branch":"123"}}"#,
    r#"{"foo":{"branch":"123"}, "bar":{"branch":"456"}}"#,
    r#"{"foo":{"branch":"123", "type":"normandy-preference-"}, "bar":{"branch":"456", "type":"another-type"}, "pref-flip-screenshots-release-1369150":{"branch":"789"}}"#,
    r#"{"foo":{"branch":"123", "type":"normandy-exp"}, "bar":{"branch":"456", "type":"normandy-exp-highpop"}, "clicktoplay-rollout":{"branch":"789"}}"#,
];

/// The messages and the configuration of the public plugin's own test.
#[test]
fn the_public_configuration_runs_unchanged() {
    let long = "x".repeat(256);
    let mut all = vec![
        sample(0, &[("docType", &long)]),
        sample(1, &[("docType", "main")]),
    ];
    all.extend(EXPERIMENTS.iter().zip(2..).map(|(experiments, n)| {
        sample(
            n,
            &[
                ("docType", "main"),
                ("environment.experiments", experiments),
            ],
        )
    }));
    let site = Site::new();
    let input = site.write("in.heka", bytes(&all));
    site.write(
        "one.json",
        r#"{"version": 2, "dimensions": [{"field_name": "docType", "allowed_values": "*"}]}"#,
    );
    site.write(
        "three.json",
        r#"{"version": 2, "dimensions": [{"field_name": "docType", "allowed_values": "*"},
            {"field_name": "experimentId", "allowed_values": "*", "is_variable": true},
            {"field_name": "experimentBranch", "allowed_values": "*", "is_variable": true}]}"#,
    );
    let cfg = "message_matcher = \"Type == 'raw'\"\nticker_interval = 0\nread_queue = \"input\"
        dimension_file = \"one.json\"\nexperiment_dimension_file = \"three.json\"
        experiment_types = {[\"normandy-preference-\"] = true, [\"normandy-exp\"] = true}
        experiment_blocklist = {[\"pref-flip-screenshots-release-1369150\"] = true, [\"clicktoplay-rollout\"] = true}
        batch_dir = \"output/lake\"\nexperiment_batch_dir = \"output/experiments\"\nmax_file_handles = 5
        max_file_size = 1024 * 1024 * 300\nmax_file_age = 60 * 60\nflush_on_shutdown = true
        preserve_data = not flush_on_shutdown";
    let site = site
        .ours(
            "input/heka_file.lua",
            "in",
            &format!(
                "instruction_limit = 0\ninput_filename = \"{}\"",
                input.display()
            ),
        )
        .ours("output/moz_telemetry_s3.lua", "lake", cfg);
    // While it runs the files have the names of their dimensions, without a timer.
    let mut engine = site.start();
    let count = |file: &str| match site.exists(file) {
        true => messages(&site.path(file)).len(),
        false => 0,
    };
    engine.until("all are written", || {
        count("output/experiments/main+foo+123") == 4
    });
    engine.until("all are written", || count("output/lake/main") == 5);
    assert_eq!(count("output/experiments/main+bar+456"), 1);
    assert_eq!(files(&site.path("output/experiments")).len(), 2);
    let log = engine.stop().log;
    assert!(log.contains(&format!("filename too long: {long}")), "{log}");
    let done = files(&site.path("output/lake"));
    let name = done[0]
        .file_name()
        .expect("a file")
        .to_string_lossy()
        .into_owned();
    assert!(
        done.len() == 1 && name.starts_with("main+") && name.ends_with("_0_e2e.host.done"),
        "{name}"
    );
}

#[test]
fn a_store_in_s3_comes_back_by_date_and_filter_in_every_form() {
    let cloud = Cloud::new();
    cloud.proxy.faults.set_one_in(6);
    let all: Vec<Message> = (0..20).map(|n| sample(n, &[])).collect();
    // Ten days: one object for two of them.
    for day in 0..5 {
        let text = bytes(&all[day * 4..day * 4 + 4]);
        let packed = match day {
            0 => text,
            1 => zstd::encode_all(&text[..], 1).expect("memory"),
            _ => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                std::io::Write::write_all(&mut encoder, &text).expect("memory");
                encoder.finish().expect("memory")
            }
        };
        cloud.put(
            &format!("landfill/in/202611{:02}/000000.0_h_1", 1 + 2 * day),
            &packed,
        );
    }
    cloud.put("landfill/in/20260101/000000.0_h_1", b"never opened");
    cloud.put("text/a.ndjson", b"{\"Payload\":\"line\"}\nother\n");
    let site = Site::new();
    let cfg = format!(
        "instruction_limit = 0\nstore_path = \"s3://lake/landfill\"\nday_prefix = \"in/\"\nfrom = '2026-11-02'\nto = '2026-11-07T12:00:00Z'\n\
         matcher = \"Payload != '3'\"\n{}",
        cloud.options(&site)
    );
    let lines = format!(
        "instruction_limit = 0\nstore_path = \"s3://lake/text\"\ndecoder_module = 'decoders.lines'\n{}",
        cloud.options(&site)
    );
    let site = site
        .ours("input/heka_store.lua", "store", &cfg)
        .ours("input/heka_store.lua", "lines", &lines)
        .collect("all", "Type == 'raw'")
        .collect("lines", "Type != 'raw'");
    site.replay().expect(0);
    let expected: Vec<String> = (2..13).filter(|n| *n != 3).map(|n| n.to_string()).collect();
    assert_eq!(payloads(&site.path("all.heka")), expected);
    assert_eq!(
        payloads(&site.path("lines.heka")),
        ["{\"Payload\":\"line\"}", "other"]
    );
    let place = site.checkpoint("input.store").expect("there is one");
    assert!(place.starts_with("in/20261107/000000.0_h_1:"), "{place}");
    // Once more: the checkpoint says that everything was read.
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), expected);
}

#[test]
fn cat_shows_objects() {
    let cloud = Cloud::new();
    let all: Vec<Message> = (0..10).map(|n| sample(n, &[("user", "ann")])).collect();
    cloud.put("a/1", &bytes(&all[..4]));
    cloud.put(
        "a/2.zst",
        &zstd::encode_all(&bytes(&all[4..])[..], 1).expect("memory"),
    );
    cloud.put("b", &bytes(&all));
    let cat = |args: &[&str]| {
        let mut command = Command::new(program::path());
        command
            .arg("cat")
            .args(args)
            .env("AWS_ENDPOINT_URL_S3", cloud.endpoint());
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let out = command.output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let (code, out, _) = cat(&["-c", "s3://lake/a/", "-m", "Payload >= '5'"]);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "Processed: 10, matched: 5 messages\n")
    );
    let (_, out, _) = cat(&["-j", "-n", "1", "s3://lake/a/2.zst"]);
    assert!(out.contains("\"9\"") && out.lines().count() == 1, "{out}");
    let (code, _, reason) = cat(&["s3://lake/missing"]);
    assert_eq!(code, Some(1));
    assert!(reason.contains("NoSuchKey"), "{reason}");
}

/// Counts rows, and those that differ, by partition.
const COUNT: &str = r#"
import sys, duckdb
print(duckdb.sql("select docType, count(*), count(distinct Payload::int), min(Fields.docType), max(Fields.docType) "
    "from read_parquet('%s/**/*.parquet', hive_partitioning = true) group by 1 order by 1" % sys.argv[1]).fetchall())
"#;

#[test]
fn a_parquet_lake_in_s3_survives_kills_and_a_bad_network() {
    const MESSAGES: usize = 20_000;
    let cloud = Cloud::new();
    let kinds = ["main", "crash", "ev ent", "core"];
    let all: Vec<Message> = (0..MESSAGES)
        .map(|n| sample(n, &[("docType", kinds[n / 40 % 4])]))
        .collect();
    let site = queued(Site::new(), &all);
    let cfg = format!(
        "message_matcher = \"Type == 'raw'\"\ninitial_position = 'oldest'\nbatch_dir = \"batch\"\nticker_interval = 1\n\
         sync = false\nmax_rows_waiting = 900\nmax_rowgroup_size = 100\nmax_file_size = 1\nmax_file_age = 1\nmax_writers = 3\n\
         s3_path_dimensions = {{ {{ name = 'docType', source = 'Fields[docType]' }} }}\n\
         parquet_schema = 'message m {{ required int64 Timestamp; required binary Payload (UTF8); required group Fields {{ \
         required binary docType (UTF8); }} }}'\nstore = \"s3://lake/parquet\"\n{}",
        cloud.options(&site)
    );
    let site = site.ours("output/s3_parquet.lua", "lake", &cfg);
    survive(&cloud, &site, &["batch"]);
    let keys: Vec<String> = cloud.objects().into_keys().collect();
    let is_named = |key: &String| {
        key.starts_with("parquet/docType=") && key.ends_with("_e2e.host_output.lake.parquet")
    };
    assert!(keys.len() > 100 && keys.iter().all(is_named), "{keys:?}");
    let counted = Command::new(python())
        .args(["-c", COUNT])
        .arg(cloud.folder.path().join("lake/parquet"))
        .output()
        .expect("it starts");
    let each = MESSAGES / 4;
    let rows = ["core", "crash", "ev-ent", "main"].map(|kind| {
        format!(
            "('{kind}', {each}, {each}, '{0}', '{0}')",
            kind.replace('-', " ")
        )
    });
    let expected = format!("[{}]\n", rows.join(", "));
    let words = String::from_utf8_lossy(&counted.stderr);
    assert_eq!(
        String::from_utf8_lossy(&counted.stdout),
        expected,
        "{words}"
    );
}
