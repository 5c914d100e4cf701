//! `output/s3_parquet.lua`: DuckDB and pyarrow read what was written, over a kill in the middle.

use std::process::Command;

use e2e::{PINGS, Site, messages, python};

/// Messages that the input makes.
const N: usize = 4_000;

const OUTPUT: &str = r#"
message_matcher = "Type == 'ping'"
ticker_interval = 1
dead_letter = true
max_file_age = 1
max_rowgroup_size = 50
max_writers = 2
sync = false
batch_dir = "lake"
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
  required group metadata { required int64 Timestamp; optional binary day (UTF8); }
}
]=]
"#;

/// Reads all files with both readers and compares each row with what its number says.
const CHECK: &str = r#"
import sys, glob, duckdb, pyarrow.parquet as pq
n, files = int(sys.argv[1]), sorted(glob.glob(sys.argv[2] + "/*.done"))
def row(i):
    return {
        "id": i, "score": i + 0.5, "tags": ["t%d" % k for k in range(1, i % 4 + 1)] or None, "counts": [("a", i % 5)],
        "os": None if i % 3 == 0 else {"name": "os%d" % (i % 3)}, "bits": [{"x": i}, {"x": None}],
        "metadata": {"Timestamp": i * 10**9, "day": "2026-01-%02d" % (i % 3 + 1)},
    }
wanted = {i for i in range(1, n + 1) if i % 100 != 7}
seen = set()
for file in files:
    for got in pq.read_table(file, partitioning=None).to_pylist():
        i = got["id"]
        want = row(i)
        if not want["tags"]:
            got["tags"] = got["tags"] or None
        assert got == want, (got, want)
        assert "day=2026-01-%02d+" % (i % 3 + 1) in file, (i, file)
        seen.add(i)
assert seen == wanted, (len(seen), len(wanted))
count, total, top, codec = duckdb.sql(
    "select count(distinct id), sum(distinct id), max(metadata.Timestamp), count(distinct os.name) "
    "from read_parquet(%r)" % files).fetchall()[0]
assert (count, total, codec) == (len(wanted), sum(wanted), 2), (count, total, codec)
low, high = duckdb.sql("select min(stats_min_value::BIGINT), max(stats_max_value::BIGINT) from parquet_metadata(%r) "
                       "where path_in_schema = 'id'" % files).fetchall()[0]
assert (low, high) == (min(wanted), max(wanted)), (low, high)
print(len(files), "files")
"#;

fn input(site: Site, per_call: usize, interval: usize) -> Site {
    let cfg =
        format!("n = {N}\nper_call = {per_call}\nticker_interval = {interval}\nwithout_id = 100\n");
    site.input("pings", &cfg, PINGS)
}

fn done_files(site: &Site) -> usize {
    let entries = std::fs::read_dir(site.path("lake"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".done"))
        .count()
}

#[test]
fn every_message_is_in_a_file_that_others_read_though_the_program_was_killed() {
    let python = python();
    let site = Site::new()
        .ours("output/s3_parquet.lua", "lake", OUTPUT)
        .collect("letters", "Type == 'foresight.dead_letter'");
    let site = input(site, N / 10, 1);
    let mut engine = site.start();
    engine.until("files are finished", || done_files(&site) >= 3);
    engine.kill();
    // The rest in one call, to the end.
    let site = input(site, N, 0);
    site.replay().expect(0);

    let lake = site.path("lake");
    let left = std::fs::read_dir(&lake)
        .expect("the lake is there")
        .flatten();
    let left: Vec<_> = left
        .map(|e| e.file_name())
        .filter(|n| !n.to_string_lossy().ends_with(".done"))
        .collect();
    assert!(left.is_empty(), "parts are left: {left:?}");
    let checked = Command::new(python)
        .args(["-c", CHECK, &N.to_string()])
        .arg(&lake)
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{words}");

    // What did not fit is told with the column, with its bytes. The last letters came when the outputs ended, so they are
    // delivered by the next run.
    site.replay().expect(0);
    let letters = messages(&site.path("letters.heka"));
    assert!(letters.len() >= N / 100, "{} dead letters", letters.len());
    let told = letters
        .iter()
        .all(|letter| letter.payload.as_deref() == Some(b"column 'id' is required"));
    assert!(told, "{:?}", letters.first());
}

/// Messages of the type `row`, numbered from a checkpoint to `last`.
const ROWS: &str = r#"
require "string"
local last = read_config("last")
function process_message(checkpoint)
    for i = (checkpoint or 0) + 1, last do
        local document = string.format('{"docId":"d%d","newName":%d,"os":{"name":"x","newVersion":%d}}', i, i, i)
        inject_message({ Type = "row", Timestamp = i * 1e9, Fields = { submission = document } }, i)
    end
    return 0
end
"#;

/// An old reader sees all rows without what is new, a new one sees nothing where old files have nothing.
const EVOLVED: &str = r#"
import sys, glob, duckdb, pyarrow.dataset as ds, pyarrow.parquet as pq
files = sorted(glob.glob(sys.argv[1] + "/doc_type=row/*.parquet"))
old, new = (pq.read_schema(file) for file in (files[0], files[-1]))
assert old.names == ["doc_id", "os"] and new.names == ["doc_id", "os", "new_name"], (old, new)
rows = ds.dataset(files, schema=old).to_table().to_pylist()
assert sorted(row["doc_id"] for row in rows) == sorted("d%d" % i for i in range(1, 21)) and "new_name" not in rows[0]
rows = ds.dataset(files, schema=new).to_table(columns=["doc_id", "new_name"]).to_pylist()
assert {row["doc_id"]: row["new_name"] for row in rows} == {"d%d" % i: i if i > 10 else None for i in range(1, 21)}
for ask, want in [
    ("count(*)", 20), ("count(new_name)", 10), ("sum(new_name)", 155), ("count(os.name)", 20), ("min(doc_type)", "row")]:
    got = duckdb.sql("select %s from read_parquet(%r, union_by_name = true, hive_partitioning = true)" % (ask, files)).fetchall()[0][0]
    assert got == want, (ask, got)
versions = duckdb.sql("select sum(os.new_version) from read_parquet(%r)" % files[-1]).fetchall()[0][0]
assert versions == 155, versions
"#;

#[test]
fn files_with_new_optional_columns_are_read_together_with_old_ones() {
    let run = |site: Site, last: usize, os: &str, more: &str| {
        let site = site.input("rows", &format!("last = {last}\nticker_interval = 0"), ROWS);
        let cfg = format!(
            "message_matcher = \"Type == 'row'\"\nticker_interval = 1\nbatch_dir = 'batch'\nstore = 'lake'\nhive_compatible = true\n\
             json_objects = {{ 'Fields[submission]' }}\ns3_path_dimensions = {{ {{ name = 'doc_type', source = 'Type' }} }}\n\
             parquet_schema = 'message row {{ required binary docId (UTF8); optional group os {{ optional binary name (UTF8); {os} }} {more} }}'"
        );
        let site = site.ours("output/s3_parquet.lua", "lake", &cfg);
        site.replay().expect(0);
        site
    };
    let site = run(Site::new(), 10, "", "");
    let site = run(
        site,
        20,
        "optional int64 newVersion;",
        "optional int64 newName;",
    );
    let checked = Command::new(python())
        .args(["-c", EVOLVED])
        .arg(site.path("lake"))
        .output()
        .expect("it starts");
    let words = String::from_utf8_lossy(&checked.stderr);
    assert!(checked.status.success(), "{words}");
}
