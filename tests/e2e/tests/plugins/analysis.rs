//! `analysis/counters.lua`, `analysis/throughput.lua` and `analysis/message_schema.lua`: what they show, and that
//! counts outlive a restart.

use e2e::Site;

/// Six messages, and six more with each further start.
const SOURCE: &str = r#"
    function process_message()
        for n, kind in ipairs{ "a", "b", "a", "c\td", "a", "b" } do
            inject_message{ Timestamp = (1.6e9 + n * 10) * 1e9, Type = kind, Pid = 1, Fields = {
                { name = "n", value = n, value_type = 2, representation = "count" },
                n > 3 and { name = "late", value = { "x", "y" } } or nil } }
        end
        return 0
    end
"#;

fn site(source: &str, cfg: &str) -> Site {
    let site = Site::new();
    let dir = site.path("payloads");
    let files = format!(
        "message_matcher = \"Type == 'inject_payload'\"\noutput_dir = \"{}\"",
        dir.display()
    );
    let cfg = format!("message_matcher = \"Type != 'inject_payload'\"\n{cfg}");
    site.input("source", "", SOURCE)
        .ours(source, "plugin", &cfg)
        .ours("output/payload_files.lua", "files", &files)
}

#[test]
fn counters_show_the_most_frequent_and_outlive_a_restart() {
    let site = site(
        "analysis/counters.lua",
        "message_variable = \"Type\"\npreserve_data = true\nrows = 3",
    );
    site.replay().expect(0);
    let shown = || site.read("payloads/analysis.plugin.counters.tsv");
    assert_eq!(
        shown(),
        "Type\tCount\tShare\na\t3\t0.5\nb\t2\t0.33333333\nc d\t1\t0.16666667\n"
    );
    site.replay().expect(0);
    assert_eq!(
        shown(),
        "Type\tCount\tShare\na\t6\t0.5\nb\t4\t0.33333333\nc d\t2\t0.16666667\n"
    );
}

#[test]
fn counters_are_bounded_and_can_begin_anew() {
    let cfg = "message_variable = \"Fields[n]\"\nitems_max = 2\ntitle = \"n\"\nticker_interval = 1000\nreset = true";
    let site = site("analysis/counters.lua", cfg);
    site.replay().expect(0);
    let shown = site.read("payloads/analysis.plugin.n.tsv");
    // The first message fires the timer of a replay, so one of six is in the table before.
    assert!(shown.starts_with("Fields[n]\tCount\tShare\n"), "{shown}");
    assert!(shown.lines().count() <= 4, "{shown}");
    assert!(shown.contains("(other)\t"), "{shown}");
}

#[test]
fn throughput_counts_by_interval() {
    let cfg = "rows = 5\nsec_per_row = 20\npreserve_data = true";
    let site = site("analysis/throughput.lua", cfg);
    site.replay().expect(0);
    let shown = |column: usize| -> Vec<String> {
        let text = site.read("payloads/analysis.plugin.throughput.tsv");
        let lines = text
            .lines()
            .skip(1)
            .map(|line| line.split('\t').nth(column).unwrap_or_default().to_string());
        lines.collect()
    };
    assert_eq!(
        shown(0),
        ["1600000000", "1600000020", "1600000040", "1600000060"]
    );
    assert_eq!(shown(1), ["1", "2", "2", "1"]);
    assert_eq!(shown(3), ["0.05", "0.1", "0.1", "0.05"]);
    site.replay().expect(0);
    assert_eq!(shown(1), ["2", "4", "4", "2"]);
}

#[test]
fn the_schema_lists_headers_and_fields() {
    let site = site("analysis/message_schema.lua", "");
    site.replay().expect(0);
    let shown = site.read("payloads/analysis.plugin.message_schema.txt");
    let part = "Logger: input.source  Type: a  (3 messages)\n    Hostname\n    Pid\n    \
                Fields[late] string[] optional (1)\n    Fields[n] integer representation count\n";
    assert!(shown.contains(part), "{shown}");
    assert!(shown.contains("Type: b  (2 messages)"), "{shown}");
}
