//! How the files of a spool are called while they grow, when they are finished, and in the store.

use super::Packing;

/// What the name of a finished file ends with.
pub(super) const DONE: &str = ".done";

/// The longest name of a file, in bytes.
pub(super) const NAME_MAX: usize = 255;

/// How files are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// A file has the name of its group while it grows, then `<group>+<seconds>_<n>_<host>.done`.
    Stamped,
    /// A file is `<group>+YYYYMMDD+HHMMSS.<n>_<host>_<pid>` from its begin, then ends in `.done`. Only files of these groups
    /// are looked after.
    Dated(Vec<String>),
    /// Others make whole files under names that end in `part`, and the spool keeps them: they become
    /// `<group>+<seconds>_<n>_<host>.done`, and `ending` is added to the key in the store. What they have not finished is
    /// removed at the start, since its messages come again.
    Whole {
        /// What the name of a file that is being made ends with.
        part: String,
        /// What the key in the store ends with.
        ending: String,
    },
}

/// What goes into names beside groups and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The host's name.
    pub host: String,
    /// The process's number.
    pub pid: i64,
}

impl Naming {
    /// The last name of a file.
    pub(super) fn done_name(&self, name: &str, stamp: (i64, u64), owner: &Owner) -> String {
        match self {
            Naming::Stamped | Naming::Whole { .. } => {
                format!("{name}+{}_{}_{}{DONE}", stamp.0, stamp.1, owner.host)
            }
            Naming::Dated(_) => format!("{name}{DONE}"),
        }
    }

    /// Whether the last name of a group's file fits, with what compression adds to it meanwhile.
    pub(super) fn fits(&self, group: &str, owner: &Owner) -> bool {
        /// `+`, ten digits of seconds, `_`, three of the number, `_` and `.done`; or `+YYYYMMDD+HHMMSS.`, `_`, digits and `_`.
        const STAMP: usize = 21;
        const DATE: usize = 40;
        let more = match self {
            Naming::Stamped => STAMP,
            Naming::Dated(_) => DATE,
            Naming::Whole { part, ending } => STAMP + part.len().max(ending.len()),
        };
        group.len() + owner.host.len() + more <= NAME_MAX
    }

    /// Whether a file in the spool's folder, finished or not, is one of this spool's.
    pub(super) fn owns(&self, name: &str) -> bool {
        match self {
            Naming::Stamped => true,
            Naming::Dated(groups) => groups.iter().any(|group| is_dated(name, group)),
            Naming::Whole { part, .. } => name.ends_with(part) || name.ends_with(DONE),
        }
    }

    /// Whether a file that no journal knows is worth nothing.
    pub(super) fn is_unfinished(&self, name: &str) -> bool {
        matches!(self, Naming::Whole { part, .. } if name.ends_with(part))
    }

    /// What the keys of finished files end with, beside the ending of their compression.
    pub(super) fn ending(&self) -> &str {
        match self {
            Naming::Whole { ending, .. } => ending,
            _ => "",
        }
    }
}

/// The name of a group's new file that tells when it was begun.
pub(super) fn dated_name(group: &str, stamp: (i64, u64), owner: &Owner) -> String {
    let date = date_and_time(stamp.0);
    format!("{group}+{date}.{}_{}_{}", stamp.1, owner.host, owner.pid)
}

/// Whether a name is `<group>+YYYYMMDD+HHMMSS.<digits>_...`.
fn is_dated(name: &str, group: &str) -> bool {
    let rest = name
        .strip_prefix(group)
        .and_then(|rest| rest.strip_prefix('+'));
    let Some((stamp, _)) = rest.and_then(|rest| rest.split_once('_')) else {
        return false;
    };
    let digits = |text: &str, n: Option<usize>| {
        text.bytes().all(|b| b.is_ascii_digit()) && n.map_or(!text.is_empty(), |n| text.len() == n)
    };
    let parts = stamp
        .split_once('+')
        .and_then(|(date, rest)| Some((date, rest.split_once('.')?)));
    parts.is_some_and(|(date, (time, n))| {
        digits(date, Some(8)) && digits(time, Some(6)) && digits(n, None)
    })
}

/// Where a finished file lies in the store: without its ending, a folder for each `+`, and with that of what it is and that
/// of its compression.
pub(super) fn key(done: &str, ending: &str, packing: Packing) -> String {
    let name = done.strip_suffix(DONE).unwrap_or(done);
    format!("{}{ending}{}", name.replace('+', "/"), packing.ending())
}

/// `YYYYMMDD+HHMMSS` of a time in UTC; that of 1970 for one that no calendar has.
fn date_and_time(seconds: i64) -> String {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y%m%d+%H%M%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            host: "h".into(),
            pid: 9,
        }
    }

    #[test]
    fn names_have_hindsights_forms() {
        let stamp = (1_793_491_199, 2);
        let lake = Naming::Stamped;
        assert_eq!(
            lake.done_name("a+b", stamp, &owner()),
            "a+b+1793491199_2_h.done"
        );
        let landfill = Naming::Dated(vec!["in".into()]);
        let name = dated_name("in", stamp, &owner());
        assert_eq!(name, "in+20261031+235959.2_h_9");
        assert_eq!(
            landfill.done_name(&name, stamp, &owner()),
            format!("{name}.done")
        );
        assert!(landfill.owns(&name) && !landfill.owns("in_other+20261031+235959.2_h_9"));
        assert!(!landfill.owns("in+20261031+235959_h") && lake.owns("anything"));
        assert_eq!(key("a+b+1_2_h.done", "", Packing::None), "a/b/1_2_h");
        assert_eq!(key("a+1_2_h.done", ".x", Packing::Zstd), "a/1_2_h.x.zst");
        assert!(lake.fits(&"x".repeat(233), &owner()) && !lake.fits(&"x".repeat(234), &owner()));
    }
}
