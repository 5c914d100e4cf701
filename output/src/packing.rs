//! What finished data is compressed with on its way to a destination.

use std::io::{self, Read, Write};

/// The level of compression: what is quick and still does most.
const ZSTD_LEVEL: i32 = 3;

/// A form of compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Packing {
    /// None.
    #[default]
    None,
    /// Gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

impl Packing {
    /// The form of this name: `none`, `gzip` or `zstd`.
    pub fn from_name(name: &str) -> Option<Packing> {
        match name {
            "none" => Some(Packing::None),
            "gzip" => Some(Packing::Gzip),
            "zstd" => Some(Packing::Zstd),
            _ => None,
        }
    }

    /// What is added to keys.
    pub fn ending(self) -> &'static str {
        match self {
            Packing::None => "",
            Packing::Gzip => ".gz",
            Packing::Zstd => ".zst",
        }
    }

    /// What HTTP calls it.
    pub fn content_encoding(self) -> Option<&'static str> {
        match self {
            Packing::None => None,
            Packing::Gzip => Some("gzip"),
            Packing::Zstd => Some("zstd"),
        }
    }

    /// Compresses everything.
    ///
    /// # Errors
    /// The system's.
    pub fn pack(self, mut source: impl Read, mut target: impl Write) -> io::Result<()> {
        match self {
            Packing::None => {
                io::copy(&mut source, &mut target)?;
            }
            Packing::Gzip => {
                let level = flate2::Compression::default();
                let mut encoder = flate2::write::GzEncoder::new(&mut target, level);
                io::copy(&mut source, &mut encoder)?;
                encoder.finish()?;
            }
            Packing::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(&mut target, ZSTD_LEVEL)?;
                io::copy(&mut source, &mut encoder)?;
                encoder.finish()?;
            }
        }
        target.flush()
    }
}
