//! Carries the finished files of a spool to the store, compressed if wanted, and removes them here once they are there.

use std::fs::File;
use std::io::{self, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::names::{DONE, key};
use crate::courier::{Courier, Parcel, Receipt, Troubles};
use crate::destination::{Body, Outlook};
use crate::packing::Packing;
use crate::runtime::Patience;

/// Carries files.
pub struct Carrier {
    courier: Courier,
    dir: PathBuf,
    /// What keys end with.
    ending: String,
    packing: Packing,
    carried: u64,
    refused: u64,
}

/// The folder, beside the files, of those that the store does not want; with each lies a file that has the reason.
pub const REFUSED: &str = "refused";

/// What the name of the file with the reason ends with.
const REASON: &str = ".reason";

/// What an operator should know of the files that were under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A line for the log.
    Told(String),
    /// The store will never take a file: where it is kept now, and why.
    Refused(String, String),
}

impl Carrier {
    pub(super) fn new(courier: Courier, dir: PathBuf, ending: String, packing: Packing) -> Carrier {
        Carrier {
            courier,
            dir,
            ending,
            packing,
            carried: 0,
            refused: 0,
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

    /// Removes what the store has, sets aside what it does not want, and tells of what went wrong.
    pub fn settle(&mut self) -> Vec<Problem> {
        let mut problems = Vec::new();
        while let Some(receipt) = self.courier.receipt() {
            problems.extend(self.settled(&receipt));
        }
        problems
    }

    /// Waits until everything is carried, as long as the plugin may wait.
    pub fn wait(&mut self, runtime: &Runtime, patience: &Patience) -> Vec<Problem> {
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

    fn settled(&mut self, receipt: &Receipt) -> Option<Problem> {
        match &receipt.outcome {
            Ok(()) => self.remove(receipt).map(Problem::Told),
            Err(failure) if failure.outlook == Outlook::Refused => {
                Some(self.set_aside(receipt, &failure.reason))
            }
            Err(failure) => {
                let text = format!("{} is kept here: {failure}", receipt.name);
                Some(Problem::Told(text))
            }
        }
    }

    /// Keeps a file that the store does not want where it is not carried again.
    fn set_aside(&mut self, receipt: &Receipt, reason: &str) -> Problem {
        self.refused += 1;
        let (folder, name) = (self.dir.join(REFUSED), &receipt.name);
        let target = folder.join(name);
        let moved = std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::write(folder.join(format!("{name}{REASON}")), reason))
            .and_then(|()| std::fs::rename(self.dir.join(name), &target));
        if self.packing != Packing::None {
            // It is made again from the file whenever it is needed.
            let _ = std::fs::remove_file(self.aside(name));
        }
        match moved {
            Ok(()) => Problem::Refused(target.display().to_string(), reason.to_owned()),
            // It is carried, and refused, again after the next start.
            Err(error) => Problem::Told(format!("{name} is refused ({reason}) but kept: {error}")),
        }
    }

    fn remove(&mut self, receipt: &Receipt) -> Option<String> {
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

    /// Files that the store does not want.
    pub fn refused(&self) -> u64 {
        self.refused
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
    let source = BufReader::new(File::open(from)?);
    packing.pack(source, BufWriter::new(File::create(to)?))
}
