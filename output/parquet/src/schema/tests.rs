//! Names for Hive, and the levels of nested fields.

use super::*;

fn column(repetition: Repetition, physical: Physical) -> ColumnSpec {
    ColumnSpec {
        repetition,
        physical,
        logical: Logical::Converted(ConvertedType::NONE),
        length: -1,
        precision: -1,
        scale: -1,
    }
}

#[test]
fn hive_names_are_small_letters_digits_and_underscores() {
    for (name, written) in [
        ("DocId", "doc_id"),
        ("clientID", "client_id"),
        ("a1B", "a1_b"),
        ("FooBar?", "foo_bar_"),
        ("Ünit", "__nit"),
        ("x.Y", "x_y"),
        ("", ""),
    ] {
        assert_eq!(hive_name(name), written, "{name}");
    }
}

#[test]
fn levels_are_those_of_the_dremel_paper() {
    let mut builder = Builder::new("Document", false);
    let names = builder
        .add_group(
            ROOT,
            "Name",
            Repetition::REPEATED,
            Logical::Converted(ConvertedType::NONE),
        )
        .expect("it fits");
    let language = builder
        .add_group(
            names,
            "Language",
            Repetition::REPEATED,
            Logical::Converted(ConvertedType::NONE),
        )
        .expect("it fits");
    let code = column(Repetition::REQUIRED, Physical::BYTE_ARRAY);
    builder.add_column(language, "Code", code).expect("it fits");
    let country = column(Repetition::OPTIONAL, Physical::BYTE_ARRAY);
    builder
        .add_column(language, "Country", country)
        .expect("it fits");
    let plan = builder.finish().expect("it is whole");
    let levels: Vec<(u8, u8)> = plan.columns().iter().map(|c| (c.rl, c.dl)).collect();
    assert_eq!(levels, [(2, 2), (2, 3)]);
    assert_eq!(plan.keys(), ["Name", "Language", "Code", "Country"]);
}

#[test]
fn numbers_have_the_range_of_their_meaning() {
    for (converted, physical, min, max) in [
        (
            ConvertedType::NONE,
            Physical::INT32,
            -(1 << 31),
            (1 << 31) - 1,
        ),
        (ConvertedType::INT_8, Physical::INT32, -128, 127),
        (ConvertedType::UINT_32, Physical::INT32, 0, (1 << 32) - 1),
        (ConvertedType::UINT_64, Physical::INT64, 0, (1 << 64) - 1),
        (
            ConvertedType::TIMESTAMP_MILLIS,
            Physical::INT64,
            -(1 << 63),
            (1 << 63) - 1,
        ),
    ] {
        assert_eq!(
            range(physical, converted),
            Range { min, max },
            "{converted}"
        );
    }
}
