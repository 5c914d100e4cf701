//! What is wrong in a configuration: where, what was found, what was expected, and what may help.

use std::fmt;
use std::path::{Path, PathBuf};

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file it is in.
    pub file: PathBuf,
    /// The line, where one is known.
    pub line: Option<u32>,
    /// The key, such as `output_size` or `input_defaults.memory_limit`; empty when it is about the whole file.
    pub key: String,
    /// What is wrong, in Hindsight's words where Hindsight has some.
    pub message: String,
    /// What was there; empty when nothing was or the message says it.
    pub found: String,
    /// What should be there; empty when the message says it.
    pub expected: String,
    /// What may help; often empty.
    pub hint: String,
}

impl Fault {
    /// A fault of a whole file.
    pub fn new(file: &Path, message: impl Into<String>) -> Fault {
        Fault {
            file: file.to_path_buf(),
            line: None,
            key: String::new(),
            message: message.into(),
            found: String::new(),
            expected: String::new(),
            hint: String::new(),
        }
    }

    /// The same fault at `line`; 0 stands for an unknown line.
    pub fn at(mut self, line: u32) -> Fault {
        self.line = (line > 0).then_some(line);
        self
    }

    /// The same fault with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.hint = hint.into();
        self
    }
}

impl Fault {
    /// The fault in one line, for the log.
    pub fn one_line(&self) -> String {
        self.to_string().replace("\n    ", ", ")
    }
}

/// `hindsight.cfg:3: output_size must be set to a number: found …, expected …` and the hint on a line of its own.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        write!(f, " {}", self.message)?;
        if !self.found.is_empty() {
            write!(f, "\n    found: {}", self.found)?;
        }
        if !self.expected.is_empty() {
            write!(f, "\n    expected: {}", self.expected)?;
        }
        if !self.hint.is_empty() {
            write!(f, "\n    hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// All faults of one configuration, never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// The messages alone, in one line: what goes into an `.err` file.
    pub fn summary(&self) -> String {
        let messages: Vec<&str> = self.0.iter().map(|fault| fault.message.as_str()).collect();
        messages.join("; ")
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

/// Most letters by which a wrong word may differ from the one that is suggested.
const NEAR: usize = 3;

/// The word of `words` that looks most like `word`, if any is near enough to be a slip of the finger.
pub fn nearest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let allowed = NEAR.min(word.len() / 2);
    words
        .map(|candidate| (distance(word.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Number of letters to insert, delete or replace to make `a` of `b`, and a swap of neighbours counts as two.
fn distance(a: &[u8], b: &[u8]) -> usize {
    // Long words are compared by their begin: the work must not grow with what a file contains.
    const LONGEST: usize = 64;
    let (a, b) = (&a[..a.len().min(LONGEST)], &b[..b.len().min(LONGEST)]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let words = ["output_path", "output_size", "hostname"];
        let near = |word| nearest(word, words.into_iter());
        assert_eq!(near("output_szie"), Some("output_size"));
        assert_eq!(near("outputpath"), Some("output_path"));
        assert_eq!(near("Hostname"), Some("hostname"));
        assert_eq!(near("kafka"), None);
        assert_eq!(near("x"), None);
        assert_eq!(near(""), None);
    }

    #[test]
    fn a_fault_says_where_what_and_how() {
        let mut fault = Fault::new(Path::new("a.cfg"), "x must be set to a number")
            .at(3)
            .hint("try 1");
        fault.found = "\"y\"".into();
        fault.expected = "a whole number".into();
        let text = "a.cfg:3: x must be set to a number\n    found: \"y\"\n    expected: a whole number\n    hint: try 1";
        assert_eq!(fault.to_string(), text);
        assert_eq!(
            Fault::new(Path::new("a.cfg"), "gone").at(0).to_string(),
            "a.cfg: gone"
        );
    }
}
