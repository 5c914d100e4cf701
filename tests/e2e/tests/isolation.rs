//! What a plugin does is felt by that plugin only.

use e2e::{Kind, Site, payloads};

/// Enough messages that a plugin in trouble is in trouble while others work.
const MESSAGES: usize = 2000;

fn source() -> String {
    format!(
        "function process_message() for n = 1, {MESSAGES} do inject_message{{ Type = 'n', Payload = tostring(n) }} end return 0 end"
    )
}

/// A site whose output must get every message, whatever the bad plugin does.
fn site() -> Site {
    let echo = "function process_message() inject_message{ Type = 'echo', Payload = read_message('Payload') } return 0 end \
                function timer_event() end";
    Site::new()
        .input("source", "", &source())
        .analysis(
            "echo",
            "message_matcher = \"Type == 'n'\"\nprocess_message_inject_limit = 1",
            echo,
        )
        .collect("numbers", "Type == 'n'")
        .collect("echoes", "Type == 'echo'")
}

fn expected() -> Vec<String> {
    (1..=MESSAGES).map(|n| n.to_string()).collect()
}

/// Runs a bad plugin beside good ones, which must get everything; `reason` is what the bad one ends with, if it does.
fn check(kind: Kind, cfg: &str, lua: &str, reason: Option<&str>) {
    let cfg = match kind {
        Kind::Input => cfg.to_string(),
        _ => format!("message_matcher = \"Type == 'n'\"\n{cfg}"),
    };
    let site = site().plugin(kind, "bad", &cfg, lua);
    let mut engine = site.start();
    for file in ["numbers.heka", "echoes.heka"] {
        engine.until("all messages are delivered", || {
            payloads(&site.path(file)).len() >= MESSAGES
        });
        assert_eq!(payloads(&site.path(file)), expected());
    }
    if let Some(reason) = reason {
        let err = format!("run/{}/bad.err", kind.name());
        engine.until(&format!("{err} with {reason:?}"), || {
            site.read(&err).contains(reason)
        });
    }
    engine.stop();
}

#[test]
fn a_plugin_that_loops() {
    let lua = "function process_message() while true do end end function timer_event() end";
    for kind in [Kind::Input, Kind::Analysis, Kind::Output] {
        check(kind, "", lua, Some("instruction_limit exceeded"));
    }
}

#[test]
fn a_plugin_that_throws_or_eats_memory() {
    let throws = "function process_message() error({}) end function timer_event() end";
    let eats = "local all = {} function process_message() while true do all[#all + 1] = {} end end function timer_event() end";
    for kind in [Kind::Analysis, Kind::Output] {
        check(kind, "", throws, Some("process_message()"));
        check(
            kind,
            "instruction_limit = 0",
            eats,
            Some("not enough memory"),
        );
    }
}

#[test]
fn an_analysis_plugin_that_floods() {
    let lua = "function process_message() for n = 1, 1e9 do inject_message{ Type = 'flood' } end end function timer_event() end";
    check(
        Kind::Analysis,
        "process_message_inject_limit = 10",
        lua,
        Some("injection limit exceeded"),
    );
}

#[test]
fn an_input_that_floods_is_only_one_of_many() {
    let lua = "function process_message() while is_running() do inject_message{ Type = 'flood' } end return 0 end";
    check(Kind::Input, "instruction_limit = 0", lua, None);
}

#[test]
fn an_output_that_sleeps_in_another_program() {
    let lua = "require 'os' function process_message() os.execute('exec sleep 90') return 0 end function timer_event() end";
    check(Kind::Output, "", lua, None);
}

#[test]
fn an_output_that_sleeps_for_long_is_set_aside() {
    let lua = "require 'os' function process_message() os.execute('exec sleep 90') return 0 end function timer_event() end";
    check(
        Kind::Output,
        "stuck_after_ms = 500",
        lua,
        Some("stuck in native code"),
    );
}

#[test]
fn an_input_that_waits_for_a_socket() {
    let port = e2e::free_port();
    let lua = format!(
        "local socket = require 'socket' function process_message() local s = assert(socket.bind('127.0.0.1', {port})) \
         s:accept() return 0 end"
    );
    check(Kind::Input, "instruction_limit = 0", &lua, None);
}

#[test]
fn an_output_that_retries_for_ever() {
    let lua = "function process_message() return -3, 'not yet' end function timer_event() end";
    check(Kind::Output, "", lua, None);
}

#[test]
fn a_slow_analysis_plugin_falls_behind_alone_and_catches_up() {
    let slow = r#"
        local done = 0
        function process_message()
            local x = 0
            for n = 1, 2e5 do x = x + n % 7 end
            done = done + 1
            inject_message{ Type = "slow", Payload = tostring(done) }
            return 0
        end
        function timer_event() end
    "#;
    let cfg = "message_matcher = \"Type == 'n'\"\ninstruction_limit = 0\nprocess_message_inject_limit = 1\njit = false";
    let site = site()
        .analysis("slow", cfg, slow)
        .collect("slow", "Type == 'slow'")
        .set("analysis_threads", "2");
    let mut engine = site.start();
    let slow = || payloads(&site.path("slow.heka"));
    let mut seen_behind = false;
    engine.until("the others are done", || {
        let others = payloads(&site.path("echoes.heka")).len() >= MESSAGES;
        seen_behind |= others && slow().len() < MESSAGES;
        others
    });
    assert!(seen_behind, "the others do not wait for the slow plugin");
    engine.until("the slow plugin is done too", || slow().len() >= MESSAGES);
    assert_eq!(slow(), expected());
    engine.stop();
}

#[test]
fn an_input_that_never_looks_up_is_interrupted_at_a_stop() {
    let site = site().input(
        "deaf",
        "instruction_limit = 0",
        "function process_message() while true do end end",
    );
    let mut engine = site.start();
    engine.until("all messages are delivered", || {
        payloads(&site.path("echoes.heka")).len() >= MESSAGES
    });
    engine.stop();
    assert!(
        !site.exists("run/input/deaf.err"),
        "a stop is no fault: {}",
        site.read("run/input/deaf.err")
    );
}

#[test]
fn an_output_on_a_full_disk() {
    let lua = r#"
        require "io"
        local full = assert(io.open("/dev/full", "w"))
        function process_message() full:write(read_message("Payload"), "\n") return 0 end
        function timer_event() end
    "#;
    check(Kind::Output, "", lua, Some("No space left on device"));
}

#[test]
fn our_own_outputs_on_a_full_disk() {
    let site = site().ours(
        "output/heka_file.lua",
        "bad",
        "message_matcher = \"TRUE\"\noutput_file = \"/dev/full\"",
    );
    let mut engine = site.start();
    engine.until("the plugin ends with a reason", || {
        site.exists("run/output/bad.err")
    });
    engine.until("the others get everything", || {
        payloads(&site.path("numbers.heka")).len() == MESSAGES
    });
    engine.stop();
    assert_eq!(
        site.checkpoint("input->output.bad").as_deref(),
        Some("0:0"),
        "nothing counts as delivered"
    );
}

#[test]
fn an_output_whose_directory_vanishes() {
    let site = site();
    let file = site.write("gone/out.log", "");
    let cfg = format!(
        "message_matcher = \"Type == 'n'\"\nroll_size = 1000\noutput_file = \"{}\"",
        file.display()
    );
    let site = site.ours("output/log_file.lua", "bad", &cfg);
    std::fs::remove_file(site.path("run/input/source.cfg")).expect("it is there");
    let mut engine = site.start();
    engine.until_log("started");
    std::fs::remove_dir_all(site.path("gone")).expect("it is there");
    engine.stop();
    // The plugin opens its file at the start, so the directory goes while it runs.
    site.write("gone/out.log", "");
    let site = site.input(
        "source",
        "ticker_interval = 1",
        &format!("{} ", source().replace("return 0", "return -1")),
    );
    let mut engine = site.start();
    engine.until("the plugin rolls", || {
        std::fs::read_dir(site.path("gone")).is_ok_and(|dir| dir.count() > 2)
    });
    // Renamed, not removed: the plugin goes on making files in it until it notices.
    std::fs::rename(site.path("gone"), site.path("away")).expect("it is there");
    engine.until("the reason", || {
        site.read("run/output/bad.err")
            .contains("No such file or directory")
    });
    let before = payloads(&site.path("numbers.heka")).len();
    engine.until("the others go on", || {
        payloads(&site.path("numbers.heka")).len() > before
    });
    engine.stop();
}
