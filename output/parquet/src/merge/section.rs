//! A file that lies among others in one large file, as the decoder reads it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

/// So many bytes of a file, from a place on.
#[derive(Clone, Debug)]
pub struct Section {
    file: Arc<File>,
    start: u64,
    len: u64,
}

impl Section {
    /// The `len` bytes of `file` from `start` on.
    pub fn new(file: Arc<File>, start: u64, len: u64) -> Section {
        Section { file, start, len }
    }
}

impl Length for Section {
    fn len(&self) -> u64 {
        self.len
    }
}

/// Reads a section from a place to its end.
pub struct Reading {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let n = self.file.read_at(&mut buffer[..wanted], self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl ChunkReader for Section {
    type T = BufReader<Reading>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let reading = Reading {
            file: Arc::clone(&self.file),
            at: self.start + start.min(self.len),
            end: self.start + self.len,
        };
        Ok(BufReader::new(reading))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let end = start.checked_add(length as u64);
        if end.is_none_or(|end| end > self.len) {
            let len = self.len;
            return Err(ParquetError::EOF(format!(
                "{length} bytes at {start} expected, the file has {len}"
            )));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, self.start + start)?;
        Ok(bytes.into())
    }
}
