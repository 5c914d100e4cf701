//! Compacts one partition: completes what was begun, sorts the files, and for each group writes the new file, then removes the
//! old ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use columnar::merge::{self, Form, MergeError, Outline, Section, TailError, Target};
use output::destination::{Body, Entry};
use stdx::clock::{Clock, RealClock};

use super::claim::{self, Claim};
use super::journal::{Input, Journal, PARQUET, is_journal};
use super::lake::{Lake, Trouble, key_in};
use super::plan::{Class, Classes};
use super::{Options, Summary, megabytes};
use crate::parallel;

/// Requests to the store at once.
const REQUESTS: usize = 8;

/// Bytes at the end of a file that are read first: most footers are shorter.
const TAIL: u64 = 64 << 10;

/// Files whose footers are looked at before they are sorted.
const OUTLINES_AT_ONCE: usize = 256;

/// Small files of a partition that are looked at in one run; the next run takes the others.
const FILES_MAX: usize = 100_000;

/// Bytes of a journal, at most: far more than one of the files that may be in it.
const JOURNAL_MAX: u64 = 64 << 20;

/// A partition that is worked on.
pub(super) struct Partition<'p> {
    pub lake: &'p Lake,
    pub folder: &'p str,
    pub options: &'p Options,
    pub summary: &'p mut Summary,
    pub out: &'p mut dyn Write,
    pub reports: &'p mut dyn Write,
}

/// Old files in one scratch file, and what the journal says of them.
struct Fetched {
    sections: Vec<Section>,
    inputs: Vec<Input>,
}

/// Why there is no new file.
enum Stopped {
    /// One of the old ones is to blame.
    By(usize, String),
    /// Nothing can be done at all.
    With(Trouble),
}

impl Partition<'_> {
    /// Compacts it, unless somebody else is there.
    pub fn compact(&mut self) -> Result<(), Trouble> {
        if self.options.dry_run {
            let now_s = RealClock::new().now_ns() / 1_000_000_000;
            let files = self.files()?;
            for name in files.keys().filter(|name| is_journal(name)) {
                let key = key_in(self.folder, name);
                self.tell(format!("{key}: would complete what was begun"));
            }
            return self.compact_files(&files, now_s, None);
        }
        let Some(claim) = Claim::acquire(self.lake, self.folder)? else {
            self.summary.n_busy += 1;
            let folder = self.folder;
            self.tell(format!("{folder}: somebody else compacts it"));
            return Ok(());
        };
        let mut files = self.files()?;
        let journals = files.keys().filter(|name| is_journal(name));
        let journals: Vec<String> = journals.cloned().collect();
        for name in &journals {
            self.complete(name, &files, &claim)?;
        }
        if !journals.is_empty() {
            files = self.files()?;
        }
        self.compact_files(&files, claim.now_s, Some(&claim))
    }

    fn tell(&mut self, line: String) {
        // Who closed the output does not want it.
        let _ = writeln!(self.out, "{line}");
    }

    /// Reports what is wrong with a file or a partition, which is left alone.
    fn complain(&mut self, trouble: &Trouble) {
        self.summary.n_faults += 1;
        let _ = writeln!(self.reports, "{trouble}");
    }

    /// What lies in the folder itself, by name: the data files up to a limit, and what compactions put there.
    fn files(&self) -> Result<BTreeMap<String, Entry>, Trouble> {
        let prefix = key_in(self.folder, "");
        let mut listing = self.lake.listing(&prefix);
        let mut files = BTreeMap::new();
        let mut n_data = 0;
        while let Some(entry) = self.lake.next(&mut listing, self.folder)? {
            let Some(name) = entry.key.strip_prefix(&prefix) else {
                continue;
            };
            if name.contains('/') || claim::is_claim(name) {
                continue;
            }
            n_data += usize::from(!is_journal(name));
            if is_journal(name) || n_data <= FILES_MAX {
                files.insert(name.to_owned(), entry);
            }
        }
        Ok(files)
    }

    /// Completes what an earlier compaction began under this journal.
    fn complete(
        &mut self,
        name: &str,
        files: &BTreeMap<String, Entry>,
        claim: &Claim,
    ) -> Result<(), Trouble> {
        let key = key_in(self.folder, name);
        let read = self.lake.read(&key, 0, JOURNAL_MAX, None)?;
        let damaged = || Trouble::new(&key, "is no journal of a compaction; remove it by hand");
        let journal = Journal::from_bytes(&read.bytes).ok_or_else(damaged)?;
        let present = journal.inputs.iter();
        let present: Vec<Input> = present
            .filter(|input| files.contains_key(&input.name))
            .cloned()
            .collect();
        // The limit on the files of a run does not hide the new one.
        let is_there = files.contains_key(&journal.output) || self.exists(&journal.output)?;
        if is_there {
            self.remove(&present, claim)?;
            self.tell(format!("{key}: completed what was begun"));
        } else if present.len() == journal.inputs.len() {
            let entries = present.iter().map(|input| files[&input.name].clone());
            let entries: Vec<Entry> = entries.collect();
            match self.replace(&entries, None, claim) {
                Err(Stopped::With(trouble)) => return Err(trouble),
                // Nothing was done yet, so they are files as all others.
                Err(Stopped::By(..)) | Ok(()) => {}
            }
        }
        self.lake.remove(&key)
    }

    fn exists(&self, name: &str) -> Result<bool, Trouble> {
        let key = key_in(self.folder, name);
        let mut listing = self.lake.listing(&key);
        let found = self.lake.next(&mut listing, &key)?;
        Ok(found.is_some_and(|entry| entry.key == key))
    }

    /// Sorts the small files that are old enough, and makes groups of them one file each.
    fn compact_files(
        &mut self,
        files: &BTreeMap<String, Entry>,
        now_s: i64,
        claim: Option<&Claim>,
    ) -> Result<(), Trouble> {
        let oldest_s = now_s.saturating_sub_unsigned(self.options.older_than.as_secs());
        let small = files.iter().filter(|(name, file)| {
            is_data(name) && file.size < self.options.small && file.modified_s <= oldest_s
        });
        let small: Vec<Entry> = small.map(|(_, file)| file.clone()).collect();
        if small.len() < self.options.min_files {
            return Ok(());
        }
        let classes = self.sort(&small);
        let first = classes.0.first().map(|class| class.files[0].key.clone());
        for class in &classes.0 {
            if let (Some(reason), Some(first)) = (&class.reason, &first) {
                let (n, own) = (class.files.len(), &class.files[0].key);
                self.tell(format!(
                    "{own}: it and {} more are apart from {first}: {reason}",
                    n - 1
                ));
            }
            self.compact_class(class, claim)?;
        }
        Ok(())
    }

    /// Looks at the footers of files.
    fn sort(&mut self, files: &[Entry]) -> Classes {
        let mut classes = Classes::default();
        for some in files.chunks(OUTLINES_AT_ONCE) {
            let outlines = parallel::map_on(REQUESTS, some, |file| outline(self.lake, file));
            for (file, outline) in some.iter().zip(outlines) {
                match outline {
                    Ok(outline) => classes.add(file.clone(), outline.form),
                    Err(trouble) => self.complain(&trouble),
                }
            }
        }
        classes
    }

    fn compact_class(&mut self, class: &Class, claim: Option<&Claim>) -> Result<(), Trouble> {
        let (target, n_min) = (self.options.target_size, self.options.min_files);
        for group in class.groups(target, n_min) {
            let Some(claim) = claim else {
                self.announce(group);
                continue;
            };
            let mut group = group.to_vec();
            while group.len() >= n_min {
                match self.replace(&group, Some(&class.form), claim) {
                    Ok(()) => break,
                    Err(Stopped::With(trouble)) => return Err(trouble),
                    Err(Stopped::By(place, reason)) => {
                        let bad = group.remove(place);
                        self.complain(&Trouble::new(bad.key, reason));
                    }
                }
            }
        }
        Ok(())
    }

    /// Tells what would be done.
    fn announce(&mut self, group: &[Entry]) {
        let bytes = group.iter().map(|file| file.size).sum();
        self.summary.n_old += group.len() as u64;
        self.summary.n_new += 1;
        self.summary.bytes_old += bytes;
        let (folder, n, bytes) = (self.folder, group.len(), megabytes(bytes));
        self.tell(format!("{folder}: {n} files, {bytes}, would become one"));
    }

    /// Makes one file of a group: journal, new file, old files away, journal away.
    fn replace(
        &mut self,
        group: &[Entry],
        form: Option<&Form>,
        claim: &Claim,
    ) -> Result<(), Stopped> {
        let system = |error: std::io::Error| {
            Stopped::With(Trouble::new(
                std::env::temp_dir().to_string_lossy(),
                error.to_string(),
            ))
        };
        let fetched = self.fetch(group, scratch().map_err(system)?)?;
        let form = match form {
            Some(form) => form.clone(),
            None => merge::common_form(&fetched.sections)
                .map_err(|(place, reason)| Stopped::By(place, reason))?,
        };
        let out = scratch().map_err(system)?;
        let target = Target {
            form: &form,
            compression: &self.options.compression,
            memory: self.options.memory,
        };
        let merged =
            merge::merge(&fetched.sections, target, &out).map_err(|error| match error {
                MergeError::Input { place, reason } => Stopped::By(place, reason),
                MergeError::System(error) => system(error),
                MergeError::Compression(reason) => {
                    Stopped::With(Trouble::new("compression", reason))
                }
            })?;
        drop(fetched.sections);
        let bytes = out.metadata().map_err(system)?.len();
        let journal = Journal::new(fetched.inputs);
        self.exchange(&journal, &out, claim)
            .map_err(Stopped::With)?;
        let old = group.iter().map(|file| file.size).sum();
        self.summary.n_old += group.len() as u64;
        self.summary.n_new += 1;
        self.summary.n_rows += merged.n_rows;
        self.summary.bytes_old += old;
        self.summary.bytes_new += bytes;
        let (n, rows, key) = (
            group.len(),
            merged.n_rows,
            key_in(self.folder, &journal.output),
        );
        let (old, new) = (megabytes(old), megabytes(bytes));
        self.tell(format!(
            "{key}: {n} files, {old}, are one, {new}, {rows} rows"
        ));
        Ok(())
    }

    /// From here on something is changed in the store, each step such that the next run can go on from there.
    fn exchange(&mut self, journal: &Journal, out: &File, claim: &Claim) -> Result<(), Trouble> {
        let key = key_in(self.folder, &journal.name());
        claim.check()?;
        self.lake
            .put(&key, &Body::Bytes(journal.to_bytes().into()))?;
        claim.check()?;
        // The file has no name any more, so that nothing is left of it whenever the program ends.
        let body = Body::File(format!("/proc/self/fd/{}", out.as_raw_fd()).into());
        self.lake
            .put(&key_in(self.folder, &journal.output), &body)?;
        self.remove(&journal.inputs, claim)?;
        self.lake.remove(&key)
    }

    /// Removes old files whose rows are in the new one. One that was replaced by other bytes meanwhile stays.
    fn remove(&mut self, inputs: &[Input], claim: &Claim) -> Result<(), Trouble> {
        let (lake, folder) = (self.lake, self.folder);
        let removed = parallel::map_on(REQUESTS, inputs, |input| {
            claim.check()?;
            let key = key_in(folder, &input.name);
            if !is_still(lake, &key, input)? {
                return Ok(Some(key));
            }
            lake.remove(&key).map(|()| None)
        });
        for outcome in removed {
            if let Some(key) = outcome? {
                let reason =
                    "was replaced by another file after its rows were taken; it is left alone";
                self.complain(&Trouble::new(key, reason));
            }
        }
        Ok(())
    }

    /// Brings the bytes of a group into one scratch file.
    fn fetch(&self, group: &[Entry], scratch: File) -> Result<Fetched, Stopped> {
        let mut end = 0;
        let places = group.iter().map(|file| {
            let start = end;
            end += file.size;
            (file, start)
        });
        let places: Vec<(&Entry, u64)> = places.collect();
        let fetched = parallel::map_on(REQUESTS, &places, |(file, start)| {
            let mut size = 0;
            let read = self.lake.read_all(&file.key, |at, bytes| {
                size = at + bytes.len() as u64;
                match size <= file.size {
                    true => scratch.write_all_at(bytes, start + at),
                    false => Err(std::io::Error::other("has grown while it was read")),
                }
            });
            let (digest, version) = read?;
            match size == file.size {
                true => Ok((digest, version)),
                false => Err(Trouble::new(&file.key, "is shorter than the list says")),
            }
        });
        let scratch = Arc::new(scratch);
        let mut all = Fetched {
            sections: Vec::new(),
            inputs: Vec::new(),
        };
        for ((file, start), read) in places.into_iter().zip(fetched) {
            let (digest, version) = read.map_err(Stopped::With)?;
            let name = file.key.rsplit('/').next().unwrap_or(&file.key);
            all.sections
                .push(Section::new(Arc::clone(&scratch), start, file.size));
            all.inputs.push(Input {
                name: name.to_owned(),
                size: file.size,
                digest,
                version,
            });
        }
        Ok(all)
    }
}

/// Whether a name is that of a data file that readers see.
pub(super) fn is_data(name: &str) -> bool {
    name.ends_with(PARQUET) && !name.starts_with(['_', '.'])
}

/// Whether there are still these bytes under the key. The same bytes may have been put once more.
fn is_still(lake: &Lake, key: &str, input: &Input) -> Result<bool, Trouble> {
    if lake.read(key, 0, 1, Some(&input.version)).is_ok() {
        return Ok(true);
    }
    let (digest, _) = lake.read_all(key, |_, _| Ok(()))?;
    Ok(digest == input.digest)
}

/// What the footer of a file says.
fn outline(lake: &Lake, file: &Entry) -> Result<Outline, Trouble> {
    let mut wanted = TAIL.min(file.size);
    loop {
        let from = file.size - wanted;
        let tail = lake.read(&file.key, from, wanted, None)?.bytes;
        match Outline::from_tail(tail, file.size) {
            Ok(outline) => return Ok(outline),
            Err(TailError::More(n)) if n as u64 > wanted && n as u64 <= file.size => {
                wanted = n as u64;
            }
            Err(TailError::More(_)) => return Err(Trouble::new(&file.key, "has no footer")),
            Err(TailError::Damaged(reason)) => return Err(Trouble::new(&file.key, reason)),
        }
    }
}

/// A file without a name in the folder for such files.
fn scratch() -> std::io::Result<File> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let path = std::env::temp_dir().join(format!("foresight-{}", super::lake::hex(&random)));
    let mut options = File::options();
    let file = options
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}
