//! What goes into the columns comes out of the file, and a disk that refuses loses nothing.

use std::fs;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use proptest::prelude::*;
use stdx::seed::Random;

use super::*;
use crate::properties;
use crate::schema::{Builder, ColumnSpec, Kind, Logical, Node, ROOT};

/// A field of a random schema.
#[derive(Clone, Debug)]
enum Tree {
    Column(Repetition, Physical),
    Group(Repetition, Vec<Tree>),
}

fn repetitions() -> impl Strategy<Value = Repetition> {
    prop_oneof![
        Just(Repetition::REQUIRED),
        Just(Repetition::OPTIONAL),
        Just(Repetition::REPEATED)
    ]
}

fn trees() -> impl Strategy<Value = Vec<Tree>> {
    let physical = prop_oneof![
        Just(Physical::INT64),
        Just(Physical::DOUBLE),
        Just(Physical::BYTE_ARRAY)
    ];
    let column = (repetitions(), physical).prop_map(|(r, p)| Tree::Column(r, p));
    let tree = column.prop_recursive(4, 24, 4, |inner| {
        (repetitions(), prop::collection::vec(inner, 1..4)).prop_map(|(r, f)| Tree::Group(r, f))
    });
    prop::collection::vec(tree, 1..5)
}

fn build(builder: &mut Builder, parent: usize, trees: &[Tree]) {
    for (tree, i) in trees.iter().zip(0..) {
        let name = format!("f{i}");
        let logical = Logical::Converted(ConvertedType::NONE);
        match tree {
            Tree::Column(repetition, physical) => {
                let spec = ColumnSpec {
                    repetition: *repetition,
                    physical: *physical,
                    logical,
                    length: -1,
                    precision: -1,
                    scale: -1,
                };
                builder.add_column(parent, &name, spec).expect("it fits");
            }
            Tree::Group(repetition, fields) => {
                let group = builder.add_group(parent, &name, *repetition, logical);
                build(builder, group.expect("it fits"), fields);
            }
        }
    }
}

/// Puts random values for a field into the columns, and tells the field in words; recursion as deep as the schema.
fn put(node: &Node, writer: &mut Writer, dice: &mut Random, (r, d): (u8, u8)) -> String {
    let n = match node.repetition {
        Repetition::REQUIRED => 1,
        Repetition::OPTIONAL => dice.below(2),
        Repetition::REPEATED => dice.below(4),
    };
    if n == 0 {
        absent(node, writer, (r, d));
        return if node.is_repeated() { "[]" } else { "null" }.into();
    }
    let mut items = Vec::new();
    let mut at = r;
    for _ in 0..n {
        items.push(one(node, writer, dice, (at, node.dl)));
        at = node.rl;
    }
    match node.is_repeated() {
        true => format!("[{}]", items.join(",")),
        false => items.remove(0),
    }
}

fn one(node: &Node, writer: &mut Writer, dice: &mut Random, levels: (u8, u8)) -> String {
    let column = match &node.kind {
        Kind::Group(_, fields) => return group(fields, writer, dice, levels),
        Kind::Column(column) => *column,
    };
    let (plan, columns) = writer.parts();
    let (plan, column) = (&plan.columns()[column], &mut columns[column]);
    let number = dice.below(50) as i64;
    match plan.physical {
        Physical::INT64 => {
            let pushed = column.push_integer(plan, i128::from(number), levels);
            pushed.expect("it fits");
            number.to_string()
        }
        Physical::DOUBLE => {
            let number = number as f64 / 4.0;
            column.push_double(plan, number, levels).expect("it fits");
            number.to_string()
        }
        _ => {
            let text = "x".repeat(number as usize);
            let pushed = column.push_bytes(plan, text.as_bytes(), levels);
            pushed.expect("it fits");
            format!("'{text}'")
        }
    }
}

fn group(fields: &[Node], writer: &mut Writer, dice: &mut Random, levels: (u8, u8)) -> String {
    let mut text = String::from("{");
    for field in fields {
        text += &format!("{}:{},", field.name, put(field, writer, dice, levels));
    }
    text + "}"
}

/// A field as the crate's own reader gives it, in the same words.
fn words(field: &Field) -> String {
    match field {
        Field::Null => "null".into(),
        Field::Long(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Bytes(bytes) => format!("'{}'", String::from_utf8_lossy(bytes.data())),
        Field::Group(row) => words_of(row),
        Field::ListInternal(list) => {
            let items: Vec<String> = list.elements().iter().map(words).collect();
            format!("[{}]", items.join(","))
        }
        other => panic!("no such field was written: {other:?}"),
    }
}

fn words_of(row: &Row) -> String {
    let fields = row.get_column_iter();
    let fields: String = fields
        .map(|(name, field)| format!("{name}:{},", words(field)))
        .collect();
    format!("{{{fields}}}")
}

fn absent(node: &Node, writer: &mut Writer, levels: (u8, u8)) {
    match &node.kind {
        Kind::Group(_, fields) => fields
            .iter()
            .for_each(|field| absent(field, writer, levels)),
        Kind::Column(i) => {
            let (plan, columns) = writer.parts();
            columns[*i]
                .push_null(&plan.columns()[*i], levels)
                .expect("it is optional");
        }
    }
}

fn plan(trees: &[Tree]) -> Arc<Plan> {
    let mut builder = Builder::new("t", false);
    build(&mut builder, ROOT, trees);
    builder.finish().expect("no group is empty")
}

fn read(path: &Path) -> Vec<String> {
    let reader =
        SerializedFileReader::new(File::open(path).expect("it is there")).expect("it is whole");
    let rows = reader.get_row_iter(None).expect("all columns");
    rows.map(|row| words_of(&row.expect("it is whole")))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_was_written_is_read(trees in trees(), seed in any::<u64>(), codec in 0..6_usize) {
        let codec = ["uncompressed", "snappy", "gzip", "brotli", "lz4", "zstd"][codec];
        let codec = properties::codec(codec, properties::ZSTD_LEVEL).expect("it is one");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f.parquet");
        let plan = plan(&trees);
        let mut writer = Writer::create(&path, Arc::clone(&plan), properties::with_codec(codec)).expect("it is new");
        let (mut wanted, mut dice) = (Vec::new(), Random::from_seed(seed));
        for _ in 0..dice.below(60) {
            let row = group(plan.fields(), &mut writer, &mut dice, (0, 0));
            match dice.below(8) {
                // A row that is given up leaves nothing.
                0 => writer.drop_row(),
                _ => {
                    writer.keep_row();
                    wanted.push(row);
                }
            }
            if dice.below(16) == 0 {
                writer.write_row_group().expect("there is room");
            }
        }
        writer.finish(false).expect("there is room");
        prop_assert_eq!(writer.written(), fs::metadata(&path).expect("it is there").len());
        prop_assert_eq!(read(&path), wanted);
    }
}

fn single() -> Arc<Plan> {
    plan(&[Tree::Column(Repetition::REPEATED, Physical::INT64)])
}

fn add(writer: &mut Writer, number: i128) {
    let (plan, columns) = writer.parts();
    columns[0]
        .push_integer(&plan.columns()[0], number, (0, 1))
        .expect("it fits");
    writer.keep_row();
}

#[test]
fn batches_end_with_a_row_however_long_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let mut writer = Writer::create(&path, single(), properties::defaults()).expect("it is new");
    let mut wanted = Vec::new();
    for len in [1, 10_000, 3, 4_096, 9_000] {
        let (plan, columns) = writer.parts();
        for i in 0..len {
            let levels = (u8::from(i > 0), 1);
            columns[0]
                .push_integer(&plan.columns()[0], i, levels)
                .expect("it fits");
        }
        writer.keep_row();
        let items: Vec<String> = (0..len).map(|i| i.to_string()).collect();
        wanted.push(format!("{{f0:[{}],}}", items.join(",")));
    }
    writer.finish(true).expect("there is room");
    assert_eq!(read(&path), wanted);
}

#[test]
fn a_disk_that_refuses_is_asked_again_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (path, away) = (folder.path().join("f.parquet"), folder.path().join("away"));
    let mut writer = Writer::create(&path, single(), properties::defaults()).expect("it is new");
    add(&mut writer, 1);
    fs::rename(&path, &away).expect("moved");
    assert!(matches!(
        writer.write_row_group(),
        Err(WriteError::System { .. })
    ));
    add(&mut writer, 2);
    assert!(matches!(
        writer.finish(false),
        Err(WriteError::System { .. })
    ));
    fs::rename(&away, &path).expect("moved back");
    writer.finish(false).expect("the file is back");
    assert_eq!(read(&path), ["{f0:[1],}", "{f0:[2],}"]);
}

#[test]
fn memory_goes_with_the_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let mut writer = Writer::create(&path, single(), properties::defaults()).expect("it is new");
    let empty = writer.memory();
    for i in 0..10_000 {
        add(&mut writer, i);
    }
    assert!(writer.memory() >= empty + 10_000 * 8, "{}", writer.memory());
    writer.write_row_group().expect("there is room");
    assert_eq!(writer.buffered(), 0);
    writer.finish(false).expect("there is room");
    assert!(writer.memory() < empty + 100, "{}", writer.memory());
}

#[test]
fn a_writer_that_nobody_finished_leaves_a_whole_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let mut writer = Writer::create(&path, single(), properties::defaults()).expect("it is new");
    add(&mut writer, 7);
    drop(writer);
    assert_eq!(read(&path), ["{f0:[7],}"]);
}
