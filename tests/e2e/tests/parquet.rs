//! `output/s3_parquet.lua`: DuckDB and pyarrow read what was written, over a kill in the middle.
//!
//! Both readers come from PyPI into a folder for caches; without Python the test fails and says so.

use std::path::PathBuf;
use std::process::Command;

use e2e::{Site, messages};

/// Messages that the input makes.
const N: usize = 4_000;

/// Makes messages from a checkpoint on: `PER_CALL` at a time, each with a document that says by its number what is in it.
const INPUT: &str = r#"
require "string"
local N, PER_CALL = read_config("n"), read_config("per_call")
local function document(i)
    local tags = {}
    for k = 1, i % 4 do tags[k] = string.format('"t%d"', k) end
    local name = i % 3 == 0 and "" or string.format(',"os":{"name":"os%d"}', i % 3)
    local id = i % 100 == 7 and "" or string.format('"id":%d,', i)
    return string.format('{%s"score":%d.5,"tags":[%s],"counts":{"a":%d}%s,"bits":[{"x":%d},{}]}', id, i,
        table.concat(tags, ","), i % 5, name, i)
end
local done
function process_message(checkpoint)
    done = done or checkpoint or 0
    local last = math.min(done + PER_CALL, N)
    for i = done + 1, last do
        inject_message({ Type = "ping", Timestamp = i * 1e9, Fields = {
            day = string.format("2026-01-%02d", i % 3 + 1),
            submission = { value = document(i), representation = "json" } } }, i)
        done = i
    end
    return 0
end
"#;

const OUTPUT: &str = r#"
message_matcher = "Type == 'ping'"
ticker_interval = 1
dead_letter = true
max_file_age = 1
max_rowgroup_size = 50
max_writers = 2
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

/// A Python with both readers.
fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let venv = cache.join("foresight/python");
    let python = venv.join("bin/python");
    let works = Command::new(&python)
        .args(["-c", "import duckdb, pyarrow"])
        .status();
    if works.is_ok_and(|status| status.success()) {
        return python;
    }
    let run = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).status();
        let is_good = status.is_ok_and(|status| status.success());
        assert!(
            is_good,
            "install Python 3 with venv first: {program} {args:?} failed"
        );
    };
    run("python3", &["-m", "venv", &venv.to_string_lossy()]);
    let pip = ["-m", "pip", "install", "-q", "duckdb", "pyarrow"];
    run(&python.to_string_lossy(), &pip);
    python
}

fn input(site: Site, per_call: usize, interval: usize) -> Site {
    let cfg = format!("n = {N}\nper_call = {per_call}\nticker_interval = {interval}\n");
    let source = format!("require \"math\"\nrequire \"table\"\n{INPUT}");
    site.input("pings", &cfg, &source)
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
