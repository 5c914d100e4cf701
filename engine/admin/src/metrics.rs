//! `/metrics`: the current snapshot in Prometheus' text format, for every queue, plugin, source and destination.

use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::feed::Feed;
use crate::snapshot::{Condition, PluginState, QueueState, Snapshot};

/// The media type of the text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const OF_PLUGIN: [&str; 2] = ["plugin", "kind"];

/// The text. Each scrape has a registry of its own, so a plugin that is gone leaves nothing behind.
///
/// # Errors
/// Only if a name below is no name for Prometheus.
pub fn text(feed: &Feed) -> Result<String, prometheus::Error> {
    let snapshot = feed.snapshot();
    let metrics = Metrics {
        registry: Registry::new(),
    };
    metrics.engine(feed, &snapshot)?;
    metrics.queues(&snapshot.queues)?;
    metrics.plugins(&snapshot.plugins)?;
    TextEncoder::new().encode_to_string(&metrics.registry.gather())
}

/// What is counted of each plugin.
const PLUGIN_COUNTERS: [Read<PluginState>; 4] = [
    (
        "foresight_plugin_injected_messages_total",
        "Messages a plugin injected; for an input what its source gave.",
        |p| p.injects,
    ),
    (
        "foresight_plugin_injected_bytes_total",
        "Bytes of these messages.",
        |p| p.inject_bytes,
    ),
    (
        "foresight_plugin_processed_messages_total",
        "Calls of process_message; for an output what it handed to its destination.",
        |p| p.messages,
    ),
    (
        "foresight_plugin_failures_total",
        "Calls of process_message that failed.",
        |p| p.failures,
    ),
];

/// What each plugin has or is at the moment.
const PLUGIN_GAUGES: [Read<PluginState>; 9] = [
    ("foresight_plugin_up", "1 while a plugin runs.", |p| {
        u64::from(p.condition == Condition::Running)
    }),
    (
        "foresight_plugin_terminated",
        "1 when an error has ended a plugin.",
        |p| u64::from(p.condition == Condition::Terminated),
    ),
    (
        "foresight_plugin_memory_bytes",
        "Memory of a plugin's Lua state.",
        |p| p.memory,
    ),
    (
        "foresight_plugin_memory_limit_bytes",
        "Its limit; 0 for none.",
        |p| p.memory_limit,
    ),
    (
        "foresight_plugin_output_max_bytes",
        "The largest output of one call.",
        |p| p.output_max,
    ),
    ("foresight_plugin_output_limit_bytes", "Its limit.", |p| {
        p.output_limit
    }),
    (
        "foresight_plugin_instructions_max",
        "The most instructions of one call; short calls are not counted.",
        |p| p.instructions_max,
    ),
    (
        "foresight_plugin_instruction_limit",
        "Their limit; 0 for none.",
        |p| p.instruction_limit,
    ),
    (
        "foresight_plugin_lag_bytes",
        "Bytes a plugin is behind.",
        |p| p.lag_bytes.unwrap_or(0),
    ),
];

struct Metrics {
    registry: Registry,
}

/// Name, help and value of a figure.
type Read<T> = (&'static str, &'static str, fn(&T) -> u64);

impl Metrics {
    fn counter(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> prometheus::Result<IntCounterVec> {
        let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(counter.clone()))?;
        Ok(counter)
    }

    fn gauge(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
        self.registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    }

    fn engine(&self, feed: &Feed, snapshot: &Snapshot) -> prometheus::Result<()> {
        let start = GaugeVec::new(
            Opts::new(
                "foresight_start_time_seconds",
                "When the engine started, Unix time.",
            ),
            &["hostname"],
        )?;
        self.registry.register(Box::new(start.clone()))?;
        start
            .with_label_values(&[&snapshot.hostname])
            .set(snapshot.started_ms as f64 / 1e3);
        let counts = [
            (
                "foresight_routed_messages_total",
                "Messages that the router looked at.",
                snapshot.routed,
            ),
            (
                "foresight_payloads_total",
                "Payloads that analysis plugins injected.",
                feed.payloads.generation(),
            ),
            (
                "foresight_alerts_total",
                "Alerts that analysis plugins sent, with those of earlier runs that are kept.",
                feed.alerts.last(),
            ),
        ];
        for (name, help, count) in counts {
            self.counter(name, help, &[])?
                .with_label_values::<&str>(&[])
                .inc_by(count);
        }
        Ok(())
    }

    fn queues(&self, queues: &[QueueState]) -> prometheus::Result<()> {
        let gauges: [Read<QueueState>; 4] = [
            (
                "foresight_queue_bytes",
                "Bytes of a queue on the disk.",
                |queue| queue.bytes,
            ),
            (
                "foresight_queue_segments",
                "Segments of a queue.",
                |queue| queue.segments as u64,
            ),
            (
                "foresight_queue_blocked",
                "1 while writers of a queue have to wait.",
                |queue| u64::from(queue.blocked.is_some()),
            ),
            (
                "foresight_queue_disk_free_bytes",
                "Bytes free on the disk of a queue.",
                |queue| queue.disk_free.unwrap_or(0),
            ),
        ];
        for (name, help, read) in gauges {
            let gauge = self.gauge(name, help, &["queue"])?;
            for queue in queues {
                gauge
                    .with_label_values(&[&queue.name])
                    .set(signed(read(queue)));
            }
        }
        let lag = self.gauge(
            "foresight_reader_lag_bytes",
            "Bytes between a reader and the newest message of a queue.",
            &["queue", "reader"],
        )?;
        for queue in queues {
            for reader in &queue.readers {
                let gauge = lag.with_label_values(&[&queue.name, &reader.name]);
                gauge.set(signed(reader.lag_bytes));
            }
        }
        Ok(())
    }

    fn plugins(&self, plugins: &[PluginState]) -> prometheus::Result<()> {
        for (name, help, read) in PLUGIN_COUNTERS {
            let counter = self.counter(name, help, &OF_PLUGIN)?;
            for plugin in plugins {
                counter
                    .with_label_values(&[plugin.name.as_str(), plugin.kind])
                    .inc_by(read(plugin));
            }
        }
        for (name, help, read) in PLUGIN_GAUGES {
            let gauge = self.gauge(name, help, &OF_PLUGIN)?;
            for plugin in plugins {
                gauge
                    .with_label_values(&[plugin.name.as_str(), plugin.kind])
                    .set(signed(read(plugin)));
            }
        }
        let busy = self.counter(
            "foresight_plugin_busy_nanoseconds_total",
            "Time a plugin spent in its matcher, in process_message and in timer_event.",
            &["plugin", "kind", "phase"],
        )?;
        for plugin in plugins {
            let phases = [
                ("matching", plugin.matching_total_ns),
                ("processing", plugin.processing_total_ns),
                ("timing", plugin.timing_total_ns),
            ];
            for (phase, ns) in phases {
                busy.with_label_values(&[plugin.name.as_str(), plugin.kind, phase])
                    .inc_by(ns);
            }
        }
        Ok(())
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::Alerts;
    use crate::snapshot::ReaderState;

    #[test]
    fn every_queue_and_plugin_is_there() {
        let feed = Feed::new(Alerts::open(std::path::Path::new("/nowhere/alerts")));
        feed.publish(Snapshot {
            hostname: "host\"\n".into(),
            queues: vec![QueueState {
                name: "input".into(),
                bytes: 7,
                readers: vec![ReaderState {
                    name: "output.x".into(),
                    lag_bytes: 9,
                }],
                ..QueueState::default()
            }],
            plugins: vec![PluginState {
                name: "output.<x>\"".into(),
                kind: "output",
                messages: 3,
                ..PluginState::default()
            }],
            ..Snapshot::default()
        });
        let text = text(&feed).expect("good names");
        for line in [
            "foresight_queue_bytes{queue=\"input\"} 7",
            "foresight_reader_lag_bytes{queue=\"input\",reader=\"output.x\"} 9",
            "foresight_plugin_processed_messages_total{kind=\"output\",plugin=\"output.<x>\\\"\"} 3",
            "foresight_start_time_seconds{hostname=\"host\\\"\\n\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
    #[test]
    fn the_dashboard_asks_for_what_there_is() {
        let feed = Feed::new(Alerts::open(std::path::Path::new("/nowhere/alerts")));
        feed.publish(Snapshot {
            queues: vec![QueueState::default()],
            plugins: vec![PluginState::default()],
            ..Snapshot::default()
        });
        let text = text(&feed).expect("good names");
        let dashboard = include_str!("../grafana.json");
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let mut n_found = 0;
        for part in dashboard.split("foresight_").skip(1) {
            let end = part.find(|c| !is_part(c)).expect("the text goes on");
            let name = format!("# HELP foresight_{} ", &part[..end]);
            assert!(text.contains(&name), "{name}");
            n_found += 1;
        }
        assert!(n_found > 10);
    }
}
