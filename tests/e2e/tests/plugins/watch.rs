//! The monitors that are built on `monitor.watch`: a planted fault becomes one alert with the right id, the same data without it none,
//! and both also over a restart in the middle.

use e2e::{Site, field_text, messages, wait_until};

/// What all sources share: minutes of messages by `minute(i, faulty)`; each start of the site goes on where the one before stopped.
const SOURCE: &str = r#"
    require "math"
    require "string"
    local first, last, fault = read_config("first"), read_config("last"), read_config("fault")
    local function send(at, message)
        message.Timestamp = at * 1e9
        inject_message(message)
    end
    local function is_faulty(i) return fault > 0 and i >= fault and i < fault + 30 end
    local minute
    function process_message()
        for i = first, last - 1 do minute(i, 1.6e9 + i * 60, is_faulty(i)) end
        -- Moves the time of the replay on.
        send(1.6e9 + last * 60, { Type = "tick" })
        return 0
    end
"#;

/// When the fault begins, in minutes; a day and a half is what detectors need here.
const FAULT: u32 = 400;
const END: u32 = 480;

/// A monitor on the data of a source, and what came of it.
struct Case {
    plugin: &'static str,
    cfg: &'static str,
    minute: &'static str,
}

impl Case {
    fn site(&self) -> Site {
        let cfg = format!(
            "message_matcher = \"Type != 'alert' && Type != 'inject_payload' && Type != 'tick'\"\nticker_interval = 60\n\
             preserve_data = true\nmemory_limit = 0\noutput_limit = 0\ninstruction_limit = 0\nrows = 500\ntimer_event_inject_limit = 20\n\
             alert = {{ modules = {{ email = {{ recipients = {{ 'ops@example.com' }} }} }} }}\n{}",
            self.cfg
        );
        Site::new()
            .set("max_message_size", "8388608")
            .ours(self.plugin, "monitor", &cfg)
            .collect("alerts", "Type == 'alert'")
            .collect("graphs", "Type == 'inject_payload'")
    }

    /// Replays these minutes, each part in a run of its own, and gives the ids of the alerts.
    fn alerts(&self, site: &Site, fault: u32, parts: &[u32]) -> Vec<String> {
        let mut first = 0;
        for &last in parts {
            let cfg =
                format!("first = {first}\nlast = {last}\nfault = {fault}\ninstruction_limit = 0");
            let source = format!("{SOURCE}\n{}", self.minute);
            site.put_plugin(
                "run",
                e2e::Kind::Input,
                &format!("source{first}"),
                &cfg,
                &source,
            );
            site.replay().expect(0);
            std::fs::remove_file(site.path(format!("run/input/source{first}.cfg")))
                .expect("it was there");
            first = last;
        }
        let alerts = messages(&site.path("alerts.heka"));
        alerts.iter().filter_map(|m| field_text(m, "id")).collect()
    }

    /// One alert with this id, and none without the fault. Gives the site with the fault.
    fn gives(&self, id: &str) -> Site {
        let quiet = self.site();
        assert_eq!(
            self.alerts(&quiet, 0, &[END]),
            Vec::<String>::new(),
            "{id}: no fault, no alert"
        );
        let site = self.site();
        assert_eq!(
            self.alerts(&site, FAULT, &[FAULT + 1, END]),
            [id],
            "the fault, with a restart in it"
        );
        site
    }
}

/// The text of the newest payload of this name.
fn payload(site: &Site, name: &str) -> String {
    let graphs = messages(&site.path("graphs.heka"));
    let of_name =
        |m: &&schemas::message::Message| field_text(m, "payload_name").as_deref() == Some(name);
    let last = graphs
        .iter()
        .rev()
        .find(of_name)
        .unwrap_or_else(|| panic!("no payload {name}"));
    String::from_utf8_lossy(last.payload.as_deref().unwrap_or_default()).into_owned()
}

/// The summary and the detail of the only alert.
fn alert(site: &Site) -> (String, String) {
    let alerts = messages(&site.path("alerts.heka"));
    let detail =
        String::from_utf8_lossy(alerts[0].payload.as_deref().unwrap_or_default()).into_owned();
    (
        field_text(&alerts[0], "summary").expect("a summary"),
        detail,
    )
}

/// Submissions of two kinds; `fault` changes those of kind `main`.
const DOCTYPE: &str = r#"
    minute = function(i, at, faulty)
        for _, kind in ipairs { "main", "crash" } do
            local is_fault = faulty and kind == "main"
            local n = 40 + (i * 7919) % 7
            if is_fault and KIND == "inactivity" then n = 0 end
            if is_fault and KIND == "volume" then n = n * 4 end
            for j = 1, n do
                local fields = { docType = kind, creationTimestamp = (at - 100) * 1e9, content = string.rep("x", 800 + (i * j) % 50) }
                local what = "telemetry"
                fields.submission = '{"a":1,"b":{"c":2}}'
                if is_fault and KIND == "errors" and j % 2 == 0 or j == 7 and i % 10 == 0 then
                    what = "telemetry.error"
                    fields.DecodeError = "no clientId"
                end
                if is_fault and KIND == "duplicates" and j % 3 == 0 then what = "telemetry.duplicate" end
                if is_fault and KIND == "latency" then fields.creationTimestamp = (at - 90000) * 1e9 end
                if is_fault and KIND == "size" then fields.content = string.rep("x", 1600) end
                if is_fault and KIND == "structure" then fields.submission = '{"a":1,"b":{"d":2}}' end
                send(at + j / 10, { Type = what, Logger = "telemetry", Fields = fields })
            end
        end
    end
"#;

/// Seasons are short, so that a few hours are enough.
const DOCTYPE_CFG: &str = "structure_sample = 10\nalert.thresholds = { ['*'] = { volume = { { kind = 'gap', name = 'inactivity', resolution = 60 }, \
                           { kind = 'robust', window = 120, threshold = 8, direction = 1 } } } }";

fn doctype(kind: &str) -> Case {
    let minute = format!("local KIND = '{kind}'\n{}", DOCTYPE);
    Case {
        plugin: "analysis/doctype_monitor.lua",
        cfg: DOCTYPE_CFG,
        minute: minute.leak(),
    }
}

#[test]
fn doctype_inactivity() {
    let site = doctype("inactivity").gives("telemetry/main.inactivity");
    let (summary, detail) = alert(&site);
    assert!(
        summary.starts_with("telemetry/main: inactivity, nothing came (usually "),
        "{summary}"
    );
    assert!(detail.contains("strange since 2020-09-13T19:"), "{detail}");
    assert!(
        detail.contains(
            "Graph: https://e2e.host/dashboard_output/graphs/analysis.monitor.doctype_volume.html"
        ),
        "{detail}"
    );
    let graph = payload(&site, "doctype_volume");
    assert!(
        graph.contains("\"annotations\":[{") && graph.contains("inactivity, nothing came"),
        "{}",
        &graph[..300]
    );
}

#[test]
fn doctype_errors_name_their_reason() {
    let (_, detail) = alert(&doctype("errors").gives("telemetry/main.errors"));
    assert!(detail.contains("times: no clientId"), "{detail}");
}

#[test]
fn doctype_volume_duplicates_latency_size_structure() {
    for (kind, id) in [
        ("volume", "telemetry/main.volume"),
        ("duplicates", "telemetry/main.duplicates"),
        ("latency", "telemetry/main.latency"),
        ("size", "telemetry/main.size"),
        ("structure", "telemetry/main.structure"),
    ] {
        doctype(kind).gives(id);
    }
}

/// Two kinds with three channels each; `fault` silences a channel, or all of a kind, or all of them.
const TREE: &str = r#"
    minute = function(i, at, faulty)
        for k, kind in ipairs { "main", "crash" } do
            for c, channel in ipairs { "release", "beta", "nightly" } do
                local n = 30 / c + (i * 7919 + c) % 3
                if faulty and KIND == "leaf" and kind == "main" and channel == "nightly" then n = 0 end
                if faulty and KIND == "kind" and kind == "main" then n = 0 end
                if faulty and KIND == "all" then n = n * 3 end
                for j = 1, n do
                    send(at + j, { Type = "telemetry", Logger = "telemetry", Fields = { docType = kind, channel = channel } })
                end
            end
        end
    end
"#;

const TREE_CFG: &str = "hierarchy = { 'Logger', 'Fields[docType]', 'Fields[channel]' }\nkeys_max = 20\n\
                        checks = { { kind = 'gap', name = 'inactivity', resolution = 60 }, { kind = 'robust', window = 120, floor = 0.05 } }";

#[test]
fn a_fault_in_a_hierarchy_is_told_once_at_its_level() {
    for (kind, id) in [
        ("leaf", "telemetry/main/nightly.volume"),
        ("kind", "telemetry/main.volume"),
        ("all", "telemetry.volume"),
    ] {
        let case = Case {
            plugin: "analysis/hierarchy_monitor.lua",
            cfg: TREE_CFG,
            minute: format!("local KIND = '{kind}'\n{TREE}").leak(),
        };
        let site = case.gives(id);
        assert!(payload(&site, "hierarchy").contains("\ntelemetry/crash/beta\tvolume\t"));
    }
}

/// Systems of clients and times of answers, which a fault changes.
const DISTRIBUTION: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 40 do
            local os = j % 10 < 7 and "Windows" or j % 10 < 9 and "Mac" or "Linux"
            local ms = 20 + (i * 7919 + j * 31) % 40
            if faulty then os, ms = j % 2 == 0 and "Linux" or os, ms * 20 end
            send(at + j, { Type = "telemetry", Fields = { os = os, ms = ms } })
        end
    end
"#;

#[test]
fn changed_distributions_of_categories_and_numbers() {
    for cfg in [
        "value_variable = 'Fields[os]'\nsec_per_row = 600\nminimum = 300",
        "value_variable = 'Fields[ms]'\ncategories = false\nbins = 20\nhigh = 10000\nsec_per_row = 600\nminimum = 300",
    ] {
        let case = Case {
            plugin: "analysis/histogram_monitor.lua",
            cfg,
            minute: DISTRIBUTION,
        };
        let site = case.gives("all.distribution");
        let (summary, _) = alert(&site);
        let most = if cfg.contains("os") {
            "'Linux' has a share of"
        } else {
            "has a share of"
        };
        assert!(summary.contains(most), "{summary}");
        assert!(payload(&site, "histogram_shares").lines().count() > 3);
    }
}

/// Sizes of payloads; a fault doubles them or makes some of them large.
const SIZES: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 40 do
            local size = 1000 + (i * 7919 + j * 31) % 400
            if faulty and KIND == "average" then size = size * 2 end
            if faulty and KIND == "large" and j % 10 == 0 then size = 3000 end
            send(at + j, { Type = "telemetry", Logger = "web", Payload = string.rep("x", size), Fields = { docType = "visit" } })
        end
    end
"#;

#[test]
fn payloads_that_grow() {
    for (kind, id) in [
        ("average", "web/visit.average"),
        ("large", "web/visit.large"),
    ] {
        let case = Case {
            plugin: "analysis/payload_size_monitor.lua",
            cfg: "large = 3000",
            minute: format!("local KIND = '{kind}'\n{SIZES}").leak(),
        };
        let site = case.gives(id);
        let table = payload(&site, "payload_size_quantiles");
        let row: Vec<&str> = table.lines().nth(1).expect("a row").split('\t').collect();
        assert_eq!(row[..2], ["web/visit", "19200"], "{table}");
        let median: f64 = row[2].parse().expect("a number");
        assert!((1100.0..1500.0).contains(&median), "{table}");
    }
}

/// Requests with statuses; a fault makes a tenth of them server errors, or half of them client errors.
const REQUESTS: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 40 do
            local status = j == 1 and 404 or j == 2 and i % 5 == 0 and 500 or 200
            if faulty and KIND == "server" and j % 10 == 0 then status = 503 end
            if faulty and KIND == "client" and j % 2 == 0 then status = "429" end
            if faulty and KIND == "silence" then return end
            send(at + j, { Type = "access", Fields = { status = j == 3 and "weird" or status } })
        end
    end
"#;

#[test]
fn requests_that_fail() {
    for (kind, id) in [
        ("server", "all.server_errors"),
        ("client", "all.client_errors"),
        ("silence", "all.inactivity"),
    ] {
        let case = Case {
            plugin: "analysis/http_status_monitor.lua",
            cfg: "",
            minute: format!("local KIND = '{kind}'\n{REQUESTS}").leak(),
        };
        let site = case.gives(id);
        if kind == "server" {
            let (_, detail) = alert(&site);
            assert!(
                detail.contains("500: ") && detail.contains("503: "),
                "{detail}"
            );
            let classes = payload(&site, "http_classes");
            assert!(
                classes.contains("\"name\":\"5xx\"") && classes.contains("\t4\t1\n"),
                "{classes}"
            );
            assert!(payload(&site, "http_statuses").contains("\nother\t480\n"));
        }
    }
}

/// 500 clients, of which a fault takes four fifths away.
const CLIENTS: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 50 do
            local client = (i * 50 + j) % 500
            if faulty then client = client % 100 end
            send(at + j, { Type = "telemetry", Fields = { clientId = "client " .. client } })
        end
    end
"#;

#[test]
fn clients_that_stay_away() {
    let case = Case {
        plugin: "analysis/unique_items.lua",
        cfg: "item_variable = 'Fields[clientId]'\nsec_per_row = 600\nwindow = 6\nchecks = { { kind = 'robust', window = 24 } }",
        minute: CLIENTS,
    };
    let site = case.gives("all.row");
    let table = payload(&site, "unique");
    let window: Vec<&str> = table
        .lines()
        .nth(2)
        .expect("a second row")
        .split('\t')
        .collect();
    let count: f64 = window[2].parse().expect("a number");
    assert!((490.0..510.0).contains(&count), "{table}");
}

/// A kind of documents that is new from the fault on, among others and one that comes only twice.
const KINDS: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 5 do
            send(at + j, { Type = "telemetry", Logger = "telemetry", Fields = { docType = "main", docVersion = 4 } })
        end
        if i == 300 then send(at + 6, { Type = "telemetry", Logger = "telemetry", Fields = { docType = "mian" } }) end
        if faulty then send(at + 6, { Type = "telemetry", Logger = "telemetry", Fields = { docType = KIND, docVersion = 5 } }) end
    end
"#;

#[test]
fn a_kind_that_never_came_before() {
    for (kind, id, summary) in [
        (
            "survey",
            "telemetry/survey/5.new",
            "telemetry/survey/5: a new kind of documents",
        ),
        (
            "main",
            "telemetry/main/5.new",
            "telemetry/main/5: a new version of known documents",
        ),
    ] {
        let case = Case {
            plugin: "analysis/new_doctype_monitor.lua",
            cfg: "learn = 3600\nthreshold = 10",
            minute: format!("local KIND = '{kind}'\n{KINDS}").leak(),
        };
        let site = case.gives(id);
        assert_eq!(alert(&site).0, summary);
        let table = payload(&site, "new_doctype");
        assert!(
            table.contains("\ntelemetry/main/4\t2400\t2020-09-13T12:26:41Z\t"),
            "{table}"
        );
        assert!(
            !table.contains("mian"),
            "what came once is forgotten: {table}"
        );
    }
}

/// Many clients, of which one makes a third of the messages during the fault; more clients than counters.
const HITTERS: &str = r#"
    minute = function(i, at, faulty)
        for j = 1, 90 do
            local client = faulty and j % 3 == 0 and "10.0.0.1" or "10.1." .. (i * 7919 + j) % 256 .. "." .. j
            send(at + j / 2, { Type = "telemetry-raw", Fields = { remote_addr = client } })
        end
    end
"#;

#[test]
fn one_client_makes_too_many_messages() {
    let cfg =
        "item_variable = 'Fields[remote_addr]'\nsec_per_row = 600\nminimum = 500\nitems_max = 50";
    let case = Case {
        plugin: "analysis/heavy_hitters.lua",
        cfg,
        minute: HITTERS,
    };
    let site = case.gives("10.0.0.1.share");
    let (summary, detail) = alert(&site);
    assert!(summary.starts_with("10.0.0.1 makes "), "{summary}");
    assert!(
        detail.contains(" of 900 in the 600 seconds from 2020-09-13T19:"),
        "{detail}"
    );
    let tables = messages(&site.path("graphs.heka"));
    let shown = |m: &&schemas::message::Message| {
        let text = String::from_utf8_lossy(m.payload.as_deref().unwrap_or_default()).into_owned();
        text.contains("\n10.0.0.1\t300\t")
    };
    assert!(
        tables.iter().any(|m| shown(&m)),
        "the count is exact, because it is the largest"
    );
}

/// A machine that is well; a fault fills its memory, or lets its disk grow.
const HOST: &str = r#"
    local used = 0
    minute = function(i, at, faulty)
        used = 50e9 + (i % 10) * 1e6
        if i >= first and fault > 0 and KIND == "disk" and i >= fault then used = used + (i - fault) * 100e6 end
        send(at + 1, { Type = "host.metrics", Hostname = "a.example", Fields = {
            memory_used = faulty and KIND == "memory" and 99 or 40 + i % 7, load1 = 2, processors = 4, cpu = 30 + i % 5, cpu_iowait = 1,
            disk_read = 1e5, disk_write = 2e5, network_in = 3e5, network_out = 1e5 } })
        send(at + 1, { Type = "host.file_system", Hostname = "a.example", Fields = {
            mount = "/data", device = "/dev/sda1", size = 100e9, available = 100e9 - used, used = used / 1e9 } })
    end
"#;

#[test]
fn a_host_runs_out_of_memory_or_disk() {
    for (kind, id) in [
        ("memory", "a.example.memory"),
        ("disk", "a.example:/data.full_soon"),
    ] {
        let case = Case {
            plugin: "analysis/host_monitor.lua",
            cfg: "",
            minute: format!("local KIND = '{kind}'\n{HOST}").leak(),
        };
        let site = case.gives(id);
        assert!(
            payload(&site, "host_load").contains("\t0.5\n")
                || payload(&site, "host_load").contains("0.5\t")
        );
        let (summary, _) = alert(&site);
        if kind == "disk" {
            assert!(
                summary.starts_with("a.example:/data: full_soon is low ("),
                "{summary}"
            );
        }
    }
}

/// Errors over two windows of five minutes, out of order, one far too late and one far too early.
const ERRORS: &str = r#"
    require "string"
    function process_message()
        local function send(seconds, kind, reason)
            inject_message { Timestamp = (1.6e9 + seconds) * 1e9, Type = "error", Logger = "web", Fields = { docType = kind, DecodeErrorType = reason } }
        end
        local from = read_config("from")
        if from == 0 then
            for i = 0, 9 do send(i * 30, "visit", i % 3 == 0 and "uri" or "json") end
            send(200, "visit", nil)
            send(310, "visit", "json")
            send(295, "visit", "json") -- within the watermark
            send(9e6, "visit", "json") -- ahead of all others
        else
            send(361, "visit", "uri")
            send(10, "visit", "uri")   -- too late
            for i = 1, 5 do send(400, "kind " .. i, "uri") end
            send(1000, "visit", "uri")
        end
        return 0
    end
"#;

#[test]
fn errors_are_aggregated_by_event_time() {
    let cfg = "message_matcher = \"Type == 'error'\"\npreserve_data = true\nticker_interval = 60\ngroups_max = 4\n\
               dimensions = { doc_type = 'Fields[docType]', error_type = 'Fields[DecodeErrorType]' }\nsums = { bytes = 'size' }";
    let site = Site::new()
        .ours("analysis/error_aggregates.lua", "aggregates", cfg)
        .collect("rows", "Type == 'error_aggregates'")
        .collect("graphs", "Type == 'inject_payload'");
    for from in [0, 1] {
        site.put_plugin(
            "run",
            e2e::Kind::Input,
            "source",
            &format!("from = {from}"),
            ERRORS,
        );
        // The place of the source of the run before is of no use.
        site.replay().expect(0);
    }
    let windows = messages(&site.path("rows.heka"));
    let text = |i: usize| {
        String::from_utf8_lossy(windows[i].payload.as_deref().unwrap_or_default()).into_owned()
    };
    assert_eq!(windows.len(), 2, "the last window is open");
    // 1.6e9 lies 100 seconds after the begin of a window.
    let rows: Vec<serde_json::Value> = (0..2)
        .flat_map(|i| {
            text(i)
                .lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect::<Vec<_>>()
        })
        .collect();
    let count = |start: u64, kind: &str, error: &str| -> u64 {
        let of = |row: &&serde_json::Value| {
            row["window_start"] == start && row["doc_type"] == kind && row["error_type"] == error
        };
        rows.iter()
            .filter(of)
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    };
    let first = 1_599_999_900;
    assert_eq!(
        (
            count(first, "visit", "uri"),
            count(first, "visit", "json"),
            count(first, "visit", "-")
        ),
        (3, 4, 0),
        "{rows:?}"
    );
    let second = first + 300;
    assert_eq!(count(second, "visit", "json"), 4, "{rows:?}");
    assert_eq!(count(second, "(others)", "(others)"), 4, "{rows:?}");
    assert!(
        rows.iter().all(|row| row["bytes"].as_u64() > Some(30)),
        "{rows:?}"
    );
    let shown: serde_json::Value =
        serde_json::from_str(&payload(&site, "error_aggregates")).expect("JSON");
    assert_eq!(
        (&shown["late"], &shown["early"], &shown["dropped"]),
        (&1.into(), &1.into(), &0.into())
    );
}

/// Files as a Linux kernel writes them, and what `df` prints.
fn machine(site: &Site) {
    let proc = |name: &str, text: &str| site.write(format!("proc/{name}"), text);
    proc(
        "stat",
        "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\nintr 5\n",
    );
    proc(
        "meminfo",
        "MemTotal:       1000 kB\nMemFree:  100 kB\nMemAvailable:    250 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
    );
    proc("loadavg", "0.50 0.25 0.10 1/100 4242\n");
    proc(
        "diskstats",
        "   8       0 sda 10 0 2000 5 20 0 4000 9 0 0 0\n   8       1 sda1 10 0 2000 5 20 0 4000 9 0 0 0\n",
    );
    proc(
        "net/dev",
        "Inter-|   Receive\n face |bytes\n    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n  eth0: 1000 0 0 0 0 0 0 0 2000 0 0 0 0 0 0 0\n",
    );
    site.write("df", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 300 100 75% /a path\ntmpfs 10 1 9 10% /tmp\n");
}

#[test]
fn a_host_tells_its_metrics() {
    let site = Site::new();
    machine(&site);
    let cfg = format!(
        "ticker_interval = 1\nproc = \"{}\"\ndf = \"cat {}\"",
        site.path("proc").display(),
        site.path("df").display()
    );
    let site = site
        .ours("input/host_metrics.lua", "host", &cfg)
        .collect("metrics", "Type =~ '^host%.'");
    let engine = site.start();
    let of_type = |kind: &str| {
        let all = messages(&site.path("metrics.heka"));
        all.into_iter()
            .filter(|m| m.type_.as_deref() == Some(kind.as_bytes()))
            .collect::<Vec<_>>()
    };
    wait_until("the first look", || !of_type("host.file_system").is_empty());
    site.write("proc/stat", "cpu  120 0 105 875 0 0 0 0 0 0\ncpu0 50 0 50 400 0 0 0 0 0 0\ncpu1 50 0 50 400 0 0 0 0 0 0\n");
    wait_until("a look at what changed", || {
        of_type("host.metrics")
            .iter()
            .any(|m| number(m, "cpu").is_some_and(|cpu| cpu > 0.0))
    });
    engine.stop();
    let all = of_type("host.metrics");
    let first = &all[0];
    assert_eq!(
        (
            number(first, "memory_used"),
            number(first, "load5"),
            number(first, "processors")
        ),
        (Some(75.0), Some(0.25), Some(2.0))
    );
    assert_eq!(number(first, "cpu"), None, "nothing to compare with");
    let busy = all
        .iter()
        .find(|m| number(m, "cpu").is_some_and(|cpu| cpu > 0.0))
        .expect("waited for");
    assert_eq!(
        (
            number(busy, "cpu"),
            number(busy, "cpu_user"),
            number(busy, "disk_read")
        ),
        (Some(25.0), Some(20.0), Some(0.0))
    );
    let disk = &of_type("host.file_system")[0];
    assert_eq!(field_text(disk, "mount").as_deref(), Some("/a path"));
    assert_eq!(
        (number(disk, "used"), number(disk, "size")),
        (Some(75.0), Some(1_024_000.0))
    );
    assert!(
        of_type("host.file_system")
            .iter()
            .all(|m| field_text(m, "mount").as_deref() != Some("/tmp"))
    );
}

fn number(message: &schemas::message::Message, name: &str) -> Option<f64> {
    let field = message
        .fields
        .iter()
        .find(|field| field.name == name.as_bytes())?;
    match &field.value {
        schemas::message::FieldValue::Double(values) => values.first().copied(),
        schemas::message::FieldValue::Integer(values) => values.first().map(|&value| value as f64),
        _ => None,
    }
}
