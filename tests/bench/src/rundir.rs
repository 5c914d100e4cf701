//! Writes run directories: a configuration and plugins that only use keys which Hindsight knows.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::engine::Engine;

/// The engine's configuration file in each run directory.
pub const CONFIG: &str = "bench.cfg";

/// The Lua of the plugins, by file name.
const PLUGINS: &[(&str, &str)] = &[
    ("count.lua", include_str!("../lua/count.lua")),
    ("end.lua", include_str!("../lua/end.lua")),
    ("frames.lua", include_str!("../lua/frames.lua")),
    ("generate.lua", include_str!("../lua/generate.lua")),
    ("graphs.lua", include_str!("../lua/graphs.lua")),
    ("hold.lua", include_str!("../lua/hold.lua")),
    ("kafka_in.lua", include_str!("../lua/kafka_in.lua")),
    (
        "kafka_messages.lua",
        include_str!("../lua/kafka_messages.lua"),
    ),
    ("kafka_out.lua", include_str!("../lua/kafka_out.lua")),
    ("lake.lua", include_str!("../lua/lake.lua")),
    ("load.lua", include_str!("../lua/load.lua")),
    ("lines.lua", include_str!("../lua/lines.lua")),
    ("modules.lua", include_str!("../lua/modules.lua")),
    (
        "nginx_grammar.lua",
        include_str!("../lua/nginx_grammar.lua"),
    ),
    (
        "nginx_strings.lua",
        include_str!("../lua/nginx_strings.lua"),
    ),
    ("numbers_in.lua", include_str!("../lua/numbers_in.lua")),
    ("numbers_out.lua", include_str!("../lua/numbers_out.lua")),
    (
        "numbers_relay.lua",
        include_str!("../lua/numbers_relay.lua"),
    ),
    ("read_fields.lua", include_str!("../lua/read_fields.lua")),
    ("ready.lua", include_str!("../lua/ready.lua")),
    ("report.lua", include_str!("../lua/report.lua")),
];

/// The three stages, as the folders are called.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// Plugins that inject what they get from outside.
    Input,
    /// Plugins that see messages and inject their own.
    Analysis,
    /// Plugins that deliver.
    Output,
}

impl Stage {
    fn folder(self) -> &'static str {
        match self {
            Stage::Input => "input",
            Stage::Analysis => "analysis",
            Stage::Output => "output",
        }
    }
}

/// A directory in which an engine can be started.
pub struct RunDir {
    /// Where it lies.
    pub root: PathBuf,
}

impl RunDir {
    /// Makes a fresh one at `root`; whatever lay there is removed.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(root: &Path, engine: &Engine) -> Result<RunDir> {
        if root.exists() {
            fs::remove_dir_all(root)?;
        }
        for stage in [Stage::Input, Stage::Analysis, Stage::Output] {
            fs::create_dir_all(root.join("run").join(stage.folder()))?;
        }
        fs::create_dir_all(root.join("output"))?;
        fs::write(root.join(CONFIG), config(engine))?;
        Ok(RunDir {
            root: root.to_owned(),
        })
    }

    /// Adds the plugin `name` that runs the Lua file `lua` with the keys in `config`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn plugin(&self, stage: Stage, name: &str, lua: &str, config: &str) -> Result<()> {
        let folder = self.root.join("run").join(stage.folder());
        let path = folder.join(lua);
        if !path.exists() {
            fs::write(path, source(lua)?)?;
        }
        let text = format!("filename = \"{lua}\"\n{config}\n");
        Ok(fs::write(folder.join(format!("{name}.cfg")), text)?)
    }

    /// Lets plugins and modules of this project be found.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn use_our_plugins(&self) -> Result<()> {
        let plugins = project("plugins");
        let config = format!(
            "sandbox_install_path = [[{0}]]\nio_lua_path = [[{0}/modules/?.lua;{0}/?.lua]]\n\
             analysis_lua_path = [[{0}/modules/?.lua]]\nmax_message_size = 8388608\n",
            plugins.display()
        );
        let path = self.root.join(CONFIG);
        let text = fs::read_to_string(&path)? + &config;
        Ok(fs::write(path, text)?)
    }

    /// Adds the plugin `name` that runs `lua`, one of this project's, with the keys in `config`.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn installed(&self, stage: Stage, name: &str, lua: &str, config: &str) -> Result<()> {
        let path = self
            .root
            .join("run")
            .join(stage.folder())
            .join(format!("{name}.cfg"));
        Ok(fs::write(
            path,
            format!("filename = \"{lua}\"\n{config}\n"),
        )?)
    }

    /// The output that writes the counts which analysis plugins report at their end.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn report(&self) -> Result<()> {
        let config = "message_matcher = \"Type == 'inject_payload'\"\nread_queue = \"analysis\"";
        self.plugin(Stage::Output, "report", "report.lua", config)
    }

    /// The text of a file that a plugin wrote.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read(&self, name: &str) -> Result<String> {
        let path = self.root.join(name);
        fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
    }

    /// The sum of the counts that analysis plugins reported, and how many did.
    ///
    /// # Errors
    /// When there is no report or it is no list of numbers.
    pub fn counts(&self) -> Result<(u64, usize)> {
        let text = self.read("counts")?;
        let counts: Result<Vec<u64>, _> = text.lines().map(str::parse).collect();
        let counts = counts.with_context(|| format!("counts are {text:?}"))?;
        Ok((counts.iter().sum(), counts.len()))
    }

    /// Fails unless the file `name` says `expected`.
    ///
    /// # Errors
    /// When it does not.
    pub fn expect(&self, name: &str, expected: &str) -> Result<()> {
        let found = self.read(name)?;
        ensure!(
            found.trim_end() == expected,
            "file {name} says {found:?}, expected {expected:?}"
        );
        Ok(())
    }
}

/// A path of this project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

/// The Lua of a plugin, by file name.
///
/// # Errors
/// When there is none of that name.
pub fn source(lua: &str) -> Result<&'static str> {
    let found = PLUGINS.iter().find(|(known, _)| *known == lua);
    let (_, source) = found.with_context(|| format!("no plugin {lua}"))?;
    Ok(source)
}

/// The engine's defaults in everything that is not measured here; the host name is given so that messages have the same
/// length everywhere, and inputs may run forever.
fn config(engine: &Engine) -> String {
    let cpath = engine.lua_cpath.as_deref().unwrap_or("modules/?.so");
    let size = engine
        .segment_size
        .map(|bytes| format!("output_size = {bytes}\n"));
    format!(
        "output_path = \"output\"\n\
         sandbox_run_path = \"run\"\n\
         hostname = \"bench.local\"\n\
         analysis_lua_path = \"modules/?.lua\"\n\
         analysis_lua_cpath = \"{cpath}\"\n\
         io_lua_path = analysis_lua_path\n\
         io_lua_cpath = analysis_lua_cpath\n\
         input_defaults = {{ instruction_limit = 0 }}\n\
         analysis_defaults = {{}}\n\
         output_defaults = {{}}\n\
         {}",
        size.unwrap_or_default()
    )
}
