//! The last alerts: messages of Type `alert`, kept in memory and in a file so that they outlive a restart.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use schemas::view::View;
use serde::{Deserialize, Serialize};

use crate::text;

/// Alerts that are kept.
pub const KEPT: usize = 1_000;

/// The file is written anew when it is longer than this.
const FILE_MAX: u64 = 8 << 20;

/// Longest line of the file that is read.
const LINE_MAX: usize = 64 << 10;

/// Longest id and summary, bytes.
const SUMMARY_MAX: usize = 1 << 10;

/// Longest detail, bytes.
const DETAIL_MAX: usize = 8 << 10;

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number; later ones are greater. Numbers begin anew with the process.
    #[serde(default)]
    pub number: u64,
    /// The message's time, milliseconds since 1970.
    pub at_ms: i64,
    /// The plugin.
    pub logger: String,
    /// What it is about, in the plugin's words.
    pub id: String,
    /// One line.
    pub summary: String,
    /// The rest.
    pub detail: String,
    /// The syslog severity.
    pub severity: i32,
    /// `firing`, or what the alert itself says, such as `recovered`.
    #[serde(default)]
    pub state: String,
    /// Who gets it, as `module.field: values`.
    pub to: Vec<String>,
}

#[derive(Default)]
struct Kept {
    alerts: VecDeque<Alert>,
    count: u64,
    file: Option<File>,
    written: u64,
}

/// The last alerts.
pub struct Alerts {
    path: PathBuf,
    /// Guards the list and the file.
    kept: Mutex<Kept>,
}

impl Alerts {
    /// Those of earlier runs that `path` remembers; without the file there are none.
    pub fn open(path: &Path) -> Alerts {
        let mut kept = Kept::default();
        if let Ok(file) = File::open(path) {
            for line in BufReader::new(file).split(b'\n') {
                let Ok(line) = line else { break };
                if line.len() <= LINE_MAX
                    && let Ok(alert) = serde_json::from_slice(&line)
                {
                    kept.push(alert);
                }
            }
        }
        Alerts {
            path: path.to_path_buf(),
            kept: Mutex::new(kept),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nothing panics under this lock")
    }

    /// Keeps the alert that a message is.
    pub fn take(&self, view: &View<'_>) {
        let alert = alert(view);
        let mut kept = self.lock();
        let alert = kept.push(alert).clone();
        if let Err(error) = kept.write(&self.path, &alert) {
            tracing::error!(target: "admin", "writing {}: {error}", self.path.display());
        }
    }

    /// The newest first, at most `limit`, only with a number above `after`.
    pub fn list(&self, after: u64, limit: usize) -> Vec<Alert> {
        let kept = self.lock();
        let newer = kept
            .alerts
            .iter()
            .rev()
            .take_while(|alert| alert.number > after);
        newer.take(limit).cloned().collect()
    }

    /// The number of the newest one; 0 when there is none.
    pub fn last(&self) -> u64 {
        self.lock().count
    }
}

impl Kept {
    fn push(&mut self, mut alert: Alert) -> &Alert {
        self.count += 1;
        alert.number = self.count;
        if self.alerts.len() >= KEPT {
            self.alerts.pop_front();
        }
        self.alerts.push_back(alert);
        self.alerts.back().expect("one was just added")
    }

    fn write(&mut self, path: &Path, alert: &Alert) -> std::io::Result<()> {
        if self.file.is_none() || self.written > FILE_MAX {
            let all = self.alerts.iter().map(line).collect::<String>();
            stdx::files::write_atomically(&stdx::files::RealDisk, path, all.as_bytes(), false)?;
            self.written = all.len() as u64;
            self.file = Some(OpenOptions::new().append(true).open(path)?);
            return Ok(());
        }
        let line = line(alert);
        self.written += line.len() as u64;
        match &mut self.file {
            Some(file) => file.write_all(line.as_bytes()),
            None => Ok(()),
        }
    }
}

fn line(alert: &Alert) -> String {
    serde_json::to_string(alert).expect("strings and numbers are JSON") + "\n"
}

fn alert(view: &View<'_>) -> Alert {
    let field = |name: &[u8]| {
        let value = view.value(name, 0, 0).and_then(|value| value.as_bytes());
        text::cut(value.unwrap_or_default(), SUMMARY_MAX)
    };
    // The fields of alert modules are called `<module>.<field>`.
    let to = view
        .fields()
        .filter(|field| field.name().contains(&b'.') && !field.name().starts_with(b"alert."));
    let to = to.take(16).map(|field| {
        let values = field
            .values()
            .take(16)
            .filter_map(|value| value.as_bytes())
            .map(|value| text::cut(value, 256));
        let values: Vec<String> = values.collect();
        format!("{}: {}", text::cut(field.name(), 64), values.join(", "))
    });
    Alert {
        number: 0,
        at_ms: view.timestamp() / 1_000_000,
        logger: text::cut(view.logger().unwrap_or_default(), SUMMARY_MAX),
        id: field(b"id"),
        summary: field(b"summary"),
        detail: text::cut(view.payload().unwrap_or_default(), DETAIL_MAX),
        severity: view.severity(),
        state: match field(b"alert.state") {
            state if state.is_empty() => "firing".into(),
            state => state,
        },
        to: to.collect(),
    }
}

#[cfg(test)]
mod tests {
    use schemas::message::{Field, FieldValue, Message};
    use schemas::view::Index;

    use super::*;

    fn take(alerts: &Alerts, summary: &str) {
        let mut message = Message::new([1; 16], 1_500_000_000_000_000_000);
        message.logger = Some(b"analysis.watch".to_vec());
        message.payload = Some(b"detail".to_vec());
        message.fields = vec![
            Field::string("id", "rate"),
            Field::string("summary", summary),
            Field::with(
                "email.recipients",
                FieldValue::String(vec![b"<a@b>".to_vec()]),
            ),
        ];
        let bytes = message.to_bytes();
        let mut index = Index::default();
        index.parse(&bytes).expect("a message");
        alerts.take(&index.view(&bytes));
    }

    #[test]
    fn alerts_outlive_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("alerts.json");
        let alerts = Alerts::open(&path);
        take(&alerts, "<b>first</b>");
        take(&alerts, "second");
        drop(alerts);
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(b"{torn"))
            .expect("written");
        let alerts = Alerts::open(&path);
        let list = alerts.list(0, 10);
        assert_eq!(list.len(), 2);
        assert_eq!((list[0].summary.as_str(), list[0].number), ("second", 2));
        assert_eq!(list[1].to, ["email.recipients: <a@b>"]);
        take(&alerts, "third");
        assert_eq!(alerts.list(2, 10).len(), 1);
        assert_eq!(
            Alerts::open(&path).list(0, 10).len(),
            3,
            "what was torn is gone"
        );
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let dir = tempfile::tempdir().expect("a directory");
        let alerts = Alerts::open(&dir.path().join("alerts.json"));
        for n in 0..KEPT + 5 {
            take(&alerts, &n.to_string());
        }
        let list = alerts.list(0, usize::MAX);
        assert_eq!((list.len(), list[KEPT - 1].summary.as_str()), (KEPT, "5"));
    }
}
