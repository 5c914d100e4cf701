//! Payloads come, are renewed, looked at and forgotten.

use schemas::message::{Field, Message};
use schemas::view::Index;

use super::*;

fn take(payloads: &Payloads, logger: &[u8], kind: &str, name: &str, payload: &[u8]) {
    let mut message = Message::new([7; 16], 1);
    message.logger = Some(logger.to_vec());
    message.payload = Some(payload.to_vec());
    message.fields = vec![
        Field::string("payload_type", kind),
        Field::string("payload_name", name),
    ];
    let bytes = message.to_bytes();
    let mut index = Index::default();
    index.parse(&bytes).expect("a message");
    payloads.take(&index.view(&bytes), 5);
}

const CBUF: &str = "{\"time\":0,\"rows\":2,\"columns\":1,\"seconds_per_row\":1,\"column_info\":[{\"name\":\"a\"}]}\n1\n2\n";

#[test]
fn the_newest_payload_of_each_name_is_kept() {
    let payloads = Payloads::default();
    take(&payloads, b"analysis.a", "txt", "one", b"first");
    take(&payloads, b"analysis.a", "txt", "one", b"second");
    take(&payloads, b"analysis.a", "txt", "two", b"other");
    let list = payloads.list();
    assert_eq!(list.len(), 2);
    assert_eq!(list[0].id, "analysis.a/txt/one");
    let (_, bytes) = payloads.get("analysis.a/txt/one").expect("kept");
    assert_eq!(bytes.as_slice(), b"second");
    assert_eq!(
        payloads.list_since(2).len(),
        1,
        "only the last one is newer"
    );
    assert!(payloads.get("analysis.a/txt").is_none());
}

#[test]
fn a_graph_is_read_once_for_each_payload() {
    let payloads = Payloads::default();
    take(&payloads, b"p", "cbuf", "g", CBUF.as_bytes());
    let (generation, graph) = payloads.graph("p/cbuf/g").expect("a graph");
    let (same, again) = payloads.graph("p/cbuf/g").expect("a graph");
    assert!(Arc::ptr_eq(&graph, &again) && same == generation);
    take(&payloads, b"p", "cbuf", "g", b"no graph");
    assert!(matches!(
        payloads.graph("p/cbuf/g"),
        Err(GraphError::Damaged(_))
    ));
    assert_eq!(payloads.graph("p/cbuf/h"), Err(GraphError::Missing));
    take(&payloads, b"p", "txt", "g", b"text");
    assert_eq!(payloads.graph("p/txt/g"), Err(GraphError::NoGraph));
}

#[test]
fn changes_are_added_up_whether_somebody_looks_or_not() {
    let payloads = Payloads::default();
    let head = CBUF.split_once('\n').expect("two parts").0;
    let head = head.replace("\"a\"", "\"a\",\"aggregation\":\"sum\"");
    let change = format!("{head}\n0\t1\n");
    for _ in 0..CHANGES_MAX + 5 {
        take(&payloads, b"p", "cbufd", "g", change.as_bytes());
    }
    let (_, graph) = payloads.graph("p/cbufd/g").expect("a graph");
    assert_eq!(graph.cells[0], (CHANGES_MAX + 5) as f64);
}

#[test]
fn hostile_names_have_ids_that_lead_back() {
    let payloads = Payloads::default();
    let logger = b"analysis.<img src=x>/\xff%2F";
    take(&payloads, logger, "t/x?t", "a&b #", b"x");
    let id = payloads.list()[0].id.clone();
    assert_eq!(id.matches('/').count(), 2);
    assert!(id.is_ascii() && !id.contains(['?', '#', '&', ' ']));
    assert!(payloads.get(&id).is_some());
    assert!(file_name(&payloads.list()[0]).is_ascii());
}

#[test]
fn what_came_longest_ago_goes_first() {
    let payloads = Payloads::default();
    for n in 0..=ENTRIES_MAX {
        take(&payloads, b"p", "txt", &n.to_string(), b"x");
    }
    assert_eq!(payloads.list().len(), ENTRIES_KEPT);
    let has = |n: usize| payloads.get(&format!("p/txt/{n}")).is_some();
    assert!(!has(0) && !has(ENTRIES_MAX - ENTRIES_KEPT) && has(ENTRIES_MAX));
    assert!(has(ENTRIES_MAX - ENTRIES_KEPT + 1));
}
