//! One Parquet file that grows: rows in memory, row groups encoded at once, a file that is open only while it is written.
//!
//! Each row group is encoded as a whole small file with a footer of its own, and these lie one behind the other. So a writer
//! remembers only where each begins. At the end the footers are read back and joined into the last one, which names all row
//! groups; readers never look at the bytes in between. A file with a single row group is as any other.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{
    FileMetaData, FooterTail, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use thiserror::Error;

use crate::column::Column;
use crate::schema::Plan;

/// Memory of a writer beside its rows and its path, in bytes.
const WRITER_MEMORY: usize = size_of::<Writer>() + 100;

/// Columns of row groups in one file, at most: when it is finished each takes some 700 bytes for a moment.
const CHUNKS_MAX: usize = 20_000;

/// So many row groups a file may have however many columns there are.
const ROW_GROUPS_MIN: usize = 16;

/// Why a file could not be written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The system refused. What was to be written is kept, and the next attempt goes on.
    #[error("{path}: {source}", path = path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The encoder refused; the file is lost.
    #[error("{0}")]
    Encoder(String),
    /// The file has as many row groups as one may have.
    #[error("file has {0} row groups already")]
    Full(usize),
}

/// A file and the rows that are not in it yet.
pub struct Writer {
    plan: Arc<Plan>,
    /// Empty as long as there is no row.
    columns: Vec<Column>,
    /// Bytes that the rows in memory take.
    buffered: usize,
    n_rows: usize,
    properties: WriterPropertiesPtr,
    /// Where each row group with its footer begins.
    groups: Vec<u64>,
    path: PathBuf,
    /// Encoded bytes that are not in the file yet.
    pending: Vec<u8>,
    /// Bytes of the file.
    written: u64,
    is_finished: bool,
    /// Why the encoder can no longer be used.
    lost: Option<String>,
}

impl Writer {
    /// Creates the file, or empties it.
    ///
    /// # Errors
    /// The system's.
    pub fn create(
        path: &Path,
        plan: Arc<Plan>,
        properties: WriterPropertiesPtr,
    ) -> Result<Writer, WriteError> {
        File::create(path).map_err(|source| WriteError::System {
            path: path.into(),
            source,
        })?;
        Ok(Writer {
            plan,
            columns: Vec::new(),
            buffered: 0,
            n_rows: 0,
            properties,
            groups: Vec::new(),
            path: path.into(),
            pending: Vec::new(),
            written: 0,
            is_finished: false,
            lost: None,
        })
    }

    /// Bytes in memory: rows, what is encoded and not yet in the file, and itself.
    pub fn memory(&self) -> usize {
        let columns = self.columns.capacity() * size_of::<Column>();
        let places = self.groups.capacity() * size_of::<u64>();
        let itself = WRITER_MEMORY + self.path.as_os_str().len();
        columns + self.buffered + places + self.pending.capacity() + itself
    }

    /// Bytes that the rows in memory take.
    pub fn buffered(&self) -> usize {
        self.buffered
    }

    /// Bytes that a row which is neither kept nor dropped yet has added to them.
    pub fn added(&self) -> usize {
        let now: usize = self.columns.iter().map(Column::memory).sum();
        now.saturating_sub(self.buffered)
    }

    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Rows in memory.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Row groups that are encoded.
    pub fn n_groups(&self) -> usize {
        self.groups.len()
    }

    /// Row groups that the file may have.
    pub fn groups_max(&self) -> usize {
        (CHUNKS_MAX / self.plan.columns().len().max(1)).max(ROW_GROUPS_MIN)
    }

    /// Whether there are rows in memory that can become a row group.
    pub fn can_shrink(&self) -> bool {
        self.n_rows > 0 && self.n_groups() < self.groups_max() && self.lost.is_none()
    }

    /// Whether the file is whole.
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The schema and the columns for a row that is being taken apart.
    pub fn parts(&mut self) -> (&Plan, &mut [Column]) {
        if self.columns.is_empty() {
            self.columns = self.plan.columns().iter().map(Column::new).collect();
        }
        (&self.plan, &mut self.columns)
    }

    /// The row that was put into the columns is whole.
    pub fn keep_row(&mut self) {
        self.n_rows += 1;
        self.end_row(Column::keep);
    }

    /// The row that was put into the columns goes away again.
    pub fn drop_row(&mut self) {
        self.end_row(Column::roll_back);
    }

    /// Ends a row in all columns, and counts what they have in memory.
    fn end_row(&mut self, end: impl Fn(&mut Column)) {
        self.buffered = 0;
        for column in &mut self.columns {
            end(column);
            self.buffered += column.memory();
        }
    }

    /// Whether rows can still go into the file.
    ///
    /// # Errors
    /// Why the encoder failed before.
    pub fn check(&self) -> Result<(), WriteError> {
        match &self.lost {
            Some(words) => Err(WriteError::Encoder(words.clone())),
            None => Ok(()),
        }
    }

    /// Writes the rows in memory as a row group.
    ///
    /// # Errors
    /// Nothing is lost when the system fails; see [`WriteError`].
    pub fn write_row_group(&mut self) -> Result<(), WriteError> {
        self.check()?;
        if self.n_rows > 0 {
            if self.n_groups() >= self.groups_max() {
                return Err(WriteError::Full(self.n_groups()));
            }
            self.encode()?;
        }
        self.settle()
    }

    /// Encodes the rows in memory as a file of their own.
    fn encode(&mut self) -> Result<(), WriteError> {
        // In the middle of a row group it is of no use any more, be it left by a panic.
        self.lost = Some("the encoder failed before".into());
        let start = self.written();
        let columns = std::mem::take(&mut self.columns);
        self.n_rows = 0;
        self.buffered = 0;
        let encoded = encode(&self.plan, &self.properties, columns);
        let encoded = encoded.map(|bytes| match self.pending.is_empty() {
            true => self.pending = bytes,
            false => self.pending.extend_from_slice(&bytes),
        });
        self.groups.push(start);
        self.note(encoded)
    }

    /// Writes the rows in memory and the end of the file, which is whole then; with `sync` it is on the disk itself.
    ///
    /// # Errors
    /// As [`Writer::write_row_group`].
    pub fn finish(&mut self, sync: bool) -> Result<(), WriteError> {
        self.check()?;
        if !self.is_finished {
            if self.n_rows > 0 || self.groups.is_empty() {
                self.encode()?;
            }
            self.settle()?;
            if self.groups.len() > 1 {
                let footer = self.footer()?;
                let encoded = ParquetMetaDataWriter::new(&mut self.pending, &footer).finish();
                self.note(encoded)?;
            }
            self.is_finished = true;
        }
        self.settle()?;
        match sync {
            true => self.sync(),
            false => Ok(()),
        }
    }

    /// What the footers of all row groups say together.
    fn footer(&self) -> Result<ParquetMetaData, WriteError> {
        let mut file = File::open(&self.path).map_err(|source| self.failed(source))?;
        let mut all = Vec::with_capacity(self.groups.len());
        let mut about = None;
        let ends = self.groups.iter().skip(1).chain([&self.written]);
        for (&start, &end) in self.groups.iter().zip(ends) {
            let found = read_footer(&mut file, end, &self.plan);
            let mut parts = found.map_err(|error| self.refused(error))?.into_builder();
            for group in parts.take_row_groups() {
                let moved = moved(group, start as i64, all.len());
                all.push(moved.map_err(|error| self.refused(error))?);
            }
            about = Some(parts.build());
        }
        let about = about.expect("there is more than one row group");
        let about = about.file_metadata();
        let n_rows = all.iter().map(RowGroupMetaData::num_rows).sum();
        let about = FileMetaData::new(
            about.version(),
            n_rows,
            about.created_by().map(str::to_owned),
            about.key_value_metadata().cloned(),
            about.schema_descr_ptr(),
            about.column_orders().cloned(),
        );
        Ok(ParquetMetaData::new(about, all))
    }

    /// Remembers whether the encoder still works.
    fn note(&mut self, outcome: ParquetResult<()>) -> Result<(), WriteError> {
        self.lost = outcome.err().map(|error| crate::words(&error));
        self.check()
    }

    fn sync(&self) -> Result<(), WriteError> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(|source| self.failed(source))
    }

    /// What went wrong while footers were read.
    fn refused(&self, error: ParquetError) -> WriteError {
        match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => self.failed(*source),
                Err(other) => WriteError::Encoder(other.to_string()),
            },
            other => WriteError::Encoder(crate::words(&other)),
        }
    }

    fn failed(&self, source: io::Error) -> WriteError {
        WriteError::System {
            path: self.path.clone(),
            source,
        }
    }

    /// Brings encoded bytes into the file. One that took only a part of them is written again from where they begin.
    fn settle(&mut self) -> Result<(), WriteError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new().write(true).open(&self.path)?;
            file.seek(SeekFrom::Start(self.written))?;
            file.write_all(&self.pending)
        };
        write().map_err(|source| self.failed(source))?;
        self.written += self.pending.len() as u64;
        self.pending = Vec::new();
        Ok(())
    }
}

/// A writer that nobody finished finishes its file as well as it can, as the public module does.
impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.finish(false);
    }
}

/// A file with one row group, or none if there are no columns.
fn encode(
    plan: &Plan,
    properties: &WriterPropertiesPtr,
    columns: Vec<Column>,
) -> ParquetResult<Vec<u8>> {
    let mut file = SerializedFileWriter::new(Vec::new(), plan.root(), Arc::clone(properties))?;
    if !columns.is_empty() {
        let mut group = file.next_row_group()?;
        for (mut column, plan) in columns.into_iter().zip(plan.columns()) {
            let mut out = group
                .next_column()?
                .expect("the file has the columns of the plan");
            column.write(plan, &mut out)?;
            out.close()?;
        }
        group.close()?;
    }
    file.into_inner()
}

/// The footer that ends at `end`.
fn read_footer(file: &mut File, end: u64, plan: &Plan) -> ParquetResult<ParquetMetaData> {
    let mut tail = [0; FOOTER_SIZE];
    file.seek(SeekFrom::Start(end - FOOTER_SIZE as u64))?;
    file.read_exact(&mut tail)?;
    let len = FooterTail::try_new(&tail)?.metadata_length();
    let mut bytes = vec![0; len];
    file.seek(SeekFrom::Start(end - (FOOTER_SIZE + len) as u64))?;
    file.read_exact(&mut bytes)?;
    let options = ParquetMetaDataOptions::new()
        .with_schema(Arc::clone(plan.descriptor()))
        .with_encoding_stats_as_mask(false);
    ParquetMetaDataReader::decode_metadata_with_options(&bytes, Some(&options))
}

/// A row group that lies `by` bytes further on, as number `ordinal`.
pub(crate) fn moved(
    group: RowGroupMetaData,
    by: i64,
    ordinal: usize,
) -> ParquetResult<RowGroupMetaData> {
    let (start, n_rows, size) = (
        group.file_offset(),
        group.num_rows(),
        group.total_byte_size(),
    );
    let descriptor = group.schema_descr_ptr();
    let columns = group.into_builder().take_columns().into_iter();
    let columns = columns.map(|column| {
        let (data, dictionary) = (column.data_page_offset(), column.dictionary_page_offset());
        let builder = column.into_builder().set_data_page_offset(data + by);
        builder
            .set_dictionary_page_offset(dictionary.map(|offset| offset + by))
            .build()
    });
    let mut builder = RowGroupMetaData::builder(descriptor)
        .set_column_metadata(columns.collect::<ParquetResult<_>>()?)
        .set_num_rows(n_rows)
        .set_total_byte_size(size)
        .set_ordinal(i32::try_from(ordinal).unwrap_or(i32::MAX));
    if let Some(start) = start {
        builder = builder.set_file_offset(start + by);
    }
    builder.build()
}

#[cfg(test)]
mod tests;
