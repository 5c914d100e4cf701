//! Expands the members of a gzip file one after another; a file that is none is read as it is.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::Path;

use flate2::{Decompress, FlushDecompress, Status};

/// What a reader keeps beside its buffer of compressed bytes.
pub const MEMORY: usize = 96 * 1024;

/// The first two bytes of each member (RFC 1952).
const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The largest window of a member as a power of two.
const WINDOW: u8 = 15;

/// Steps without any expanded bytes between two looks at the limits of who asks: headers may be long, members empty.
const MAX_STEPS: usize = 16;

/// What [`Reader::fill`] found.
pub enum Fill<'r> {
    /// Expanded bytes, at least one.
    Bytes(&'r [u8]),
    /// No bytes so far; there may be some if it is asked again.
    NotYet,
    /// There is nothing more.
    End,
}

/// How the next bytes are to be taken.
enum Part {
    /// A member may begin here; true at the start of the file, where anything else is plain text.
    Start(bool),
    /// Inside a member.
    Member(Box<Decompress>),
    /// The file is no gzip file.
    Plain,
    /// What follows the last member is not looked at.
    Garbage,
}

/// A file being expanded.
pub struct Reader {
    name: String,
    file: File,
    part: Part,
    /// Bytes of the file: read, and of these used.
    input: Vec<u8>,
    input_at: usize,
    buffer_size: usize,
    /// Where `input` begins in the file.
    input_start: u64,
    /// Expanded bytes that were not consumed.
    output: Vec<u8>,
    output_at: usize,
    /// Expanded bytes consumed so far.
    position: u64,
    open_end: bool,
    /// What stopped the expanding, told once all bytes before it were given.
    failure: Option<io::Error>,
}

impl Reader {
    /// Opens a file, of which `buffer_size` bytes are read at a time.
    ///
    /// # Errors
    /// The system's; when it is no regular file, since others may have no end or keep the reader waiting.
    pub fn open(path: &Path, buffer_size: usize) -> io::Result<Reader> {
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(Reader {
            name: path.display().to_string(),
            file: File::open(path)?,
            part: Part::Start(true),
            input: Vec::new(),
            input_at: 0,
            buffer_size: buffer_size.max(MAGIC.len()),
            input_start: 0,
            output: Vec::new(),
            output_at: 0,
            position: 0,
            open_end: false,
            failure: None,
        })
    }

    /// Bytes it keeps.
    pub fn memory(&self) -> usize {
        MEMORY + self.buffer_size
    }

    /// How many expanded bytes were consumed.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// From now on a member may end in the middle, as one does that is being written.
    pub fn tolerate_open_end(&mut self) {
        self.open_end = true;
    }

    /// Goes back to the start.
    ///
    /// # Errors
    /// The system's.
    pub fn rewind(&mut self) -> io::Result<()> {
        self.file.rewind()?;
        self.part = Part::Start(true);
        self.input.clear();
        self.output.clear();
        (self.input_at, self.output_at) = (0, 0);
        (self.input_start, self.position) = (0, 0);
        self.failure = None;
        Ok(())
    }

    /// The next expanded bytes, at most about `max` new ones.
    ///
    /// # Errors
    /// The system's; when a member is damaged, or ends in the middle.
    pub fn fill(&mut self, max: usize) -> io::Result<Fill<'_>> {
        let mut steps = 0;
        while self.output_at == self.output.len() {
            if steps == MAX_STEPS {
                return Ok(Fill::NotYet);
            }
            steps += 1;
            self.output.clear();
            self.output_at = 0;
            if !self.step(max)? {
                return Ok(Fill::End);
            }
        }
        Ok(Fill::Bytes(&self.output[self.output_at..]))
    }

    /// Marks bytes that [`Reader::fill`] gave as used.
    pub fn consume(&mut self, n: usize) {
        self.output_at += n;
        self.position += n as u64;
    }

    /// Moves on by one step; false when there is nothing more.
    fn step(&mut self, max: usize) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        match self.part {
            Part::Start(first) => self.begin(first),
            Part::Member(_) => self.expand(max),
            Part::Plain => {
                if self.input_at == self.input.len() && !self.read_more()? {
                    return Ok(false);
                }
                let rest = &self.input[self.input_at..];
                let n = rest.len().min(max);
                self.output.extend_from_slice(&rest[..n]);
                self.input_at += n;
                Ok(true)
            }
            Part::Garbage => Ok(false),
        }
    }

    /// Looks what begins here.
    fn begin(&mut self, first: bool) -> io::Result<bool> {
        let mut more = true;
        while more && self.input.len() - self.input_at < MAGIC.len() {
            more = self.read_more()?;
        }
        let rest = &self.input[self.input_at..];
        if rest.starts_with(&MAGIC) {
            self.part = Part::Member(Box::new(Decompress::new_gzip(WINDOW)));
        } else if rest.is_empty() || (self.open_end && rest == &MAGIC[..1]) {
            // More may be written.
            return Ok(false);
        } else if first {
            self.part = Part::Plain;
        } else {
            self.part = Part::Garbage;
        }
        Ok(true)
    }

    /// Expands a piece of the member.
    fn expand(&mut self, max: usize) -> io::Result<bool> {
        if self.input_at == self.input.len() && !self.read_more()? {
            return match self.open_end {
                true => Ok(false),
                false => Err(self.damaged("unexpected end of file")),
            };
        }
        let Part::Member(decompress) = &mut self.part else {
            return Ok(false);
        };
        self.output.reserve_exact(max);
        let taken = decompress.total_in();
        let status = decompress.decompress_vec(
            &self.input[self.input_at..],
            &mut self.output,
            FlushDecompress::None,
        );
        self.input_at += (decompress.total_in() - taken) as usize;
        match status {
            Ok(Status::StreamEnd) => self.part = Part::Start(false),
            Ok(_) => {}
            Err(error) => {
                let words = error.message().unwrap_or("damaged data").to_owned();
                self.failure = Some(self.damaged(&words));
            }
        }
        Ok(true)
    }

    /// An error with the name of the file and the place in it.
    fn damaged(&self, what: &str) -> io::Error {
        let place = self.input_start + self.input_at as u64;
        let text = format!("{}: {what} (at compressed byte {place})", self.name);
        io::Error::new(ErrorKind::InvalidData, text)
    }

    /// Reads on; what was not used stays. False at the end of the file.
    fn read_more(&mut self) -> io::Result<bool> {
        self.input.drain(..self.input_at);
        self.input_start += self.input_at as u64;
        self.input_at = 0;
        let kept = self.input.len();
        self.input.resize(kept + self.buffer_size, 0);
        let read = loop {
            match self.file.read(&mut self.input[kept..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.input.truncate(kept + *read.as_ref().unwrap_or(&0));
        Ok(read? > 0)
    }
}
