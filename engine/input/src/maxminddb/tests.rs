//! `maxminddb` on databases that a small writer makes; the same writer made the one that Lua's tests read.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;

use crate::test_plugin::{error_of, run};

/// A value of a database.
pub(crate) enum Value {
    Text(&'static str),
    Double(f64),
    Float(f32),
    Bytes(&'static [u8]),
    Unsigned(u8, u128),
    Signed(i32),
    Bool(bool),
    Map(Vec<(&'static str, Value)>),
    Array(Vec<Value>),
}

use Value::{Array, Bool, Bytes, Double, Float, Map, Signed, Text, Unsigned};

const UINT16: u8 = 5;
const UINT32: u8 = 6;
const UINT64: u8 = 9;
const UINT128: u8 = 10;

/// Writes the control byte of a value, with its kind and size (which is small enough for one more byte).
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (field, more) = match size {
        0..29 => (size, None),
        29..285 => (29, Some(size - 29)),
        _ => panic!("the writer is for small values"),
    };
    match kind {
        0..=7 => out.push(kind << 5 | field as u8),
        _ => out.extend_from_slice(&[field as u8, kind - 7]),
    }
    out.extend(more.map(|more| more as u8));
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Text(text) => {
            control(2, text.len(), out);
            out.extend_from_slice(text.as_bytes());
        }
        Double(number) => {
            control(3, 8, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Float(number) => {
            control(15, 4, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Bytes(bytes) => {
            control(4, bytes.len(), out);
            out.extend_from_slice(bytes);
        }
        Unsigned(kind, number) => {
            let bytes = number.to_be_bytes();
            let zeros = number.leading_zeros() as usize / 8;
            control(*kind, bytes.len() - zeros, out);
            out.extend_from_slice(&bytes[zeros..]);
        }
        Signed(number) => {
            control(8, 4, out);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Bool(truth) => control(14, usize::from(*truth), out),
        Map(entries) => {
            control(7, entries.len(), out);
            for (key, value) in entries {
                write(&Text(key), out);
                write(value, out);
            }
        }
        Array(values) => {
            control(11, values.len(), out);
            values.iter().for_each(|value| write(value, out));
        }
    }
}

/// What a side of a node leads to: nothing, another node, or a place in the data.
#[derive(Clone, Copy)]
enum Side {
    Nothing,
    Node(usize),
    Data(usize),
}

/// Makes a database (format version 2.0) of networks: address, bits of its prefix, value.
pub(crate) fn database(kind: &'static str, networks: &[(&str, usize, Value)]) -> Vec<u8> {
    let mut nodes = vec![[Side::Nothing; 2]];
    let mut data = Vec::new();
    for (address, n_bits, value) in networks {
        let at = data.len();
        write(value, &mut data);
        // IPv4 addresses lie in the first 2^32 of IPv6.
        let (bits, n_bits) = match address.parse().expect("an address") {
            IpAddr::V4(address) => (u128::from(u32::from(address)), n_bits + 96),
            IpAddr::V6(address) => (u128::from(address), *n_bits),
        };
        let mut node = 0;
        for i in 0..n_bits {
            let bit = (bits >> (127 - i) & 1) as usize;
            if i + 1 == n_bits {
                nodes[node][bit] = Side::Data(at);
            } else if let Side::Node(next) = nodes[node][bit] {
                node = next;
            } else {
                nodes.push([Side::Nothing; 2]);
                nodes[node][bit] = Side::Node(nodes.len() - 1);
                node = nodes.len() - 1;
            }
        }
    }
    let mut out = Vec::new();
    for side in nodes.iter().flatten() {
        let record = match side {
            Side::Nothing => nodes.len(),
            Side::Node(node) => *node,
            // The data begins behind 16 zeros.
            Side::Data(at) => nodes.len() + 16 + at,
        };
        out.extend_from_slice(&(record as u32).to_be_bytes()[1..]);
    }
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&data);
    out.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    write(&metadata(kind, nodes.len()), &mut out);
    out
}

fn metadata(kind: &'static str, n_nodes: usize) -> Value {
    Map(vec![
        ("binary_format_major_version", Unsigned(UINT16, 2)),
        ("binary_format_minor_version", Unsigned(UINT16, 0)),
        ("build_epoch", Unsigned(UINT64, 1_700_000_000)),
        ("database_type", Text(kind)),
        ("description", Map(vec![("en", Text("made for tests"))])),
        ("ip_version", Unsigned(UINT16, 6)),
        ("languages", Array(vec![Text("en")])),
        ("node_count", Unsigned(UINT32, n_nodes as u128)),
        ("record_size", Unsigned(UINT16, 24)),
    ])
}

/// The places that Lua's tests know. The addresses are those set aside for documentation.
pub(crate) fn places() -> Vec<u8> {
    let milton = Map(vec![
        (
            "city",
            Map(vec![("names", Map(vec![("en", Text("Sampleton"))]))]),
        ),
        ("continent", Map(vec![("code", Text("NA"))])),
        (
            "country",
            Map(vec![
                ("iso_code", Text("XA")),
                ("names", Map(vec![("en", Text("Examplia"))])),
            ]),
        ),
        (
            "location",
            Map(vec![
                ("latitude", Double(47.25)),
                ("longitude", Double(-122.5)),
                ("metro_code", Unsigned(UINT16, 819)),
            ]),
        ),
        ("postal", Map(vec![("code", Text("98354"))])),
        (
            "subdivisions",
            Array(vec![Map(vec![("iso_code", Text("SA"))])]),
        ),
    ]);
    let country = Map(vec![
        ("country", Map(vec![("iso_code", Text("XB"))])),
        ("isp", Text("Example Net")),
    ]);
    let kinds = Map(vec![
        ("bool", Bool(true)),
        ("bytes", Bytes(b"a\0b")),
        ("float", Float(1.5)),
        ("int", Signed(-7)),
        ("uint64", Unsigned(UINT64, 1 << 40)),
        ("uint128", Unsigned(UINT128, 1 << 100)),
        ("list", Array(vec![Text("first"), Text("second")])),
    ]);
    database(
        "Foresight-Places",
        &[
            ("192.0.2.0", 24, milton),
            ("198.51.100.128", 25, country),
            ("2001:db8::", 32, kinds),
        ],
    )
}

/// Runs Lua code with a global `file`, the name of a file with these bytes.
pub(crate) fn run_with(bytes: &[u8], code: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("places.mmdb");
    std::fs::write(&path, bytes).expect("written");
    run(&format!("file = '{}' {code}", path.display()));
}

#[test]
fn the_database_of_the_lua_tests_is_what_the_writer_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/modules/data/places.mmdb");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, places()).expect("the folder is writable");
    }
    let committed = std::fs::read(&path).expect("committed; made anew with UPDATE_EXPECT=1");
    assert!(committed == places(), "run this test with UPDATE_EXPECT=1");
}

#[test]
fn the_writer_makes_valid_databases() {
    let reader = maxminddb::Reader::from_source(places()).expect("it is one");
    reader.verify().expect("it is valid");
}

#[test]
fn all_plugins_share_a_database_and_a_changed_file_is_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.mmdb");
    std::fs::write(&path, places()).expect("written");
    let first = super::shared::open(&path).expect("opened");
    let second = super::shared::open(&path).expect("opened");
    assert!(std::sync::Arc::ptr_eq(&first, &second));
    let other = database("Other", &[("192.0.2.0", 24, Text("changed"))]);
    std::fs::write(&path, other).expect("written");
    let third = super::shared::open(&path).expect("opened");
    assert_eq!(third.metadata().database_type, "Other");
    assert_eq!(first.metadata().database_type, "Foresight-Places");
}

#[test]
fn what_is_no_database_is_refused() {
    run_with(
        b"no database",
        "local ok, err = pcall(maxminddb.open, file) assert(not ok and err:find('places.mmdb', 1, true), err)",
    );
    run_with(b"", "assert(not pcall(maxminddb.open, file))");
    assert!(
        error_of("require 'maxminddb' maxminddb.open('/none/at/all')").contains("No such file")
    );
    assert!(error_of("require 'maxminddb' maxminddb.open('/dev/zero')").contains("is no file"));
    assert!(error_of("require 'maxminddb' maxminddb.open('/tmp')").contains("is no file"));
    assert!(
        error_of("require 'maxminddb' maxminddb.open()").contains("string expected, got no value")
    );
}

/// Each byte of a small database is changed: nothing may panic or hang, and what is found is a value or an error.
#[test]
fn a_damaged_database_gives_errors_or_values() {
    let whole = places();
    let addresses: Vec<IpAddr> = ["192.0.2.1", "198.51.100.200", "2001:db8::1", "10.0.0.1"]
        .map(|address| address.parse().expect("an address"))
        .into();
    let paths: &[&[&str]] = &[
        &["city", "names", "en"],
        &["list", "1"],
        &["location"],
        &["uint128"],
    ];
    let mut outcomes = BTreeMap::new();
    for at in 0..whole.len() {
        for change in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            let Ok(reader) = maxminddb::Reader::from_source(damaged) else {
                continue;
            };
            for address in &addresses {
                for path in paths {
                    let found = super::value(&reader, *address, path);
                    let outcome = match found {
                        Ok(Some(_)) => "value",
                        Ok(None) => "nothing",
                        Err(_) => "error",
                    };
                    *outcomes.entry(outcome).or_insert(0) += 1;
                }
            }
        }
    }
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
}
