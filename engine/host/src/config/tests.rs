//! Tests of the configuration: defaults, every fault with its text, and what plugins are served.

use super::*;
use expect_test::{Expect, expect};
use sandbox::value::Value;

/// The least a main configuration needs, with Hindsight's example paths.
const LEAST: &str = "output_path = 'output'\nsandbox_load_path = 'load'\nsandbox_run_path = 'run'\n\
    analysis_lua_path = 'analysis/?.lua'\nanalysis_lua_cpath = 'analysis/?.so'\n\
    io_lua_path = 'io/?.lua'\nio_lua_cpath = 'io/?.so'\n\
    input_defaults = {}\nanalysis_defaults = {}\noutput_defaults = {}\n";

/// A good main configuration with `more` lines.
pub(crate) fn main_with(more: &str) -> Main {
    let text = format!("{LEAST}{more}");
    Main::parse(Path::new("foresight.cfg"), text.as_bytes()).expect("the text is good")
}

/// Checks the text of all faults of a main configuration.
fn check_main(text: &str, expected: Expect) {
    let faults =
        Main::parse(Path::new("foresight.cfg"), text.as_bytes()).expect_err("the text is bad");
    expected.assert_eq(&faults.to_string());
}

/// The messages of the faults of a good configuration with `more` lines.
fn messages(more: &str) -> Vec<String> {
    let text = format!("{LEAST}{more}");
    match Main::parse(Path::new("foresight.cfg"), text.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.into_iter().map(|fault| fault.message).collect(),
    }
}

fn parse_plugin(kind: Kind, text: &str) -> Result<Plugin, Faults> {
    Plugin::parse(
        &main_with(""),
        kind,
        Path::new("run/x/foo.cfg"),
        text.into(),
    )
}

fn check_plugin(kind: Kind, text: &str, expected: Expect) {
    expected.assert_eq(
        &parse_plugin(kind, text)
            .expect_err("the text is bad")
            .to_string(),
    );
}

#[test]
fn the_defaults_are_hindsights() {
    let main = main_with("");
    assert_eq!(
        (
            main.output_size,
            main.backpressure,
            main.backpressure_disk_free
        ),
        (67_108_864, 0, 4)
    );
    assert_eq!(
        (
            main.analysis_threads,
            main.analysis_utilization_limit,
            main.max_message_size
        ),
        (1, 95, 65_536)
    );
    assert_eq!(
        main.sandbox_install_path,
        Path::new("/usr/share/luasandbox/sandboxes/heka")
    );
    assert!(!main.hostname.is_empty() && main.pid > 0);
    for kind in KINDS {
        let settings = main.defaults(kind);
        assert_eq!(settings, &Settings::of_kind(kind));
        assert_eq!(
            (settings.output_limit, settings.memory_limit),
            (65_536, 8_388_608)
        );
        assert_eq!(
            (settings.instruction_limit, settings.ticker_interval_s),
            (1_000_000, 0)
        );
        assert!(!settings.preserve_data && !settings.shutdown_on_terminate && settings.jit);
        assert_eq!(settings.restricted_headers, kind == Kind::Analysis);
    }
    let analysis = main.defaults(Kind::Analysis);
    assert_eq!(
        (
            analysis.process_message_inject_limit,
            analysis.timer_event_inject_limit
        ),
        (0, 10)
    );
    let output = main.defaults(Kind::Output);
    assert_eq!(
        (output.read_queue, output.remove_checkpoints_on_terminate),
        (ReadQueue::Both, false)
    );
}

#[test]
fn our_keys_have_defaults_that_change_nothing() {
    let main = main_with("");
    assert_eq!(main.sync, Sync::Interval(Duration::from_secs(1)));
    assert_eq!(main.checkpoint_interval, Duration::from_millis(50));
    assert_eq!(
        (main.retention, main.log_format),
        (Retention::default(), None)
    );
    let output = main.defaults(Kind::Output);
    assert_eq!(output.initial_position, InitialPosition::Hindsight);
    assert_eq!(output.preserve_interval, Some(Duration::from_secs(1)));
    assert_eq!(output.stuck_after, Some(Duration::from_secs(10)));
    assert_eq!(
        (output.retry.first, output.retry.attempts),
        (Duration::from_secs(1), None)
    );
    assert_eq!(
        (output.retry.longest, output.dead_letter),
        (Duration::from_secs(30), false)
    );
}

#[test]
fn every_key_is_taken() {
    let main = main_with(
        "output_size = 1024 backpressure = 10 backpressure_disk_free = 0 sandbox_load_path = ''\n\
         sandbox_install_path = '/i' analysis_threads = 64 analysis_utilization_limit = 0\n\
         max_message_size = '1 MiB' hostname = 'h' sync = 'always' checkpoint_interval_ms = 5\n\
         log_format = 'json'\n\
         retention = {keep_bytes = '1 GiB', keep_age_s = 60, max_bytes = 2^40, max_age_s = 120}\n\
         output_defaults = {output_limit = 1e6, memory_limit = 1.9, instruction_limit = 0, ticker_interval = 2,\n\
           preserve_data = true, restricted_headers = true, shutdown_on_terminate = true, jit = false,\n\
           remove_checkpoints_on_terminate = true, read_queue = 'analysis', initial_position = 'newest',\n\
           retry_max_attempts = 3, retry_delay_ms = 10, retry_delay_max_ms = 20, dead_letter = true,\n\
           preserve_interval = 0, stuck_after_ms = 0, descriptor_limit = 9}",
    );
    assert_eq!(
        (
            main.output_size,
            main.max_message_size,
            main.sandbox_load_path
        ),
        (1024, 1 << 20, None)
    );
    assert_eq!(
        (main.sync, main.log_format),
        (Sync::Always, Some(LogFormat::Json))
    );
    let retention = Retention {
        keep_bytes: 1 << 30,
        keep_age: Duration::from_secs(60),
        max_bytes: Some(1 << 40),
        max_age: Some(Duration::from_secs(120)),
    };
    assert_eq!(main.retention, retention);
    let expected = Settings {
        output_limit: 1_000_000,
        memory_limit: 1,
        instruction_limit: 0,
        descriptor_limit: 9,
        ticker_interval_s: 2,
        preserve_data: true,
        restricted_headers: true,
        shutdown_on_terminate: true,
        process_message_inject_limit: 0,
        timer_event_inject_limit: 0,
        remove_checkpoints_on_terminate: true,
        read_queue: ReadQueue::Analysis,
        preserve_interval: None,
        jit: false,
        stuck_after: None,
        initial_position: InitialPosition::Newest,
        retry: stdx::backoff::Schedule {
            first: Duration::from_millis(10),
            longest: Duration::from_millis(20),
            attempts: Some(3),
        },
        dead_letter: true,
    };
    assert_eq!(main.output_defaults, expected);
}

#[test]
fn an_empty_file_misses_everything_at_once() {
    check_main(
        "",
        expect![[r#"
            foresight.cfg: output_path must be set to a string
                found: nothing
                expected: a string
                hint: Directory of the queues, checkpoints, states and statistics.
            foresight.cfg: sandbox_run_path must be set to a string
                found: nothing
                expected: a string
                hint: Directory of the plugins that run; it needs the directories input, analysis and output.
            foresight.cfg: analysis_lua_path must be set to a string
                found: nothing
                expected: a string
                hint: Where analysis plugins find Lua modules: templates with '?' and ';'.
            foresight.cfg: analysis_lua_cpath must be set to a string
                found: nothing
                expected: a string
                hint: Accepted and shown to plugins; compiled modules are never loaded from it.
            foresight.cfg: io_lua_path must be set to a string
                found: nothing
                expected: a string
                hint: Where input and output plugins find Lua modules: templates with '?' and ';'.
            foresight.cfg: io_lua_cpath must be set to a string
                found: nothing
                expected: a string
                hint: Accepted and shown to plugins; compiled modules are never loaded from it.
            foresight.cfg: input_defaults must be a table
                found: nothing
                expected: a table
                hint: What input plugins use for keys they do not set.
            foresight.cfg: analysis_defaults must be a table
                found: nothing
                expected: a table
                hint: What analysis plugins use for keys they do not set.
            foresight.cfg: output_defaults must be a table
                found: nothing
                expected: a table
                hint: What output plugins use for keys they do not set."#]],
    );
}

#[test]
fn all_faults_are_reported_with_line_and_hint() {
    check_main(
        "output_path = {}\noutput_szie = 5\noutput_size = '64'\nbackpressure = -1\nanalysis_threads = 300\n\
         sandbox_run_path = 'run'\nanalysis_lua_path = 'a'\nanalysis_lua_cpath = 'a'\nio_lua_path = 'a'\n\
         io_lua_cpath = 'a'\nmax_message_size = 512\ninput_defaults = {\n  memory_limit = true,\n\
         \x20 preserve_data = 1,\n  7 }\nanalysis_defaults = {read_queue = 'both'}\n\
         output_defaults = {\n  read_queue = 'inputs',\n  retry_delay_ms = 60000,\n}\nsync = true\n\
         retention = {keep_bytes = 2, max_bytes = 1}\nfrobnicate = 1",
        expect![[r#"
            foresight.cfg:1: output_path must be set to a string
                found: a table
                expected: a string
            foresight.cfg:2: invalid option: 'output_szie'
                hint: did you mean output_size?
            foresight.cfg:3: output_size must be set to a number
                found: "64"
                expected: a whole number of bytes from 0 to 4294967295 (default 67108864)
                hint: write 64 without quotes
            foresight.cfg:4: backpressure must be an unsigned int
                found: -1
                expected: a whole number of segments from 0 to 4294967295 (default 0)
            foresight.cfg:5: analysis_threads must be 1-64
                found: 300
                expected: a whole number of threads from 1 to 64 (default 1)
            foresight.cfg:11: max_message_size must be > 1023
                found: 512
                expected: a whole number of bytes from 1024 to 4294967295 (default 65536)
            foresight.cfg:13: memory_limit must be set to a number
                found: true
                expected: a whole number of bytes from 0 to 4294967295 (default 8388608)
            foresight.cfg:14: preserve_data must be set to a bool
                found: 1
                expected: true or false (default false)
            foresight.cfg:15: non string key
            foresight.cfg:16: invalid option: 'analysis_defaults.read_queue'
            foresight.cfg:17: retry_delay_max_ms must be greater than or equal to retry_delay_ms
                found: nothing
                expected: a whole number of ms from 1 to 3600000 (default 30000)
                hint: retry_delay_ms is 60000
            foresight.cfg:18: read_queue invalid option inputs
                found: "inputs"
                expected: one of "both", "input", "analysis" (default "both")
                hint: did you mean "input"?
            foresight.cfg:21: sync must be set to a string
                found: true
                expected: one of "always", "interval", "never" (default "interval")
            foresight.cfg:22: max_bytes must be greater than or equal to keep_bytes
                found: 1
                expected: a whole number of bytes from 0 to 9007199254740992 (default 0)
                hint: keep_bytes is 2
            foresight.cfg:23: invalid option: 'frobnicate'"#]],
    );
}

#[test]
fn hindsights_words_are_kept() {
    let cases = [
        ("output_path = nil", "output_path must be set to a string"),
        ("output_size = -1", "output_size must be an unsigned int"),
        ("output_size = 2^32", "output_size must be an unsigned int"),
        ("output_size = 0/0", "output_size must be an unsigned int"),
        ("output_size = true", "output_size must be set to a number"),
        (
            "backpressure = '1x'",
            "backpressure must be set to a number",
        ),
        ("analysis_threads = 0", "analysis_threads must be 1-64"),
        ("analysis_threads = 65", "analysis_threads must be 1-64"),
        ("analysis_threads = 256", "analysis_threads must be 1-64"),
        (
            "analysis_utilization_limit = 101",
            "analysis_utilization_limit must be 0-100",
        ),
        ("max_message_size = 1023", "max_message_size must be > 1023"),
        (
            "max_message_size = 65535",
            "max_message_size must be greater than or equal to the sandbox output_limit",
        ),
        ("input_defaults = nil", "input_defaults must be a table"),
        ("analysis_defaults = 1", "analysis_defaults must be a table"),
        ("x = 1", "invalid option: 'x'"),
        (
            "input_defaults = {x = 1}",
            "invalid option: 'input_defaults.x'",
        ),
        (
            "input_defaults = {timer_event_inject_limit = 1}",
            "invalid option: 'input_defaults.timer_event_inject_limit'",
        ),
        ("output_defaults = {1}", "non string key"),
        (
            "output_defaults = {read_queue = 'x'}",
            "read_queue invalid option x",
        ),
        (
            "output_defaults = {read_queue = 1}",
            "read_queue must be set to a string",
        ),
        ("input_defaults = {jit = 1}", "jit must be set to a bool"),
        (
            "input_defaults = {preserve_data = 1}",
            "preserve_data must be set to a bool",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(messages(line), [expected], "{line}");
    }
}

#[test]
fn strings_may_be_written_as_numbers_as_in_lua() {
    assert_eq!(main_with("hostname = 5").hostname, "5");
    assert_eq!(main_with("output_path = 1.5").output_path, Path::new("1.5"));
}

#[test]
fn a_long_hostname_is_cut_with_a_notice() {
    let main = main_with(&format!("hostname = '{}'", "h".repeat(70)));
    assert_eq!(main.hostname.len(), 64);
    assert!(main.notices[0].starts_with("the configured hostname was truncated to: hhh"));
}

#[test]
fn a_text_that_is_not_lua_is_one_fault_with_its_line() {
    check_main(
        "a = 1\nb = = 2",
        expect![[r#"foresight.cfg:2: unexpected symbol near '='"#]],
    );
    check_main(
        "a = tostring(1)",
        expect![[r#"
            foresight.cfg:1: attempt to call global 'tostring' (a nil value)
                hint: configurations have no libraries: only values, operators and control statements"#]],
    );
    check_main(
        "while true do end",
        expect!["foresight.cfg:1: more than 20000000 instructions used: an endless loop?"],
    );
}

#[test]
fn a_missing_file_says_so() {
    let faults = Main::load(Path::new("no/such.cfg")).expect_err("there is no such file");
    assert!(
        faults
            .to_string()
            .starts_with("no/such.cfg: cannot open no/such.cfg: No such file"),
        "{faults}"
    );
}

#[test]
fn functions_are_noticed_and_left_out() {
    let plugin = parse_plugin(Kind::Input, "filename = 'a.lua'\nf = function() end").expect("good");
    assert_eq!(
        plugin.notices,
        ["skipping config value type: function (run/x/foo.cfg:2: f)"]
    );
}

#[test]
fn directories_that_are_missing_are_named() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let base = dir.path().display();
    let main = main_with(&format!(
        "sandbox_load_path = '{base}/load' sandbox_run_path = '{base}/run'"
    ));
    assert_eq!(main.missing_directories().len(), 6);
    for kind in KINDS {
        std::fs::create_dir_all(main.run_dir(kind)).expect("the directory is ours");
    }
    let missing = main.missing_directories();
    assert_eq!(
        missing[0].message,
        format!("{base}/load/input: directory does not exist")
    );
    assert_eq!(missing.len(), 3);
}

#[test]
fn a_plugin_takes_the_defaults_and_its_own_keys() {
    let main = main_with(
        "analysis_defaults = {memory_limit = 5, ticker_interval = 6, preserve_data = true}",
    );
    let text = "filename = 'a.lua' message_matcher = 'TRUE' memory_limit = 7 preserve_data = false thread = 9 x = 1";
    let plugin = Plugin::parse(
        &main,
        Kind::Analysis,
        Path::new("run/analysis/a.b.cfg"),
        text.into(),
    )
    .expect("good");
    assert_eq!(
        (plugin.name.as_str(), plugin.stem()),
        ("analysis.a.b", "a.b")
    );
    assert_eq!(
        (
            plugin.memory_limit,
            plugin.ticker_interval_s,
            plugin.preserve_data
        ),
        (7, 6, false)
    );
    assert_eq!(
        (plugin.message_matcher.as_deref(), plugin.thread),
        (Some("TRUE"), Some(9))
    );
    assert_eq!(plugin.err_path(), Path::new("run/analysis/a.b.err"));
}

#[test]
fn faults_of_plugins() {
    check_plugin(
        Kind::Input,
        "",
        expect![[r#"
        run/x/foo.cfg: filename must be set to a string
            found: nothing
            expected: a string
            hint: Name of the Lua source, without a directory. It is looked up beside the configuration, then in <sandbox_install_path>/<type>."#]],
    );
    check_plugin(
        Kind::Output,
        "filename = 'a/b.lua'\nmessage_matcher = {}\nasync_buffer_size = 'x'\nremove_checkpoints_on_terminate = 1\n\
         read_queue = 'inpt'\ninitial_position = 'yesterday'\nretry_delay_ms = 0",
        expect![[r#"
            run/x/foo.cfg:1: filename must not contain a path component
                found: "a/b.lua"
                expected: a string
                hint: put the file beside the configuration, or into <sandbox_install_path>/<type>
            run/x/foo.cfg:2: message_matcher must be set to a string
                found: a table
                expected: a string
            run/x/foo.cfg:3: async_buffer_size must be set to a number
                found: "x"
                expected: a whole number of messages from 0 to 4294967295 (default 0)
            run/x/foo.cfg:4: remove_checkpoints_on_terminate must be set to a bool
                found: 1
                expected: true or false (default false)
            run/x/foo.cfg:5: read_queue invalid option inpt
                found: "inpt"
                expected: one of "both", "input", "analysis" (default "both")
                hint: did you mean "input"?
            run/x/foo.cfg:6: initial_position must be a place in the queue
                found: "yesterday"
                expected: "oldest", "newest", an RFC 3339 time or seconds since 1970
            run/x/foo.cfg:7: retry_delay_ms must be 1-3600000
                found: 0
                expected: a whole number of ms from 1 to 3600000 (default 1000)"#]],
    );
    check_plugin(
        Kind::Analysis,
        "filename = '.lua'\nmessage_matcher = 'TRUE'\nthread = -1\ntimer_event_inject_limit = {}",
        expect![[r#"
            run/x/foo.cfg:1: filename must have a .lua extension
                found: ".lua"
                expected: a string
            run/x/foo.cfg:3: thread must be an unsigned int
                found: -1
                expected: a whole number from 0 to 4294967295
            run/x/foo.cfg:4: timer_event_inject_limit must be set to a number
                found: a table
                expected: a whole number of messages from 0 to 4294967295 (default 10)"#]],
    );
}

#[test]
fn a_plugin_file_needs_its_extension() {
    for file in ["run/input/foo.lua", "run/input/.cfg", "run/input/foo"] {
        let result = Plugin::parse(
            &main_with(""),
            Kind::Input,
            Path::new(file),
            b"filename = 'a.lua'".to_vec(),
        );
        assert!(result.is_err(), "{file}");
    }
}

#[test]
fn the_source_is_beside_the_configuration_or_installed() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let base = dir.path();
    let main = main_with(&format!(
        "sandbox_install_path = '{}/install'",
        base.display()
    ));
    std::fs::create_dir_all(base.join("install/input")).expect("the directory is ours");
    let cfg = base.join("foo.cfg");
    let plugin =
        Plugin::parse(&main, Kind::Input, &cfg, b"filename = 'a.lua'".to_vec()).expect("good");
    let fault = plugin.find_source(&main).expect_err("there is no source");
    assert_eq!(
        fault.message,
        "input.foo failed to find the specified lua filename: a.lua"
    );
    assert_eq!(fault.line, Some(1));
    for place in ["install/input/a.lua", "a.lua"] {
        std::fs::write(base.join(place), "").expect("the directory is ours");
        assert_eq!(
            plugin.find_source(&main).expect("it is there"),
            base.join(place)
        );
    }
}

#[test]
fn what_read_config_serves() {
    let text = "filename = 'a.lua' message_matcher = 'TRUE' Logger = 'mine' Pid = 1 path = 'x' thread = 2\n\
        output_path = 'kept' _private = {a = {1}} input_limit = 5 memory_limit = 9";
    let main = main_with("hostname = 'h'");
    let served = |kind, text: &str| {
        let plugin = Plugin::parse(&main, kind, Path::new("run/x/foo.cfg"), text.into());
        plugin.expect("good").served(&main, 6)
    };
    let analysis = served(Kind::Analysis, text);
    let number = |table: &Table, key| table.get(key).and_then(Value::as_number);
    let bytes = |table: &Table, key| table.get(key).and_then(Value::as_bytes).map(<[u8]>::to_vec);
    assert_eq!(bytes(&analysis, "Logger"), Some(b"analysis.foo".to_vec()));
    assert_eq!(bytes(&analysis, "Hostname"), Some(b"h".to_vec()));
    assert_eq!(bytes(&analysis, "path"), Some(b"analysis/?.lua".to_vec()));
    assert_eq!(
        bytes(&analysis, "output_path"),
        Some(b"kept".to_vec()),
        "not reserved in analysis plugins"
    );
    assert_eq!(number(&analysis, "Pid"), Some(f64::from(main.pid)));
    assert_eq!(number(&analysis, "log_level"), Some(6.0));
    assert_eq!(number(&analysis, "max_message_size"), Some(65_536.0));
    assert_eq!(number(&analysis, "input_limit"), Some(5.0));
    assert_eq!(
        (
            number(&analysis, "memory_limit"),
            number(&analysis, "thread")
        ),
        (Some(9.0), Some(2.0))
    );
    assert!(
        analysis
            .get("_private")
            .is_some_and(|value| value.as_table().is_some())
    );
    let output = served(Kind::Output, text);
    assert_eq!(bytes(&output, "output_path"), Some(b"output".to_vec()));
    assert_eq!(bytes(&output, "read_queue"), Some(b"both".to_vec()));
    assert_eq!(
        number(&output, "thread"),
        Some(2.0),
        "a user's key in an output plugin"
    );
    assert_eq!(
        number(&served(Kind::Input, "filename = 'a.lua'"), "input_limit"),
        Some(65_536.0)
    );
    for kind in KINDS {
        let table = served(kind, text);
        for name in keys::reserved(kind) {
            assert_ne!(table.get(name), Some(&Value::from("mine")), "{name}");
            assert!(table.get(name).is_some(), "{name} is served");
        }
    }
}

#[test]
fn initial_positions() {
    let at = |value: &str| {
        let text =
            format!("filename = 'a.lua' message_matcher = 'TRUE' initial_position = {value}");
        parse_plugin(Kind::Analysis, &text)
            .ok()
            .map(|plugin| plugin.initial_position)
    };
    assert_eq!(at("'oldest'"), Some(InitialPosition::Oldest));
    assert_eq!(at("1.5"), Some(InitialPosition::Time(1_500_000_000)));
    assert_eq!(at("'1970-01-01T00:00:00Z'"), Some(InitialPosition::Time(0)));
    assert_eq!(
        at("'2024-02-29 12:00:00.25+01:30'"),
        Some(InitialPosition::Time(1_709_202_600_250_000_000))
    );
    assert_eq!(
        at("'1969-12-31T23:59:59Z'"),
        Some(InitialPosition::Time(-1_000_000_000))
    );
    for bad in [
        "''",
        "'2023-02-29T00:00:00Z'",
        "'2024-01-01T00:00:00'",
        "'2024-01-01'",
        "-1",
        "1e30",
        "true",
        "'2024-01-01T24:00:00Z'",
        "'9999-01-01T00:00:00Z'",
        "'2024-01-01T00:00:00.Z'",
        "'2024-01-01T00:00:00+1'",
        "'2024-01-01T00:00:00+1é0'",
    ] {
        assert_eq!(at(bad), None, "{bad}");
    }
}

#[test]
fn every_key_is_documented_once() {
    let text = keys::markdown();
    for kind in KINDS {
        for spec in keys::plugin(kind).iter().flat_map(|list| list.iter()) {
            assert_eq!(
                text.matches(&format!("| `{}` |", spec.name)).count(),
                1,
                "{}",
                spec.name
            );
            assert!(
                spec.doc.ends_with('.') && !spec.doc.contains("  "),
                "{}: {}",
                spec.name,
                spec.doc
            );
        }
    }
    assert!(text.contains(
        "| `output_size` | a whole number of bytes from 0 to 4294967295 (default 67108864) |"
    ));
}

proptest::proptest! {
    #[test]
    fn any_lines_give_a_configuration_or_faults(
        lines in proptest::collection::vec(
            ("(output_size|sync|retention|hostname|input_defaults|log_format|foo)", "(1|-1|'x'|\\{\\}|\\{1\\}|\\{jit=1\\}|true|nil|1e99|0/0)"),
            0..8,
        )
    ) {
        let text: String = lines.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        if let Err(faults) = Main::parse(Path::new("a.cfg"), format!("{LEAST}{text}").as_bytes()) {
            proptest::prop_assert!(!faults.0.is_empty() && !faults.to_string().is_empty());
        }
    }
}
