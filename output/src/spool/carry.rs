//! Carries the finished files of a spool to the store, compressed if wanted, and removes them here once they are there.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::Packing;
use super::names::{DONE, key};
use crate::courier::{Courier, Parcel, Receipt, Troubles};
use crate::destination::Body;
use crate::runtime::Patience;

/// The level of compression: what is quick and still does most.
const ZSTD_LEVEL: i32 = 3;

/// Carries files.
pub struct Carrier {
    courier: Courier,
    dir: PathBuf,
    /// What keys end with.
    ending: String,
    packing: Packing,
    carried: u64,
}

impl Carrier {
    pub(super) fn new(courier: Courier, dir: PathBuf, ending: String, packing: Packing) -> Carrier {
        Carrier {
            courier,
            dir,
            ending,
            packing,
            carried: 0,
        }
    }

    /// Takes a finished file, whose name and bytes stay as they are.
    pub(super) fn take(&mut self, done: &str) {
        let path = self.dir.join(done);
        let packing = self.packing;
        let (body, prepare) = match packing {
            Packing::None => (path, None),
            _ => {
                let aside = self.aside(done);
                let prepare: crate::courier::Preparation = {
                    let aside = aside.clone();
                    Arc::new(move || pack(&path, &aside, packing))
                };
                (aside, Some(prepare))
            }
        };
        self.courier.send(Parcel {
            key: key(done, &self.ending, packing),
            body: Body::File(body),
            prepare,
            name: done.to_owned(),
        });
    }

    /// Where a file is compressed.
    fn aside(&self, done: &str) -> PathBuf {
        let ending = aside_ending(self.packing);
        self.dir.join(format!(
            "{}{ending}",
            done.strip_suffix(DONE).unwrap_or(done)
        ))
    }

    /// Removes what the store has; what could not be removed or carried is told.
    pub fn settle(&mut self) -> Vec<String> {
        let mut problems = Vec::new();
        while let Some(receipt) = self.courier.receipt() {
            problems.extend(self.settled(&receipt));
        }
        problems
    }

    /// Waits until everything is carried, as long as the plugin may wait.
    pub fn wait(&mut self, runtime: &Runtime, patience: &Patience) -> Vec<String> {
        let mut problems = Vec::new();
        let all = async {
            while let Some(receipt) = self.courier.next_receipt().await {
                problems.extend(self.settled(&receipt));
            }
        };
        // What is not carried now is at the next start.
        let _ = patience.wait(runtime, all);
        problems
    }

    fn settled(&mut self, receipt: &Receipt) -> Option<String> {
        if let Err(failure) = &receipt.outcome {
            return Some(format!("{} is kept here: {failure}", receipt.name));
        }
        self.carried += 1;
        let mut removed = std::fs::remove_file(self.dir.join(&receipt.name));
        if self.packing != Packing::None {
            removed = removed.and(std::fs::remove_file(self.aside(&receipt.name)));
        }
        let error = removed.err()?;
        Some(format!(
            "{} was carried but not removed: {error}",
            receipt.name
        ))
    }

    /// Files that the store has taken.
    pub fn carried(&self) -> u64 {
        self.carried
    }

    /// Files that wait or are under way.
    pub fn pending(&self) -> usize {
        self.courier.pending()
    }

    /// What went wrong so far.
    pub fn troubles(&self) -> Troubles {
        self.courier.troubles()
    }
}

/// What the name of a file that is being compressed ends with, in place of the ending of finished ones.
pub(super) fn aside_ending(packing: Packing) -> String {
    format!("{DONE}{}.tmp", packing.ending())
}

fn pack(from: &Path, to: &Path, packing: Packing) -> io::Result<()> {
    let mut source = BufReader::new(File::open(from)?);
    let target = BufWriter::new(File::create(to)?);
    let mut target = match packing {
        Packing::None => target,
        Packing::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(target, flate2::Compression::default());
            io::copy(&mut source, &mut encoder)?;
            encoder.finish()?
        }
        Packing::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(target, ZSTD_LEVEL)?;
            io::copy(&mut source, &mut encoder)?;
            encoder.finish()?
        }
    };
    target.flush()
}
