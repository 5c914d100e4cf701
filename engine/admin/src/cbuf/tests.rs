//! Circular buffers as plugins write them, and as nobody should.

use super::*;

const HEADER: &str = r#"{"time":600,"rows":3,"columns":2,"seconds_per_row":60,"column_info":[{"name":"a","unit":"count","aggregation":"sum"},{"name":"b","unit":"ms","aggregation":"max"}]"#;

fn text(more: &str, rows: &str) -> Vec<u8> {
    format!("{HEADER}{more}}}\n{rows}").into_bytes()
}

#[test]
fn a_buffer_is_read_with_its_annotations() {
    let marks = r#","annotations":[{"x":660000,"col":1,"shortText":"A","text":"<b>\"x\""},{"x":1,"col":9}]"#;
    let graph = parse(&text(marks, "1\t2\nnan\t0.5\n3\tinf\n")).expect("it is one");
    assert_eq!((graph.time, graph.rows, graph.columns.len()), (600, 3, 2));
    assert_eq!(graph.annotations.len(), 1, "there is no column 9");
    assert_eq!(graph.annotations[0].text, "<b>\"x\"");
    let json: serde_json::Value = serde_json::from_str(&graph.to_json(None)).expect("JSON");
    assert_eq!(
        json["values"],
        serde_json::json!([[1, null, 3], [2, 0.5, null]])
    );
    let json: serde_json::Value = serde_json::from_str(&graph.to_json(Some(700))).expect("JSON");
    assert_eq!(
        (json["time"].as_i64(), &json["values"]),
        (Some(660), &serde_json::json!([[null, 3], [0.5, null]]))
    );
}

#[test]
fn what_is_none_is_told_with_its_line() {
    let wrong = |text: &[u8]| parse(text).expect_err("it is none").to_string();
    assert!(wrong(b"").starts_with("the first line is no header"));
    assert_eq!(
        wrong(&text("", "1\n")),
        "line 2: fewer numbers than columns"
    );
    assert_eq!(
        wrong(&text("", "1\t2\t3\n")),
        "line 2: more numbers than columns"
    );
    assert_eq!(wrong(&text("", "1\tx\n")), "line 2: not a number");
    assert_eq!(
        wrong(&text("", "1\t2\n1\t2\n1\t2\n1\t2\n")),
        "line 5: more rows than the header says"
    );
    let huge = br#"{"time":0,"rows":4194304,"columns":256,"seconds_per_row":1}"#;
    assert!(wrong(huge).starts_with("rows * columns is"));
    let still = br#"{"time":0,"rows":2,"columns":1,"seconds_per_row":0}"#;
    assert!(wrong(still).starts_with("seconds_per_row is 0"));
    let far = br#"{"time":1e300,"rows":2,"columns":1,"seconds_per_row":1}"#;
    assert!(wrong(far).starts_with("time is"));
}

#[test]
fn changes_add_up_by_the_columns_aggregation() {
    let first = add_changes(None, &text("", "600\t1\t5\n660\t2\tnan\n")).expect("changes");
    let second = add_changes(Some(first), &text("", "600\t10\t3\n")).expect("changes");
    assert_eq!(second.cells[..3], [11.0, 5.0, 2.0]);
    assert!(second.cells[3].is_nan());
    // The window moves on by one row.
    let moved = String::from_utf8(text("", "720\t7\t1\n"))
        .expect("UTF-8")
        .replace("\"time\":600", "\"time\":660");
    let third = add_changes(Some(second), moved.as_bytes()).expect("changes");
    assert_eq!(
        (third.time, third.cells[0], third.cells[2]),
        (660, 2.0, 7.0)
    );
}

#[test]
fn changes_outside_of_the_window_are_left_out() {
    let graph = add_changes(None, &text("", "0\t1\t1\n999999\t1\t1\n")).expect("changes");
    assert!(graph.cells.iter().all(|cell| cell.is_nan()));
}

proptest::proptest! {
    #[test]
    fn nothing_makes_it_panic(bytes: Vec<u8>, rows in ".{0,80}") {
        let _ = parse(&bytes);
        let _ = add_changes(None, &bytes);
        let odd = text("", &rows);
        if let Ok(graph) = parse(&odd) {
            let _ = serde_json::from_str::<serde_json::Value>(&graph.to_json(Some(1))).expect("JSON");
        }
        let _ = add_changes(parse(&odd).ok(), &odd);
    }
}
