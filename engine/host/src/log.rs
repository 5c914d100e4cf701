//! Log lines on the standard error stream: our form, Hindsight's, or JSON, one event per line whatever it contains.
//!
//! Levels are Hindsight's 0 to 7. An event carries its own in the field `severity`; otherwise errors are 3,
//! warnings 4, information 6 and everything finer 7. The field `plugin` names the plugin an event is about;
//! without it, the target stands for the part of the program.
//!
//! Messages may hold what came from outside, so control characters are escaped: no message can end a line,
//! begin a false one, or command a terminal.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::calendar::{now_ns, utc_text};
use crate::config::LogFormat;

/// The level when nothing else is said.
pub const DEFAULT_LEVEL: u8 = 6;

/// Longest message in bytes, so that a plugin cannot fill the log with one line.
const MESSAGE_MAX: usize = 16 * 1024;

/// Names of the levels 0 to 7.
const LEVELS: [&str; 8] = [
    "panic", "alert", "crit", "error", "warning", "notice", "info", "debug",
];

/// Hindsight's word for an event that names neither a plugin nor a part.
const UNNAMED: &str = "unnamed";

/// Sends all events of the process up to `level` to the standard error stream.
/// Only the first call has an effect.
pub fn init(level: u8, format: LogFormat) {
    let layer = Lines::new(level, format, Box::new(std::io::stderr()), now_ns);
    let subscriber = tracing_subscriber::registry().with(layer);
    // A second call would be by a test that runs several engines in one process.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Writes each event as a line.
pub struct Lines {
    level: u8,
    format: LogFormat,
    clock: fn() -> i64,
    /// Guards the order of lines.
    out: Mutex<Box<dyn Write + Send>>,
}

impl Lines {
    /// Lines up to `level` in `format` on `out`, with times in nanoseconds since 1970 from `clock`.
    pub fn new(
        level: u8,
        format: LogFormat,
        out: Box<dyn Write + Send>,
        clock: fn() -> i64,
    ) -> Lines {
        Lines {
            level,
            format,
            clock,
            out: Mutex::new(out),
        }
    }
}

/// How the targets of libraries begin whose words below a warning are about their own insides, many to a request.
const CHATTY: [&str; 5] = ["aws_", "h2", "hyper", "rustls", "tracing"];

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        // An event may carry a lower number than its level stands for, never a higher one.
        let is_chatty = CHATTY
            .iter()
            .any(|begin| metadata.target().starts_with(begin));
        let finest = if is_chatty { Level::WARN } else { Level::TRACE };
        *metadata.level() <= coarsest(self.level).min(finest)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::from_level(coarsest(self.level)))
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let severity = parts
            .severity
            .unwrap_or_else(|| severity(*event.metadata().level()));
        if severity > self.level {
            return;
        }
        let target = event.metadata().target();
        let line = parts.line(self.format, (self.clock)(), severity, target);
        let mut out = self
            .out
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        // A log that cannot be written to is no reason to stop.
        let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
    }
}

/// The finest of tracing's levels that can hold events of Hindsight's `level`.
fn coarsest(level: u8) -> Level {
    match level {
        0..=3 => Level::ERROR,
        4 => Level::WARN,
        5 | 6 => Level::INFO,
        _ => Level::DEBUG,
    }
}

fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

/// What an event says.
#[derive(Default)]
struct Parts {
    severity: Option<u8>,
    plugin: Option<String>,
    message: String,
    /// The other fields, as ` name=value`.
    rest: String,
}

impl Parts {
    fn line(&self, format: LogFormat, now: i64, severity: u8, target: &str) -> String {
        let level = LEVELS[usize::from(severity.min(7))];
        let name =
            self.plugin
                .as_deref()
                .unwrap_or(if target.is_empty() { UNNAMED } else { target });
        let mut text = format!("{}{}", self.message, self.rest);
        cut(&mut text);
        match format {
            LogFormat::Hindsight => {
                format!("{now} [{level}] {} {}\n", Harmless(name), Harmless(&text))
            }
            LogFormat::Foresight => {
                let milliseconds = now.rem_euclid(1_000_000_000) / 1_000_000;
                let time = utc_text(now.div_euclid(1_000_000_000));
                format!(
                    "{time}.{milliseconds:03}Z {level:<7} {}: {}\n",
                    Harmless(name),
                    Harmless(&text)
                )
            }
            LogFormat::Json => {
                let time = utc_text(now.div_euclid(1_000_000_000));
                let time = format!("{time}.{:09}Z", now.rem_euclid(1_000_000_000));
                let line = serde_json::json!({"time": time, "level": level, "name": name, "message": text});
                format!("{line}\n")
            }
        }
    }

    fn take(&mut self, field: &Field, value: std::fmt::Arguments<'_>) {
        let taken = match field.name() {
            "message" => write!(self.message, "{value}"),
            "plugin" => {
                self.plugin = Some(value.to_string());
                Ok(())
            }
            name => write!(self.rest, " {name}={value}"),
        };
        taken.expect("a String takes any text");
    }
}

impl Visit for Parts {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "severity" {
            self.severity = Some(value.min(7) as u8);
        } else {
            self.take(field, format_args!("{value}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.take(field, format_args!("{value:?}"));
    }
}

fn cut(text: &mut String) {
    if text.len() > MESSAGE_MAX {
        let end = (0..=MESSAGE_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

/// Text with its control characters escaped, except the tab, which ends no line.
struct Harmless<'t>(&'t str);

impl std::fmt::Display for Harmless<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '\t' => f.write_char(c)?,
                // Besides controls: line separators and the marks that turn the direction of text.
                c if c.is_control()
                    || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}') =>
                {
                    write!(f, "{}", c.escape_default())?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// A writer that several can look into.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0
                .lock()
                .expect("nothing panics under this lock")
                .extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: u8, format: LogFormat, say: impl FnOnce()) -> String {
        let sink = Sink::default();
        let lines = Lines::new(level, format, Box::new(sink.clone()), || {
            1_700_000_000_123_456_789
        });
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), say);
        let bytes = sink
            .0
            .lock()
            .expect("nothing panics under this lock")
            .clone();
        String::from_utf8(bytes).expect("lines are text")
    }

    fn say_all() {
        tracing::error!(target: "hindsight", severity = 0_u64, "inotify read failure");
        tracing::error!(target: "plugin", plugin = "analysis.a", "terminated: boom");
        tracing::warn!(target: "config_parser", "skipping");
        tracing::info!(target: "hindsight", severity = 5_u64, "noted");
        tracing::info!(target: "hindsight", count = 3, "stop signal received");
        tracing::debug!(target: "plugin", plugin = %"input.b", "START_TIMER:x");
        tracing::trace!(target: "deep", "never");
        tracing::info!(target: "aws_sdk_s3::operation", "never");
    }

    #[test]
    fn hindsights_form() {
        let expected = "1700000000123456789 [panic] hindsight inotify read failure\n\
            1700000000123456789 [error] analysis.a terminated: boom\n\
            1700000000123456789 [warning] config_parser skipping\n\
            1700000000123456789 [notice] hindsight noted\n\
            1700000000123456789 [info] hindsight stop signal received count=3\n\
            1700000000123456789 [debug] input.b START_TIMER:x\n";
        assert_eq!(logged(7, LogFormat::Hindsight, say_all), expected);
    }

    #[test]
    fn our_form_and_json() {
        let say = || tracing::error!(target: "plugin", plugin = "analysis.a", "x\ny");
        let ours = "2023-11-14T22:13:20.123Z error   analysis.a: x\\ny\n";
        assert_eq!(logged(6, LogFormat::Foresight, say), ours);
        let line = logged(6, LogFormat::Json, say);
        let json: serde_json::Value = serde_json::from_str(&line).expect("the line is JSON");
        assert_eq!(
            (&json["name"], &json["message"]),
            (&"analysis.a".into(), &"x\ny".into())
        );
        assert_eq!(
            (&json["level"], &json["time"]),
            (&"error".into(), &"2023-11-14T22:13:20.123456789Z".into())
        );
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn levels_cut_what_is_finer() {
        let counts = [1, 1, 1, 2, 3, 4, 5, 6];
        for (level, count) in counts.into_iter().enumerate() {
            let lines = logged(level as u8, LogFormat::Hindsight, say_all);
            assert_eq!(lines.lines().count(), count, "level {level}: {lines}");
        }
    }

    #[test]
    fn nothing_can_forge_a_line_or_command_a_terminal() {
        let evil =
            "a\n1700000000123456789 [info] hindsight forged\r\x1b[2J\u{9b}\u{2028}\u{202e}\tb\0";
        let line = logged(6, LogFormat::Hindsight, || {
            tracing::info!(target: "plugin", plugin = evil, "{evil}");
        });
        assert_eq!(line.matches('\n').count(), 1);
        assert!(
            !line.trim_end().chars().any(|c| c.is_control() && c != '\t'),
            "{line:?}"
        );
        assert!(
            line.contains("a\\n1700") && line.contains("\\u{1b}[2J"),
            "{line}"
        );
    }

    #[test]
    fn endless_messages_are_cut() {
        let line = logged(6, LogFormat::Hindsight, || {
            tracing::info!("{}", "é".repeat(20_000))
        });
        assert!(line.len() < MESSAGE_MAX + 100 && line.ends_with("…\n"));
    }
}
