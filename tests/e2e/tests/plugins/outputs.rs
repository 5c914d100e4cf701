//! `output/payload_files.lua`, `output/heka_inject_payload.lua`, `output/cbuf2tsv.lua` and `output/heka_debug.lua`.

use e2e::{Site, program, wait_until};

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
            inject_message{ Timestamp = 5e9 } -- one of now may be near the edge of a digit, where Lua's is another
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

/// An analysis plugin that makes a circular buffer in its text form, and payloads that look like one.
const GRAPHS: &str = r#"
    local header = '{"time":1423440000,"rows":3,"columns":2,"seconds_per_row":60,"column_info":['
        .. '{"name":"A <b>","unit":"count","aggregation":"sum"},{"name":"B","unit":"ms","aggregation":"max"}]}\n'
    function process_message()
        inject_payload("cbuf", "my graph/<1>", header, "1\tnan\n2.5\t3\nnan\t4\n")
        inject_payload("cbuf", "short", header, "1\tnan\n")
        inject_payload("cbuf", "no header", "1\t2\n")
        inject_payload("cbuf", "odd", '{"time":1,"rows":1,"seconds_per_row":1,"column_info":[5]}\n1\n')
        inject_payload("json", "text", "{}")
        return 0
    end
    function timer_event() end
"#;

fn graphs(output: &str, cfg: &str) -> (Site, String) {
    let input = "function process_message() inject_message{Type = 'x'} return 0 end";
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"Type == 'inject_payload'\"\nread_queue = \"analysis\"\noutput_dir = \"{}\"\n{cfg}",
        site.path("payloads/deep").display()
    );
    std::fs::create_dir_all(site.path("payloads/deep")).expect("made");
    let site = site
        .input("source", "", input)
        .analysis(
            "a-b",
            "message_matcher = \"TRUE\"\nprocess_message_inject_limit = 10",
            GRAPHS,
        )
        .ours(output, "files", &cfg);
    let log = site.replay().expect(0).log;
    (site, log)
}

fn names(site: &Site, dir: &str) -> Vec<String> {
    let entries = std::fs::read_dir(site.path(dir)).expect("the folder is there");
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn circular_buffers_become_tables() {
    let (site, log) = graphs("output/cbuf2tsv.lua", "");
    assert_eq!(
        names(&site, "payloads/deep"),
        ["analysis.a_b.my_graph__1_.tsv"]
    );
    assert_eq!(
        site.read("payloads/deep/analysis.a_b.my_graph__1_.tsv"),
        "Time (time_t)\tA <b> (count)\tB (ms)\n1423440000\t1\tnan\n1423440060\t2.5\t3\n1423440120\tnan\t4\n"
    );
    for why in [
        "incorrect number of rows expected: 3, received: 1",
        "malformed cbuf, no header",
        "invalid column_info",
    ] {
        assert!(log.contains(why), "{why}");
    }
}

#[test]
fn payloads_are_files_and_circular_buffers_are_graphs() {
    let (site, _) = graphs("output/heka_inject_payload.lua", "");
    let graph = "analysis.a_b.my_graph__1_";
    assert_eq!(
        names(&site, "payloads/deep"),
        [
            &format!("{graph}.cbuf"),
            "analysis.a_b.no_header.cbuf",
            "analysis.a_b.odd.cbuf",
            "analysis.a_b.short.cbuf",
            "analysis.a_b.text.json",
            "graphs"
        ]
    );
    assert!(names(&site, "payloads/deep/graphs").contains(&format!("{graph}.html")));
    let page = site.read(format!("payloads/deep/graphs/{graph}.html"));
    assert!(
        page.contains("<title>analysis.a-b [my graph/&lt;1&gt;]</title>"),
        "{page}"
    );
    assert!(
        page.contains(&format!("fetch(\"../{graph}.cbuf\")")),
        "{page}"
    );
    assert_eq!(site.read("payloads/deep/analysis.a_b.text.json"), "{}");
}

#[test]
fn files_of_analysis_plugins_that_are_gone_are_deleted() {
    let site = Site::new();
    let dir = site.path("payloads");
    let cfg = format!(
        "message_matcher = \"FALSE\"\nread_queue = \"analysis\"\nticker_interval = 1\noutput_dir = \"{}\"",
        dir.display()
    );
    let kept = [
        "analysis.a_b.x.y.tsv",
        "input.c.x.tsv",
        "other",
        "analysis.a_b.z.cbuf",
    ];
    for file in kept {
        site.write(format!("payloads/{file}"), "x");
    }
    for file in [
        "analysis.a_bc.x.tsv",
        "analysis.gone.x.cbuf",
        "graphs/analysis.gone.x.html",
    ] {
        site.write(format!("payloads/{file}"), "x");
    }
    site.write("payloads/graphs/analysis.a_b.z.html", "x");
    let site = site
        .analysis(
            "a-b",
            "message_matcher = \"TRUE\"",
            "function process_message() return 0 end function timer_event() end",
        )
        .ours("output/heka_inject_payload.lua", "files", &cfg);
    let engine = site.start();
    let gone = || {
        !site.exists("payloads/analysis.gone.x.cbuf")
            && !site.exists("payloads/analysis.a_bc.x.tsv")
    };
    wait_until("the files are deleted", gone);
    wait_until("the page is deleted", || {
        !site.exists("payloads/graphs/analysis.gone.x.html")
    });
    engine.stop().expect(0);
    for file in kept {
        assert!(site.exists(format!("payloads/{file}")), "{file}");
    }
    assert!(site.exists("payloads/graphs/analysis.a_b.z.html"));
}
