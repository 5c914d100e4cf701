//! `foresight cat`: shows the messages of a file or a stream, or those that a matcher wants.
//!
//! Damage is reported with its offset and skipped. Following reacts to growth, and when a queue's segment `N.log`
//! is complete and a later one exists, goes on with that.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use matcher::Matcher;
use output::object::{Listing, Object, Opening};
use output::runtime::Patience;
use schemas::frame::{Scan, header, scan};
use schemas::view::{Index, View};

use crate::follow::Watch;

/// Largest message that is looked for: far beyond what engines are configured to write, yet a bound on the memory
/// that damaged data can make us use.
const MESSAGE_MAX: usize = 256 << 20;

/// Bytes read at once.
const READ_SIZE: usize = 256 * 1024;

/// How often a followed file is looked at even if the system does not tell of a change
/// (it does not for files on other machines).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What is shown of each message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// Text for people, as lsb_heka_cat shows it.
    #[default]
    Text,
    /// Nothing: the count alone.
    Count,
    /// The message itself, framed.
    Heka,
    /// One JSON object per line.
    Json,
}

/// What to show.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file; `-` is the standard input; `s3://bucket/key` an object, with a `/` at its end all that begin so.
    pub file: PathBuf,
    /// What is shown of each message.
    pub form: Form,
    /// The expression, "TRUE" for all messages.
    pub matcher: String,
    /// Only so many of the last messages, of those that match.
    pub tail: Option<usize>,
    /// Whether to go on as the file grows.
    pub follow: bool,
}

/// Why nothing can be shown, or no more.
#[derive(Debug, thiserror::Error)]
pub enum CatError {
    /// The expression is wrong.
    #[error("invalid message matcher: {0}")]
    Matcher(String),
    /// The file cannot be opened.
    #[error("error opening: {}: {source}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A store or an object of it cannot be opened.
    #[error("error opening: {address}: {reason}")]
    Store {
        /// Its address.
        address: String,
        /// Why.
        reason: String,
    },
    /// The file cannot be read.
    #[error("error reading: {0}")]
    Read(io::Error),
    /// The output cannot be written.
    #[error("error outputting message: {0}")]
    Write(io::Error),
}

impl CatError {
    /// Whether the reader of the output has gone, which ends a pipeline in peace.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, CatError::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// How many messages there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Messages read.
    pub processed: u64,
    /// Those the matcher wanted.
    pub matched: u64,
    /// Bytes that were no message.
    pub damaged: u64,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Processed: {}, matched: {} messages",
            self.processed, self.matched
        )
    }
}

/// Shows the messages on `out` and reports damage on `reports`, until the file ends or, when following, `running`
/// says no.
///
/// # Errors
/// See [`CatError`].
pub fn cat(
    options: &Options,
    out: &mut dyn Write,
    reports: &mut dyn Write,
    running: &dyn Fn() -> bool,
) -> Result<Counts, CatError> {
    let matcher = Matcher::parse(options.matcher.as_bytes())
        .map_err(|error| CatError::Matcher(error.to_string()))?;
    let mut cat = Cat {
        form: options.form,
        matcher,
        tail: options.tail.map(Tail::new),
        counts: Counts::default(),
        out: BufWriter::with_capacity(READ_SIZE, out),
        reports,
        index: Index::default(),
    };
    if let Some(address) = options
        .file
        .to_str()
        .filter(|file| file.starts_with("s3://"))
    {
        cat.objects(address)?;
        cat.finish_tail()?;
    } else if options.file == Path::new("-") {
        cat.stream(&mut Source::new(io::stdin().lock(), "-".to_string()))?;
        cat.finish_tail()?;
    } else if options.follow {
        cat.follow(&options.file, running)?;
    } else {
        cat.stream(&mut open(&options.file)?)?;
        cat.finish_tail()?;
    }
    cat.out.flush().map_err(CatError::Write)?;
    Ok(cat.counts)
}

fn open(file: &Path) -> Result<Source<File>, CatError> {
    let error = |source| CatError::Open {
        file: file.to_path_buf(),
        source,
    };
    let opened = File::open(file).map_err(error)?;
    if opened.metadata().map_err(error)?.is_dir() {
        return Err(error(io::ErrorKind::IsADirectory.into()));
    }
    Ok(Source::new(opened, file.display().to_string()))
}

/// The last messages, kept until the end is known.
struct Tail {
    messages: VecDeque<Vec<u8>>,
    count: usize,
}

impl Tail {
    fn new(count: usize) -> Tail {
        Tail {
            messages: VecDeque::new(),
            count,
        }
    }

    fn push(&mut self, message: &[u8]) {
        if self.count == 0 {
            return;
        }
        // The oldest buffer is used again for the newest message.
        let full = self.messages.len() >= self.count;
        let mut buffer = if full {
            self.messages.pop_front().unwrap_or_default()
        } else {
            Vec::new()
        };
        buffer.clear();
        buffer.extend_from_slice(message);
        self.messages.push_back(buffer);
    }
}

/// Bytes from somewhere, in one buffer that holds at least what is not yet shown.
struct Source<R> {
    reader: R,
    name: String,
    buffer: Vec<u8>,
    /// The bytes before are used up.
    at: usize,
    /// Where the buffer begins in the stream.
    offset: u64,
    /// Where the current stretch of damage began.
    damage: Option<u64>,
    /// Whether the reader has ended, for now.
    ended: bool,
}

impl<R: Read> Source<R> {
    fn new(reader: R, name: String) -> Source<R> {
        Source {
            reader,
            name,
            buffer: Vec::new(),
            at: 0,
            offset: 0,
            damage: None,
            ended: false,
        }
    }

    /// Reads more. Nothing more sets `ended`.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.at);
        self.offset += self.at as u64;
        self.at = 0;
        let filled = self.buffer.len();
        self.buffer.resize(filled + READ_SIZE, 0);
        let read = loop {
            match self.reader.read(&mut self.buffer[filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        Ok(())
    }

    /// Where the next unread byte stands in the stream.
    fn position(&self) -> u64 {
        self.offset + self.at as u64
    }
}

struct Cat<'o> {
    form: Form,
    matcher: Matcher,
    tail: Option<Tail>,
    counts: Counts,
    out: BufWriter<&'o mut dyn Write>,
    reports: &'o mut dyn Write,
    index: Index,
}

impl Cat<'_> {
    /// Shows one object, or all whose keys begin with what ends in a slash, decompressed.
    fn objects(&mut self, address: &str) -> Result<(), CatError> {
        let failed = |reason: String| CatError::Store {
            address: address.to_owned(),
            reason,
        };
        let bucket = output::s3::bucket_and_prefix(address).map_err(failed)?.0;
        let root = format!("s3://{bucket}");
        let key = address[root.len()..].trim_start_matches('/');
        let access = output::location::access(&root).map_err(failed)?;
        let patience = Patience::endless();
        let mut listing = Listing::new(access.clone(), key, "");
        let is_all = key.is_empty() || key.ends_with('/');
        loop {
            let next = match is_all {
                true => listing
                    .next(&patience)
                    .map_err(|failure| failed(failure.reason))?
                    .map(|entry| entry.key),
                false => Some(key.to_owned()),
            };
            let Some(key) = next else { return Ok(()) };
            let opened = Object::open(&access, &patience, &Opening::new(&*key), &mut |_| Ok(()));
            let object = opened.map_err(|error| failed(error.to_string()))?;
            self.stream(&mut Source::new(object, format!("{root}/{key}")))?;
            if !is_all {
                return Ok(());
            }
        }
    }

    /// Shows a source to its end, where what looks like the begin of a message is damage too.
    fn stream<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), CatError> {
        loop {
            self.whole_messages(source)?;
            if source.at == source.buffer.len() {
                self.report(source);
                return Ok(());
            }
            // An unfinished message: real ones may hide in what follows its first byte.
            self.skip(source, 1);
            while let Scan::Skip(length) = scan(&source.buffer[source.at..], MESSAGE_MAX) {
                self.skip(source, length);
            }
        }
    }

    /// Shows whole messages until the source ends, for now, before a message that is not whole.
    fn whole_messages<R: Read>(&mut self, source: &mut Source<R>) -> Result<(), CatError> {
        loop {
            match scan(&source.buffer[source.at..], MESSAGE_MAX) {
                Scan::Frame { header, message } => self.frame(source, header, message)?,
                Scan::Skip(length) => self.skip(source, length),
                Scan::Need(_) if source.ended => return Ok(()),
                Scan::Need(_) => source.fill().map_err(CatError::Read)?,
            }
        }
    }

    fn frame<R>(
        &mut self,
        source: &mut Source<R>,
        header: usize,
        length: usize,
    ) -> Result<(), CatError>
    where
        R: Read,
    {
        let message = source.at + header..source.at + header + length;
        if self.index.parse(&source.buffer[message.clone()]).is_err() {
            self.skip(source, 1);
            return Ok(());
        }
        self.report(source);
        source.at = message.end;
        let bytes = &source.buffer[message];
        self.counts.processed += 1;
        if !self.matcher.matches(&self.index.view(bytes)) {
            return Ok(());
        }
        self.counts.matched += 1;
        match &mut self.tail {
            Some(tail) => tail.push(bytes),
            None => {
                show(self.form, &self.index.view(bytes), &mut self.out).map_err(CatError::Write)?
            }
        }
        Ok(())
    }

    fn skip<R: Read>(&mut self, source: &mut Source<R>, length: usize) {
        source.damage.get_or_insert(source.position());
        source.at += length;
        self.counts.damaged += length as u64;
    }

    /// Reports the stretch of damage that ends here, if there is one.
    fn report<R: Read>(&mut self, source: &mut Source<R>) {
        if let Some(from) = source.damage.take() {
            let (name, length) = (&source.name, source.position() - from);
            // Who closed the reports does not want them.
            let _ = writeln!(
                self.reports,
                "{name}: {length} bytes at offset {from} are no message, skipped"
            );
        }
    }

    fn finish_tail(&mut self) -> Result<(), CatError> {
        let Some(tail) = self.tail.take() else {
            return Ok(());
        };
        for message in &tail.messages {
            if self.index.parse(message).is_ok() {
                show(self.form, &self.index.view(message), &mut self.out)
                    .map_err(CatError::Write)?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, file: &Path, running: &dyn Fn() -> bool) -> Result<(), CatError> {
        let mut file = file.to_path_buf();
        let mut source = open(&file)?;
        let watch = Watch::new(&file);
        loop {
            source.ended = false;
            self.whole_messages(&mut source)?;
            // Asked before the last look at this file: what is written to it until then is shown.
            let next = next_segment(&file);
            source.ended = false;
            self.whole_messages(&mut source)?;
            if let Some(next) = next {
                self.stream(&mut source)?;
                source = open(&next)?;
                file = next;
                continue;
            }
            self.finish_tail()?;
            self.out.flush().map_err(CatError::Write)?;
            if !running() {
                return Ok(());
            }
            watch.wait(LOOK_EVERY);
            self.restart_if_shorter(&mut source)?;
        }
    }

    /// A file that has been cut begins anew.
    fn restart_if_shorter(&mut self, source: &mut Source<File>) -> Result<(), CatError> {
        let length = source.reader.metadata().map_err(CatError::Read)?.len();
        let read = source.offset + source.buffer.len() as u64;
        if length < read {
            let _ = writeln!(
                self.reports,
                "{}: was cut to {length} bytes, read again",
                source.name
            );
            source
                .reader
                .seek(SeekFrom::Start(0))
                .map_err(CatError::Read)?;
            (source.buffer, source.at, source.offset, source.damage) = (Vec::new(), 0, 0, None);
        }
        Ok(())
    }
}

fn show(form: Form, view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    match form {
        Form::Text => schemas::text::write_message(view, out),
        Form::Count => Ok(()),
        Form::Json => {
            schemas::json::write_message(view, out)?;
            out.write_all(b"\n")
        }
        Form::Heka => {
            let (head, length) = header(view.bytes().len());
            out.write_all(&head[..length])?;
            out.write_all(view.bytes())
        }
    }
}

/// The segment that follows `file` in a queue's directory: the one with the next higher number.
fn next_segment(file: &Path) -> Option<PathBuf> {
    let number = |path: &Path| -> Option<u64> {
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        path.file_stem().filter(|_| is_log)?.to_str()?.parse().ok()
    };
    let current = number(file)?;
    let dir = file
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let paths = std::fs::read_dir(dir)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path()));
    let later = paths
        .filter_map(|path| Some((number(&path)?, path)))
        .filter(|(id, _)| *id > current);
    later.min().map(|(_, path)| path)
}

#[cfg(test)]
mod tests;
