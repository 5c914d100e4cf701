//! Files of random schemas and rows, old and new, whole and damaged, made one.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use stdx::seed::Random;

use super::*;
use crate::column::Column;
use crate::schema::{Builder, ColumnSpec, Kind, Logical, Node, Plan, ROOT};
use crate::writer::Writer as FileWriter;

/// A field of a random schema, some of which only newer files have.
#[derive(Clone, Debug)]
struct Tree {
    repetition: Repetition,
    is_new: bool,
    kind: TreeKind,
}

#[derive(Clone, Debug)]
enum TreeKind {
    Column(Physical),
    Group(Vec<Tree>),
}

fn trees() -> impl Strategy<Value = Vec<Tree>> {
    let repetition = prop_oneof![
        Just(Repetition::REQUIRED),
        Just(Repetition::OPTIONAL),
        Just(Repetition::REPEATED)
    ];
    let physical = prop_oneof![
        Just(Physical::BOOLEAN),
        Just(Physical::INT64),
        Just(Physical::DOUBLE),
        Just(Physical::BYTE_ARRAY)
    ];
    let tree = |(repetition, is_new, kind)| Tree {
        repetition,
        is_new,
        kind,
    };
    let repeated = repetition.clone();
    let column = (
        repetition,
        any::<bool>(),
        physical.prop_map(TreeKind::Column),
    );
    let nested = column
        .prop_map(tree)
        .prop_recursive(4, 24, 4, move |inner| {
            let fields = prop::collection::vec(inner, 1..4).prop_map(TreeKind::Group);
            (repeated.clone(), any::<bool>(), fields).prop_map(tree)
        });
    prop::collection::vec(nested, 1..5)
}

/// The schema of a new file, or of an old one. Only what is optional is new, and no group has new fields alone.
fn build(builder: &mut Builder, parent: usize, trees: &[Tree], is_old: bool) {
    let logical = Logical::Converted(ConvertedType::NONE);
    for (tree, i) in trees.iter().zip(0..) {
        let is_new = tree.is_new && tree.repetition == Repetition::OPTIONAL && i > 0;
        if is_old && is_new {
            continue;
        }
        let name = format!("f{i}");
        match &tree.kind {
            TreeKind::Column(physical) => {
                let spec = ColumnSpec {
                    repetition: tree.repetition,
                    physical: *physical,
                    logical,
                    length: -1,
                    precision: -1,
                    scale: -1,
                };
                builder.add_column(parent, &name, spec).expect("it fits");
            }
            TreeKind::Group(fields) => {
                let group = builder.add_group(parent, &name, tree.repetition, logical);
                build(builder, group.expect("it fits"), fields, is_old);
            }
        }
    }
}

fn plan(trees: &[Tree], is_old: bool) -> Arc<Plan> {
    let mut builder = Builder::new("t", false);
    build(&mut builder, ROOT, trees, is_old);
    builder.finish().expect("no group is empty")
}

/// A random value of a field, put into the columns of `plan`.
fn put(node: &Node, plan: &Plan, columns: &mut [Column], dice: &mut Random, (r, d): (u8, u8)) {
    let n = match node.repetition {
        Repetition::REQUIRED => 1,
        Repetition::OPTIONAL => dice.below(2),
        Repetition::REPEATED => dice.below(4),
    };
    if n == 0 {
        return absent(node, plan, columns, (r, d));
    }
    let mut at = r;
    for _ in 0..n {
        match &node.kind {
            Kind::Group(_, fields) => {
                for field in fields {
                    put(field, plan, columns, dice, (at, node.dl));
                }
            }
            Kind::Column(column) => value(*column, plan, columns, dice, (at, node.dl)),
        }
        at = node.rl;
    }
}

fn value(column: usize, plan: &Plan, columns: &mut [Column], dice: &mut Random, levels: (u8, u8)) {
    let (plan, column) = (&plan.columns()[column], &mut columns[column]);
    let number = dice.below(50);
    let pushed = match plan.physical {
        Physical::BOOLEAN => column.push_bool(plan, number > 25, levels),
        Physical::INT64 => column.push_integer(plan, number.into(), levels),
        Physical::DOUBLE => column.push_double(plan, number as f64 / 4.0, levels),
        _ => column.push_bytes(plan, "x".repeat(number as usize).as_bytes(), levels),
    };
    pushed.expect("it fits");
}

fn absent(node: &Node, plan: &Plan, columns: &mut [Column], levels: (u8, u8)) {
    match &node.kind {
        Kind::Group(_, fields) => fields
            .iter()
            .for_each(|field| absent(field, plan, columns, levels)),
        Kind::Column(i) => {
            let pushed = columns[*i].push_null(&plan.columns()[*i], levels);
            pushed.expect("it is optional");
        }
    }
}

/// A file of random rows.
fn write(path: &Path, plan: &Arc<Plan>, dice: &mut Random) {
    let codec = ["uncompressed", "snappy", "zstd"][dice.below(3) as usize];
    let codec = properties::codec(codec, properties::ZSTD_LEVEL).expect("it is one");
    let properties = properties::with_codec(codec);
    let mut writer = FileWriter::create(path, Arc::clone(plan), properties).expect("it is new");
    for _ in 0..dice.below(40) {
        let (plan, columns) = writer.parts();
        for field in plan.fields() {
            put(field, plan, columns, dice, (0, 0));
        }
        writer.keep_row();
        if dice.below(8) == 0 {
            writer.write_row_group().expect("there is room");
        }
    }
    writer.finish(false).expect("there is room");
}

/// The rows as the crate's own reader shows them, without what is null, so that old and new rows are alike.
fn rows(path: &Path) -> Vec<String> {
    let reader = SerializedFileReader::new(File::open(path).expect("it is there"));
    let reader = reader.expect("it is whole");
    let rows = reader.get_row_iter(None).expect("all columns");
    rows.map(|row| {
        let text = format!("{:?}", row.expect("it is whole"));
        without_nulls(&text)
    })
    .collect()
}

fn without_nulls(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(at) = text.find(", Null)") {
        let start = text[..at].rfind('(').expect("a pair begins");
        text.replace_range(start..at + ", Null)".len(), "");
    }
    text.replace(", ", "")
        .replace("Group(Row{fields:[]})", "{}")
}

/// All files in one, as they are before they become one.
fn sections(paths: &[impl AsRef<Path>], folder: &Path) -> Vec<Section> {
    let mut all = File::options();
    let all = all.read(true).write(true).create(true).truncate(true);
    let mut all = all.open(folder.join("all")).expect("it is new");
    let mut places = Vec::new();
    for path in paths {
        let bytes = std::fs::read(path).expect("it is there");
        let start = all.seek(SeekFrom::End(0)).expect("it ends");
        all.write_all(&bytes).expect("there is room");
        places.push((start, bytes.len() as u64));
    }
    let all = Arc::new(all);
    let section = |(start, len)| Section::new(Arc::clone(&all), start, len);
    places.into_iter().map(section).collect()
}

fn outline(path: &Path) -> Outline {
    let bytes = std::fs::read(path).expect("it is there");
    let size = bytes.len() as u64;
    Outline::from_tail(bytes, size).expect("it is whole")
}

fn joined(paths: &[impl AsRef<Path>]) -> Form {
    let mut forms = paths.iter().map(|path| outline(path.as_ref()).form);
    let first = forms.next().expect("there is a file");
    forms.fold(first, |all, form| all.join(&form).expect("they fit"))
}

fn merged(
    paths: &[impl AsRef<Path>],
    folder: &Path,
    memory: usize,
) -> Result<(Merged, ParquetMetaData), MergeError> {
    let form = joined(paths);
    let target = Target {
        form: &form,
        compression: "zstd",
        memory,
    };
    let path = folder.join("merged.parquet");
    let out = File::create(&path).expect("it is new");
    let merged = merge(&sections(paths, folder), target, &out)?;
    let reader = SerializedFileReader::new(File::open(&path).expect("it is there"));
    let metadata = reader.expect("it is whole").metadata().clone();
    Ok((merged, metadata))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn all_rows_of_old_and_new_files_are_there_in_their_order(trees in trees(), seed in any::<u64>(), is_tight in any::<bool>()) {
        let folder = tempfile::tempdir().expect("a folder");
        let (old, new) = (plan(&trees, true), plan(&trees, false));
        let mut dice = Random::from_seed(seed);
        let paths: Vec<_> = (0..1 + dice.below(5)).map(|n| folder.path().join(n.to_string())).collect();
        let mut wanted = Vec::new();
        for path in &paths {
            write(path, [&old, &new][dice.below(2) as usize], &mut dice);
            wanted.extend(rows(path));
        }
        let memory = if is_tight { 2000 } else { 64 << 20 };
        let (merged, metadata) = merged(&paths, folder.path(), memory).expect("they fit");
        prop_assert_eq!(merged.n_rows as usize, wanted.len());
        prop_assert_eq!(metadata.num_row_groups(), merged.n_groups);
        if !is_tight {
            prop_assert!(merged.n_groups <= 1);
        }
        prop_assert_eq!(rows(&folder.path().join("merged.parquet")), wanted);
    }
}

/// A file of one column, whose rows are numbers as text.
fn numbers(path: &Path, schema: &str, about: &[(&str, &str)], range: Range<usize>) {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let about = about
        .iter()
        .map(|(key, value)| KeyValue::new((*key).into(), (*value).to_string()));
    let properties = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(about.collect()));
    let file = File::create(path).expect("it is new");
    let writer = SerializedFileWriter::new(file, schema, properties.build().into());
    let mut writer = writer.expect("begun");
    let mut group = writer.next_row_group().expect("begun");
    while let Some(mut column) = group.next_column().expect("begun") {
        let values = range.clone().map(|n| ByteArray::from(&*format!("{n:060}")));
        let values: Vec<ByteArray> = values.collect();
        let defs = vec![1; values.len()];
        let ColumnWriter::ByteArrayColumnWriter(out) = column.untyped() else {
            panic!("only text is written here");
        };
        out.write_batch(&values, Some(&defs), None)
            .expect("written");
        column.close().expect("written");
    }
    group.close().expect("written");
    writer.close().expect("written");
}

const ONE: &str = "message a { optional binary x (UTF8); }";
const TWO: &str = "message a { optional binary x (UTF8); optional binary y (UTF8); }";
const OTHER: &str = "message a { optional binary x (UTF8); optional binary z (UTF8); }";
const BYTES: &str = "message a { optional binary x; }";

#[test]
fn small_row_groups_become_large_ones_within_the_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<_> = (0..40).map(|n| folder.path().join(n.to_string())).collect();
    for (n, path) in paths.iter().enumerate() {
        numbers(path, ONE, &[("made", "by hand")], n * 1000..(n + 1) * 1000);
    }
    let (all, metadata) = merged(&paths, folder.path(), 64 << 20).expect("they fit");
    assert_eq!((all.n_rows, all.n_groups), (40_000, 1));
    let about = metadata.file_metadata().key_value_metadata();
    assert_eq!(about.map(|about| about[0].key.as_str()), Some("made"));
    let column = metadata.row_group(0).column(0);
    assert_eq!(column.compression().to_string(), "ZSTD(ZstdLevel(1))");
    let low = column.statistics().and_then(|found| found.min_bytes_opt());
    assert_eq!(low, Some(format!("{:060}", 0).as_bytes()));
    // A tenth of what all take together.
    let bytes: u64 = paths
        .iter()
        .map(|path| path.metadata().expect("there").len())
        .sum();
    let (all, _) = merged(&paths, folder.path(), bytes as usize / 5).expect("they fit");
    assert!((5..=25).contains(&all.n_groups), "{all:?}");
}

#[test]
fn files_that_do_not_fit_say_why() {
    let folder = tempfile::tempdir().expect("a folder");
    let form = |schema: &str, about: &[(&str, &str)]| {
        let path = folder.path().join("f");
        numbers(&path, schema, about, 0..3);
        outline(&path).form
    };
    let (one, two) = (form(ONE, &[]), form(TWO, &[]));
    assert_eq!(one.join(&two), Ok(two.clone()));
    assert_eq!(two.join(&one), Ok(two.clone()));
    let reason = two.join(&form(OTHER, &[])).expect_err("they differ");
    assert_eq!(reason, Misfit::Missing("z".into()));
    let reason = one.join(&form(BYTES, &[])).expect_err("they differ");
    assert_eq!(reason.to_string(), "column 'x' is not the same in both");
    let about = one.join(&form(ONE, &[("a", "b")]));
    assert_eq!(about, Err(Misfit::About));
}

#[test]
fn a_required_column_cannot_be_missing() {
    let folder = tempfile::tempdir().expect("a folder");
    let form = |text: &str| {
        let path = folder.path().join("f");
        let schema = Arc::new(parse_message_type(text).expect("a schema"));
        let file = File::create(&path).expect("it is new");
        let properties = properties::defaults();
        let writer = SerializedFileWriter::new(file, schema, properties).expect("begun");
        writer.close().expect("written");
        outline(&path).form
    };
    let narrow = form("message a { required group g { required int64 x; } }");
    let wide = form("message a { required group g { required int64 x; required int64 y; } }");
    let reason = narrow.join(&wide).expect_err("y cannot be nothing");
    // Neither has all that the other has; the first look is from the narrow one.
    assert_eq!(reason, Misfit::Missing("g.y".into()));
    let reason = wide.join(&narrow).expect_err("y cannot be nothing");
    assert_eq!(reason, Misfit::NotOptional("g.y".into()));
}

#[test]
fn a_damaged_file_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths: Vec<_> = (0..3).map(|n| folder.path().join(n.to_string())).collect();
    for path in &paths {
        numbers(path, ONE, &[], 0..1000);
    }
    let form = joined(&paths);
    let good = std::fs::read(&paths[1]).expect("it is there");
    let mut n_found = 0;
    for at in (4..good.len()).step_by(41) {
        let mut bad = good.clone();
        bad[at] ^= 0x55;
        std::fs::write(&paths[1], &bad).expect("written");
        let target = Target {
            form: &form,
            compression: "snappy",
            memory: 1 << 20,
        };
        let out = tempfile::tempfile().expect("it is new");
        match merge(&sections(&paths, folder.path()), target, &out) {
            Ok(_) => {}
            Err(MergeError::Input { place, .. }) => {
                assert_eq!(place, 1, "byte {at}");
                n_found += 1;
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(n_found > 5, "{n_found} were found");
    for cut in [0, 3, 11, good.len() - 1] {
        let size = cut as u64;
        let outline = Outline::from_tail(good[..cut].to_vec(), size);
        assert!(matches!(outline, Err(TailError::Damaged(_))), "{outline:?}");
    }
    let tail = good[good.len() - 10..].to_vec();
    let Err(TailError::More(n)) = Outline::from_tail(tail, good.len() as u64) else {
        panic!("more is needed");
    };
    let tail = good[good.len() - n..].to_vec();
    let outline = Outline::from_tail(tail, good.len() as u64).expect("it is enough");
    assert_eq!(outline.n_rows, 1000);
}
