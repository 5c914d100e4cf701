//! Every plugin of the project at work in a real engine: what goes in, and what comes out.

mod analysis;
mod anomaly_monitor;
mod decoders;
mod encoders;
mod file;
mod heka;
mod landfill;
mod log_file;
mod monitor;
mod outputs;
mod statsd;
mod syslog;
mod tail;
mod tcp;
mod udp;
mod watch;
