//! The memory that is counted for a compiled JSON Schema, beside what the process takes for it.

use json::document::{Document, Options};
use json::schema::Schema;

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("linux");
    let pages = statm.split_whitespace().nth(1).expect("it is there");
    pages.parse::<usize>().expect("a number") * 4096
}

#[test]
fn what_schemas_take() {
    let dir = std::env::var("SCHEMAS").expect("SCHEMAS");
    let out = String::from_utf8(std::process::Command::new("find").args([&dir, "-name", "*.schema.json"]).output().expect("find").stdout).expect("utf8");
    let mut total = (0usize, 0usize, 0usize, 0usize);
    let start = resident();
    let mut all = Vec::new();
    for path in out.lines() {
        let text = std::fs::read(path).expect("read");
        let document = Document::parse(&text, Options { validate_utf8: true, stop_when_done: false }, &mut json::document::Unlimited).expect("parse");
        total.2 += document.len();
        let before = resident();
        let Ok(schema) = Schema::compile(&document) else { println!("no: {path}"); continue };
        total.1 += schema.memory();
        let now = resident();
        if now - before > 2_000_000 { println!("{path}: {} values, {} counted, {} taken", document.len(), schema.memory(), now - before); }
        all.push(schema);
        total.3 += 1;
    }
    total.0 = resident() - start;
    println!("{} schemas, {} values, resident {} counted {}", total.3, total.2, total.0, total.1);
    drop(all);
    println!("after drop {}", resident() - start);
}
