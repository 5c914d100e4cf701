//! Where batches ended that were not full: a crash lets their messages come again, and then they end there again.
//!
//! A text, a place on each line. It is written before such a batch is sent; that it has reached the system is enough, because
//! after a loss of power the queues, too, may have lost their last places.

use std::collections::{HashSet, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use sandbox::MessagePlace;

/// Ends that are remembered. Those of batches that have long arrived are of no use, and no checkpoint is written so seldom that
/// more than these could come again.
const KEPT: usize = 1000;

/// The file is written anew when it has so many lines.
const LINES_MAX: usize = 4 * KEPT;

/// The longest file that is read, in bytes; longer than `LINES_MAX` of the longest lines.
const FILE_MAX: u64 = 1 << 20;

/// Memory of one end.
const MEMORY: usize = 2 * size_of::<MessagePlace>() + 8;

/// The ends.
#[derive(Debug, Default)]
pub(super) struct Ends {
    path: Option<PathBuf>,
    known: HashSet<MessagePlace>,
    /// In their order.
    recent: VecDeque<MessagePlace>,
    file: Option<File>,
    n_lines: usize,
}

impl Ends {
    /// Those of an earlier run; none without a path.
    pub(super) fn open(path: Option<PathBuf>) -> io::Result<Ends> {
        let mut ends = Ends {
            path,
            ..Ends::default()
        };
        let Some(path) = &ends.path else {
            return Ok(ends);
        };
        let text = match std::fs::metadata(path) {
            Ok(found) if found.len() <= FILE_MAX => std::fs::read(path)?,
            // What is not ours is begun anew.
            Ok(_) => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        for place in String::from_utf8_lossy(&text).lines().filter_map(place) {
            ends.remember(place);
        }
        ends.rewrite()?;
        Ok(ends)
    }

    /// Whether a batch ended with this message.
    pub(super) fn is_one(&self, place: MessagePlace) -> bool {
        self.known.contains(&place)
    }

    /// A batch ends with this message, though it is not full.
    pub(super) fn add(&mut self, place: MessagePlace) -> io::Result<()> {
        if self.path.is_none() {
            return Ok(());
        }
        self.remember(place);
        self.n_lines += 1;
        match &mut self.file {
            Some(file) if self.n_lines < LINES_MAX => file.write_all(line(place).as_bytes()),
            _ => self.rewrite(),
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.recent.len() * MEMORY
    }

    fn remember(&mut self, place: MessagePlace) {
        if self.known.insert(place) {
            self.recent.push_back(place);
        }
        if self.recent.len() > KEPT
            && let Some(oldest) = self.recent.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    fn rewrite(&mut self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        self.file = None;
        let text: String = self.recent.iter().map(|place| line(*place)).collect();
        let aside = path.with_extension("ends.tmp");
        std::fs::write(&aside, text)?;
        std::fs::rename(&aside, path)?;
        self.file = Some(OpenOptions::new().append(true).open(path)?);
        self.n_lines = self.recent.len();
        Ok(())
    }
}

fn line(place: MessagePlace) -> String {
    let queue = if place.in_analysis {
        "analysis"
    } else {
        "input"
    };
    format!("{queue} {} {}\n", place.segment, place.offset)
}

/// A line that was torn is left out.
fn place(line: &str) -> Option<MessagePlace> {
    let mut words = line.split(' ');
    let in_analysis = match words.next()? {
        "input" => false,
        "analysis" => true,
        _ => return None,
    };
    let (segment, offset) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(MessagePlace {
        in_analysis,
        segment,
        offset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(offset: u64) -> MessagePlace {
        MessagePlace {
            in_analysis: offset % 2 == 1,
            segment: 3,
            offset,
        }
    }

    #[test]
    fn ends_are_known_to_the_next_run_and_the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.ends");
        let mut ends = Ends::open(Some(path.clone())).expect("opened");
        let n = LINES_MAX as u64 + 10;
        for offset in 0..n {
            ends.add(at(offset)).expect("added");
        }
        assert!(std::fs::metadata(&path).expect("there").len() < 2 * 20 * KEPT as u64);
        // A torn line and nonsense do no harm.
        let file = OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(b"\xffnonsense\ninput 3"))
            .expect("written");
        let ends = Ends::open(Some(path)).expect("opened");
        assert!(ends.is_one(at(n - 1)) && ends.is_one(at(n - KEPT as u64)));
        assert!(!ends.is_one(at(0)) && !ends.is_one(at(n)));
        assert_eq!(ends.recent.len(), KEPT);
    }

    #[test]
    fn without_a_file_nothing_is_remembered() {
        let mut ends = Ends::open(None).expect("nothing to open");
        ends.add(at(1)).expect("nothing to write");
        assert!(!ends.is_one(at(1)));
    }
}
