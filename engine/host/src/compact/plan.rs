//! Which files of a partition become one: those whose schemas fit, in the order of their keys, up to the size that is wanted.

use columnar::merge::Form;
use output::destination::Entry;

/// Files that become one, at most; bounds the journal and what is known of them at once.
const FILES_MAX: usize = 10_000;

/// Files whose rows fit together.
#[derive(Debug)]
pub(super) struct Class {
    /// The form that holds the rows of all.
    pub form: Form,
    pub files: Vec<Entry>,
    /// Why they do not fit with the first class, which has none.
    pub reason: Option<String>,
}

/// Files of a partition, sorted by what fits together.
#[derive(Debug, Default)]
pub(super) struct Classes(pub Vec<Class>);

impl Classes {
    /// Takes in the next file, in the order of the keys.
    pub fn add(&mut self, file: Entry, form: Form) {
        let mut reason = None;
        for class in &mut self.0 {
            match class.form.join(&form) {
                Ok(joined) => {
                    class.form = joined;
                    class.files.push(file);
                    return;
                }
                Err(misfit) => reason = reason.or(Some(misfit.to_string())),
            }
        }
        self.0.push(Class {
            form,
            files: vec![file],
            reason,
        });
    }
}

impl Class {
    /// Runs of files that together have up to `target` bytes; only those of at least `n_min` files.
    pub fn groups(&self, target: u64, n_min: usize) -> Vec<&[Entry]> {
        let mut groups = Vec::new();
        let (mut start, mut bytes) = (0, 0_u64);
        for (i, file) in self.files.iter().enumerate() {
            let is_full = bytes.saturating_add(file.size) > target || i - start == FILES_MAX;
            if is_full {
                groups.push(&self.files[start..i]);
                (start, bytes) = (i, 0);
            }
            bytes += file.size;
        }
        groups.push(&self.files[start..]);
        groups.retain(|group| group.len() >= n_min);
        groups
    }
}
