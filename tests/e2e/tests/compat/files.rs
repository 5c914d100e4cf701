//! The files that plugins and tools read: `.err`, `.rtc`, `plugins.tsv`, `utilization.tsv`.

use e2e::{Kind, Site};

const IDLE: &str = "function process_message() return 0 end function timer_event() end";

#[test]
fn an_err_file_has_the_time_and_the_reason() {
    let site = Site::new().input("bad", "", "function process_message() error('boom') end");
    site.write("run/input/old.err", "from an earlier run");
    site.replay().expect(2);
    let err = site.read("run/input/bad.err");
    let (time, reason) = err.split_once('\t').expect("time, tab, reason");
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '9' } else { c })
        .collect();
    assert_eq!(shape, "9999-99-99T99:99:99");
    assert_eq!(reason, "process_message() run/input/bad.lua:1: boom\n");
    assert!(
        !site.exists("run/input/old.err"),
        "old reasons are removed at the start"
    );
}

#[test]
fn faults_of_configurations_are_written_too() {
    let site = Site::new()
        .plugin(
            Kind::Analysis,
            "matcher",
            "message_matcher = \"Type ~= 'x'\"",
            IDLE,
        )
        .plugin(Kind::Analysis, "syntax", "this is = = no Lua", IDLE)
        .plugin(
            Kind::Output,
            "key",
            "message_matcher = \"TRUE\"\nticker_interval = \"soon\"",
            IDLE,
        )
        .plugin(
            Kind::Output,
            "lua",
            "message_matcher = \"TRUE\"",
            "this is = = no Lua",
        );
    site.write("run/input/nowhere.cfg", "filename = \"nowhere.lua\"\n");
    site.replay().expect(2 + 4 + 8);
    let expected = [
        ("run/analysis/matcher.err", "!="),
        ("run/analysis/syntax.err", "1"),
        ("run/output/key.err", "ticker_interval"),
        ("run/output/lua.err", "lua.lua"),
        ("run/input/nowhere.err", "nowhere.lua"),
    ];
    for (file, part) in expected {
        assert!(
            site.read(file).contains(part),
            "{file} has no {part:?}: {:?}",
            site.read(file)
        );
    }
}

#[test]
fn the_runtime_configuration_says_everything() {
    let site = Site::new().output(
        "o",
        "message_matcher = \"TRUE\"\nmine = 5\nticker_interval = 7",
        IDLE,
    );
    site.replay().expect(0);
    let rtc = site.read("output/output.o.rtc");
    let lines: Vec<&str> = rtc.lines().collect();
    assert_eq!(lines[0], "-- original configuration");
    assert_eq!(lines.last(), Some(&"-- end Hindsight configuration"));
    for line in [
        "mine = 5",
        "ticker_interval = 7",
        "Logger = [[output.o]]",
        "Hostname = [[e2e.host]]",
        "log_level = 7",
    ] {
        assert!(lines.contains(&line), "{line:?} is not in\n{rtc}");
    }
}

#[test]
fn failures_that_come_with_an_acknowledgement_are_counted_once() {
    let lua = r#"
        function process_message(id)
            update_checkpoint(id, 2)
            return -5
        end
        function timer_event() end
    "#;
    let cfg = "message_matcher = \"TRUE\"\nasync_buffer_size = 10";
    let site = crate::lines_input(Site::new()).output("o", cfg, lua);
    let mut engine = site.start();
    site.append("lines", "1\n2\n3\n");
    let row = || -> Option<Vec<String>> {
        let text = site.read("output/plugins.tsv");
        let found = text.lines().find(|line| line.starts_with("output.o\t"))?;
        Some(found.split('\t').map(str::to_string).collect())
    };
    engine.until("three messages in plugins.tsv", || {
        row().is_some_and(|row| row[3] == "3")
    });
    engine.stop();
    assert_eq!(row().expect("it was waited for")[4], "6");
}

#[test]
fn statistics_have_hindsights_columns() {
    let site = crate::lines_input(Site::new())
        .analysis("a", "message_matcher = \"TRUE\"", IDLE)
        .collect("o", "TRUE");
    let mut engine = site.start();
    site.append("lines", "1\n2\n3\n");
    let rows = |file: &str| -> Vec<Vec<String>> {
        let text = site.read(file);
        text.lines()
            .map(|line| line.split('\t').map(str::to_string).collect())
            .collect()
    };
    let row = |file: &str, name: &str| rows(file).into_iter().find(|row| row[0] == name);
    engine.until("three messages in plugins.tsv", || {
        row("output/plugins.tsv", "output.o").is_some_and(|row| row[3] == "3")
    });
    engine.until("utilization.tsv", || site.exists("output/utilization.tsv"));
    engine.stop();
    let plugins = rows("output/plugins.tsv");
    assert_eq!(plugins[0].len(), 15);
    assert_eq!(
        plugins[0][..5],
        [
            "Plugin",
            "Inject Message Count",
            "Inject Message Bytes",
            "Process Message Count",
            "Process Message Failures"
        ]
    );
    assert!(plugins.iter().all(|row| row.len() == 15), "{plugins:?}");
    let whole = |row: &Vec<String>| row[1..].iter().all(|cell| cell.parse::<u64>().is_ok());
    assert!(plugins[1..].iter().all(whole), "{plugins:?}");
    let input = row("output/plugins.tsv", "input.lines").expect("there");
    assert_eq!((input[1].as_str(), input[9].as_str()), ("3", "0"));
    assert_eq!(
        row("output/plugins.tsv", "analysis.a").expect("there")[3],
        "3"
    );
    let shares = rows("output/utilization.tsv");
    assert_eq!(
        shares[0],
        [
            "Plugin",
            "Messages Processed",
            "% Utilization",
            "% Message Matcher",
            "% Process Message",
            "% Timer Event"
        ]
    );
    assert_eq!(
        row("output/utilization.tsv", "input.lines").expect("there")[2..],
        ["-1", "-1", "-1", "-1"]
    );
    for name in ["analysis0", "analysis.a", "output.o"] {
        assert!(
            row("output/utilization.tsv", name).is_some(),
            "{name} is not in {shares:?}"
        );
    }
}
