//! Silences: which alerts nobody wants to hear of for a while; a file that the alert output reads.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use matcher::Matcher;
use serde::{Deserialize, Serialize};
use stdx::files::{RealDisk, write_atomically};

use crate::text;

/// Silences that are kept, those that have ended too.
pub const KEPT: usize = 500;

/// What has ended is kept so long, seconds.
const KEEP_ENDED: i64 = 7 * 86_400;

/// Longest silence, minutes: a year.
const MINUTES_MAX: i64 = 525_600;

/// Longest plugin, id, expression and reason, bytes.
const TEXT_MAX: usize = 1_000;

/// One silence. Of plugin, alert and expression each that is there must fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Its name.
    pub id: String,
    /// Since when, seconds since 1970.
    pub start: i64,
    /// Until when, seconds since 1970.
    pub end: i64,
    /// Who made it.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The plugin that sends the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// The alert's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// In the language of `message_matcher`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Wanted {
    /// As in [`Silence`].
    pub plugin: Option<String>,
    /// As in [`Silence`].
    pub alert: Option<String>,
    /// As in [`Silence`].
    pub expression: Option<String>,
    /// For how long.
    pub minutes: i64,
    /// Why.
    pub reason: String,
}

#[derive(Default, Serialize, Deserialize)]
struct Document {
    silences: Vec<Silence>,
}

/// All silences.
pub struct Silences {
    path: PathBuf,
    /// Guards the list and the writing of its file.
    list: Mutex<Vec<Silence>>,
}

impl Silences {
    /// What `path` says; a file that is missing or damaged says nothing.
    pub fn open(path: &Path) -> Silences {
        let document = std::fs::read(path)
            .ok()
            .and_then(|text| serde_json::from_slice::<Document>(&text).ok());
        Silences {
            path: path.to_path_buf(),
            list: Mutex::new(document.unwrap_or_default().silences),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Silence>> {
        self.list.lock().expect("nothing panics under this lock")
    }

    /// All of them, the newest first.
    pub fn list(&self) -> Vec<Silence> {
        self.lock().iter().rev().cloned().collect()
    }

    /// Begins a silence.
    ///
    /// # Errors
    /// What is wrong with it; there are too many; the file cannot be written.
    pub fn begin(&self, wanted: Wanted, author: &str) -> Result<Silence, String> {
        let silence = checked(wanted, author, text::now_ms() / 1000)?;
        let mut list = self.lock();
        let mut changed = list.clone();
        changed.retain(|old| old.end > silence.start - KEEP_ENDED);
        if changed.len() >= KEPT {
            return Err(format!("there are {KEPT} silences already"));
        }
        changed.push(silence.clone());
        self.write(&changed)?;
        *list = changed;
        Ok(silence)
    }

    /// Ends a silence now.
    ///
    /// # Errors
    /// There is none of this name that holds; the file cannot be written.
    pub fn end(&self, id: &str) -> Result<(), String> {
        let now = text::now_ms() / 1000;
        let mut list = self.lock();
        let mut changed = list.clone();
        let holds = |silence: &&mut Silence| silence.id == id && silence.end > now;
        let found = changed.iter_mut().find(holds);
        found.ok_or("there is no such silence that holds")?.end = now;
        self.write(&changed)?;
        *list = changed;
        Ok(())
    }

    fn write(&self, silences: &[Silence]) -> Result<(), String> {
        let document = Document {
            silences: silences.to_vec(),
        };
        let json = serde_json::to_vec(&document).expect("texts and numbers are JSON");
        write_atomically(&RealDisk, &self.path, &json, true)
            .map_err(|error| format!("writing {}: {error}", self.path.display()))
    }
}

fn checked(wanted: Wanted, author: &str, now: i64) -> Result<Silence, String> {
    let part = |name: &str, text: Option<String>| match text.map(|text| text.trim().to_owned()) {
        Some(text) if text.len() > TEXT_MAX => {
            Err(format!("{name} is longer than {TEXT_MAX} bytes"))
        }
        text => Ok(text.filter(|text| !text.is_empty())),
    };
    let plugin = part("plugin", wanted.plugin)?;
    let alert = part("alert", wanted.alert)?;
    let expression = part("expression", wanted.expression)?;
    let reason = part("reason", Some(wanted.reason))?.ok_or("a silence needs a reason")?;
    if plugin.is_none() && alert.is_none() && expression.is_none() {
        return Err("a silence needs a plugin, an alert or an expression".into());
    }
    if let Some(expression) = &expression {
        Matcher::parse(expression).map_err(|error| format!("expression: {error}"))?;
    }
    if !(1..=MINUTES_MAX).contains(&wanted.minutes) {
        return Err(format!("minutes must be 1 to {MINUTES_MAX}"));
    }
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| error.to_string())?;
    Ok(Silence {
        id: format!("{:016x}", u64::from_be_bytes(random)),
        start: now,
        end: now + wanted.minutes * 60,
        author: author.to_owned(),
        reason,
        plugin,
        alert,
        expression,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(expression: &str) -> Wanted {
        Wanted {
            expression: Some(expression.into()),
            minutes: 60,
            reason: "we know".into(),
            ..Wanted::default()
        }
    }

    #[test]
    fn silences_outlive_a_restart_and_end_early() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("silences.json");
        let silences = Silences::open(&path);
        let one = silences.begin(wanted("Severity > 2"), "ann").expect("good");
        assert_eq!(one.end - one.start, 3600);
        let silences = Silences::open(&path);
        assert_eq!(silences.list(), std::slice::from_ref(&one));
        silences.end(&one.id).expect("it holds");
        assert!(silences.end(&one.id).is_err(), "it has ended");
        assert!(Silences::open(&path).list()[0].end < one.end);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let silences = Silences::open(&dir.path().join("silences.json"));
        let refused = |wanted: Wanted| silences.begin(wanted, "ann").expect_err("wrong");
        assert!(refused(wanted("Severity >")).contains("expression: "));
        assert!(refused(wanted(" ")).contains("needs a plugin"));
        let with = |minutes, reason: &str| Wanted {
            minutes,
            reason: reason.into(),
            ..wanted("TRUE")
        };
        assert!(refused(with(0, "x")).contains("minutes must be"));
        assert!(refused(with(i64::MAX, "x")).contains("minutes must be"));
        assert!(refused(with(1, " ")).contains("needs a reason"));
        assert!(refused(with(1, &"x".repeat(TEXT_MAX + 1))).contains("longer than"));
        assert_eq!(silences.list(), []);
    }
}
