//! The module `parquet`: schemas, and writers that take tables and messages apart.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::basic::{ConvertedType, Repetition, Type as Physical};
use sandbox::native::{Call, Class, Error, Function, Object, Registry, Type, function};

use crate::pool::{Member, Pool};
use crate::schema::{Builder, ColumnSpec, Logical, MAX_NAME, Plan, ROOT};
use crate::shred::{self, Shredder};
use crate::writer::{WriteError, Writer};
use crate::{derive, properties};

/// The version of the public module whose contract this one keeps.
pub const VERSION: &str = "0.0.13";

/// Bytes of rows that are encoded in one step of the budget: they were paid for when they came in.
const BYTES_PER_STEP: usize = 256;

/// Where the companion of a schema, its groups and its writers keeps the schema; the names of the plan follow from 1.
const SCHEMA_PLACE: i64 = 0;

/// Where that companion keeps the pool.
const POOL_PLACE: i64 = -1;

/// The name under which a plugin's pool is kept.
const POOL: &str = "parquet.pool";

/// Bytes that the writers of a plugin without a memory limit may have in memory.
const BUDGET_DEFAULT: usize = 256 << 20;

/// A plugin's writers may take one part in so many of the memory that is left when the module is loaded.
const BUDGET_SHARE: usize = 2;

const FUNCTIONS: &[(&str, Function)] = &[
    ("schema", function(new_schema)),
    ("writer", function(new_writer)),
    ("version", function(version)),
    ("from_json_schema", function(from_json_schema)),
    ("budget", function(budget)),
];

const SCHEMA_METHODS: &[(&str, Function)] = &[
    ("add_group", function(add_group)),
    ("add_column", function(add_column)),
    ("finalize", function(finalize)),
];

const GROUP_METHODS: &[(&str, Function)] = &[
    ("add_group", function(add_group)),
    ("add_column", function(add_column)),
];

const WRITER_METHODS: &[(&str, Function)] = &[
    ("dissect_record", function(dissect_record)),
    ("dissect_message", function(dissect_message)),
    ("write_rowgroup", function(write_rowgroup)),
    ("close", function(close)),
    ("memory", function(memory)),
    ("size", function(size)),
    ("rowgroups", function(rowgroups)),
];

const REPETITIONS: &[(&str, Repetition)] = &[
    ("required", Repetition::REQUIRED),
    ("optional", Repetition::OPTIONAL),
    ("repeated", Repetition::REPEATED),
];

const PHYSICAL: &[(&str, Physical)] = &[
    ("boolean", Physical::BOOLEAN),
    ("int32", Physical::INT32),
    ("int64", Physical::INT64),
    ("int96", Physical::INT96),
    ("float", Physical::FLOAT),
    ("double", Physical::DOUBLE),
    ("binary", Physical::BYTE_ARRAY),
    ("fixed_len_byte_array", Physical::FIXED_LEN_BYTE_ARRAY),
];

const LOGICAL: &[(&str, Logical)] = &[
    ("none", Logical::Converted(ConvertedType::NONE)),
    ("utf8", Logical::Converted(ConvertedType::UTF8)),
    ("map", Logical::Converted(ConvertedType::MAP)),
    (
        "map_key_value",
        Logical::Converted(ConvertedType::MAP_KEY_VALUE),
    ),
    ("list", Logical::Converted(ConvertedType::LIST)),
    ("enum", Logical::Converted(ConvertedType::ENUM)),
    ("decimal", Logical::Converted(ConvertedType::DECIMAL)),
    ("date", Logical::Converted(ConvertedType::DATE)),
    (
        "time_millis",
        Logical::Converted(ConvertedType::TIME_MILLIS),
    ),
    (
        "time_micros",
        Logical::Converted(ConvertedType::TIME_MICROS),
    ),
    (
        "timestamp_millis",
        Logical::Converted(ConvertedType::TIMESTAMP_MILLIS),
    ),
    (
        "timestamp_micros",
        Logical::Converted(ConvertedType::TIMESTAMP_MICROS),
    ),
    ("uint_8", Logical::Converted(ConvertedType::UINT_8)),
    ("uint_16", Logical::Converted(ConvertedType::UINT_16)),
    ("uint_32", Logical::Converted(ConvertedType::UINT_32)),
    ("uint_64", Logical::Converted(ConvertedType::UINT_64)),
    ("int_8", Logical::Converted(ConvertedType::INT_8)),
    ("int_16", Logical::Converted(ConvertedType::INT_16)),
    ("int_32", Logical::Converted(ConvertedType::INT_32)),
    ("int_64", Logical::Converted(ConvertedType::INT_64)),
    ("json", Logical::Converted(ConvertedType::JSON)),
    ("bson", Logical::Converted(ConvertedType::BSON)),
    ("interval", Logical::Converted(ConvertedType::INTERVAL)),
    ("tuple", Logical::Tuple),
];

/// Offers `parquet` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("parquet", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    let left = call.memory_left();
    let pool = Pool::new(left.map_or(BUDGET_DEFAULT, |left| left / BUDGET_SHARE));
    call.push_object(PoolObject(pool))?;
    call.keep(POOL)?;
    call.push_library(FUNCTIONS)?;
    call.push_light(0)?;
    call.raw_set_field(-2, "null")?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(VERSION)?;
    Ok(1)
}

type Shared = Arc<Mutex<Builder>>;

fn lock(schema: &Shared) -> MutexGuard<'_, Builder> {
    schema.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Schema(Shared);

impl Object for Schema {
    fn class() -> Class {
        Class {
            name: "mozsvc.parquet_schema",
            methods: SCHEMA_METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        lock(&self.0).memory()
    }
}

/// A group of a schema, which counts the memory.
struct Group(Shared, usize);

impl Object for Group {
    fn class() -> Class {
        Class {
            name: "mozsvc.parquet_group",
            methods: GROUP_METHODS,
            metamethods: &[],
        }
    }
}

/// What all writers of the plugin have in memory, counted in one place, since a row for one of them may make others smaller.
struct PoolObject(Pool);

impl Object for PoolObject {
    fn class() -> Class {
        Class {
            name: "foresight.parquet_pool",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

/// A writer, whose memory the pool counts.
struct WriterObject(Member);

impl Object for WriterObject {
    fn class() -> Class {
        Class {
            name: "mozsvc.parquet_writer",
            methods: WRITER_METHODS,
            metamethods: &[],
        }
    }
}

/// Counts what all writers have in memory again; argument `i` is a writer or its schema.
fn recount_pool(call: &mut Call<'_>, i: i32) -> Result<(), Error> {
    call.push_companion(i)?;
    call.raw_get_index(-1, POOL_PLACE)?;
    let pool = call.top();
    let counted = call.recount(pool);
    call.pop(2);
    counted
}

/// The pool of the writer at argument 1.
fn pool(call: &Call<'_>) -> Result<Pool, Error> {
    Ok(call.check_object::<WriterObject>(1)?.0.pool().clone())
}

/// The writer, if it still takes rows.
fn check_open(writer: &Writer) -> Result<(), Error> {
    writer.check().map_err(|error| failed(&error))?;
    match writer.is_finished() {
        true => Err(Error::new("writer closed")),
        false => Ok(()),
    }
}

fn failed(error: &WriteError) -> Error {
    Error::bare(error.to_string())
}

/// Argument `i` as a name that a field may have.
fn check_name<'a>(call: &Call<'a>, i: i32) -> Result<&'a str, Error> {
    let name = call.check_bytes(i)?;
    if name.is_empty() {
        return Err(Error::argument(i, "name cannot be empty"));
    }
    if name.len() > MAX_NAME {
        return Err(Error::argument(
            i,
            format!("name is longer than {MAX_NAME}"),
        ));
    }
    match std::str::from_utf8(name) {
        Ok(name) if !name.contains('\0') => Ok(name),
        _ => Err(Error::argument(i, "name is not valid UTF-8")),
    }
}

/// Argument `i` as one of the words; nothing is `default`, if there is one.
fn check_option<T: Copy>(
    call: &Call<'_>,
    i: i32,
    default: Option<T>,
    words: &[(&str, T)],
) -> Result<T, Error> {
    if let Some(default) = default
        && call.is_none_or_nil(i)
    {
        return Ok(default);
    }
    let word = call.check_bytes(i)?;
    let found = words.iter().find(|(known, _)| known.as_bytes() == word);
    found.map(|&(_, value)| value).ok_or_else(|| {
        let word = String::from_utf8_lossy(word);
        Error::argument(i, format!("invalid option '{word}'"))
    })
}

/// `schema(name[, hive_compatible])`
fn new_schema(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = check_name(call, 1)?;
    let hive = match call.type_of(2) {
        Type::None | Type::Nil => false,
        Type::Boolean => call.is_true(2),
        _ => return Err(call.type_error(2, "boolean, nil or none")),
    };
    let builder = Builder::new(name, hive);
    call.push_object(Schema(Arc::new(Mutex::new(builder))))?;
    call.push_table(0, 2)?;
    call.push_value(-2)?;
    call.raw_set_index(-2, SCHEMA_PLACE)?;
    call.push_kept(POOL)?;
    call.raw_set_index(-2, POOL_PLACE)?;
    call.set_companion(-2);
    Ok(1)
}

/// The schema that argument 1, a schema or group, belongs to and its place in it; it must not be finished.
fn check_group(call: &Call<'_>) -> Result<(Shared, usize), Error> {
    let (shared, place) = if let Some(schema) = call.object_at::<Schema>(1) {
        (Arc::clone(&schema.0), ROOT)
    } else if let Some(group) = call.object_at::<Group>(1) {
        (Arc::clone(&group.0), group.1)
    } else {
        return Err(call.type_error(1, "schema/group"));
    };
    if lock(&shared).plan().is_some() {
        return Err(Error::new("cannot modify a finalized schema"));
    }
    Ok((shared, place))
}

/// Counts the memory of the schema that argument 1 belongs to.
fn recount_schema(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_companion(1)?;
    call.raw_get_index(-1, SCHEMA_PLACE)?;
    let schema = call.top();
    call.recount(schema)?;
    call.pop(2);
    Ok(())
}

/// `group:add_group(name, repetition[, logical_type])`
fn add_group(call: &mut Call<'_>) -> Result<usize, Error> {
    let (shared, place) = check_group(call)?;
    let name = check_name(call, 2)?;
    let repetition = check_option(call, 3, None, REPETITIONS)?;
    let logical = check_option(call, 4, Some(LOGICAL[0].1), LOGICAL)?;
    if logical == Logical::Converted(ConvertedType::MAP_KEY_VALUE) {
        return Err(Error::argument(4, "MAP_KEY_VALUE is deprecated"));
    }
    let added = lock(&shared).add_group(place, name, repetition, logical);
    let added = added.map_err(Error::bare)?;
    recount_schema(call)?;
    call.push_object(Group(shared, added))?;
    call.push_companion(1)?;
    call.set_companion(-2);
    Ok(1)
}

/// `group:add_column(name, repetition, data_type[, logical_type[, flba_len[, precision[, scale]]]])`
fn add_column(call: &mut Call<'_>) -> Result<usize, Error> {
    let (shared, place) = check_group(call)?;
    let name = check_name(call, 2)?;
    let number = |i| -> Result<i32, Error> {
        let number = call.opt_integer(i)?.unwrap_or(-1);
        Ok(number.clamp(-1, i64::from(i32::MAX)) as i32)
    };
    let spec = ColumnSpec {
        repetition: check_option(call, 3, None, REPETITIONS)?,
        physical: check_option(call, 4, None, PHYSICAL)?,
        logical: check_option(call, 5, Some(LOGICAL[0].1), LOGICAL)?,
        length: number(6)?,
        precision: number(7)?,
        scale: number(8)?,
    };
    let added = lock(&shared).add_column(place, name, spec);
    added.map_err(Error::bare)?;
    recount_schema(call)?;
    Ok(0)
}

/// `schema:finalize()`
fn finalize(call: &mut Call<'_>) -> Result<usize, Error> {
    let shared = Arc::clone(&call.check_object::<Schema>(1)?.0);
    let plan = lock(&shared).finish().map_err(Error::bare)?;
    call.charge(u32::try_from(plan.keys().len()).unwrap_or(u32::MAX))?;
    // A new companion, made with room for all names, so that they can be read where they lie.
    call.push_companion(1)?;
    call.push_table(plan.keys().len(), 1)?;
    for place in [SCHEMA_PLACE, POOL_PLACE] {
        call.raw_get_index(-2, place)?;
        call.raw_set_index(-2, place)?;
    }
    for (key, i) in plan.keys().iter().zip(1..) {
        call.push_bytes(key)?;
        call.raw_set_index(-2, i)?;
    }
    call.set_companion(1);
    Ok(0)
}

/// `writer(filename, schema[, properties])`
fn new_writer(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    if name.is_empty() {
        return Err(Error::argument(1, "filenamename cannot be empty"));
    }
    let shared = Arc::clone(&call.check_object::<Schema>(2)?.0);
    let plan: Option<Arc<Plan>> = lock(&shared).plan().cloned();
    let Some(plan) = plan else {
        return Err(Error::argument(2, "the schema has not been finalized"));
    };
    let properties = match call.type_of(3) {
        Type::Table => properties::read(call, 3)?,
        Type::Nil | Type::None => properties::defaults(),
        _ => return Err(Error::argument(3, "properties must be a table")),
    };
    properties::check(&properties, &plan).map_err(Error::bare)?;
    let path = Path::new(OsStr::from_bytes(name));
    call.push_kept(POOL)?;
    let pool = call.with_object::<PoolObject, _>(-1, |pool| pool.0.clone());
    call.pop(1);
    let pool = pool.ok_or("the plugin's pool is in use")?;
    let writer = Writer::create(path, plan, properties).map_err(|error| failed(&error))?;
    call.push_object(WriterObject(pool.join(writer)))?;
    call.push_companion(2)?;
    call.set_companion(-2);
    recount_pool(call, 2)?;
    Ok(1)
}

/// A row that did not go into its columns, which are as before.
struct Refused {
    error: Error,
    /// Bytes that the row needed so far.
    needed: usize,
}

/// Lets `fill` put a row into the columns of the writer at argument 1 and keeps it if it is whole and there is room; whether
/// the plugin's writers have more than their budget then.
fn add_row(
    call: &mut Call<'_>,
    fill: fn(&mut Call<'_>, &mut Writer) -> Result<(), Refused>,
) -> Result<Result<bool, Refused>, Error> {
    // Borrowed for writing, so that what a record's metamethods do with the same writer is an error.
    let object = call.check_object_mut::<WriterObject>(1)?;
    let (filled, has_changed) = object.0.with_change(|writer| {
        check_open(writer)?;
        let filled = fill(call, writer).and_then(|()| {
            let needed = writer.added();
            call.check_memory(needed)
                .map_err(|error| Refused { error, needed })
        });
        match &filled {
            Ok(()) => writer.keep_row(),
            Err(_) => writer.drop_row(),
        }
        Ok::<_, Error>(filled)
    });
    let is_over = object.0.pool().is_over();
    drop(object);
    if has_changed {
        recount_pool(call, 1)?;
    }
    Ok(filled?.map(|()| is_over))
}

/// Adds a row. Where memory is short, rows that are there become row groups, the largest first.
fn dissect(
    call: &mut Call<'_>,
    fill: fn(&mut Call<'_>, &mut Writer) -> Result<(), Refused>,
) -> Result<usize, Error> {
    let mut is_over = loop {
        match add_row(call, fill)? {
            Ok(is_over) => break is_over,
            Err(refused) => make_room(call, refused)?,
        }
    };
    // The row is in: that another writer cannot write now is told when its own turn comes.
    while is_over && matches!(shrink(call)?, Some(Ok(()))) {
        is_over = pool(call)?.is_over();
    }
    Ok(0)
}

/// Makes row groups until there is room for what a row needed.
///
/// # Errors
/// The row's own, when memory was not what it lacked or no writer has rows; the system's.
fn make_room(call: &mut Call<'_>, refused: Refused) -> Result<(), Error> {
    if call.check_memory(refused.needed).is_ok() {
        return Err(refused.error);
    }
    while call.check_memory(refused.needed).is_err() {
        match shrink(call)? {
            None => return Err(refused.error),
            Some(outcome) => outcome.map_err(|error| failed(&error))?,
        }
    }
    Ok(())
}

/// Makes a row group of the rows of the plugin's largest writer; none if no writer has any.
fn shrink(call: &mut Call<'_>) -> Result<Option<Result<(), WriteError>>, Error> {
    let Some(largest) = pool(call)?.largest() else {
        return Ok(None);
    };
    let steps = largest.with(|writer| writer.buffered()) / BYTES_PER_STEP;
    call.charge(u32::try_from(steps).unwrap_or(u32::MAX))?;
    let outcome = largest.with(Writer::write_row_group);
    recount_pool(call, 1)?;
    Ok(Some(outcome))
}

/// `writer:dissect_record(record)`
fn dissect_record(call: &mut Call<'_>) -> Result<usize, Error> {
    drop(call.check_object::<WriterObject>(1)?);
    call.check_table(2)?;
    dissect(call, |call, writer| {
        let top = call.top();
        let (plan, columns) = writer.parts();
        let refused = |error| Refused { error, needed: 0 };
        call.push_companion(1).map_err(refused)?;
        call.push_value(2).map_err(refused)?;
        let mut shredder = Shredder::new(call, plan, columns, top + 1);
        let outcome = shredder.record();
        let needed = 2 * shredder.grown();
        call.truncate(top);
        outcome.map_err(|error| Refused { error, needed })
    })
}

/// `writer:dissect_message()`
fn dissect_message(call: &mut Call<'_>) -> Result<usize, Error> {
    drop(call.check_object::<WriterObject>(1)?);
    let n = call.arg_count();
    if n != 1 {
        return Err(Error::argument(n as i32, "invalid number of arguments"));
    }
    dissect(call, |call, writer| {
        let (plan, columns) = writer.parts();
        let shred = |view: &schemas::View<'_>| {
            let outcome = shred::message(plan, columns, view);
            (outcome, 2 * view.bytes().len())
        };
        let refused = |error, needed| Refused { error, needed };
        let no_message = || refused(Error::new("dissect_message() no active message"), 0);
        let (outcome, needed) = call.with_message(shred).ok_or_else(no_message)?;
        call.charge(
            u32::try_from(needed / BYTES_PER_STEP + plan.columns().len()).unwrap_or(u32::MAX),
        )
        .map_err(|error| refused(error, 0))?;
        outcome.map_err(|words| refused(Error::bare(words), needed))
    })
}

/// Lets `write` encode and write the rows of the writer at argument 1.
fn flush(
    call: &mut Call<'_>,
    write: impl FnOnce(&mut Writer) -> Result<(), WriteError>,
) -> Result<(), Error> {
    let object = call.check_object_mut::<WriterObject>(1)?;
    let steps = object.0.with(|writer| writer.buffered()) / BYTES_PER_STEP;
    call.charge(u32::try_from(steps).unwrap_or(u32::MAX))?;
    let outcome = object.0.with(write);
    drop(object);
    recount_pool(call, 1)?;
    outcome.map_err(|error| failed(&error))
}

/// `writer:write_rowgroup()`
fn write_rowgroup(call: &mut Call<'_>) -> Result<usize, Error> {
    let object = call.check_object::<WriterObject>(1)?;
    object.0.with(|writer| check_open(writer))?;
    drop(object);
    flush(call, Writer::write_row_group)?;
    Ok(0)
}

/// `writer:close([sync])`
fn close(call: &mut Call<'_>) -> Result<usize, Error> {
    let sync = call.is_true(2);
    flush(call, |writer| writer.finish(sync))?;
    Ok(0)
}

/// Pushes what `look` sees at the writer at argument 1.
fn push_figure(
    call: &mut Call<'_>,
    look: impl FnOnce(&mut Writer) -> usize,
) -> Result<usize, Error> {
    let figure = call.check_object::<WriterObject>(1)?.0.with(look);
    call.push_integer(figure as i64)?;
    Ok(1)
}

/// `writer:memory()`: bytes that it has in memory.
fn memory(call: &mut Call<'_>) -> Result<usize, Error> {
    push_figure(call, |writer| writer.memory())
}

/// `writer:size()`: bytes of the file so far.
fn size(call: &mut Call<'_>) -> Result<usize, Error> {
    push_figure(call, |writer| writer.written() as usize)
}

/// `writer:rowgroups()`: how many row groups there are, and how many there may be.
fn rowgroups(call: &mut Call<'_>) -> Result<usize, Error> {
    push_figure(call, |writer| writer.n_groups())?;
    push_figure(call, |writer| writer.groups_max())?;
    Ok(2)
}

/// `budget([bytes])`: sets what the plugin's writers may have in memory together; the budget, and what they have.
fn budget(call: &mut Call<'_>) -> Result<usize, Error> {
    let wanted = call.opt_number(1)?;
    call.push_kept(POOL)?;
    let figures = call.with_object::<PoolObject, _>(-1, |pool| {
        if let Some(wanted) = wanted {
            // What is no number of bytes becomes the nearest that is.
            pool.0.set_budget(wanted as usize);
        }
        (pool.0.budget(), pool.0.memory())
    });
    let (budget, memory) = figures.ok_or("the plugin's pool is in use")?;
    call.push_integer(budget as i64)?;
    call.push_integer(memory as i64)?;
    Ok(2)
}

/// `from_json_schema(text[, name])`: the text of a schema, and the paths of what has no column.
fn from_json_schema(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    let name = match call.is_none_or_nil(2) {
        true => "document",
        false => check_name(call, 2)?,
    };
    call.check_memory(text.len().saturating_mul(derive::MEMORY_PER_BYTE))?;
    call.charge(u32::try_from(text.len()).unwrap_or(u32::MAX))?;
    let derived =
        derive::from_json_schema(text, name).map_err(|error| Error::bare(error.to_string()))?;
    call.push_bytes(derived.text)?;
    call.push_table(derived.left_out.len(), 0)?;
    for (path, i) in derived.left_out.iter().zip(1..) {
        call.push_bytes(path)?;
        call.raw_set_index(-2, i)?;
    }
    Ok(2)
}
