//! `output/payload_files.lua` and `output/heka_debug.lua`.

use e2e::{Site, program};

#[test]
fn every_payload_becomes_a_file_that_is_replaced() {
    let counting = r#"
        n = 0
        function process_message()
            n = n + 1
            inject_payload("tsv", "a name/../x", "count\t", n, "\n")
            inject_payload("t/../x", "odd", n)
            inject_payload("txt")
            return 0
        end
        function timer_event() inject_payload("json", "last", "{}") end
    "#;
    let input =
        "function process_message() for n = 1, 3 do inject_message{Type = 'x'} end return 0 end";
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"Type == 'inject_payload'\"\nread_queue = \"analysis\"\noutput_dir = \"{}\"\nfiles_max = 2",
        site.path("payloads").display()
    );
    let site = site
        .input("source", "", input)
        .analysis(
            "a-b",
            "message_matcher = \"TRUE\"\nprocess_message_inject_limit = 3",
            counting,
        )
        .ours("output/payload_files.lua", "files", &cfg);
    let finished = site.replay().expect(0);
    let mut names: Vec<String> = std::fs::read_dir(site.path("payloads"))
        .expect("the plugin makes it")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["analysis.a_b.a_name_.._x.tsv", "analysis.a_b.odd.t____x"]
    );
    assert_eq!(
        site.read("payloads/analysis.a_b.a_name_.._x.tsv"),
        "count\t3\n"
    );
    assert!(
        finished
            .log
            .contains("files_max is reached: analysis.a_b.last.json"),
        "the third file is refused"
    );
}

#[test]
fn the_debug_output_reads_like_cat() {
    let input = r#"
        function process_message()
            inject_message{ Timestamp = 1.5e18, Type = "t", Payload = "p", Severity = 3, EnvVersion = "v", Fields = {
                { name = "a", value = { "x", "y" }, representation = "r" },
                { name = "b", value = 5, value_type = 2 },
                { name = "c", value = true },
                { name = "d", value = 2.5 } } }
            inject_message{}
            return 0
        end
    "#;
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"TRUE\"\noutput_file = \"{}\"",
        site.path("debug.txt").display()
    );
    let site = site
        .input("source", "", input)
        .ours("output/heka_debug.lua", "debug", &cfg)
        .collect("all", "TRUE");
    site.replay().expect(0);
    let cat = site
        .start_with(program::path(), &["cat", "-t", "all.heka"])
        .wait()
        .expect(0);
    // The time is the part that cat writes to the nanosecond and Lua cannot.
    let normal = |text: &str| -> Vec<String> {
        let line = |line: &str| match line
            .split_once("Z")
            .filter(|_| line.starts_with(":Timestamp:"))
        {
            Some((time, _)) => time[..time.len() - 4].to_string(),
            None => line.trim_end().to_string(),
        };
        text.trim().lines().map(line).collect()
    };
    assert_eq!(normal(&site.read("debug.txt")), normal(&cat.stdout));
    assert!(
        site.read("debug.txt")
            .contains("    | name: a type: 0 representation: r value: x|y")
    );
}

#[test]
fn the_debug_output_writes_to_standard_output() {
    let input = "function process_message() inject_message{Payload = 'seen'} return 0 end";
    let site = Site::new().input("source", "", input).ours(
        "output/heka_debug.lua",
        "debug",
        "message_matcher = \"TRUE\"",
    );
    assert!(site.replay().expect(0).stdout.contains(":Payload: seen\n"));
}
