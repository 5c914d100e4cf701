//! What a compaction is about to do in a partition: an object that is put before the new file and removed after the old ones.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::claim::PREFIX;
use super::lake::hex;

const ENDING: &str = ".journal";

/// The end of the name of a data file.
pub(super) const PARQUET: &str = ".parquet";

/// What stands between the name of the first old file and the digest in the name of the new one.
const MARK: &str = "_compact-";

/// Bytes of the first old file's name that the new one's begins with, at most.
const STEM_MAX: usize = 150;

/// Bytes of the digest that names the old files.
const ID_LEN: usize = 16;

/// Which files become which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journal {
    /// The old ones.
    pub inputs: Vec<Input>,
    /// The name of the new one.
    pub output: String,
    id: String,
}

/// A file that becomes a part of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Input {
    pub name: String,
    pub size: u64,
    /// Of its bytes, in hexadecimal digits.
    pub digest: String,
    /// As the store tells it from others under the same key.
    pub version: String,
}

/// Whether the object is a journal.
pub(super) fn is_journal(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(ENDING)
}

impl Journal {
    /// The same files have the same journal and the same new file, however often it is tried.
    pub fn new(inputs: Vec<Input>) -> Journal {
        let mut digest = Sha256::new();
        for input in &inputs {
            digest.update(format!("{}\0{}\0", input.name, input.digest));
        }
        let id = hex(&digest.finalize()[..ID_LEN]);
        let first = inputs.first().map_or("", |input| &input.name);
        let stem = first.strip_suffix(PARQUET).unwrap_or(first);
        let stem = stem.split_once(MARK).map_or(stem, |(stem, _)| stem);
        let end = (0..=STEM_MAX.min(stem.len())).rev();
        let end = end.into_iter().find(|&end| stem.is_char_boundary(end));
        let stem = &stem[..end.unwrap_or(0)];
        Journal {
            output: format!("{stem}{MARK}{id}{PARQUET}"),
            inputs,
            id,
        }
    }

    pub fn name(&self) -> String {
        format!("{PREFIX}{}{ENDING}", self.id)
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let inputs = self.inputs.iter().map(|input| {
            json!({ "name": input.name, "size": input.size, "digest": input.digest, "version": input.version })
        });
        let inputs: Vec<Value> = inputs.collect();
        json!({ "output": self.output, "inputs": inputs })
            .to_string()
            .into_bytes()
    }

    /// Reads a journal back; `None` when it is none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Journal> {
        let found: Value = serde_json::from_slice(bytes).ok()?;
        let inputs = found["inputs"].as_array()?.iter().map(|input| {
            let text = |key: &str| input[key].as_str().map(str::to_owned);
            Some(Input {
                name: text("name").filter(|name| !name.contains('/'))?,
                size: input["size"].as_u64()?,
                digest: text("digest")?,
                version: text("version")?,
            })
        });
        let journal = Journal::new(inputs.collect::<Option<_>>()?);
        // Its new file's name is made of the rest, so nobody else's file is ever taken for it.
        (found["output"].as_str() == Some(&journal.output)).then_some(journal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str) -> Input {
        Input {
            name: name.into(),
            size: 7,
            digest: "ab".into(),
            version: "\"v\"".into(),
        }
    }

    #[test]
    fn a_journal_comes_back_and_names_its_file_by_what_is_in_it() {
        let journal = Journal::new(vec![input("1_h_l.parquet"), input("2_h_l.parquet")]);
        assert_eq!(
            Journal::from_bytes(&journal.to_bytes()),
            Some(journal.clone())
        );
        assert!(journal.output.starts_with("1_h_l_compact-") && journal.output.ends_with(PARQUET));
        assert!(is_journal(&journal.name()) && !is_journal(&journal.output));
        let other = Journal::new(vec![input("1_h_l.parquet"), input("3_h_l.parquet")]);
        assert_ne!(journal.output, other.output);
        // A file that was made of others has no longer name than these.
        let again = Journal::new(vec![input(&journal.output), input("3")]);
        assert_eq!(again.output.len(), journal.output.len());
        let long = Journal::new(vec![input(&"ä".repeat(120)), input("3")]);
        assert!(long.output.len() < 255);
    }

    #[test]
    fn what_is_no_journal_is_none() {
        let good = Journal::new(vec![input("a")]).to_bytes();
        let text = String::from_utf8(good).expect("it is JSON");
        for bad in [
            "",
            "{}",
            r#"{"output":"x","inputs":[]}"#,
            &text.replace("\"a\"", "\"../a\""),
            &text.replace("\"ab\"", "\"cd\""),
            &text[1..],
        ] {
            assert_eq!(Journal::from_bytes(bad.as_bytes()), None, "{bad}");
        }
    }
}
