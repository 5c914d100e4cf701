//! Writes a plugin's runtime configuration, `<output_path>/<type>.<name>.rtc`: its own text, then everything
//! the host adds or puts in place of it. Hindsight's tools read these files.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sandbox::Kind;

use crate::config::{Main, Plugin};

/// Where the runtime configuration of `plugin` stands.
pub fn path(main: &Main, plugin: &Plugin) -> PathBuf {
    main.output_path.join(format!("{}.rtc", plugin.name))
}

/// Writes the runtime configuration of `plugin`.
///
/// # Errors
/// Whatever the disk says.
pub fn write(main: &Main, plugin: &Plugin, log_level: u8) -> io::Result<()> {
    let text = text(main, plugin, log_level);
    // Nothing depends on the file, so it is written in place; it is shortened last, because ext4 writes a file that was cut
    // to nothing out when it is closed, which takes long for thousands.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let mut file = options.open(path(main, plugin))?;
    file.write_all(&text)?;
    let len = text.len() as u64;
    if file.metadata()?.len() > len {
        file.set_len(len)?;
    }
    Ok(())
}

/// The text of the runtime configuration, Hindsight's byte for byte.
pub fn text(main: &Main, plugin: &Plugin, log_level: u8) -> Vec<u8> {
    let mut out = Text(Vec::with_capacity(plugin.text.len() + 1024));
    out.line(b"-- original configuration");
    out.line(&plugin.text);
    out.line(b"-- Hindsight defaults and overrides");
    host_keys(&mut out, main, plugin.kind, log_level);
    out.line(b"\n-- Sandbox defaults and overrides");
    sandbox_keys(&mut out, plugin);
    out.line(b"-- end Hindsight configuration");
    out.0
}

fn host_keys(out: &mut Text, main: &Main, kind: Kind, log_level: u8) {
    out.string("Hostname", main.hostname.as_bytes());
    out.plain("Pid", main.pid);
    out.plain("log_level", log_level);
    let (path, cpath) = main.lua_paths(kind);
    out.string("path", path.as_bytes());
    out.string("cpath", cpath.as_bytes());
    if kind == Kind::Analysis {
        return;
    }
    out.path("output_path", &main.output_path);
    out.plain("output_size", main.output_size);
    out.plain("max_message_size", main.max_message_size);
    out.path(
        "sandbox_load_path",
        main.sandbox_load_path.as_deref().unwrap_or(Path::new("")),
    );
    out.path("sandbox_run_path", &main.sandbox_run_path);
    out.path("sandbox_install_path", &main.sandbox_install_path);
}

fn sandbox_keys(out: &mut Text, plugin: &Plugin) {
    out.string("Logger", plugin.name.as_bytes());
    out.plain("output_limit", plugin.output_limit);
    out.plain("memory_limit", plugin.memory_limit);
    out.plain("instruction_limit", plugin.instruction_limit);
    out.plain("ticker_interval", plugin.ticker_interval_s);
    out.plain("preserve_data", plugin.preserve_data);
    out.plain("restricted_headers", plugin.restricted_headers);
    out.plain("shutdown_on_terminate", plugin.shutdown_on_terminate);
    match plugin.kind {
        Kind::Input => {}
        Kind::Analysis => {
            out.plain("thread", plugin.thread.unwrap_or(0));
            out.plain(
                "process_message_inject_limit",
                plugin.process_message_inject_limit,
            );
            out.plain("timer_event_inject_limit", plugin.timer_event_inject_limit);
        }
        Kind::Output => {
            out.plain("async_buffer_size", plugin.async_buffer_size);
            out.plain(
                "remove_checkpoints_on_terminate",
                plugin.remove_checkpoints_on_terminate,
            );
            out.plain(
                "read_queue",
                format_args!("\"{}\"", plugin.read_queue.word()),
            );
        }
    }
}

/// The text while it grows.
struct Text(Vec<u8>);

impl Text {
    fn line(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        self.0.push(b'\n');
    }

    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        writeln!(self.0, "{key} = {value}").expect("a Vec takes any text");
    }

    fn path(&mut self, key: &str, value: &Path) {
        self.string(key, value.as_os_str().as_encoded_bytes());
    }

    /// In long brackets, with as many `=` as it takes that the value cannot close them.
    fn string(&mut self, key: &str, value: &[u8]) {
        let mut level = String::new();
        let closes = |level: &str| {
            let close = format!("]{level}");
            value
                .windows(close.len())
                .any(|window| window == close.as_bytes())
        };
        if value.windows(2).any(|pair| pair == b"]]") || value.last() == Some(&b']') {
            level.push('=');
            while closes(&level) {
                level.push('=');
            }
        }
        self.0
            .extend_from_slice(format!("{key} = [{level}[").as_bytes());
        // Lua drops a newline that follows the bracket.
        if value.first() == Some(&b'\n') {
            self.0.push(b'\n');
        }
        self.0.extend_from_slice(value);
        self.line(format!("]{level}]").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::main_with;
    use expect_test::expect;
    use sandbox::value::Value;

    fn plugin(kind: Kind, text: &str) -> (Main, Plugin) {
        let mut main = main_with("hostname = 'example'");
        main.pid = 42;
        let plugin = Plugin::parse(&main, kind, Path::new("run/x/foo.cfg"), text.into());
        (main, plugin.expect("the text is good"))
    }

    fn check(kind: Kind, cfg: &str, expected: expect_test::Expect) {
        let (main, plugin) = plugin(kind, cfg);
        expected.assert_eq(&String::from_utf8(text(&main, &plugin, 6)).expect("the test is UTF-8"));
    }

    #[test]
    fn input() {
        let cfg = "filename = 'foo.lua'\nuser = {1, 2}\n";
        check(
            Kind::Input,
            cfg,
            expect![[r#"
                -- original configuration
                filename = 'foo.lua'
                user = {1, 2}

                -- Hindsight defaults and overrides
                Hostname = [[example]]
                Pid = 42
                log_level = 6
                path = [[io/?.lua]]
                cpath = [[io/?.so]]
                output_path = [[output]]
                output_size = 67108864
                max_message_size = 65536
                sandbox_load_path = [[load]]
                sandbox_run_path = [[run]]
                sandbox_install_path = [[/usr/share/luasandbox/sandboxes/heka]]

                -- Sandbox defaults and overrides
                Logger = [[input.foo]]
                output_limit = 65536
                memory_limit = 8388608
                instruction_limit = 1000000
                ticker_interval = 0
                preserve_data = false
                restricted_headers = false
                shutdown_on_terminate = false
                -- end Hindsight configuration
            "#]],
        );
    }

    #[test]
    fn analysis() {
        let cfg = "filename = 'foo.lua' message_matcher = 'TRUE' thread = 3";
        check(
            Kind::Analysis,
            cfg,
            expect![[r#"
                -- original configuration
                filename = 'foo.lua' message_matcher = 'TRUE' thread = 3
                -- Hindsight defaults and overrides
                Hostname = [[example]]
                Pid = 42
                log_level = 6
                path = [[analysis/?.lua]]
                cpath = [[analysis/?.so]]

                -- Sandbox defaults and overrides
                Logger = [[analysis.foo]]
                output_limit = 65536
                memory_limit = 8388608
                instruction_limit = 1000000
                ticker_interval = 0
                preserve_data = false
                restricted_headers = true
                shutdown_on_terminate = false
                thread = 3
                process_message_inject_limit = 0
                timer_event_inject_limit = 10
                -- end Hindsight configuration
            "#]],
        );
    }

    #[test]
    fn output() {
        let cfg = "filename = 'foo.lua' message_matcher = 'TRUE' read_queue = 'input' async_buffer_size = 7\n";
        let (main, plugin) = plugin(Kind::Output, cfg);
        let text = String::from_utf8(text(&main, &plugin, 7)).expect("the test is UTF-8");
        let tail = "async_buffer_size = 7\nremove_checkpoints_on_terminate = false\n\
                    read_queue = \"input\"\n-- end Hindsight configuration\n";
        assert!(text.ends_with(tail), "{text}");
    }

    #[test]
    fn any_string_comes_back() {
        for value in ["", "a]]b", "a]=]]b", "a]", "]==]]=]", "\nx", "a'\"\\n"] {
            let mut out = Text(Vec::new());
            out.string("x", value.as_bytes());
            let file = sandbox::config_file::evaluate(&out.0).expect("the line is Lua");
            assert_eq!(
                file.table.get("x").and_then(Value::as_bytes),
                Some(value.as_bytes()),
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_whole_file_is_what_read_config_serves() {
        let (main, plugin) = plugin(
            Kind::Output,
            "filename = 'foo.lua' message_matcher = 'TRUE' t = {a = 1}",
        );
        let file =
            sandbox::config_file::evaluate(&text(&main, &plugin, 5)).expect("the file is Lua");
        let mut served = plugin.served(&main, 5);
        served.remove("input_limit");
        for entry in &file.table {
            let name = entry.key.to_string();
            assert_eq!(
                served.remove(&name).map(|served| served.value),
                Some(entry.value.clone()),
                "{name}"
            );
        }
        assert!(served.is_empty(), "{served:?}");
    }

    #[test]
    fn the_file_is_written_where_it_belongs() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (mut main, plugin) = plugin(Kind::Input, "filename = 'foo.lua'");
        main.output_path = dir.path().to_path_buf();
        write(&main, &plugin, 6).expect("the directory is ours");
        let path = dir.path().join("input.foo.rtc");
        let read = || std::fs::read(&path).expect("the file is there");
        assert_eq!(read(), text(&main, &plugin, 6));
        // In place of whatever was there, shorter or longer.
        for old in [&b"x"[..], &[b'x'; 10_000]] {
            std::fs::write(&path, old).expect("the directory is ours");
            write(&main, &plugin, 6).expect("the directory is ours");
            assert_eq!(read(), text(&main, &plugin, 6));
        }
    }
}
