//! What a spool knows for certain: up to which message everything is in its files, and how long each file is by that.
//!
//! A text, a line for each fact. It is replaced at each commit; between two commits lines are added for new files, so that
//! a file that no line names was not made by this spool.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sandbox::MessagePlace;
use sandbox::append_file::write_whole;

/// The first line.
const HEAD: &str = "foresight spool 1";

/// The longest journal that is read, in bytes: a hundred times what the largest spool writes.
const SIZE_MAX: u64 = 256 << 20;

/// A file that grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    /// Its length at the commit.
    pub(super) size: u64,
    /// When it was begun, in seconds since 1970.
    pub(super) begun_s: i64,
    /// What it is the file of.
    pub(super) group: String,
    /// Its name.
    pub(super) name: String,
}

/// A file that is finished, and gets its last name now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Done {
    /// Its length.
    pub(super) size: u64,
    /// Its name so far.
    pub(super) name: String,
    /// Its last name.
    pub(super) done: String,
}

/// The facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Everything up to and with this message of the input queue, and that of the analysis queue, is in the files.
    pub(super) places: [Option<MessagePlace>; 2],
    /// Second and number of the last name that was given.
    pub(super) stamp: (i64, u64),
    /// Files that grow.
    pub(super) open: Vec<Open>,
    /// Files that get their last name.
    pub(super) done: Vec<Done>,
}

impl Facts {
    pub(super) fn text(&self) -> String {
        let mut text = format!("{HEAD}\n");
        // A String takes any text.
        for place in self.places.into_iter().flatten() {
            let queue = if place.in_analysis {
                "analysis"
            } else {
                "input"
            };
            let _ = writeln!(text, "{queue} {} {}", place.segment, place.offset);
        }
        let _ = writeln!(text, "stamp {} {}", self.stamp.0, self.stamp.1);
        for done in &self.done {
            let _ = writeln!(text, "done {} {}\t{}", done.size, done.name, done.done);
        }
        for open in &self.open {
            text.push_str(&line_of(open));
        }
        text
    }

    pub(super) fn parse(text: &str) -> Option<Facts> {
        let mut facts = Facts::default();
        // A line that was being added when the machine stopped has no end.
        let (whole, _) = text.rsplit_once('\n')?;
        let mut lines = whole.lines();
        if lines.next() != Some(HEAD) {
            return None;
        }
        for line in lines {
            let (word, rest) = line.split_once(' ')?;
            match word {
                "input" => facts.places[0] = Some(place(rest, false)?),
                "analysis" => facts.places[1] = Some(place(rest, true)?),
                "stamp" => facts.stamp = pair(rest)?,
                "done" => facts.done.push(done(rest)?),
                "open" => facts.open.push(open(rest)?),
                _ => return None,
            }
        }
        Some(facts)
    }
}

fn line_of(open: &Open) -> String {
    format!(
        "open {} {} {}\t{}\n",
        open.size, open.begun_s, open.group, open.name
    )
}

fn pair<A: std::str::FromStr, B: std::str::FromStr>(text: &str) -> Option<(A, B)> {
    let (a, b) = text.split_once(' ')?;
    Some((a.parse().ok()?, b.parse().ok()?))
}

fn place(text: &str, in_analysis: bool) -> Option<MessagePlace> {
    let (segment, offset) = pair(text)?;
    Some(MessagePlace {
        in_analysis,
        segment,
        offset,
    })
}

fn done(text: &str) -> Option<Done> {
    let (size, names) = text.split_once(' ')?;
    let (name, done) = names.split_once('\t')?;
    Some(Done {
        size: size.parse().ok()?,
        name: name.to_owned(),
        done: done.to_owned(),
    })
}

fn open(text: &str) -> Option<Open> {
    let (size, rest) = text.split_once(' ')?;
    let (begun, names) = rest.split_once(' ')?;
    let (group, name) = names.split_once('\t')?;
    Some(Open {
        size: size.parse().ok()?,
        begun_s: begun.parse().ok()?,
        group: group.to_owned(),
        name: name.to_owned(),
    })
}

/// The file of the facts.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    /// To add lines.
    file: Option<File>,
}

impl Journal {
    /// The journal at `path`, and what it said; nothing when there is none. One that cannot be understood is set aside.
    pub(super) fn open(path: PathBuf) -> io::Result<(Journal, Option<Facts>)> {
        let found = match std::fs::metadata(&path) {
            Ok(found) if found.len() <= SIZE_MAX => std::fs::read(&path)?,
            Ok(_) => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((Journal { path, file: None }, None));
            }
            Err(error) => return Err(error),
        };
        let facts = std::str::from_utf8(&found).ok().and_then(Facts::parse);
        if facts.is_none() {
            std::fs::rename(&path, path.with_extension("bad"))?;
        }
        Ok((Journal { path, file: None }, facts))
    }

    /// Replaces everything; on the disk before this returns if `sync` says so.
    pub(super) fn replace(&mut self, facts: &Facts, sync: bool) -> io::Result<()> {
        let text = facts.text();
        if sync {
            write_whole(&self.path, text.as_bytes())?;
        } else {
            let aside = self.path.with_extension("tmp");
            std::fs::write(&aside, text)?;
            std::fs::rename(&aside, &self.path)?;
        }
        self.file = Some(append_to(&self.path)?);
        Ok(())
    }

    /// Adds a new file.
    pub(super) fn add(&mut self, open: &Open) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(line_of(open).as_bytes()),
            None => Err(io::Error::other("the journal is not begun")),
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let place = |in_analysis, segment, offset| MessagePlace {
            in_analysis,
            segment,
            offset,
        };
        let open = |name: &str| Open {
            size: 7,
            begun_s: -1,
            group: "a b".into(),
            name: name.into(),
        };
        Facts {
            places: [Some(place(false, 3, u64::MAX)), Some(place(true, 0, 0))],
            stamp: (1_700_000_000, 5),
            open: vec![open("a b"), open("x")],
            done: vec![Done {
                size: 9,
                name: "a+b c".into(),
                done: "a+b c+1.done".into(),
            }],
        }
    }

    #[test]
    fn facts_are_read_back_and_new_files_are_added() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spool");
        let (mut journal, none) = Journal::open(path.clone()).expect("opened");
        assert_eq!(none, None);
        let mut expected = facts();
        for sync in [true, false] {
            journal.replace(&expected, sync).expect("replaced");
            let added = Open {
                size: 0,
                begun_s: 1,
                group: "g".into(),
                name: "new".into(),
            };
            journal.add(&added).expect("added");
            expected.open.push(added);
            let (_, found) = Journal::open(path.clone()).expect("opened");
            assert_eq!(found.as_ref(), Some(&expected));
        }
    }

    #[test]
    fn every_cut_is_understood_or_set_aside() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("spool");
        let text = facts().text();
        for cut in 0..text.len() {
            std::fs::write(&path, &text[..cut]).expect("written");
            let (_, found) = Journal::open(path.clone()).expect("opened");
            assert_eq!(found.is_some(), text[..cut].contains('\n'), "cut at {cut}");
        }
        for bad in [
            "",
            "x\n",
            "foresight spool 1\nopen x\n",
            "foresight spool 1\nopen 1 2 a\n\u{0}\n",
        ] {
            std::fs::write(&path, bad).expect("written");
            assert_eq!(
                Journal::open(path.clone()).expect("opened").1,
                None,
                "{bad:?}"
            );
            assert!(folder.path().join("spool.bad").exists());
        }
    }
}
