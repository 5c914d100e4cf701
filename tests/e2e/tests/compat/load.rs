//! The load directory: plugins are started, restarted and stopped while the engine runs.

use e2e::{Engine, Kind, Site, payloads};

use crate::lines_input;

fn site() -> Site {
    lines_input(Site::new().with_load_directory()).collect("all", "TRUE")
}

/// Injects `prefix` and the payload.
fn echo(prefix: &str) -> String {
    format!(
        "function process_message() inject_message{{ Type = 'echo', Payload = '{prefix}' .. read_message('Payload') }} \
         return 0 end function timer_event() end"
    )
}

const ECHO_CFG: &str = "filename = \"echo.lua\"\nmessage_matcher = \"Type == 'line'\"\nprocess_message_inject_limit = 1\n";

/// Sends a line and waits until the output has these payloads, in any order.
fn send(engine: &mut Engine, site: &Site, line: &str, expected: &[&str]) {
    site.append("lines", format!("{line}\n"));
    engine.until(&format!("payloads {expected:?}"), || {
        payloads(&site.path("all.heka")).len() >= expected.len()
    });
    let mut found = payloads(&site.path("all.heka"));
    found.sort();
    let mut expected = expected.to_vec();
    expected.sort();
    assert_eq!(found, expected);
}

/// Moves a file into the load directory in one step.
fn drop_in(site: &Site, kind: Kind, name: &str, text: &str) {
    let aside = site.write(format!("aside-{name}"), text);
    std::fs::rename(aside, site.path("load").join(kind.name()).join(name)).expect("renamed");
}

fn until_starting(engine: &mut Engine, site: &Site, name: &str, times: usize) {
    engine.until(&format!("start {times} of {name}"), || {
        site.log()
            .lines()
            .filter(|line| line.contains(name) && line.contains("starting"))
            .count()
            >= times
    });
}

#[test]
fn a_pair_starts_in_either_order() {
    let site = site();
    let mut engine = site.start();
    engine.until_log("started");
    send(&mut engine, &site, "1", &["1"]);
    drop_in(&site, Kind::Analysis, "echo.lua", &echo("a"));
    drop_in(&site, Kind::Analysis, "echo.cfg", ECHO_CFG);
    until_starting(&mut engine, &site, "analysis.echo", 1);
    send(&mut engine, &site, "2", &["1", "2", "a2"]);
    // The other order: the configuration waits for its source.
    drop_in(
        &site,
        Kind::Analysis,
        "late.cfg",
        &ECHO_CFG.replace("echo.lua", "late.lua"),
    );
    engine.until("the reason for waiting", || {
        site.read("run/analysis/late.err").contains("late.lua")
    });
    send(&mut engine, &site, "3", &["1", "2", "a2", "3", "a3"]);
    drop_in(&site, Kind::Analysis, "late.lua", &echo("b"));
    until_starting(&mut engine, &site, "analysis.late", 1);
    send(
        &mut engine,
        &site,
        "4",
        &["1", "2", "a2", "3", "a3", "4", "a4", "b4"],
    );
    assert!(site.exists("run/analysis/late.cfg") && !site.exists("load/analysis/late.cfg"));
    assert!(!site.exists("run/analysis/late.err"));
    engine.stop();
}

#[test]
fn a_new_source_restarts_its_plugins_and_an_off_stops_one() {
    let site = site().analysis(
        "echo",
        &ECHO_CFG.replace("filename = \"echo.lua\"\n", ""),
        &echo("a"),
    );
    let mut engine = site.start();
    send(&mut engine, &site, "1", &["1", "a1"]);
    drop_in(&site, Kind::Analysis, "echo.lua", &echo("b"));
    until_starting(&mut engine, &site, "analysis.echo", 2);
    send(&mut engine, &site, "2", &["1", "a1", "2", "b2"]);
    drop_in(&site, Kind::Analysis, "echo.off", "");
    engine.until("the configuration is off", || {
        site.exists("run/analysis/echo.off") && !site.exists("run/analysis/echo.cfg")
    });
    engine.until("the plugin has stopped", || {
        site.log().contains("analysis.echo")
    });
    send(&mut engine, &site, "3", &["1", "a1", "2", "b2", "3"]);
    // And on again.
    drop_in(&site, Kind::Analysis, "echo.cfg", ECHO_CFG);
    until_starting(&mut engine, &site, "analysis.echo", 3);
    assert!(!site.exists("run/analysis/echo.off"));
    send(
        &mut engine,
        &site,
        "4",
        &["1", "a1", "2", "b2", "3", "4", "b4"],
    );
    engine.stop();
}

#[test]
fn what_lies_there_at_the_start_is_taken() {
    let site = site();
    site.put_plugin(
        "load",
        Kind::Analysis,
        "echo",
        &ECHO_CFG.replace("filename = \"echo.lua\"\n", ""),
        &echo("a"),
    );
    let mut engine = site.start();
    until_starting(&mut engine, &site, "analysis.echo", 1);
    send(&mut engine, &site, "1", &["1", "a1"]);
    engine.stop();
}

#[test]
fn restarted_plugins_lose_and_repeat_nothing() {
    let lua = r#"
        n = 0
        function process_message() n = n + 1 inject_message{ Type = "n", Payload = n .. read_config("mark") } return 0 end
        function timer_event() end
    "#;
    let cfg = |mark: &str| {
        format!(
            "filename = \"count.lua\"\nmessage_matcher = \"Type == 'line'\"\nprocess_message_inject_limit = 1\n\
             preserve_data = true\nmark = \"{mark}\"\n"
        )
    };
    let site = site();
    site.write("run/analysis/count.lua", lua);
    site.write("run/analysis/count.cfg", cfg("a"));
    let mut engine = site.start();
    send(&mut engine, &site, "x", &["x", "1a"]);
    drop_in(&site, Kind::Analysis, "count.cfg", &cfg("b"));
    until_starting(&mut engine, &site, "analysis.count", 2);
    send(&mut engine, &site, "y", &["x", "1a", "y", "2b"]);
    // The input and the output too.
    let input = site.read("run/input/lines.cfg");
    drop_in(&site, Kind::Input, "lines.cfg", &input);
    until_starting(&mut engine, &site, "input.lines", 2);
    let output = site.read("run/output/all.cfg");
    drop_in(&site, Kind::Output, "all.cfg", &output);
    until_starting(&mut engine, &site, "output.all", 2);
    send(&mut engine, &site, "z", &["x", "1a", "y", "2b", "z", "3b"]);
    engine.stop();
}

#[test]
fn an_output_that_is_loaded_starts_with_what_comes() {
    let site = site();
    let mut engine = site.start();
    send(&mut engine, &site, "1", &["1"]);
    let cfg = format!(
        "filename = \"heka_file.lua\"\nmessage_matcher = \"TRUE\"\noutput_file = \"{}\"\n",
        site.path("late.heka").display()
    );
    drop_in(&site, Kind::Output, "late.cfg", &cfg);
    until_starting(&mut engine, &site, "output.late", 1);
    send(&mut engine, &site, "2", &["1", "2"]);
    engine.until("only the second", || {
        payloads(&site.path("late.heka")) == ["2"]
    });
    drop_in(&site, Kind::Output, "late.off", "");
    engine.until("its places are forgotten", || {
        site.checkpoint("input->output.late").is_none()
    });
    engine.stop();
}

#[test]
fn a_plugin_with_a_fault_can_be_replaced() {
    let site = site().analysis(
        "echo",
        &ECHO_CFG.replace("filename = \"echo.lua\"\n", ""),
        "this is = = no Lua",
    );
    let mut engine = site.start();
    engine.until("the reason", || site.exists("run/analysis/echo.err"));
    drop_in(&site, Kind::Analysis, "echo.lua", &echo("a"));
    drop_in(&site, Kind::Analysis, "echo.cfg", ECHO_CFG);
    until_starting(&mut engine, &site, "analysis.echo", 2);
    send(&mut engine, &site, "1", &["1", "a1"]);
    assert!(!site.exists("run/analysis/echo.err"));
    engine.stop();
}
