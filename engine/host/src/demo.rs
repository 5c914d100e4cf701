//! The main job on embedded defaults: this machine's own log files and syslog on loopback, decoded, counted, written.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::config::Main;
use crate::run::{Mode, RunOptions, run};

/// Every plugin and module of the distribution, by its path below `plugins/`; listed by the build script.
const PLUGINS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/plugins.rs"));

/// Log files that are followed where they exist, and how their lines are decoded.
const LOG_FILES: &[(&str, &str)] = &[
    ("/var/log/syslog", "decoders.syslog"),
    ("/var/log/messages", "decoders.syslog"),
    ("/var/log/auth.log", "decoders.syslog"),
    ("/var/log/kern.log", "decoders.syslog"),
    ("/var/log/daemon.log", "decoders.syslog"),
    ("/var/log/dpkg.log", "decoders.lines"),
    ("/var/log/alternatives.log", "decoders.lines"),
    ("/var/log/apt/history.log", "decoders.lines"),
    ("/var/log/nginx/access.log", "decoders.lines"),
];

/// If the wanted port is taken, so many after it are tried.
const PORTS_TRIED: u16 = 50;

/// What the command line can change.
pub struct DemoOptions {
    /// Where everything is put.
    pub output: PathBuf,
    /// The port for syslog over UDP and TCP on 127.0.0.1.
    pub port: u16,
    /// The port of the web UI on 127.0.0.1.
    pub admin_port: u16,
    /// 0 to 7.
    pub log_level: u8,
    /// Whether rates are shown.
    pub show_progress: bool,
}

/// Writes the configuration below `output` and runs the engine on it.
///
/// # Errors
/// What could not be written, or a configuration that was changed by hand and is wrong.
pub fn demo(options: DemoOptions) -> anyhow::Result<u8> {
    let root = std::path::absolute(&options.output)?;
    let port = free_port(options.port)?;
    let admin_port = free_port(options.admin_port)?;
    let followed: Vec<_> = LOG_FILES
        .iter()
        .filter(|(path, _)| fs::File::open(path).is_ok())
        .collect();
    lay_out(&root)?;
    write_configuration(&root, (port, admin_port), &followed)?;
    describe(&root, (port, admin_port), &followed);
    let config = Main::load(&root.join("foresight.cfg"))?;
    let DemoOptions {
        log_level,
        show_progress,
        ..
    } = options;
    Ok(run(RunOptions {
        config,
        mode: Mode::Run,
        log_level,
        show_progress,
    }))
}

fn lay_out(root: &Path) -> anyhow::Result<()> {
    for kind in ["input", "analysis", "output"] {
        for dir in ["run", "load"] {
            make_dir(&root.join(dir).join(kind))?;
        }
    }
    make_dir(&root.join("results/payload"))?;
    for (path, text) in PLUGINS {
        write(&root.join("plugins").join(path), text)?;
    }
    Ok(())
}

fn make_dir(path: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}

/// The first port from `wanted` on that is free for UDP and TCP on loopback.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    for port in wanted..=wanted.saturating_add(PORTS_TRIED) {
        let udp = UdpSocket::bind(("127.0.0.1", port));
        let tcp = TcpListener::bind(("127.0.0.1", port));
        if udp.is_ok() && tcp.is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port from {wanted} on; choose another with --port")
}

fn write_configuration(
    root: &Path,
    (port, admin_port): (u16, u16),
    followed: &[&(&str, &str)],
) -> anyhow::Result<()> {
    let at = |path: &str| root.join(path).display().to_string();
    write(
        &root.join("foresight.cfg"),
        &format!(
            r#"-- The main configuration; see README.md for all keys.
output_path          = [[{data}]]
sandbox_load_path    = [[{load}]]
sandbox_run_path     = [[{run}]]
sandbox_install_path = [[{plugins}]]
analysis_lua_path    = [[{modules}/?.lua]]
analysis_lua_cpath   = ""
io_lua_path          = [[{modules}/?.lua;{plugins}/?.lua]]
io_lua_cpath         = ""
input_defaults       = {{}}
analysis_defaults    = {{}}
output_defaults      = {{}}
admin_listen         = "127.0.0.1:{admin_port}"
admin_outputs        = [[results={results};payloads={results}/payload]]
admin_lake           = [[results={results};queues={data}]]
"#,
            data = at("data"),
            results = at("results"),
            load = at("load"),
            run = at("run"),
            plugins = at("plugins"),
            modules = at("plugins/modules"),
        ),
    )?;
    for (path, decoder) in followed {
        let name = path
            .trim_start_matches("/var/log/")
            .replace(['/', '.'], "_");
        input(root, &name, &tail_cfg(path, decoder))?;
    }
    for (name, plugin) in [("syslog_udp", "udp"), ("syslog_tcp", "tcp")] {
        input(root, name, &socket_cfg(plugin, port))?;
    }
    for (name, text) in [
        (
            "throughput",
            "filename = 'throughput.lua'\nticker_interval = 5\nsec_per_row = 5\npreserve_data = true\n",
        ),
        (
            "message_schema",
            "filename = 'message_schema.lua'\nticker_interval = 5\n",
        ),
        (
            "by_logger",
            "filename = 'counters.lua'\nticker_interval = 5\nmessage_variable = 'Logger'\ntitle = 'by_logger'\npreserve_data = true\n",
        ),
        (
            "by_program",
            "filename = 'counters.lua'\nticker_interval = 5\nmessage_variable = 'Fields[programname]'\ntitle = 'by_program'\npreserve_data = true\n",
        ),
    ] {
        let text = format!("{text}message_matcher = 'TRUE'\n");
        write(
            &root.join("run/analysis").join(format!("{name}.cfg")),
            &text,
        )?;
    }
    outputs(root)
}

fn input(root: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    write(&root.join("run/input").join(format!("{name}.cfg")), text)
}

fn tail_cfg(path: &str, decoder: &str) -> String {
    format!(
        "filename = 'tail.lua'\nticker_interval = 1\ninput_filename = '{path}'\n\
         decoder_module = '{decoder}'\nsend_decode_failures = true\ndefault_headers = {{ Type = 'log' }}\n"
    )
}

fn socket_cfg(plugin: &str, port: u16) -> String {
    format!(
        "filename = '{plugin}.lua'\ninstruction_limit = 0\naddress = '127.0.0.1'\nport = {port}\n\
         decoder_module = 'decoders.syslog'\nsend_decode_failures = true\ndefault_headers = {{ Type = 'syslog' }}\n"
    )
}

fn outputs(root: &Path) -> anyhow::Result<()> {
    let results = root.join("results");
    let results = results.display();
    let all = "message_matcher = \"Type != 'inject_payload'\"\nread_queue = 'input'\n";
    for (name, text) in [
        (
            "messages_json",
            format!(
                "filename = 'log_file.lua'\n{all}output_file = [[{results}/messages.json]]\nencoder_module = 'encoders.json'\nretention = 5\n"
            ),
        ),
        (
            "messages_heka",
            format!(
                "filename = 'heka_file.lua'\n{all}output_file = [[{results}/messages.heka]]\nroll_size = 268435456\n"
            ),
        ),
        (
            "payload",
            format!(
                "filename = 'payload_files.lua'\nmessage_matcher = \"Type == 'inject_payload'\"\nread_queue = 'analysis'\noutput_dir = [[{results}/payload]]\n"
            ),
        ),
    ] {
        write(&root.join("run/output").join(format!("{name}.cfg")), &text)?;
    }
    Ok(())
}

fn describe(root: &Path, (port, admin_port): (u16, u16), followed: &[&(&str, &str)]) {
    let root = root.display();
    println!(
        "Foresight runs on its embedded defaults. Ctrl-C stops it; the next start goes on where it stopped.\n"
    );
    println!("Web UI");
    println!("  http://127.0.0.1:{admin_port}/   graphs, plugins, messages, alerts\n");
    println!("Input");
    for (path, decoder) in followed {
        println!("  follows  {path}  ({decoder})");
    }
    println!("  listens  127.0.0.1:{port}  syslog over UDP and TCP; try:");
    println!("             logger -n 127.0.0.1 -P {port} -d 'hello from UDP'");
    println!("             logger -n 127.0.0.1 -P {port} -T 'hello from TCP'");
    println!("Output");
    println!("  {root}/results/messages.json   every message as a line of JSON");
    println!("  {root}/results/messages.heka   the same as Heka messages: foresight cat FILE");
    println!(
        "  {root}/results/payload/        throughput, counts and schema of the messages, renewed every 5 s"
    );
    println!("Plugins");
    println!("  {root}/run/    what runs; {root}/load/ takes new plugins while it runs");
    println!("  {root}/data/   queues, checkpoints, state, statistics\n");
}
