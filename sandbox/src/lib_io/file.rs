//! One open file, pipe or terminal, with buffers of its own, so that the host decides when bytes reach the kernel.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use super::wait::{self, Ready, Waiter};

/// What a handle keeps before it writes, and reads at once: large enough that system calls do not matter.
pub const BUFFER_SIZE: usize = 64 * 1024;
/// The longest text that can be a number; what follows is not looked at.
const MAX_NUMERAL: usize = 200;

/// When written bytes are handed to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffering {
    /// After every write call.
    No,
    /// After a write call that holds a line end.
    Line,
    /// When the buffer is full, or when asked to.
    Full,
}

/// What is behind a handle.
enum Source {
    /// A file by its name; regular files never make the reader wait.
    File,
    /// Standard input, output or error of the program.
    Standard,
    /// A program started by `io.popen`.
    Program(Child),
}

/// An open file with its buffers. Reading and writing share one position, as in C.
pub struct Stream {
    file: Option<File>,
    source: Source,
    /// Reads and writes of this handle can take any time (pipes, terminals, devices).
    may_wait: bool,
    buffering: Buffering,
    capacity: usize,
    unread: Vec<u8>,
    read_at: usize,
    unwritten: Vec<u8>,
}

/// Where in the read buffer an answer lies; see [`Stream::bytes`].
pub type Span = std::ops::Range<usize>;

impl Stream {
    /// Opens `path` in one of C's modes (`r`, `w`, `a`, each with an optional `+` and `b`).
    ///
    /// # Errors
    /// The system's; `InvalidInput` for a mode that is none.
    pub fn open(
        path: &std::path::Path,
        mode: &[u8],
        waiter: &mut dyn Waiter,
    ) -> io::Result<Stream> {
        let mut options = options(mode).ok_or(io::ErrorKind::InvalidInput)?;
        // Without this, opening a named pipe would wait for its other end and could not be interrupted.
        options.custom_flags(libc::O_NONBLOCK);
        let file = loop {
            match options.open(path) {
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => wait::nap(waiter)?,
                other => break other?,
            }
        };
        let kind = file.metadata()?.file_type();
        let may_wait = kind.is_fifo() || kind.is_char_device() || kind.is_socket();
        Ok(Stream::new(file, Source::File, may_wait))
    }

    /// A file without a name that is gone when it is closed.
    ///
    /// # Errors
    /// The system's.
    pub fn temporary(random: u64) -> io::Result<Stream> {
        let (file, path) = super::temporary_file(random)?;
        std::fs::remove_file(path)?;
        Ok(Stream::new(file, Source::File, false))
    }

    /// One of the program's own standard streams, by its descriptor (0, 1 or 2).
    ///
    /// # Errors
    /// The system's, when the descriptor cannot be doubled.
    pub fn standard(descriptor: i32) -> io::Result<Stream> {
        let file: OwnedFd = match descriptor {
            0 => std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?,
            1 => std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?,
            _ => std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned()?,
        };
        let mut stream = Stream::new(File::from(file), Source::Standard, true);
        if descriptor == 2 {
            stream.buffering = Buffering::No;
        }
        Ok(stream)
    }

    /// Starts `command` in a shell and reads its output, or writes its input.
    ///
    /// # Errors
    /// The system's, when no shell can be started.
    pub fn program(command: &std::ffi::OsStr, writes: bool) -> io::Result<Stream> {
        let mut shell = Command::new("/bin/sh");
        // A group of its own, so that all it starts can be ended with it.
        shell.process_group(0);
        shell.arg("-c").arg(command);
        let pipe: OwnedFd;
        let child;
        if writes {
            child = start(shell.stdin(Stdio::piped()))?;
            pipe = child.1.into();
        } else {
            let mut started = shell.stdout(Stdio::piped()).spawn()?;
            let out = started.stdout.take().expect("it was asked for");
            pipe = out.into();
            wait::never_block(&pipe)?;
            return Ok(Stream::new(pipe.into(), Source::Program(started), true));
        }
        wait::never_block(&pipe)?;
        Ok(Stream::new(pipe.into(), Source::Program(child.0), true))
    }

    fn new(file: File, source: Source, may_wait: bool) -> Stream {
        Stream {
            file: Some(file),
            source,
            may_wait,
            buffering: Buffering::Full,
            capacity: BUFFER_SIZE,
            unread: Vec::new(),
            read_at: 0,
            unwritten: Vec::new(),
        }
    }

    /// Whether `close` was called.
    pub fn is_closed(&self) -> bool {
        self.file.is_none()
    }

    /// Whether this is one of the program's standard streams, which cannot be closed by a plugin.
    pub fn is_standard(&self) -> bool {
        matches!(self.source, Source::Standard)
    }

    /// Bytes its buffers take.
    pub fn memory(&self) -> usize {
        self.unread.capacity() + self.unwritten.capacity()
    }

    /// The bytes of an answer of one of the reading functions.
    pub fn bytes(&self, span: Span) -> &[u8] {
        &self.unread[span]
    }

    /// The next line without its end; `None` at the end of the file.
    ///
    /// # Errors
    /// The system's; `OutOfMemory` for a line longer than `most` bytes.
    pub fn read_line(&mut self, most: usize, waiter: &mut dyn Waiter) -> io::Result<Option<Span>> {
        self.start_reading(waiter)?;
        let mut searched = 0;
        loop {
            let rest = &self.unread[self.read_at..];
            if let Some(found) = memchr::memchr(b'\n', &rest[searched..]) {
                let span = self.take(searched + found + 1);
                return Ok(Some(span.start..span.end - 1));
            }
            searched = rest.len();
            if self.fill(most, waiter)? == 0 {
                return Ok((searched > 0).then(|| self.take(searched)));
            }
        }
    }

    /// At most `count` bytes; fewer only at the end of the file, `None` if there are none.
    ///
    /// # Errors
    /// The system's; `OutOfMemory` when the bytes would be more than `most`.
    pub fn read_count(
        &mut self,
        count: usize,
        most: usize,
        waiter: &mut dyn Waiter,
    ) -> io::Result<Option<Span>> {
        self.start_reading(waiter)?;
        let wanted = count.max(1);
        while self.unread.len() - self.read_at < wanted {
            if self.fill(most, waiter)? == 0 {
                break;
            }
        }
        let available = self.unread.len() - self.read_at;
        Ok((available > 0).then(|| self.take(available.min(count))))
    }

    /// Everything up to the end of the file, which may be nothing.
    ///
    /// # Errors
    /// The system's; `OutOfMemory` for more than `most` bytes.
    pub fn read_all(&mut self, most: usize, waiter: &mut dyn Waiter) -> io::Result<Span> {
        self.start_reading(waiter)?;
        while self.fill(most, waiter)? > 0 {}
        Ok(self.take(self.unread.len() - self.read_at))
    }

    /// The number that stands next, after blanks; `None` when there is none.
    ///
    /// # Errors
    /// The system's.
    pub fn read_number(&mut self, waiter: &mut dyn Waiter) -> io::Result<Option<f64>> {
        self.start_reading(waiter)?;
        while let Some(c) = self.peek(0, waiter)? {
            if !(c.is_ascii_whitespace() || c == 11) {
                break;
            }
            self.read_at += 1;
        }
        let mut len = 0;
        while len < MAX_NUMERAL {
            match self.peek(len, waiter)? {
                Some(c) if c.is_ascii_alphanumeric() || matches!(c, b'.' | b'+' | b'-') => len += 1,
                _ => break,
            }
        }
        let text = &self.unread[self.read_at..self.read_at + len];
        let Some((number, used)) = numeral(text) else {
            return Ok(None);
        };
        self.read_at += used;
        Ok(Some(number))
    }

    /// The byte `ahead` of the position, without taking it.
    fn peek(&mut self, ahead: usize, waiter: &mut dyn Waiter) -> io::Result<Option<u8>> {
        if self.read_at + ahead >= self.unread.len() {
            self.fill(usize::MAX, waiter)?;
        }
        Ok(self.unread.get(self.read_at + ahead).copied())
    }

    fn take(&mut self, count: usize) -> Span {
        let start = self.read_at;
        self.read_at += count;
        start..self.read_at
    }

    /// Makes room and reads once; 0 at the end of the file. `most` bounds what may be waiting in the buffer.
    fn fill(&mut self, most: usize, waiter: &mut dyn Waiter) -> io::Result<usize> {
        if self.read_at == self.unread.len() {
            self.unread.clear();
            // What a long line needed is not kept for ever.
            self.unread.shrink_to(BUFFER_SIZE);
        } else if self.read_at > 0 {
            self.unread.drain(..self.read_at);
        }
        self.read_at = 0;
        let kept = self.unread.len();
        if kept > most {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        let step = BUFFER_SIZE.max(kept);
        self.unread.resize(kept + step, 0);
        let read = self.read_some(kept, waiter);
        self.unread.truncate(kept + *read.as_ref().unwrap_or(&0));
        read
    }

    fn read_some(&mut self, at: usize, waiter: &mut dyn Waiter) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or_else(closed)?;
        loop {
            if self.may_wait {
                wait::until(file.as_raw_fd(), Ready::ToRead, waiter)?;
            }
            match file.read(&mut self.unread[at..]) {
                Err(error) if is_transient(&error) => {}
                other => return other,
            }
        }
    }

    /// Pending writes reach the kernel before anything is read.
    fn start_reading(&mut self, waiter: &mut dyn Waiter) -> io::Result<()> {
        if self.is_closed() {
            return Err(closed());
        }
        self.flush(waiter)
    }

    /// Adds the parts of one write call. The bytes of a call reach the kernel in one piece with others or alone, and
    /// are only divided when the call alone is larger than the buffer. A call that fails leaves none of its bytes
    /// behind, so it can be repeated.
    ///
    /// # Errors
    /// The system's.
    pub fn write<'p>(
        &mut self,
        parts: impl Iterator<Item = &'p [u8]>,
        waiter: &mut dyn Waiter,
    ) -> io::Result<()> {
        self.forget_unread()?;
        let mut call = self.unwritten.len();
        let result = self.write_parts(parts, &mut call, waiter);
        if result.is_err() {
            self.unwritten.truncate(call);
        }
        result
    }

    /// `call` is where the bytes of this call begin in the buffer.
    fn write_parts<'p>(
        &mut self,
        parts: impl Iterator<Item = &'p [u8]>,
        call: &mut usize,
        waiter: &mut dyn Waiter,
    ) -> io::Result<()> {
        for part in parts {
            if self.unwritten.len() + part.len() > self.capacity {
                self.push_out(call, waiter)?;
            }
            if self.unwritten.len() + part.len() > self.capacity {
                // The call alone is larger than the buffer.
                let mut own = self.unwritten.len();
                self.push_out(&mut own, waiter)?;
                self.write_through(part, waiter)?;
            } else {
                self.unwritten.extend_from_slice(part);
            }
        }
        let at_once = match self.buffering {
            Buffering::No => true,
            Buffering::Line => self.unwritten[*call..].contains(&b'\n'),
            Buffering::Full => false,
        };
        if at_once {
            self.push_out(call, waiter)?;
            let mut own = self.unwritten.len();
            self.push_out(&mut own, waiter)?;
        }
        Ok(())
    }

    /// Hands everything written so far to the kernel. What it does not take stays for the next attempt.
    ///
    /// # Errors
    /// The system's.
    pub fn flush(&mut self, waiter: &mut dyn Waiter) -> io::Result<()> {
        let mut count = self.unwritten.len();
        self.push_out(&mut count, waiter)
    }

    /// Hands the first `count` unwritten bytes to the kernel and takes what it accepted off `count`.
    fn push_out(&mut self, count: &mut usize, waiter: &mut dyn Waiter) -> io::Result<()> {
        if *count == 0 {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.unwritten);
        let mut done = 0;
        let mut result = Ok(());
        while done < *count && result.is_ok() {
            match self.write_some(&bytes[done..*count], waiter) {
                Ok(written) => done += written,
                Err(error) => result = Err(error),
            }
        }
        self.unwritten = bytes;
        self.unwritten.drain(..done);
        *count -= done;
        result
    }

    /// Writes a part larger than the buffer without copying it there.
    fn write_through(&mut self, mut part: &[u8], waiter: &mut dyn Waiter) -> io::Result<()> {
        while !part.is_empty() {
            let written = self.write_some(part, waiter)?;
            part = &part[written..];
        }
        Ok(())
    }

    fn write_some(&mut self, bytes: &[u8], waiter: &mut dyn Waiter) -> io::Result<usize> {
        let file = self.file.as_mut().ok_or_else(closed)?;
        loop {
            let mut bytes = bytes;
            if self.may_wait {
                wait::until(file.as_raw_fd(), Ready::ToWrite, waiter)?;
                // A pipe that is ready takes this much without blocking, even where it is not ours to change.
                bytes = &bytes[..bytes.len().min(libc::PIPE_BUF)];
            }
            match file.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Err(error) if is_transient(&error) => {}
                other => return other,
            }
        }
    }

    /// Before a write, the kernel's position goes back over what was read ahead.
    fn forget_unread(&mut self) -> io::Result<()> {
        let file = self.file.as_mut().ok_or_else(closed)?;
        let ahead = self.unread.len() - self.read_at;
        self.unread.clear();
        self.read_at = 0;
        if ahead > 0 && !self.may_wait {
            file.seek(SeekFrom::Current(-(ahead as i64)))?;
        }
        Ok(())
    }

    /// Moves the position and says where it is then, in bytes from the start.
    ///
    /// # Errors
    /// The system's, for example when the handle is a pipe.
    pub fn seek(&mut self, to: SeekFrom, waiter: &mut dyn Waiter) -> io::Result<u64> {
        self.flush(waiter)?;
        let ahead = (self.unread.len() - self.read_at) as i64;
        let to = match to {
            SeekFrom::Current(by) => SeekFrom::Current(by.saturating_sub(ahead)),
            other => other,
        };
        let at = self.file.as_mut().ok_or_else(closed)?.seek(to)?;
        self.unread.clear();
        self.read_at = 0;
        Ok(at)
    }

    /// Changes when written bytes go to the kernel, and how many are kept at most (never more than
    /// [`BUFFER_SIZE`], so that no plugin hides memory here).
    pub fn set_buffering(&mut self, buffering: Buffering, size: Option<usize>) {
        self.buffering = buffering;
        if let Some(size) = size {
            self.capacity = size.clamp(1, BUFFER_SIZE);
        }
    }

    /// Flushes and closes. For a program it waits for its end and returns its status.
    ///
    /// # Errors
    /// The system's, also of the flush; the handle is closed all the same.
    pub fn close(&mut self, waiter: &mut dyn Waiter) -> io::Result<Option<i32>> {
        let flushed = self.flush(waiter);
        self.file = None;
        self.unread = Vec::new();
        self.unwritten = Vec::new();
        let status = match &mut self.source {
            Source::Program(child) => Some(wait::for_child(child, waiter)),
            _ => None,
        };
        flushed?;
        status.transpose()
    }
}

impl Drop for Stream {
    /// A handle the plugin forgot: what it wrote is not lost, its program is not waited for but ended.
    fn drop(&mut self) {
        let _ = self.flush(&mut wait::Never);
        self.file = None;
        if let Source::Program(child) = &mut self.source {
            wait::end_child(child);
        }
    }
}

fn start(shell: &mut Command) -> io::Result<(Child, std::process::ChildStdin)> {
    let mut child = shell.spawn()?;
    let stdin = child.stdin.take().expect("it was asked for");
    Ok((child, stdin))
}

fn options(mode: &[u8]) -> Option<OpenOptions> {
    let (first, rest) = mode.split_first()?;
    let plus = match rest {
        b"" | b"b" => false,
        b"+" | b"+b" | b"b+" => true,
        _ => return None,
    };
    let mut options = OpenOptions::new();
    match first {
        b'r' => options.read(true).write(plus),
        b'w' => options.write(true).create(true).truncate(true).read(plus),
        b'a' => options.append(true).create(true).read(plus),
        _ => return None,
    };
    Some(options)
}

/// The longest number at the start of `text`, and its length.
fn numeral(text: &[u8]) -> Option<(f64, usize)> {
    let text = std::str::from_utf8(text).ok()?;
    (1..=text.len()).rev().find_map(|len| {
        let part = &text[..len];
        let plain = part.bytes().any(|c| c.is_ascii_digit());
        let number = if plain { decimal_or_hex(part) } else { None };
        number.map(|number| (number, len))
    })
}

fn decimal_or_hex(text: &str) -> Option<f64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"));
    let number = match hex {
        Some(hex) if hex.starts_with('+') => return None,
        Some(hex) => u64::from_str_radix(hex, 16).ok()? as f64,
        None if digits.starts_with(['+', '-']) => return None,
        None => digits.parse().ok()?,
    };
    Some(if negative { -number } else { number })
}

fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn closed() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::{Path, PathBuf};

    const MOST: usize = 1 << 24;

    /// Waits as long as it takes.
    struct Patient;

    impl Waiter for Patient {
        fn keep_waiting(&mut self) -> bool {
            true
        }
    }

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        (folder, path)
    }

    fn open(path: &Path, mode: &str) -> Stream {
        Stream::open(path, mode.as_bytes(), &mut Patient).expect("opens")
    }

    fn write(stream: &mut Stream, text: &[u8]) -> io::Result<()> {
        stream.write(std::iter::once(text), &mut Patient)
    }

    fn line(stream: &mut Stream) -> Option<Vec<u8>> {
        let span = stream.read_line(MOST, &mut Patient).expect("reads")?;
        Some(stream.bytes(span).to_vec())
    }

    #[test]
    fn lines_with_and_without_end() {
        let (_folder, path) = folder();
        std::fs::write(&path, "one\n\ntwo\r\nlast").expect("written");
        let mut file = open(&path, "r");
        let found: Vec<_> = std::iter::from_fn(|| line(&mut file)).collect();
        assert_eq!(found, [&b"one"[..], b"", b"two\r", b"last"]);
    }

    #[test]
    fn lines_longer_than_the_buffer() {
        let (_folder, path) = folder();
        let long = vec![b'x'; BUFFER_SIZE * 3 + 5];
        std::fs::write(&path, [&long[..], b"\nshort\n"].concat()).expect("written");
        let mut file = open(&path, "r");
        assert_eq!(line(&mut file), Some(long));
        assert_eq!(line(&mut file), Some(b"short".to_vec()));
        assert_eq!(line(&mut file), None);
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused() {
        let (_folder, path) = folder();
        std::fs::write(&path, vec![b'x'; BUFFER_SIZE * 4]).expect("written");
        let most = BUFFER_SIZE;
        let mut file = open(&path, "r");
        let error = file.read_line(most, &mut Patient).expect_err("too long");
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let mut file = open(&path, "r");
        assert!(file.read_all(most, &mut Patient).is_err());
        let mut file = open(&path, "r");
        assert!(file.read_count(usize::MAX, most, &mut Patient).is_err());
    }

    #[test]
    fn counts_all_and_the_end() {
        let (_folder, path) = folder();
        std::fs::write(&path, "abcdef").expect("written");
        let mut file = open(&path, "r");
        let span = file.read_count(2, MOST, &mut Patient).expect("reads");
        assert_eq!(file.bytes(span.expect("not the end")), b"ab");
        let span = file.read_count(0, MOST, &mut Patient).expect("reads");
        assert_eq!(span.expect("not the end").len(), 0);
        let span = file.read_all(MOST, &mut Patient).expect("reads");
        assert_eq!(file.bytes(span), b"cdef");
        assert_eq!(file.read_count(0, MOST, &mut Patient).expect("reads"), None);
        assert_eq!(file.read_all(MOST, &mut Patient).expect("reads").len(), 0);
    }

    #[test]
    fn numbers_between_other_things() {
        let (_folder, path) = folder();
        std::fs::write(&path, " 12 -3.5e2\n0x1F .5 7abc").expect("written");
        let mut file = open(&path, "r");
        let found: Vec<f64> =
            std::iter::from_fn(|| file.read_number(&mut Patient).expect("reads")).collect();
        assert_eq!(found, [12.0, -350.0, 31.0, 0.5, 7.0]);
        assert_eq!(line(&mut file), Some(b"abc".to_vec()));
    }

    #[test]
    fn writes_stay_until_flushed() {
        let (_folder, path) = folder();
        let mut file = open(&path, "w");
        write(&mut file, b"kept").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"");
        file.flush(&mut Patient).expect("flushed");
        assert_eq!(std::fs::read(&path).expect("read"), b"kept");
        write(&mut file, b" also").expect("written");
        drop(file);
        assert_eq!(std::fs::read(&path).expect("read"), b"kept also");
    }

    #[test]
    fn no_write_call_is_divided() {
        let (_folder, path) = folder();
        let mut file = open(&path, "w");
        let record = vec![b'r'; 1000];
        for _ in 0..200 {
            write(&mut file, &record).expect("written");
            let len = std::fs::metadata(&path).expect("there").len();
            assert_eq!(len % 1000, 0);
        }
    }

    #[test]
    fn a_failed_write_leaves_nothing_of_itself() {
        let mut file = open(Path::new("/dev/full"), "w");
        write(&mut file, b"earlier").expect("buffered");
        let large = vec![b'x'; BUFFER_SIZE];
        assert!(write(&mut file, &large).is_err());
        assert_eq!(file.unwritten, b"earlier");
        file.set_buffering(Buffering::No, None);
        assert!(write(&mut file, b"now").is_err());
        assert_eq!(file.unwritten, b"earlier");
    }

    #[test]
    fn line_buffering_waits_for_the_line_end() {
        let (_folder, path) = folder();
        let mut file = open(&path, "a");
        file.set_buffering(Buffering::Line, None);
        write(&mut file, b"half").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"");
        write(&mut file, b" line\n").expect("written");
        assert_eq!(std::fs::read(&path).expect("read"), b"half line\n");
    }

    #[test]
    fn reading_and_writing_share_the_position() {
        let (_folder, path) = folder();
        std::fs::write(&path, "one\ntwo\nthree\n").expect("written");
        let mut file = open(&path, "r+");
        assert_eq!(line(&mut file), Some(b"one".to_vec()));
        write(&mut file, b"TWO").expect("written");
        assert_eq!(line(&mut file), Some(b"".to_vec()));
        assert_eq!(
            file.seek(SeekFrom::Current(0), &mut Patient)
                .expect("seeks"),
            8
        );
        file.seek(SeekFrom::Start(0), &mut Patient).expect("seeks");
        let span = file.read_all(MOST, &mut Patient).expect("reads");
        assert_eq!(file.bytes(span), b"one\nTWO\nthree\n");
    }

    #[test]
    fn programs_are_read_written_and_waited_for() {
        let mut program = Stream::program("echo out; exit 3".as_ref(), false).expect("starts");
        assert_eq!(line(&mut program), Some(b"out".to_vec()));
        assert_eq!(program.close(&mut Patient).expect("ends"), Some(3 << 8));
        let (_folder, path) = folder();
        let command = format!("cat > '{}'", path.display());
        let mut program = Stream::program(command.as_ref(), true).expect("starts");
        let large = vec![b'x'; 300_000];
        write(&mut program, &large).expect("written");
        assert_eq!(program.close(&mut Patient).expect("ends"), Some(0));
        assert_eq!(std::fs::read(&path).expect("read"), large);
    }

    #[test]
    fn a_silent_program_does_not_hold_the_reader() {
        let mut program = Stream::program("sleep 600".as_ref(), false).expect("starts");
        let error = program
            .read_line(MOST, &mut wait::Never)
            .expect_err("nothing comes");
        assert_eq!(error.raw_os_error(), Some(libc::ECANCELED));
        assert_eq!(
            program.close(&mut wait::Never).expect("ended"),
            Some(libc::SIGTERM)
        );
    }

    #[test]
    fn a_pipe_without_writer_does_not_hold_the_opener() {
        let (_folder, path) = folder();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).expect("made");
        let refused = Stream::open(&path, b"w", &mut wait::Never);
        assert_eq!(
            refused.err().and_then(|e| e.raw_os_error()),
            Some(libc::ECANCELED)
        );
        let mut reader = open(&path, "r");
        assert!(reader.read_line(MOST, &mut wait::Never).is_err());
        let mut writer = open(&path, "w");
        write(&mut writer, b"through\n").expect("written");
        writer.flush(&mut Patient).expect("flushed");
        assert_eq!(line(&mut reader), Some(b"through".to_vec()));
    }

    #[test]
    fn modes_that_are_none() {
        for mode in ["", "x", "rw", "r++", "+r", "wb+x"] {
            let refused = Stream::open(Path::new("/dev/null"), mode.as_bytes(), &mut Patient);
            let kind = refused.err().map(|error| error.kind());
            assert_eq!(kind, Some(io::ErrorKind::InvalidInput), "{mode}");
        }
    }

    #[test]
    fn closed_is_closed() {
        let mut file = Stream::temporary(1).expect("a file");
        write(&mut file, b"x").expect("written");
        assert_eq!(file.close(&mut Patient).expect("closes"), None);
        assert!(file.is_closed());
        assert!(write(&mut file, b"x").is_err());
        assert!(file.read_line(MOST, &mut Patient).is_err());
    }
}
