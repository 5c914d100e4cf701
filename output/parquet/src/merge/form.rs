//! What the rows of a file look like, and whether files with different rows can become one.

use std::collections::{HashMap, HashSet};
use std::fmt;

use bytes::Bytes;
use parquet::basic::Repetition;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, KeyValue, ParquetMetaDataReader};
use parquet::schema::types::{Type, TypePtr};

use crate::schema::{MAX_DEPTH, MAX_NODES};

/// The schema of a file, and what else its footer says of all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    pub(super) root: TypePtr,
    /// Keys with their values, sorted.
    about: Vec<(String, Option<String>)>,
}

impl Form {
    pub(super) fn of(metadata: &FileMetaData) -> Result<Form, String> {
        let root = metadata.schema_descr().root_schema_ptr();
        check(&root)?;
        let about = metadata.key_value_metadata().into_iter().flatten();
        let mut about: Vec<_> = about
            .map(|entry| (entry.key.clone(), entry.value.clone()))
            .collect();
        about.sort();
        Ok(Form { root, about })
    }

    /// The form that holds the rows of both: one of the two, which has all columns of the other, and beyond these only
    /// optional ones.
    ///
    /// # Errors
    /// Why there is none, naming the column.
    pub fn join(&self, other: &Form) -> Result<Form, Misfit> {
        if self.about != other.about {
            return Err(Misfit::About);
        }
        match covers(&self.root, &other.root) {
            Ok(()) => Ok(self.clone()),
            Err(reason) => match covers(&other.root, &self.root) {
                Ok(()) => Ok(other.clone()),
                Err(_) => Err(reason),
            },
        }
    }

    pub(super) fn key_values(&self) -> Option<Vec<KeyValue>> {
        let pairs = self.about.iter();
        let all: Vec<KeyValue> = pairs
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()))
            .collect();
        (!all.is_empty()).then_some(all)
    }
}

/// Why two files cannot become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Their footers say different things beside the schema.
    About,
    /// A column or group is not the same in both.
    Differs(String),
    /// A column or group that is not optional is in one of them only.
    NotOptional(String),
    /// Each has columns that the other has not; this is one of them.
    Missing(String),
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Misfit::About => write!(f, "their key-value metadata differ"),
            Misfit::Differs(path) => write!(f, "column '{path}' is not the same in both"),
            Misfit::NotOptional(path) => {
                write!(f, "column '{path}' is in one only, and not optional")
            }
            Misfit::Missing(path) => {
                write!(
                    f,
                    "each has columns that the other has not, '{path}' is one"
                )
            }
        }
    }
}

/// Refuses schemas that are too large or too deep to walk, and groups that are empty or have a name twice.
fn check(root: &TypePtr) -> Result<(), String> {
    let mut left = vec![(root, 0)];
    let mut n_nodes = 0;
    while let Some((node, depth)) = left.pop() {
        n_nodes += 1;
        if n_nodes > MAX_NODES || depth > MAX_DEPTH {
            return Err(format!(
                "its schema has more than {MAX_NODES} fields, or is deeper than {MAX_DEPTH}"
            ));
        }
        if !node.is_group() {
            continue;
        }
        let fields = node.get_fields();
        let names: HashSet<&str> = fields.iter().map(|field| field.name()).collect();
        if fields.is_empty() || names.len() < fields.len() {
            let name = node.name();
            return Err(format!("group '{name}' is empty or has a name twice"));
        }
        left.extend(fields.iter().map(|field| (field, depth + 1)));
    }
    Ok(())
}

/// Whether all rows of `narrow` are rows of `wide`. Both were checked, so the recursion ends at [`MAX_DEPTH`].
fn covers(wide: &Type, narrow: &Type) -> Result<(), Misfit> {
    let fields: HashMap<&str, &TypePtr> = narrow
        .get_fields()
        .iter()
        .map(|field| (field.name(), field))
        .collect();
    let mut n_common = 0;
    for field in wide.get_fields() {
        let Some(other) = fields.get(field.name()) else {
            match field.get_basic_info().repetition() {
                Repetition::OPTIONAL => continue,
                _ => return Err(Misfit::NotOptional(field.name().to_owned())),
            }
        };
        n_common += 1;
        match field.is_group() && other.is_group() {
            true if field.get_basic_info() == other.get_basic_info() => {
                covers(field, other).map_err(|misfit| misfit.inside(field.name()))?;
            }
            false if field == *other => {}
            _ => return Err(Misfit::Differs(field.name().to_owned())),
        }
    }
    if n_common == fields.len() {
        return Ok(());
    }
    let known: HashSet<&str> = wide.get_fields().iter().map(|field| field.name()).collect();
    let missing = narrow.get_fields().iter().map(|field| field.name());
    let missing = missing.filter(|name| !known.contains(name)).min();
    Err(Misfit::Missing(missing.unwrap_or_default().to_owned()))
}

impl Misfit {
    fn inside(self, group: &str) -> Misfit {
        let below = |path: String| format!("{group}.{path}");
        match self {
            Misfit::About => Misfit::About,
            Misfit::Differs(path) => Misfit::Differs(below(path)),
            Misfit::NotOptional(path) => Misfit::NotOptional(below(path)),
            Misfit::Missing(path) => Misfit::Missing(below(path)),
        }
    }
}

/// What a file's end says of it.
#[derive(Clone, Debug)]
pub struct Outline {
    /// What its rows look like.
    pub form: Form,
    /// How many there are.
    pub n_rows: u64,
}

/// Why the end of a file says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailError {
    /// So many of the last bytes are needed.
    More(usize),
    /// It is not the end of a Parquet file that can be read.
    Damaged(String),
}

impl Outline {
    /// What `tail`, the last bytes of a file of `size` bytes, says.
    ///
    /// # Errors
    /// See [`TailError`].
    pub fn from_tail(tail: Vec<u8>, size: u64) -> Result<Outline, TailError> {
        let tail = Bytes::from(tail);
        let read = super::calmly(|| {
            let mut reader = ParquetMetaDataReader::new();
            match reader.try_parse_sized(&tail, size) {
                Ok(()) => {}
                Err(ParquetError::NeedMoreData(n)) => return Err(TailError::More(n)),
                Err(error) => return Err(TailError::Damaged(crate::words(&error))),
            }
            let metadata = reader.finish();
            let metadata = metadata.map_err(|error| TailError::Damaged(crate::words(&error)))?;
            let metadata = metadata.file_metadata();
            let form = Form::of(metadata).map_err(TailError::Damaged)?;
            let n_rows = u64::try_from(metadata.num_rows())
                .map_err(|_| TailError::Damaged("its number of rows is negative".into()))?;
            Ok(Outline { form, n_rows })
        });
        read.unwrap_or_else(|reason| Err(TailError::Damaged(reason)))
    }
}
