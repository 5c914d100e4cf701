//! An object of a store as a stream: fetched piece by piece, tried again where a piece does not come, decompressed.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use stdx::backoff::{Backoff, Schedule};
use tokio::runtime::Runtime;

use crate::destination::{Entry, Failure, Store, Work};
use crate::runtime::Patience;

/// Bytes fetched with one request.
pub const PIECE: usize = 1 << 20;

/// The largest window of zstd that commands take, as a power of two: 128 MiB, as zstd's own program.
const WINDOW_LOG_MAX: u32 = 27;

/// Memory of a decompressor beside zstd's window, about.
pub const DECODER_MEMORY: usize = 256 << 10;

/// What a failure says when a plugin had to stop while it waited.
pub const STOPPED: &str = "stopped";

/// How a file in each form begins.
const MAGIC: [(&[u8], Compression); 3] = [
    (&[0x1f, 0x8b], Compression::Gzip),
    (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
    (b"\xff\x06\x00\x00sNaPpY", Compression::Snappy),
];

/// What a file is compressed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Nothing.
    None,
    /// Gzip, also several members one after the other.
    Gzip,
    /// Zstandard, also several frames.
    Zstd,
    /// Snappy in its framing format.
    Snappy,
}

impl Compression {
    /// The compression of this name.
    pub fn from_name(name: &[u8]) -> Option<Compression> {
        match name {
            b"none" => Some(Compression::None),
            b"gzip" => Some(Compression::Gzip),
            b"zstd" => Some(Compression::Zstd),
            b"snappy" => Some(Compression::Snappy),
            _ => None,
        }
    }
}

/// A store with what it takes to wait for it.
#[derive(Clone)]
pub struct Access {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where its work is done.
    pub runtime: &'static Runtime,
    /// Waits between attempts.
    pub retry: Schedule,
}

impl Access {
    /// Does something until it works, or fails for good.
    ///
    /// # Errors
    /// The last failure; `stopped` when the plugin has to stop.
    pub fn insist<'s, T>(
        &'s self,
        patience: &Patience,
        work: impl Fn() -> Work<'s, T>,
    ) -> Result<T, Failure> {
        let insisted = patience.wait(self.runtime, async {
            let mut backoff = Backoff::new(self.retry);
            loop {
                let failure = match work().await {
                    Ok(done) => return Ok(done),
                    Err(failure) => failure,
                };
                match backoff.next_wait() {
                    Some(wait) if !failure.lasts() => {
                        tracing::warn!(target: "store", "{failure}; trying again");
                        tokio::time::sleep(wait).await;
                    }
                    _ => return Err(failure),
                }
            }
        });
        insisted.unwrap_or_else(|| Err(Failure::passing(STOPPED)))
    }
}

/// The bytes of an object as they lie there.
struct Raw {
    access: Access,
    patience: Patience,
    key: String,
    /// Where the next piece begins.
    at: u64,
    version: Option<String>,
    piece: Vec<u8>,
    used: usize,
    piece_size: usize,
    is_last: bool,
}

impl Raw {
    fn fetch(&mut self) -> io::Result<()> {
        let (key, at, version) = (&self.key, self.at, self.version.as_deref());
        let len = self.piece_size as u64;
        let store = &self.access.store;
        let piece = self
            .access
            .insist(&self.patience, || store.read(key, at, len, version));
        let piece = piece.map_err(|failure| io::Error::other(failure.reason))?;
        self.is_last = (piece.bytes.len() as u64) < len;
        self.at += piece.bytes.len() as u64;
        self.version = Some(piece.version).filter(|version| !version.is_empty());
        (self.piece, self.used) = (piece.bytes, 0);
        Ok(())
    }
}

impl Read for Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.fill_buf()?;
        let n = rest.len().min(buffer.len());
        buffer[..n].copy_from_slice(&rest[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Raw {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.piece.len() && !self.is_last {
            self.fetch()?;
        }
        Ok(&self.piece[self.used..])
    }

    fn consume(&mut self, n: usize) {
        self.used += n;
    }
}

/// An object being read.
pub struct Object {
    stream: Box<dyn BufRead + Send>,
    memory: usize,
}

/// What to open, and how.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The key.
    pub key: String,
    /// Decompressed bytes that are left out at the begin.
    pub from: u64,
    /// What it is compressed with; none looks at how the object begins.
    pub compression: Option<Compression>,
    /// Bytes fetched with one request.
    pub piece_size: usize,
    /// The largest window of zstd that is taken, as a power of two.
    pub window_log: u32,
}

impl Opening {
    /// The whole object, decompressed if need be.
    pub fn new(key: impl Into<String>) -> Opening {
        Opening {
            key: key.into(),
            from: 0,
            compression: None,
            piece_size: PIECE,
            window_log: WINDOW_LOG_MAX,
        }
    }
}

impl Object {
    /// Opens an object. `charge` is told of each piece of bytes that is left out, and may end that.
    ///
    /// # Errors
    /// Why it cannot be read, or what `charge` said.
    pub fn open(
        access: &Access,
        patience: &Patience,
        opening: &Opening,
        charge: &mut dyn FnMut(usize) -> io::Result<()>,
    ) -> io::Result<Object> {
        let mut raw = Raw {
            access: access.clone(),
            patience: patience.clone(),
            key: opening.key.clone(),
            at: 0,
            version: None,
            piece: Vec::new(),
            used: 0,
            piece_size: opening.piece_size,
            is_last: false,
        };
        let compression = match opening.compression {
            Some(given) => given,
            None => detect(raw.fill_buf()?),
        };
        let mut left_out = opening.from;
        if compression == Compression::None && left_out > 0 {
            // Begins where it is wanted; of the first piece only what was looked at is lost.
            (raw.at, raw.piece, raw.used, raw.is_last) = (left_out, Vec::new(), 0, false);
            left_out = 0;
        }
        let mut object = Object {
            memory: opening.piece_size + decoder_memory(compression, opening.window_log),
            stream: decoder(raw, compression, opening.window_log)?,
        };
        while left_out > 0 {
            let available = object.stream.fill_buf()?.len();
            let n = available.min(usize::try_from(left_out).unwrap_or(usize::MAX));
            if n == 0 {
                break;
            }
            charge(n)?;
            object.stream.consume(n);
            left_out -= n as u64;
        }
        Ok(object)
    }

    /// Bytes of memory it holds, about.
    pub fn memory(&self) -> usize {
        self.memory
    }
}

impl Read for Object {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer)
    }
}

impl BufRead for Object {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.stream.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.stream.consume(n);
    }
}

fn detect(begin: &[u8]) -> Compression {
    let found = MAGIC.iter().find(|(magic, _)| begin.starts_with(magic));
    found.map_or(Compression::None, |(_, compression)| *compression)
}

fn decoder_memory(compression: Compression, window_log: u32) -> usize {
    match compression {
        Compression::None => 0,
        Compression::Gzip | Compression::Snappy => DECODER_MEMORY,
        Compression::Zstd => DECODER_MEMORY + (1 << window_log),
    }
}

fn decoder(
    raw: Raw,
    compression: Compression,
    window_log: u32,
) -> io::Result<Box<dyn BufRead + Send>> {
    Ok(match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(raw))),
        Compression::Snappy => Box::new(BufReader::new(snap::read::FrameDecoder::new(raw))),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(raw)?;
            decoder.window_log_max(window_log)?;
            Box::new(BufReader::new(decoder))
        }
    })
}

/// Entries of a store, a page after the other.
pub struct Listing {
    access: Access,
    prefix: String,
    after: String,
    page: VecDeque<Entry>,
    is_last: bool,
}

impl Listing {
    /// The entries whose keys begin with `prefix` and come after `after`.
    pub fn new(access: Access, prefix: impl Into<String>, after: impl Into<String>) -> Listing {
        Listing {
            access,
            prefix: prefix.into(),
            after: after.into(),
            page: VecDeque::new(),
            is_last: false,
        }
    }

    /// The next entry; none at the end.
    ///
    /// # Errors
    /// Why no page could be had.
    pub fn next(&mut self, patience: &Patience) -> Result<Option<Entry>, Failure> {
        // A page may be empty though more follow.
        while self.page.is_empty() && !self.is_last {
            let (prefix, after) = (&self.prefix, &self.after);
            let store = &self.access.store;
            let page = self.access.insist(patience, || store.list(prefix, after))?;
            self.is_last = page.is_last || page.entries.is_empty();
            if let Some(last) = page.entries.last() {
                self.after.clone_from(&last.key);
            }
            self.page = page.entries.into();
        }
        Ok(self.page.pop_front())
    }

    /// Bytes of memory it holds, about.
    pub fn memory(&self) -> usize {
        self.page
            .iter()
            .map(|entry| entry.key.len() + size_of::<Entry>())
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::Body;
    use crate::directory::Directory;
    use crate::runtime::runtime;
    use std::io::Write;
    use std::time::Duration;

    fn access(folder: &tempfile::TempDir) -> Access {
        let schedule = Schedule {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(1),
            attempts: Some(1),
        };
        Access {
            store: Arc::new(Directory::new(folder.path())),
            runtime: runtime().expect("threads"),
            retry: schedule,
        }
    }

    fn put(access: &Access, key: &str, bytes: &[u8]) {
        let body = Body::Bytes(bytes.into());
        access
            .runtime
            .block_on(access.store.put(key, &body))
            .expect("kept");
    }

    fn compressed(bytes: &[u8]) -> [(&'static str, Vec<u8>); 4] {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes[..bytes.len() / 2]).expect("memory");
        let mut members = gzip.finish().expect("memory");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&bytes[bytes.len() / 2..]).expect("memory");
        members.extend(gzip.finish().expect("memory"));
        let mut snappy = snap::write::FrameEncoder::new(Vec::new());
        snappy.write_all(bytes).expect("memory");
        [
            ("plain", bytes.to_vec()),
            ("gzip", members),
            ("zstd", zstd::encode_all(bytes, 1).expect("memory")),
            ("snappy", snappy.into_inner().expect("memory")),
        ]
    }

    #[test]
    fn objects_are_decompressed_and_begin_where_they_should() {
        let folder = tempfile::tempdir().expect("a folder");
        let access = access(&folder);
        let bytes: Vec<u8> = (0..300_000_u32)
            .flat_map(|n| (n % 1000).to_le_bytes())
            .collect();
        for (key, packed) in compressed(&bytes) {
            put(&access, key, &packed);
            for from in [0, 1, 999_999, bytes.len() as u64, bytes.len() as u64 + 5] {
                let opening = Opening {
                    from,
                    piece_size: 10_000,
                    ..Opening::new(key)
                };
                let object = Object::open(&access, &Patience::endless(), &opening, &mut |_| Ok(()));
                let mut read = Vec::new();
                object.expect("open").read_to_end(&mut read).expect("read");
                let expected = bytes.get(from as usize..).unwrap_or_default();
                assert!(read == expected, "{key} from {from}: {} bytes", read.len());
            }
        }
    }

    #[test]
    fn damage_and_replacement_are_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let access = access(&folder);
        let noise: Vec<u8> = (0..50_000_u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for (key, packed) in &compressed(&noise)[1..] {
            put(&access, key, &packed[..packed.len() / 2]);
            let object = Object::open(
                &access,
                &Patience::endless(),
                &Opening::new(*key),
                &mut |_| Ok(()),
            );
            let read = object.and_then(|mut object| object.read_to_end(&mut Vec::new()));
            assert!(read.is_err(), "{key} is cut off");
        }
        put(&access, "a", &noise);
        let opening = Opening {
            piece_size: 1000,
            ..Opening::new("a")
        };
        let mut object =
            Object::open(&access, &Patience::endless(), &opening, &mut |_| Ok(())).expect("open");
        put(&access, "a", &noise[1..]);
        let error = object
            .read_to_end(&mut Vec::new())
            .expect_err("it is another now");
        assert!(error.to_string().contains("replaced"), "{error}");
        let missing = Object::open(
            &access,
            &Patience::endless(),
            &Opening::new("b"),
            &mut |_| Ok(()),
        );
        assert!(missing.is_err());
    }

    #[test]
    fn what_is_left_out_can_be_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let access = access(&folder);
        put(
            &access,
            "bomb",
            &zstd::encode_all(&vec![0; 1 << 24][..], 1).expect("memory"),
        );
        let opening = Opening {
            from: 1 << 24,
            ..Opening::new("bomb")
        };
        let mut budget = 1 << 20;
        let ended = Object::open(&access, &Patience::endless(), &opening, &mut |n| {
            budget -= n as i64;
            match budget > 0 {
                true => Ok(()),
                false => Err(io::Error::other("enough")),
            }
        });
        assert_eq!(ended.err().expect("it was ended").to_string(), "enough");
    }

    #[test]
    fn a_listing_goes_on_from_page_to_page() {
        let folder = tempfile::tempdir().expect("a folder");
        let access = access(&folder);
        for key in ["a/1", "a/2", "b"] {
            put(&access, key, b"x");
        }
        let mut listing = Listing::new(access, "a", "a/1");
        let patience = Patience::endless();
        let next = listing.next(&patience).expect("listed").expect("one");
        assert_eq!((next.key.as_str(), next.size), ("a/2", 1));
        assert_eq!(listing.next(&patience), Ok(None));
        assert_eq!(listing.memory(), 0);
    }
}
