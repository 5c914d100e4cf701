//! `foresight compact` beside a running `output/s3_parquet.lua`, killed again and again, two at a time, behind a bad network:
//! DuckDB and pyarrow find each row once.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use e2e::{Engine, PINGS, Site, files, program, python};
use s3server::{ACCESS_KEY, Moto, Proxy, SECRET_KEY, Server};
use stdx::seed::Random;

/// Messages that the input makes.
const N: usize = 1_500;

const OUTPUT: &str = r#"
message_matcher = "Type == 'ping'"
initial_position = "oldest"
ticker_interval = 1
max_rows_waiting = 40
max_file_age = 1
sync = false
batch_dir = "batch"
json_objects = { "Fields[submission]" }
metadata_group = "metadata"
s3_path_dimensions = { { name = "day", source = "Fields[day]" } }
parquet_schema = [=[
message ping {
  required int64 id;
  optional double score;
  optional group tags (LIST) { repeated group list { optional binary element (UTF8); } }
  required group counts (MAP) { repeated group key_value { required binary key (UTF8); optional int64 value; } }
  optional group os { optional binary name (UTF8); }
  repeated group bits { optional int64 x; }
  required group metadata { required int64 Timestamp; }
}
]=]
"#;

/// Reads all files with both readers, and compares each row with what its number says.
const CHECK: &str = r#"
import sys, glob, duckdb, pyarrow.parquet as pq
n, files = int(sys.argv[1]), sorted(glob.glob(sys.argv[2] + "/**/*.parquet", recursive=True))
def row(i):
    return {
        "id": i, "score": i + 0.5, "tags": ["t%d" % k for k in range(1, i % 4 + 1)] or None, "counts": [("a", i % 5)],
        "os": None if i % 3 == 0 else {"name": "os%d" % (i % 3)}, "bits": [{"x": i}, {"x": None}],
        "metadata": {"Timestamp": i * 10**9},
    }
seen = []
for file in files:
    for got in pq.read_table(file, partitioning=None).to_pylist():
        i, got["tags"] = got["id"], got["tags"] or None
        assert got == row(i), (got, row(i))
        assert "day=2026-01-%02d/" % (i % 3 + 1) in file, (i, file)
        seen.append(i)
assert sorted(seen) == list(range(1, n + 1)), (len(seen), len(set(seen)), n)
got = duckdb.sql("select count(*), count(distinct id), sum(id), sum(score), count(os.name), sum(len(tags)), sum(len(bits)), count(distinct day) "
    "from read_parquet(%r, hive_partitioning = true)" % files).fetchall()[0]
want = (n, n, n * (n + 1) // 2, sum(i + 0.5 for i in range(1, n + 1)), sum(i % 3 > 0 for i in range(1, n + 1)),
    sum(i % 4 for i in range(1, n + 1)), 2 * n, 3)
assert got == want, (got, want)
groups = duckdb.sql("select max(row_group_id) from parquet_metadata(%r)" % files).fetchall()[0][0]
assert groups == 0, groups
"#;

/// Runs a program of Python, which must succeed.
fn check(python: &Path, text: &str, args: &[&str]) {
    let checked = Command::new(python).args(["-c", text]).args(args).output();
    let checked = checked.expect("it starts");
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{words}");
}

/// A lake, and how compactions get there.
struct Lake {
    address: String,
    endpoint: Option<String>,
}

impl Lake {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(program::path());
        command.args(["compact", &self.address]).args(args);
        command
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
            .env("AWS_REGION", "us-east-1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(endpoint) = &self.endpoint {
            command.env("AWS_ENDPOINT_URL_S3", endpoint);
        }
        command
    }

    /// Everything that can become one file, however young.
    fn compact(&self) -> Command {
        self.command(&["--older-than", "0", "--min-files", "2"])
    }

    /// Compacts until nothing is left to do: what a bad network stopped is done by the next run.
    fn compact_all(&self) -> Output {
        let mut last = None;
        for _ in 0..10 {
            let done = self.compact().output().expect("it runs");
            let text = String::from_utf8_lossy(&done.stdout).into_owned();
            let is_good = done.status.success();
            last = Some(done);
            if is_good && text.contains(" 0 files, ") {
                break;
            }
        }
        let last = last.expect("it ran");
        let words = String::from_utf8_lossy(&last.stderr);
        assert!(last.status.success(), "{words}");
        last
    }

    /// Starts two compactions at once and kills them, as long as `goes_on` says so.
    fn harass(&self, random: &mut Random, mut goes_on: impl FnMut(usize) -> bool) {
        for round in 0.. {
            if !goes_on(round) {
                return;
            }
            let mut both = [self.compact(), self.compact()].map(|mut command| {
                // Nobody reads what they say.
                let command = command.stdout(Stdio::null()).stderr(Stdio::null());
                command.spawn().expect("it starts")
            });
            for child in &mut both {
                std::thread::sleep(Duration::from_millis(random.below(120)));
                child.kill().expect("a child can be killed");
                child.wait().expect("a child can be waited for");
            }
        }
    }
}

/// An engine whose output fills the lake, while it is compacted and the compactions are killed.
fn fill_and_compact(site: Site, options: &str, lake: &Lake) -> Site {
    let input = |site: Site, per_call: usize, interval: usize| {
        let cfg = format!("n = {N}\nper_call = {per_call}\nticker_interval = {interval}\n");
        site.input("pings", &cfg, PINGS)
    };
    let site = input(site, N / 6, 1);
    let site = site.ours(
        "output/s3_parquet.lua",
        "lake",
        &format!("{OUTPUT}{options}"),
    );
    let mut engine: Engine = site.start();
    let mut random = Random::from_seed(11);
    // Twelve rounds and more, as long as the engine writes.
    lake.harass(&mut random, |round| {
        let is_done = site.checkpoint("input.pings").as_deref() == Some(&N.to_string());
        round < 12 || !is_done
    });
    engine.until("all is carried", || {
        let is_done = site.checkpoint("input.pings").as_deref() == Some(&N.to_string());
        is_done && files(&site.path("batch")).is_empty()
    });
    engine.stop();
    // The last rows may have been waiting in the queue.
    let site = input(site, N, 0);
    site.replay().expect(0);
    let left = files(&site.path("batch"));
    assert!(left.is_empty(), "{left:?}");
    lake.harass(&mut random, |round| round < 6);
    site
}

/// What lies there when all is done: few files, and nothing that a compaction left.
fn is_compact(found: &[PathBuf]) {
    let names: Vec<String> = found
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .filter(|name| !name.contains("/.tmp-"))
        .collect();
    assert!(names.len() == 3, "one for each day: {names:?}");
    assert!(
        names
            .iter()
            .all(|name| name.contains("_compact-") && name.ends_with(".parquet"))
    );
}

#[test]
fn a_lake_in_a_folder_is_compacted_while_it_grows_and_the_program_is_killed() {
    let python = python();
    let site = Site::new();
    let lake = Lake {
        address: site.path("lake").display().to_string(),
        endpoint: None,
    };
    let store = format!("store = \"{}\"\n", lake.address);
    let site = fill_and_compact(site, &store, &lake);
    lake.compact_all();
    is_compact(&files(&site.path("lake")));
    check(&python, CHECK, &[&N.to_string(), &lake.address]);
}

/// The keys of the output's configuration for a server.
fn s3_options(site: &Site, endpoint: &str) -> String {
    let keys = format!("aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n");
    let file = site.write("keys", keys);
    format!(
        "store = \"s3://lake/parquet\"\nstore_options = {{ endpoint = '{endpoint}', credentials = 'file:{}' }}\n",
        file.display()
    )
}

#[test]
fn a_lake_in_s3_is_compacted_while_it_grows_behind_a_bad_network() {
    let python = python();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("lake")).expect("made");
    let server = Server::start(folder.path(), 0).expect("it listens");
    let proxy = Proxy::start(server.address(), 5).expect("it listens");
    proxy.faults.set_one_in(40);
    let lake = Lake {
        address: "s3://lake/parquet".into(),
        endpoint: Some(format!("http://{}", proxy.address())),
    };
    let site = Site::new();
    // What the output carries twice is not the matter here; files this young are only safe when it does not.
    let options = s3_options(&site, &format!("http://{}", server.address()));
    fill_and_compact(site, &options, &lake);
    lake.compact_all();
    let parquet = folder.path().join("lake/parquet");
    is_compact(&files(&parquet));
    check(
        &python,
        CHECK,
        &[&N.to_string(), &parquet.to_string_lossy()],
    );
}

/// Copies a bucket into a folder.
const COPY: &str = r#"
import sys, os, boto3
endpoint, folder = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="lake"):
    for item in page.get("Contents", []):
        path = os.path.join(folder, item["Key"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        s3.download_file("lake", item["Key"], path)
"#;

#[test]
fn a_lake_in_moto_is_compacted_while_it_grows() {
    let python = python();
    let moto = Moto::start();
    let endpoint = format!("http://{}", moto.address());
    let lake = Lake {
        address: "s3://lake/parquet".into(),
        endpoint: Some(endpoint.clone()),
    };
    let site = Site::new();
    let options = s3_options(&site, &endpoint);
    let site = fill_and_compact(site, &options, &lake);
    lake.compact_all();
    let copy = site.path("copy");
    check(
        Path::new("python3"),
        COPY,
        &[&endpoint, &copy.to_string_lossy()],
    );
    is_compact(&files(&copy));
    check(&python, CHECK, &[&N.to_string(), &copy.to_string_lossy()]);
}

/// Messages of the type `row`, numbered from a checkpoint to `last`.
const ROWS: &str = r#"
require "string"
local last = read_config("last")
function process_message(checkpoint)
    for i = (checkpoint or 0) + 1, last do
        local document = string.format('{"docId":"d%d","newName":%d,"os":{"name":"x","newVersion":%d},"items":[{"a":1,"b":%d},{}]}',
            i, i, i, i)
        inject_message({ Type = "row", Timestamp = i * 1e9, Fields = { submission = document } }, i)
    end
    return 0
end
"#;

/// Old rows have nothing in new columns, at the top, in a group, and in each item of a list.
const EVOLVED: &str = r#"
import sys, glob, duckdb, pyarrow.parquet as pq
files = [file for file in sorted(glob.glob(sys.argv[1] + "/doc_type=row/*.parquet")) if "bad" not in file]
assert len(files) == 1, files
def row(i):
    new = i > 10
    return {"doc_id": "d%d" % i, "os": {"name": "x", "new_version": i if new else None},
        "items": [{"a": 1, "b": i if new else None}, {"a": None, "b": None}], "new_name": i if new else None}
got = pq.read_table(files[0], partitioning=None).to_pylist()
assert got == [row(i) for i in range(1, 21)], got
meta = pq.read_metadata(files[0])
assert meta.num_row_groups == 1 and meta.row_group(0).column(0).compression == "ZSTD"
got = duckdb.sql("select count(*), sum(new_name), sum(os.new_version), sum(list_sum([x.b for x in items])), min(doc_type) "
    "from read_parquet(%r, hive_partitioning = true)" % files).fetchall()[0]
assert got == (20, 155, 155, 155, "row"), got
"#;

#[test]
fn files_with_new_columns_become_one_with_old_ones_and_a_bad_file_is_named() {
    let run = |site: Site, last: usize, os: &str, item: &str, more: &str| {
        let site = site.input("rows", &format!("last = {last}\nticker_interval = 0"), ROWS);
        let cfg = format!(
            "message_matcher = \"Type == 'row'\"\nticker_interval = 1\nbatch_dir = 'batch'\nstore = 'lake'\nhive_compatible = true\n\
             max_rows_waiting = 3\njson_objects = {{ 'Fields[submission]' }}\ns3_path_dimensions = {{ {{ name = 'doc_type', source = 'Type' }} }}\n\
             parquet_schema = 'message row {{ required binary docId (UTF8); optional group os {{ optional binary name (UTF8); {os} }} \
             repeated group items {{ optional int64 a; {item} }} {more} }}'"
        );
        let site = site.ours("output/s3_parquet.lua", "lake", &cfg);
        site.replay().expect(0);
        site
    };
    let site = run(Site::new(), 10, "", "", "");
    let (os, item, more) = (
        "optional int64 newVersion;",
        "optional int64 b;",
        "optional int64 newName;",
    );
    let site = run(site, 20, os, item, more);
    let n_files = files(&site.path("lake")).len();
    assert!(n_files >= 8, "{n_files}");
    let bad = site.write("lake/doc_type=row/bad.parquet", "PAR1 is not enough");
    let lake = Lake {
        address: site.path("lake").display().to_string(),
        endpoint: None,
    };
    let run = |args: &[&str]| {
        let out = lake.command(args).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.code(), text(&out.stdout), text(&out.stderr))
    };
    let (code, out, words) = run(&[]);
    assert_eq!(code, Some(0), "all are too young: {out}{words}");
    assert_eq!(files(&site.path("lake")).len(), n_files + 1);
    let (code, out, _) = run(&["--older-than", "0", "--dry-run"]);
    assert!(
        code == Some(1) && out.contains(" would become one"),
        "{out}"
    );
    assert_eq!(files(&site.path("lake")).len(), n_files + 1);
    let (code, out, words) = run(&["--older-than", "0"]);
    assert_eq!(code, Some(1), "{out}");
    assert!(words.starts_with("doc_type=row/bad.parquet: "), "{words}");
    assert!(out.contains("20 rows") && bad.exists(), "{out}");
    check(&python(), EVOLVED, &[&lake.address]);
    let (code, _, words) = run(&["--prefix", "other", "--small", "x"]);
    assert!(code == Some(1) && words.contains("--small"), "{words}");
    let missing = Command::new(program::path())
        .args(["compact", "no such folder"])
        .output()
        .expect("it runs");
    assert_eq!(missing.status.code(), Some(1));
}
