//! `foresight check`: finds every fault of a configuration and its plugins without running any of them.

use std::path::{Path, PathBuf};

use matcher::Matcher;
use sandbox::Kind;
use sandbox::config_file;
use sandbox::value::Key;

use crate::config::fault::nearest;
use crate::config::{Fault, KINDS, Main, Plugin, keys};
use crate::load::run_configs;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What keeps the engine or a plugin from working.
    pub faults: Vec<Fault>,
    /// What works, but perhaps not as it was meant.
    pub warnings: Vec<Fault>,
    /// Number of plugin configurations that were looked at.
    pub plugins: usize,
}

/// Checks the main configuration `file` and every plugin in its run and load directories.
pub fn check(file: &Path) -> Report {
    let mut report = Report::default();
    let main = match Main::load(file) {
        Ok(main) => main,
        Err(faults) => {
            report.faults = faults.0;
            return report;
        }
    };
    report
        .warnings
        .extend(main.notices.iter().map(|notice| Fault::new(file, notice)));
    report.faults.extend(main.missing_directories());
    if !main.output_path.is_dir() {
        let text = format!(
            "{}: directory does not exist, it will be made",
            main.output_path.display()
        );
        report.warnings.push(Fault::new(file, text));
    }
    for kind in KINDS {
        for cfg in run_configs(&main.run_dir(kind)) {
            report.plugin(&main, kind, &cfg);
        }
        for cfg in main
            .load_dir(kind)
            .map(|dir| run_configs(&dir))
            .unwrap_or_default()
        {
            report.plugin(&main, kind, &cfg);
        }
    }
    report
}

impl Report {
    /// Checks one plugin: its file, its source, its matcher.
    fn plugin(&mut self, main: &Main, kind: Kind, cfg: &Path) {
        self.plugins += 1;
        let plugin = match Plugin::load(main, kind, cfg) {
            Ok(plugin) => plugin,
            Err(faults) => return self.faults.extend(faults.0),
        };
        self.warnings
            .extend(plugin.notices.iter().map(|notice| Fault::new(cfg, notice)));
        self.likely_slips(&plugin);
        match find_source(main, &plugin) {
            Ok(source) => self.source(&source),
            Err(fault) => self.faults.push(*fault),
        }
        self.matcher(&plugin);
    }

    /// Any key is allowed in a plugin's file; one that looks like a key of the host may be a slip.
    fn likely_slips(&mut self, plugin: &Plugin) {
        let known = keys::plugin(plugin.kind);
        let names = || {
            known
                .iter()
                .flat_map(|list| list.iter())
                .map(|spec| spec.name)
        };
        for entry in &plugin.user {
            let Key::Name(name) = &entry.key else {
                continue;
            };
            let Ok(name) = std::str::from_utf8(name) else {
                continue;
            };
            let fault = if keys::reserved(plugin.kind).contains(&name) {
                Fault::new(
                    &plugin.cfg,
                    format!("{name} is set by the host, this value is not used"),
                )
            } else if keys::find(known, name).is_some() {
                continue;
            } else if let Some(near) = nearest(name, names()) {
                let message =
                    format!("{name} is not a key of the host, so only the plugin sees it");
                Fault::new(&plugin.cfg, message).hint(format!("did you mean {near}?"))
            } else {
                continue;
            };
            self.warnings.push(Fault {
                key: name.into(),
                ..fault.at(entry.line)
            });
        }
    }

    fn source(&mut self, source: &Path) {
        let text = match std::fs::read(source) {
            Ok(text) => text,
            Err(error) => {
                return self
                    .faults
                    .push(Fault::new(source, format!("cannot be read: {error}")));
            }
        };
        if let Err(error) = config_file::compile(&text) {
            self.faults
                .push(Fault::new(source, error.to_string()).at(error.line()));
        }
    }

    fn matcher(&mut self, plugin: &Plugin) {
        let Some(expression) = &plugin.message_matcher else {
            return;
        };
        let fault = |message| {
            let fault = Fault::new(&plugin.cfg, message).at(plugin.message_matcher_line);
            Fault {
                key: "message_matcher".into(),
                ..fault
            }
        };
        match Matcher::parse(expression.as_bytes()) {
            Ok(matcher) => {
                let warnings = matcher.warnings();
                self.warnings.extend(
                    warnings
                        .iter()
                        .map(|warning| fault(format!("message_matcher: {warning}"))),
                );
            }
            Err(error) => {
                self.faults.push(fault(format!(
                    "{} invalid message_matcher: {error}",
                    plugin.name
                )));
            }
        }
    }
}

/// As the plugin will find it: a configuration in load/ moves to run/, and its source may still lie in load/ too.
fn find_source(main: &Main, plugin: &Plugin) -> Result<PathBuf, Box<Fault>> {
    let in_run = main.run_dir(plugin.kind).join(&plugin.filename);
    match plugin.find_source(main) {
        Err(_) if in_run.is_file() => Ok(in_run),
        found => found,
    }
}

/// What `foresight check` prints.
impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for fault in &self.faults {
            writeln!(f, "fault: {fault}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        let (faults, warnings, plugins) = (self.faults.len(), self.warnings.len(), self.plugins);
        writeln!(
            f,
            "plugins: {plugins}, faults: {faults}, warnings: {warnings}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::kind_name;
    use expect_test::expect;

    fn world() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let base = dir.path().display();
        for top in ["load", "run", "install", "output"] {
            for kind in KINDS {
                std::fs::create_dir_all(dir.path().join(top).join(kind_name(kind)))
                    .expect("the directory is ours");
            }
        }
        let text = format!(
            "output_path = '{base}/output'\nsandbox_load_path = '{base}/load'\nsandbox_run_path = '{base}/run'\n\
             sandbox_install_path = '{base}/install'\nanalysis_lua_path = ''\nanalysis_lua_cpath = ''\n\
             io_lua_path = ''\nio_lua_cpath = ''\ninput_defaults = {{}}\nanalysis_defaults = {{}}\n\
             output_defaults = {{}}\n"
        );
        std::fs::write(dir.path().join("foresight.cfg"), text).expect("the directory is ours");
        dir
    }

    fn put(dir: &tempfile::TempDir, path: &str, text: &str) {
        std::fs::write(dir.path().join(path), text).expect("the directory is ours");
    }

    fn report(dir: &tempfile::TempDir) -> String {
        let report = check(&dir.path().join("foresight.cfg")).to_string();
        report.replace(&dir.path().display().to_string(), ".")
    }

    #[test]
    fn a_good_configuration_has_no_faults() {
        let dir = world();
        put(&dir, "run/input/a.cfg", "filename = 'a.lua' own_key = 1");
        put(
            &dir,
            "run/input/a.lua",
            "function process_message() return 0 end",
        );
        put(
            &dir,
            "load/analysis/b.cfg",
            "filename = 'b.lua' message_matcher = 'TRUE'",
        );
        put(&dir, "install/analysis/b.lua", "");
        put(
            &dir,
            "load/output/c.cfg",
            "filename = 'c.lua' message_matcher = 'TRUE'",
        );
        put(&dir, "run/output/c.lua", "while true do end");
        expect![[r#"
            plugins: 3, faults: 0, warnings: 0
        "#]]
        .assert_eq(&report(&dir));
    }

    #[test]
    fn every_fault_of_every_plugin_is_found() {
        let dir = world();
        put(
            &dir,
            "run/input/a.cfg",
            "filename = 'a.lua'\nmemory_limt = 5\nLogger = 'x'\nf = function() end",
        );
        put(&dir, "run/input/a.lua", "local x = 1\nlocal = 2\n");
        put(
            &dir,
            "run/analysis/b.cfg",
            "filename = 'gone.lua'\nmessage_matcher = 'Type ~= 1'",
        );
        put(
            &dir,
            "load/output/c.cfg",
            "filename = 5\nticker_interval = 'x'",
        );
        put(&dir, "load/output/d.cfg", "filename = ");
        std::fs::remove_dir_all(dir.path().join("output")).expect("it is there");
        let report = report(&dir);
        for expected in [
            "fault: ./run/input/a.lua:2: ",
            "warning: ./run/input/a.cfg:2: memory_limt is not a key of the host, so only the plugin sees it\n    \
             hint: did you mean memory_limit?",
            "warning: ./run/input/a.cfg:3: Logger is set by the host, this value is not used",
            "skipping config value type: function",
            "fault: ./run/analysis/b.cfg:1: analysis.b failed to find the specified lua filename: gone.lua",
            "fault: ./run/analysis/b.cfg:2: analysis.b invalid message_matcher: ",
            "fault: ./load/output/c.cfg:1: filename must have a .lua extension",
            "fault: ./load/output/c.cfg:2: ticker_interval must be set to a number",
            "fault: ./load/output/c.cfg: message_matcher must be set to a string",
            "fault: ./load/output/d.cfg:1: ",
            "warning: ./foresight.cfg: ./output: directory does not exist",
            "plugins: 4, faults: 7, warnings: 4\n",
        ] {
            assert!(report.contains(expected), "{expected}\n in:\n{report}");
        }
    }

    #[test]
    fn a_faulty_main_configuration_ends_the_check() {
        let dir = world();
        put(&dir, "foresight.cfg", "x = 1");
        let report = check(&dir.path().join("foresight.cfg"));
        assert!(report.faults.len() > 5 && report.plugins == 0);
    }

    #[test]
    fn missing_directories_are_faults() {
        let dir = world();
        std::fs::remove_dir(dir.path().join("run/analysis")).expect("it is there");
        assert!(
            report(&dir)
                .contains("fault: ./foresight.cfg: ./run/analysis: directory does not exist")
        );
    }
}
