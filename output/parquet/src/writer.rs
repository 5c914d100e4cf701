//! One Parquet file that grows: rows in memory, row groups encoded at once, a file that is open only while it is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use thiserror::Error;

use crate::column::Column;
use crate::schema::Plan;

/// Bytes of a file that stay in memory for each column of each row group until the file is finished: its part of the footer.
const FOOTER_PER_CHUNK: usize = 700;

/// Memory of a writer beside its columns once a row group was written: the encoder's buffer and the beginning of the footer.
const ENCODER_MEMORY: usize = 12 * 1024;

/// Row groups of one file, at most; the format counts them with 16 bits.
const ROW_GROUPS_MAX: usize = i16::MAX as usize;

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
    #[error("file has {ROW_GROUPS_MAX} row groups already")]
    Full,
}

/// A file and the rows that are not in it yet.
pub struct Writer {
    plan: Arc<Plan>,
    columns: Vec<Column>,
    n_rows: usize,
    properties: WriterPropertiesPtr,
    /// Made at the first row group.
    encoder: Option<SerializedFileWriter<Vec<u8>>>,
    n_groups: usize,
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
        let columns = plan.columns().iter().map(Column::new).collect();
        Ok(Writer {
            plan,
            columns,
            n_rows: 0,
            properties,
            encoder: None,
            n_groups: 0,
            path: path.into(),
            pending: Vec::new(),
            written: 0,
            is_finished: false,
            lost: None,
        })
    }

    /// Bytes in memory: rows, what is encoded and not yet in the file, and the beginning of the footer.
    pub fn memory(&self) -> usize {
        let columns = self.columns.capacity() * size_of::<Column>();
        let rows: usize = self.columns.iter().map(Column::memory).sum();
        let chunks = self.n_groups * self.columns.len() * FOOTER_PER_CHUNK;
        let encoder = self.encoder.as_ref().map_or(0, |_| ENCODER_MEMORY);
        columns + rows + chunks + encoder + self.pending.capacity()
    }

    /// Bytes that the rows in memory take.
    pub fn buffered(&self) -> usize {
        self.columns.iter().map(Column::memory).sum()
    }

    /// Bytes of the file so far.
    pub fn written(&self) -> u64 {
        self.written + self.pending.len() as u64
    }

    /// Rows in memory.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Whether the file is whole.
    pub fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// The schema and the columns for a row that is being taken apart.
    pub fn parts(&mut self) -> (&Plan, &mut [Column]) {
        (&self.plan, &mut self.columns)
    }

    /// The row that was put into the columns is whole.
    pub fn keep_row(&mut self) {
        self.columns.iter_mut().for_each(Column::keep);
        self.n_rows += 1;
    }

    /// The row that was put into the columns goes away again.
    pub fn drop_row(&mut self) {
        self.columns.iter_mut().for_each(Column::roll_back);
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
            if self.n_groups >= ROW_GROUPS_MAX {
                return Err(WriteError::Full);
            }
            // In the middle of a row group it is of no use any more, be it left by a panic.
            self.lost = Some("the encoder failed before".into());
            let encoded = self.encode();
            self.note(encoded)?;
        }
        self.settle()
    }

    fn encode(&mut self) -> parquet::errors::Result<()> {
        self.n_rows = 0;
        self.n_groups += 1;
        let encoder = encoder(&mut self.encoder, &self.plan, &self.properties)?;
        let mut group = encoder.next_row_group()?;
        for (column, plan) in self.columns.iter_mut().zip(self.plan.columns()) {
            let mut out = group
                .next_column()?
                .expect("the file has the columns of the plan");
            column.write(plan, &mut out)?;
            out.close()?;
        }
        group.close()?;
        encoder.flush()?;
        take(encoder, &mut self.pending);
        Ok(())
    }

    /// Writes the rows in memory and the end of the file, which is whole then; with `sync` it is on the disk itself.
    ///
    /// # Errors
    /// As [`Writer::write_row_group`].
    pub fn finish(&mut self, sync: bool) -> Result<(), WriteError> {
        self.write_row_group()?;
        if self.is_finished {
            return Ok(());
        }
        let ended = self.encode_end();
        self.encoder = None;
        self.is_finished = true;
        self.note(ended)?;
        let settled = self.settle().and_then(|()| match sync {
            true => self.sync(),
            false => Ok(()),
        });
        self.columns = Vec::new();
        self.n_groups = 0;
        settled
    }

    fn encode_end(&mut self) -> parquet::errors::Result<()> {
        let encoder = encoder(&mut self.encoder, &self.plan, &self.properties)?;
        encoder.finish()?;
        encoder.flush()?;
        take(encoder, &mut self.pending);
        Ok(())
    }

    /// Remembers whether the encoder still works.
    fn note(&mut self, outcome: parquet::errors::Result<()>) -> Result<(), WriteError> {
        self.lost = outcome.err().map(|error| crate::words(&error));
        self.check()
    }

    fn sync(&self) -> Result<(), WriteError> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.map_err(|source| self.failed(source))
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

fn encoder<'e>(
    encoder: &'e mut Option<SerializedFileWriter<Vec<u8>>>,
    plan: &Plan,
    properties: &WriterPropertiesPtr,
) -> parquet::errors::Result<&'e mut SerializedFileWriter<Vec<u8>>> {
    if encoder.is_none() {
        let made = SerializedFileWriter::new(Vec::new(), plan.root(), Arc::clone(properties))?;
        return Ok(encoder.insert(made));
    }
    Ok(encoder.as_mut().expect("it was looked at above"))
}

fn take(encoder: &mut SerializedFileWriter<Vec<u8>>, pending: &mut Vec<u8>) {
    let bytes = std::mem::take(encoder.inner_mut());
    match pending.is_empty() {
        true => *pending = bytes,
        false => pending.extend_from_slice(&bytes),
    }
}

#[cfg(test)]
mod tests;
