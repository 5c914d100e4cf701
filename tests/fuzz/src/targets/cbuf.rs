//! Fuzzes the reading of circular buffers as payloads carry them, and of their changes.

use admin::cbuf;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "cbuf",
    about: "circular buffers in payloads",
    run,
    seeds,
    words: &[
        b"\"time\":",
        b"\"rows\":",
        b"\"columns\":",
        b"\"seconds_per_row\":",
        b"\"column_info\":[",
        b"\"annotations\":[",
        b"\"aggregation\":\"min\"",
        b"9223372036854775807",
        b"-1",
        b"1e300",
        b"nan",
        b"\t",
        b"\n",
    ],
    n_smoke: 20_000,
};

/// What was read is written as JSON, which must be JSON; changes keep the size of the window.
fn run(bytes: &[u8]) {
    if let Ok(graph) = cbuf::parse(bytes) {
        assert_eq!(graph.cells.len(), graph.rows * graph.columns.len());
        if graph.cells.len() < 10_000 {
            let json = graph.to_json(Some(graph.time));
            serde_json::from_str::<serde_json::Value>(&json).expect("a graph is JSON");
        }
        let again = cbuf::add_changes(Some(graph.clone()), bytes);
        if let Ok(again) = again {
            assert_eq!((again.rows, again.time), (graph.rows, graph.time));
        }
    }
    let _may_be_none = cbuf::add_changes(None, bytes);
}

fn seeds() -> Vec<Vec<u8>> {
    let header = r#"{"time":600,"rows":3,"columns":2,"seconds_per_row":60,"column_info":[{"name":"a","unit":"count","aggregation":"sum"},{"name":"b","unit":"ms","aggregation":"max"}],"annotations":[{"x":660000,"col":1,"shortText":"A","text":"x"}]}"#;
    let with = |rows: &str| format!("{header}\n{rows}").into_bytes();
    vec![
        with("1\t2\nnan\t0.5\n3\t-4\n"),
        with("600\t1\tnan\n720\tnan\t7\n"),
        br#"{"time":0,"rows":1,"columns":1,"seconds_per_row":1}"#.to_vec(),
    ]
}
