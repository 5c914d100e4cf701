//! What plugins remember over a restart.

use e2e::{Kind, Site, payloads};

/// Writes down what it remembers, for all three kinds.
const REMEMBERS: &str = r#"
    require "string"
    require "math"
    local forgotten = 0
    calls = 0
    kept = { deep = { 0.1, 2^53, 1e300, -0.123456789012345678, true, "q\"\n\0\255" }, [5] = "five" }
    kept.again = kept.deep
    if not first then first = true end
    local function remember()
        calls = calls + 1
        forgotten = forgotten + 1
        kept.deep[1] = kept.deep[1] + 0.1
        return string.format("%d %d %.17g %.17g %.17g %.17g %s %d %s %s", calls, forgotten, kept.again[1], kept.deep[2],
            kept.deep[3], kept.deep[4], tostring(kept.deep[5]), #kept.deep[6], tostring(kept.again == kept.deep), kept[5])
    end
"#;

const EXPECTED: [&str; 3] = [
    "1 1 0.20000000000000001 9007199254740992 1.0000000000000001e+300 -0.12345678901234568 true 5 true five",
    "2 1 0.30000000000000004 9007199254740992 1.0000000000000001e+300 -0.12345678901234568 true 5 true five",
    "3 1 0.40000000000000002 9007199254740992 1.0000000000000001e+300 -0.12345678901234568 true 5 true five",
];

fn site(kind: Kind, version: u32) -> Site {
    let head = format!("_PRESERVATION_VERSION = read_config('version')\n{REMEMBERS}");
    let cfg = format!("preserve_data = true\nversion = {version}");
    let site = Site::new();
    match kind {
        Kind::Input => {
            let lua = format!(
                "{head} function process_message() inject_message{{ Payload = remember() }} return 0 end"
            );
            site.input("memory", &cfg, &lua)
        }
        Kind::Analysis => {
            let lua = format!(
                "{head} function process_message() inject_message{{ Payload = remember() }} return 0 end \
                 function timer_event() end"
            );
            let cfg = format!(
                "{cfg}\nmessage_matcher = \"Type == 'line'\"\nprocess_message_inject_limit = 1"
            );
            site.input("source", "", &crate::payloads_input(&["x"]))
                .analysis("memory", &cfg, &lua)
        }
        Kind::Output => {
            let lua = format!(
                "{head} function process_message() inject_message{{ Payload = remember() }} return 0 end \
                 function timer_event() end"
            );
            let cfg = format!("{cfg}\nmessage_matcher = \"Type == 'line'\"");
            site.input("source", "", &crate::payloads_input(&["x"]))
                .output("memory", &cfg, &lua)
        }
    }
}

fn check(kind: Kind) {
    let logger = format!("Logger == '{}.memory'", kind.name());
    let site = site(kind, 1).collect("all", &logger);
    for n in 1..=3 {
        site.replay().expect(0);
        // What an output injects may be behind the end of a replay; it is there at the next.
        if kind != Kind::Output {
            assert_eq!(payloads(&site.path("all.heka")), EXPECTED[..n]);
        }
    }
    let state = site.read(format!("output/{}.memory.data", kind.name()));
    assert!(state.contains("_G[\"calls\"] = 3"), "{state}");
    assert!(!state.contains("forgotten"), "{state}");
}

#[test]
fn an_input_remembers_exactly() {
    check(Kind::Input);
}

#[test]
fn an_analysis_plugin_remembers_exactly() {
    check(Kind::Analysis);
}

#[test]
fn an_output_remembers_exactly() {
    check(Kind::Output);
}

#[test]
fn another_version_begins_anew() {
    let site = site(Kind::Input, 1).collect("all", "TRUE");
    site.replay().expect(0);
    let cfg = site
        .read("run/input/memory.cfg")
        .replace("version = 1", "version = 2");
    site.write("run/input/memory.cfg", cfg);
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), [EXPECTED[0], EXPECTED[0]]);
}

#[test]
fn a_state_of_hindsight_itself_is_taken() {
    let site = site(Kind::Input, 0).collect("all", "TRUE");
    let state = "if _PRESERVATION_VERSION and _PRESERVATION_VERSION ~= 0 then return end\n\
                 _G[\"calls\"] = 41\n_G[\"kept\"][\"deep\"][1] = 0.1\n_G[\"nothing\"] = {nil}\n";
    site.write("output/input.memory.data", state);
    site.replay().expect(0);
    assert!(
        payloads(&site.path("all.heka"))[0].starts_with("42 1 "),
        "{:?}",
        payloads(&site.path("all.heka"))
    );
}

#[test]
fn a_state_that_cannot_be_read_is_put_aside() {
    let site = site(Kind::Input, 1).collect("all", "TRUE");
    site.write("output/input.memory.data", "this is = = no Lua");
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), [EXPECTED[0]]);
    assert!(
        site.exists("output/input.memory.data.bad")
            || !site.read("output/input.memory.data").contains("= =")
    );
}

#[test]
fn state_is_saved_while_the_plugin_runs() {
    let lua = r#"
        count = 0
        function process_message() count = count + 1 return 0 end
        function timer_event() end
    "#;
    let site = crate::lines_input(Site::new()).analysis(
        "counter",
        "message_matcher = \"TRUE\"\npreserve_data = true",
        lua,
    );
    let mut engine = site.start();
    site.append("lines", "1\n2\n3\n");
    engine.until("the state with three messages", || {
        site.read("output/analysis.counter.data")
            .contains("_G[\"count\"] = 3")
    });
    engine.kill();
    site.append("lines", "4\n");
    let mut engine = site.start();
    engine.until("the fourth is added", || {
        site.read("output/analysis.counter.data")
            .contains("_G[\"count\"] = 4")
    });
    engine.stop();
}
