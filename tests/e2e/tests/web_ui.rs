//! The web UI in a real Chromium: every page and action, in light and dark and at phone width.
//!
//! `engine/admin/web/tests/ui.js` drives the browser; this starts the engine that it looks at. Screenshots of every page
//! stay below the target folder, to be looked at.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Certificates, Site, free_port};

/// Sends a few messages a second, some of them hostile.
const SOURCE: &str = r#"
require "os"
local n = 0
function process_message()
    for i = 1, 20 do
        n = n + 1
        inject_message({ Timestamp = os.time() * 1e9, Type = "log", Logger = "input.source", Severity = n % 8,
            Hostname = "web-" .. n % 3, Payload = "line " .. n .. ' <img src=x onerror="window.hacked = 1">',
            Fields = { status = 200 + n % 4 * 100, path = "/<script>window.hacked = 1</script>/" .. n } })
    end
    return 0
end
"#;

/// Twenty graphs, one of them large, and payloads of other types.
const GRAPHS: &str = r#"
require "circular_buffer"
require "math"
local ROWS = 1440
local buffers = {}
local large = circular_buffer.new(100000, 1, 10)
large:set_header(1, "requests", "count", "sum")
for i = 1, 19 do
    local b = circular_buffer.new(ROWS, 3, 60)
    b:set_header(1, "requests", "count", "sum")
    b:set_header(2, "errors", "count", "sum")
    b:set_header(3, "latency", "ms", "max")
    buffers[i] = b
end
local filled = false
local function fill(now)
    for i, b in ipairs(buffers) do
        for row = 0, ROWS - 1 do
            local t = now - (ROWS - 1 - row) * 60e9
            local wave = 1 + math.sin(row / 720 * 2 * math.pi + i)
            b:set(t, 1, math.floor(800 * wave + (row * 7919 * i) % 101))
            b:set(t, 2, (row * 31 * i) % 13)
            b:set(t, 3, 20 + 10 * wave + (row * 17) % 7)
        end
        b:annotate(now - 3600e9 * i, 1, "alert", "less than half of last week <b>bold</b>")
        b:annotate(now - 1800e9 * i, 2, "info", "deployed 1.2." .. i)
    end
    for row = 0, 99999 do
        large:set(now - (99999 - row) * 10e9, 1, 500 + 300 * math.sin(row / 3000) + (row * 7919) % 97)
    end
end
local seen = 0
function process_message()
    seen = seen + 1
    return 0
end
function timer_event(ns, shutdown)
    if not filled then
        filled = true
        fill(ns)
    end
    for i, b in ipairs(buffers) do
        b:add(ns, 1, 20)
        local name = "traffic " .. i
        if i == 19 then name = '<img src=x onerror="window.hacked = 1">' end
        inject_payload("cbuf", name, b)
    end
    inject_payload("cbuf", "a large one", large)
    inject_payload("html", "report", "<h1>Report</h1><p>", seen, " messages</p><script>parent.hacked = 1; window.top.hacked = 1</script>")
    inject_payload("json", "state", '{"seen":', seen, ',"text":"</script><script>window.hacked = 1</script>"}')
    inject_payload("tsv", "top", "name\tcount\n<b>x</b>\t", seen, "\n")
    inject_payload("txt", "notes", "seen ", seen)
end
"#;

const ALERTS: &str = r#"
require "circular_buffer"
local alert = require "heka.alert"
local n = 0
local rate = circular_buffer.new(60, 3, 60)
rate:set_header(1, "rate", "count", "none")
rate:set_header(2, "rate", "low", "none")
rate:set_header(3, "rate", "high", "none")
function process_message() return 0 end
function timer_event(ns)
    n = n + 1
    for row = 0, 59 do
        local t = ns - row * 60e9
        rate:set(t, 1, 100 + (row * 7919) % 13)
        if row < 40 then
            rate:set(t, 2, 90)
            rate:set(t, 3, 120)
        end
    end
    inject_payload("cbuf", "the rate", rate)
    if n > 3 then return end
    alert.send("rate" .. n, "the rate fell by 60 % <img src=x onerror='window.hacked = 1'>",
        "expected 1200 a minute\nGraph: " .. alert.get_dashboard_uri("the rate") .. "\n", 0)
end
"#;

/// A graph that is larger than its plugin may inject.
const LARGE: &str = r#"
require "circular_buffer"
local large = circular_buffer.new(2880, 10, 60)
function process_message() return 0 end
function timer_event(ns)
    pcall(inject_payload, "cbuf", "too large", large)
end
"#;

fn site(port: u16) -> Site {
    let large = "memory_limit = 64 * 1024 * 1024\noutput_limit = 4 * 1024 * 1024\ninstruction_limit = 0\n\
                 timer_event_inject_limit = 100\n";
    let site = Site::new().with_load_directory();
    let site_alerts = site.path("alerts.json");
    let results = site.path("results");
    std::fs::create_dir_all(&results).expect("created");
    site.write(
        "results/page.html",
        "<h1>Written by an output</h1><script>parent.hacked = 1</script>",
    );
    site.write("results/2026/11/data.txt", "plain text\n");
    let roots = format!("\"results={}\"", results.display());
    site.set("admin_listen", format!("\"127.0.0.1:{port}\""))
        .set("admin_outputs", roots.clone())
        .set("admin_lake", roots)
        .set("max_message_size", "8 * 1024 * 1024")
        .set("retention", "{ keep_bytes = 64 * 1024 * 1024 }")
        .input("source", "ticker_interval = 1", SOURCE)
        .analysis("graphs", &format!("message_matcher = \"Type == 'log'\"\nticker_interval = 1\n{large}"), GRAPHS)
        .analysis("watch", "message_matcher = \"Type == 'log'\"\nticker_interval = 1\nalert = { modules = { email = { recipients = { '<ops@example.com>' } } } }\n_password = 'sesame'", ALERTS)
        .analysis("large", "message_matcher = \"Type == 'log'\"\nticker_interval = 1", LARGE)
        .analysis("failing", "message_matcher = \"Type == 'log'\"", "function process_message() error('boom <b>bold</b>') end\nfunction timer_event() end")
        .analysis("<img src=x onerror='window.hacked = 1'>", "message_matcher = \"Severity == 3\"", "function process_message() return -1, 'no' end\nfunction timer_event() end")
        .ours("output/alert.lua", "alerts", &format!("message_matcher = \"Type == 'alert'\"\nticker_interval = 1\npreserve_data = true\nalert = {{ channels = {{ file = {{ kind = 'file', path = '{}' }} }} }}", site_alerts.display()))
        .output("sink", "message_matcher = \"Type == 'log'\"\nread_queue = 'input'", "function process_message() return 0 end\nfunction timer_event() end")
}

/// A graph of requests over as many minutes as are configured, without preserved state.
const MINUTES: &str = r#"
require "circular_buffer"
require "math"
local rows = read_config("minutes")
local requests = circular_buffer.new(rows, 1, 60)
requests:set_header(1, "requests", "count", "none")
local is_filled = false
function process_message() return 0 end
function timer_event(ns)
    for row = 0, is_filled and 0 or rows - 1 do
        local t = ns - row * 60e9
        requests:set(t, 1, math.floor(600 + 300 * math.sin(t / 86400e9 * 2 * math.pi) + t / 60e9 * 7919 % 31))
    end
    is_filled = true
    inject_payload("cbuf", "requests", requests)
end
"#;

fn minutes(site: Site, minutes: u32) -> Site {
    let cfg = format!(
        "message_matcher = \"FALSE\"\nticker_interval = 1\nminutes = {minutes}\noutput_limit = 1024 * 1024\ninstruction_limit = 0"
    );
    site.analysis("minutes", &cfg, MINUTES)
}

/// The files below the folder in which the past of graphs is kept.
fn kept_days(site: &Site) -> usize {
    let root = site.path("output/admin/graphs");
    e2e::files(&root)
        .iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "cbuf"))
        .count()
}

#[test]
fn the_past_of_a_graph_survives_kills_and_reaches_beyond_its_buffer() {
    let port = free_port();
    let base = format!("http://127.0.0.1:{port}");
    let site = Site::new()
        .set("admin_listen", format!("\"127.0.0.1:{port}\""))
        .set("max_message_size", "1024 * 1024");
    // Nine days are in the buffer, and are kept.
    let site = minutes(site, 9 * 1440);
    let mut engine = site.start();
    engine.until("the past is kept", || kept_days(&site) >= 9);
    engine.kill();
    // Two hours are in it now.
    let site = minutes(site, 120);
    let mut engine = site.start();
    engine.until_log("the web UI is at");
    drive("past.js", &[&base, "short"]);
    engine.kill();
    // The plugin is gone.
    std::fs::remove_file(site.path("run/analysis/minutes.cfg")).expect("it was there");
    let mut engine = site.start();
    engine.until_log("the web UI is at");
    drive("past.js", &[&base, "gone"]);
    engine.stop();
}

/// Opens a bucket as outputs do.
const STORE: &str = r#"
local object_store = require "object_store"
local store = object_store.open("s3://lake/landfill", { endpoint = read_config("endpoint"), credentials = "file:" .. read_config("keys") })
function process_message() return 0 end
function timer_event() store:pending() end
"#;

#[test]
fn the_lake_shows_what_lies_in_buckets() {
    let port = free_port();
    let site = Site::new().set("admin_listen", format!("\"127.0.0.1:{port}\""));
    for n in 0..620 {
        site.write(format!("s3/lake/landfill/20261101/{n:04}.gz"), "x");
    }
    site.write(
        "s3/lake/landfill/20261102/<img src=x onerror=window.hacked=1>",
        "xyz",
    );
    site.write("s3/lake/landfill/note.txt", "a note");
    site.write("s3/lake/secret/other", "beside the prefix");
    let keys = site.write(
        "keys",
        format!(
            "aws_access_key_id = {}\naws_secret_access_key = {}\n",
            s3server::ACCESS_KEY,
            s3server::SECRET_KEY
        ),
    );
    let server = s3server::Server::start(&site.path("s3"), 0).expect("it listens");
    let cfg = format!(
        "message_matcher = \"FALSE\"\nticker_interval = 60\nkeys = \"{}\"\nendpoint = \"http://{}\"",
        keys.display(),
        server.address()
    );
    let site = site.output("landfill", &cfg, STORE);
    let mut engine = site.start();
    engine.until_log("the web UI is at");
    let base = format!("http://127.0.0.1:{port}");
    drive("lake.js", &[&base, "up"]);
    drop(server);
    drive("lake.js", &[&base, "down"]);
    engine.stop();
}

fn target_dir() -> PathBuf {
    let program = std::env::current_exe().expect("this program has a place");
    let debug = program.ancestors().nth(2).expect("it lies in debug/deps");
    debug.to_path_buf()
}

fn drive(script: &str, arguments: &[&str]) {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../engine/admin/web");
    assert!(
        web.join("node_modules").is_dir() && web.join("dist/app.js").is_file(),
        "the pages are not built: run make web"
    );
    let shots = target_dir().join("screenshots");
    std::fs::create_dir_all(&shots).expect("created");
    let status = Command::new("node")
        .arg(web.join("tests").join(script))
        .args(arguments)
        .env("SCREENSHOTS", &shots)
        .status()
        .expect("node is installed: sh .ci/needs");
    assert!(status.success(), "{script} failed; what it said is above");
}

#[test]
fn every_page_and_action_works_in_a_browser() {
    let port = free_port();
    let site = site(port);
    let mut engine = site.start();
    engine.until_log("the web UI is at");
    drive("ui.js", &[&format!("http://127.0.0.1:{port}")]);
    let log = engine.stop().log;
    assert!(log.contains("deploy analysis.counted: ok"), "{log}");
    let told = site.read("alerts.json");
    assert!(told.contains("a test of the way that alerts go"), "{told}");
    let audit = site.read("output/admin/audit.log");
    for action in ["silence", "end silence", "test alert"] {
        assert!(
            audit.contains(&format!("\"action\":\"{action}\"")),
            "{audit}"
        );
    }
}

/// Makes vera a viewer and otto an operator.
fn with_users(site: Site) -> Site {
    let line = |name: &str, role: &str| {
        let password = site.write("password", "correct horse");
        let output = Command::new(e2e::program::path())
            .args(["user", name, role])
            .stdin(std::fs::File::open(password).expect("it was just written"))
            .output()
            .expect("the program runs");
        String::from_utf8(output.stdout).expect("a line of text")
    };
    let users = [line("vera", "viewer"), line("otto", "operator")].concat();
    let file = site.write("users", users);
    site.set("admin_users", format!("\"{}\"", file.display()))
}

#[test]
fn over_tls_everything_works_and_nothing_without_a_login() {
    let port = free_port();
    let certificates = Certificates::new();
    let quoted = |name: &str| format!("\"{}\"", certificates.path(name).display());
    let site = with_users(site(port))
        .set("admin_listen", format!("\"0.0.0.0:{port}\""))
        .set("admin_certificate", quoted("leaf.pem"))
        .set("admin_key", quoted("leaf.key"));
    let mut engine = site.start();
    engine.until_log("the web UI is at https://");
    let files = ["ca.pem", "leaf.pem"].map(|name| certificates.path(name).display().to_string());
    let address = format!("https://127.0.0.1:{port}");
    drive("secure.js", &[&address, &files[0], &files[1]]);
    engine.stop();
}

#[test]
fn users_log_in_and_see_what_they_may() {
    let port = free_port();
    let site = with_users(site(port));
    let mut engine = site.start();
    engine.until_log("the web UI is at");
    drive("login.js", &[&format!("http://127.0.0.1:{port}")]);
    let audit = site.read("output/admin/audit.log");
    assert!(
        audit.contains("\"action\":\"login\",\"object\":\"vera\",\"result\":\"ok\""),
        "{audit}"
    );
    engine.stop();
}

#[test]
fn where_others_can_reach_it_it_does_not_start_without_a_login() {
    let site = Site::new().set("admin_listen", "\"0.0.0.0:0\"");
    let finished = site.start().wait();
    assert_eq!(finished.code, Some(1));
    assert!(finished.log.contains("set admin_users"), "{}", finished.log);
}
