//! Many small files become one: the same rows in the same order, in large row groups.
//!
//! A row group of the new file is made of row groups of the old ones, column by column, so what is in memory is one column's
//! pages and not the rows. Where an old file has not an optional column that others have, its rows get nothing in it.

mod copy;
mod form;
mod section;

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnDescriptor, Type};
use thiserror::Error;

use crate::properties;
use copy::{Extent, Fault};

pub use form::{Form, Misfit, Outline, TailError};
pub use section::Section;

/// Memory that one column of one row group of an old file takes while it is read, in bytes, about.
const CHUNK_MEMORY: usize = 1000;

/// A row group, before compression, may take one part in so many of the memory; and what is known of the old row groups that
/// it is made of one part in twice as many.
const MEMORY_SHARE: usize = 2;

/// What the new file is like.
#[derive(Clone, Copy, Debug)]
pub struct Target<'t> {
    /// The form that all old ones fit in.
    pub form: &'t Form,
    /// How it is compressed; see [`check_compression`].
    pub compression: &'t str,
    /// Bytes of memory to work with, about; what a single row takes comes on top.
    pub memory: usize,
}

/// What has become of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Merged {
    /// Rows of the new file.
    pub n_rows: u64,
    /// Its row groups.
    pub n_groups: usize,
}

/// Why there is no new file.
#[derive(Debug, Error)]
pub enum MergeError {
    /// An old file cannot be read, or not as its footer says.
    #[error("file {place}: {reason}")]
    Input {
        /// Its place among the old ones.
        place: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The new one cannot be written.
    #[error("{0}")]
    System(io::Error),
    /// The compression has a name that nobody knows.
    #[error("{0}")]
    Compression(String),
}

/// Whether files can be compressed so: `uncompressed`, `snappy`, `gzip`, `brotli`, `lz4` or `zstd`.
///
/// # Errors
/// When there is no such compression.
pub fn check_compression(name: &str) -> Result<(), String> {
    properties::codec(name, properties::ZSTD_LEVEL).map(drop)
}

/// Runs a decoder on bytes from outside. One that panics has an error.
fn calmly<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "the decoder gave up on it".into())
}

/// The form that all `inputs` fit in, which is that of one of them.
///
/// # Errors
/// The place of the first that cannot be read or does not fit with those before it, and why.
pub fn common_form(inputs: &[Section]) -> Result<Form, (usize, String)> {
    let mut common: Option<Form> = None;
    for (place, input) in inputs.iter().enumerate() {
        let read = calmly(|| {
            let reader = SerializedFileReader::new(input.clone());
            let reader = reader.map_err(|error| crate::words(&error))?;
            Form::of(reader.metadata().file_metadata())
        });
        let form = read
            .and_then(|form| form)
            .map_err(|reason| (place, reason))?;
        let joined = match &common {
            Some(common) => common.join(&form),
            None => Ok(form),
        };
        common = Some(joined.map_err(|misfit| (place, misfit.to_string()))?);
    }
    common.ok_or((0, "there are no files".into()))
}

/// Writes the rows of all `inputs`, one after the other, into `out`.
///
/// # Errors
/// See [`MergeError`]; `out` is of no use then.
pub fn merge(inputs: &[Section], target: Target<'_>, out: &File) -> Result<Merged, MergeError> {
    let place = Cell::new(0);
    let work = || {
        let merging = Merging {
            inputs,
            target,
            place: &place,
        };
        merging.run(out)
    };
    calmly(work).unwrap_or_else(|reason| {
        Err(MergeError::Input {
            place: place.get(),
            reason,
        })
    })
}

/// A row group of an old file.
#[derive(Clone, Copy)]
struct Unit {
    input: usize,
    group: usize,
    rows: u64,
    /// Before compression.
    bytes: u64,
    n_columns: usize,
}

/// An old file while its row groups are read.
struct Opened {
    reader: SerializedFileReader<Section>,
    /// Where what is; nothing when it has the new file's columns.
    places: Option<Places>,
}

/// Where each column and group of a file is, by its path.
type Places = HashMap<Vec<String>, Place>;

#[derive(Clone, Copy)]
struct Place {
    /// The column, or the first one in the group.
    column: usize,
    /// The levels of a group; none of a column.
    group: Option<(i16, i16)>,
}

struct Merging<'m> {
    inputs: &'m [Section],
    target: Target<'m>,
    /// Which old file is being read.
    place: &'m Cell<usize>,
}

type Writer<'w> = SerializedFileWriter<&'w File>;

impl Merging<'_> {
    fn run(&self, out: &File) -> Result<Merged, MergeError> {
        let codec = properties::codec(self.target.compression, properties::ZSTD_LEVEL)
            .map_err(MergeError::Compression)?;
        let form = self.target.form;
        let properties = properties::for_merged(codec, form.key_values());
        let units = self.survey()?;
        let writer = SerializedFileWriter::new(out, form.root.clone(), properties);
        let mut writer = writer.map_err(|error| self.unwritten(error))?;
        let groups = divide(&units, self.target.memory);
        for group in &groups {
            self.row_group(&units[group.clone()], &mut writer)?;
        }
        let written = writer.close().map_err(|error| self.unwritten(error))?;
        let n_rows = written.file_metadata().num_rows();
        let expected: u64 = units.iter().map(|unit| unit.rows).sum();
        assert_eq!(u64::try_from(n_rows), Ok(expected), "rows of a new file");
        Ok(Merged {
            n_rows: expected,
            n_groups: groups.len(),
        })
    }

    /// All row groups that are not empty.
    fn survey(&self) -> Result<Vec<Unit>, MergeError> {
        let mut units = Vec::new();
        for input in 0..self.inputs.len() {
            let reader = self.reader(input)?;
            let metadata = reader.metadata();
            let form = Form::of(metadata.file_metadata()).map_err(|reason| self.unread(reason))?;
            let joined = self.target.form.join(&form);
            if joined.as_ref() != Ok(self.target.form) {
                return Err(self.unread("it does not fit with the others".into()));
            }
            for (group, about) in metadata.row_groups().iter().enumerate() {
                let unit = unit(input, group, about).map_err(|reason| self.unread(reason))?;
                units.extend(Some(unit).filter(|unit| unit.rows > 0));
            }
        }
        Ok(units)
    }

    fn reader(&self, input: usize) -> Result<SerializedFileReader<Section>, MergeError> {
        self.place.set(input);
        SerializedFileReader::new(self.inputs[input].clone())
            .map_err(|error| self.unread(crate::words(&error)))
    }

    fn open(&self, input: usize) -> Result<Opened, MergeError> {
        let reader = self.reader(input)?;
        let root = reader
            .metadata()
            .file_metadata()
            .schema_descr()
            .root_schema();
        let is_same = root.get_fields() == self.target.form.root.get_fields();
        let places = (!is_same).then(|| {
            let mut places = Places::new();
            let mut column = 0;
            note(root, &mut Vec::new(), (0, 0), &mut column, &mut places);
            places
        });
        Ok(Opened { reader, places })
    }

    fn row_group(&self, units: &[Unit], writer: &mut Writer<'_>) -> Result<(), MergeError> {
        let mut opened: Vec<(usize, Opened)> = Vec::new();
        for unit in units {
            if opened.last().is_none_or(|(input, _)| *input != unit.input) {
                opened.push((unit.input, self.open(unit.input)?));
            }
        }
        let descriptor = writer.schema_descr().columns().to_vec();
        let group = writer.next_row_group();
        let mut group = group.map_err(|error| self.unwritten(error))?;
        for (number, about) in descriptor.iter().enumerate() {
            let column = group.next_column().map_err(|error| self.unwritten(error))?;
            let mut column = column.expect("the file has the columns of its schema");
            let mut files = opened.iter();
            let mut file = files.next();
            for unit in units {
                while file.is_some_and(|(input, _)| *input != unit.input) {
                    file = files.next();
                }
                let (_, file) = file.expect("the files of all units are open");
                self.place.set(unit.input);
                let copied = file.copy(*unit, (number, about), &mut column);
                copied.map_err(|fault| self.told(fault, about))?;
            }
            column.close().map_err(|error| self.unwritten(error))?;
        }
        let closed = group.close().map(drop);
        closed.map_err(|error| self.unwritten(error))
    }

    fn told(&self, fault: Fault, about: &ColumnDescriptor) -> MergeError {
        match fault {
            Fault::Reading(reason) => {
                self.unread(format!("column '{}': {reason}", about.path().string()))
            }
            Fault::Writing(error) => self.unwritten(error),
        }
    }

    fn unread(&self, reason: String) -> MergeError {
        MergeError::Input {
            place: self.place.get(),
            reason,
        }
    }

    /// What the encoder says: the system refused, or what the decoder gave makes no sense.
    fn unwritten(&self, error: ParquetError) -> MergeError {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => MergeError::System(*source),
                Err(other) => self.unread(other.to_string()),
            },
            other => self.unread(crate::words(&other)),
        }
    }
}

fn unit(input: usize, group: usize, about: &RowGroupMetaData) -> Result<Unit, String> {
    let number = |n: i64| u64::try_from(n).map_err(|_| "a size in its footer is negative");
    Ok(Unit {
        input,
        group,
        rows: number(about.num_rows())?,
        bytes: number(about.total_byte_size())?,
        n_columns: about.num_columns(),
    })
}

/// Which of the old row groups become a new one together: as many as the memory allows, and at least one.
fn divide(units: &[Unit], memory: usize) -> Vec<Range<usize>> {
    let bytes_max = (memory / MEMORY_SHARE) as u64;
    let chunks_max = memory / (2 * MEMORY_SHARE) / CHUNK_MEMORY;
    let mut groups: Vec<Range<usize>> = Vec::new();
    let (mut bytes, mut chunks) = (0_u64, 0);
    for (i, unit) in units.iter().enumerate() {
        bytes = bytes.saturating_add(unit.bytes);
        chunks += unit.n_columns;
        match groups.last_mut() {
            Some(last) if bytes <= bytes_max && chunks <= chunks_max => last.end = i + 1,
            _ => {
                groups.push(i..i + 1);
                (bytes, chunks) = (unit.bytes, unit.n_columns);
            }
        }
    }
    groups
}

/// Notes the places of everything in a group; recursion ends at [`crate::schema::MAX_DEPTH`].
fn note(
    group: &Type,
    path: &mut Vec<String>,
    (rl, dl): (i16, i16),
    column: &mut usize,
    places: &mut Places,
) {
    use parquet::basic::Repetition;
    for field in group.get_fields() {
        let (rl, dl) = match field.get_basic_info().repetition() {
            Repetition::REQUIRED => (rl, dl),
            Repetition::OPTIONAL => (rl, dl + 1),
            Repetition::REPEATED => (rl + 1, dl + 1),
        };
        path.push(field.name().to_owned());
        let place = Place {
            column: *column,
            group: field.is_group().then_some((rl, dl)),
        };
        places.insert(path.clone(), place);
        match field.is_group() {
            true => note(field, path, (rl, dl), column, places),
            false => *column += 1,
        }
        path.pop();
    }
}

impl Opened {
    /// Copies one column of a row group, or writes that the file has none.
    fn copy(
        &self,
        unit: Unit,
        (number, about): (usize, &ColumnDescriptor),
        out: &mut SerializedColumnWriter<'_>,
    ) -> Result<(), Fault> {
        let place = match &self.places {
            None => Some(Place {
                column: number,
                group: None,
            }),
            Some(places) => {
                let path = about.path().parts();
                let mut known = (1..=path.len()).rev().map(|n| places.get(&path[..n]));
                known.find_map(|place| place.copied())
            }
        };
        let Some(place) = place else {
            return copy::fill_rows(unit.rows, about, out);
        };
        let failed = |error: ParquetError| Fault::Reading(crate::words(&error));
        let group = self.reader.get_row_group(unit.group).map_err(failed)?;
        let chunk = group.metadata().column(place.column);
        let extent = Extent {
            rows: unit.rows,
            bytes: u64::try_from(chunk.uncompressed_size()).unwrap_or(0),
        };
        let column = group.get_column_reader(place.column).map_err(failed)?;
        match place.group {
            None => copy::copy(column, about, extent, out),
            Some(levels) => copy::fill(column, levels, about, extent, out),
        }
    }
}

#[cfg(test)]
mod tests;
