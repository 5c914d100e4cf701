//! From a plugin's configuration to its sandbox.

use std::sync::Arc;

use matcher::Matcher;
use sandbox::{CreateError, Host, Limits, Sandbox, Spec};

use crate::config::Plugin;
use crate::shared::Shared;
use crate::state_file::{Found, StateFile};

/// The state file of a plugin, if it preserves its state.
pub fn state_file(shared: &Shared, plugin: &Plugin) -> Option<StateFile> {
    // A rename alone survives the death of the process; forcing each state to the disk would cost more than what it
    // saves, so that is done only where the operator wants every message on the disk.
    let sync = shared.config.sync == crate::config::Sync::Always;
    plugin
        .settings
        .preserve_data
        .then(|| StateFile::new(&shared.config.output_path, &plugin.name, sync))
}

/// Reads the state; what cannot be read is logged and left alone.
pub fn read_state(state: Option<&StateFile>, plugin: &Plugin) -> Found {
    let Some(state) = state else {
        return Found::default();
    };
    state.read().unwrap_or_else(|error| {
        tracing::error!(target: "plugin", plugin = %plugin.name, "{error}");
        Found::default()
    })
}

/// Makes the sandbox of a plugin and runs its main chunk.
///
/// A state that cannot be restored is set aside and the plugin starts without it, as with Hindsight.
pub fn sandbox(
    shared: &Shared,
    plugin: &Plugin,
    host: impl Fn() -> Box<dyn Host>,
    state: Option<(&StateFile, Vec<u8>)>,
) -> Result<Sandbox, String> {
    let (file, bytes) = state.unzip();
    match Sandbox::new(spec(shared, plugin, bytes)?, host()) {
        Ok(sandbox) => Ok(sandbox),
        Err(error @ CreateError::Restore(_)) => {
            let name = &plugin.name;
            tracing::error!(target: "plugin", plugin = %name, "{error}; the state is set aside");
            file.map_or(Ok(()), StateFile::set_aside)?;
            Sandbox::new(spec(shared, plugin, None)?, host()).map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Makes a sandbox for a trial: without a state, and with everything logged.
pub fn trial_sandbox(
    shared: &Shared,
    plugin: &Plugin,
    host: impl Fn() -> Box<dyn Host>,
) -> Result<Sandbox, String> {
    let spec = Spec {
        log_level: TRIAL_LOG_LEVEL,
        ..spec(shared, plugin, None)?
    };
    Sandbox::new(spec, host()).map_err(|error| error.to_string())
}

fn spec(shared: &Shared, plugin: &Plugin, state: Option<Vec<u8>>) -> Result<Spec, String> {
    let main = &shared.config;
    let settings = &plugin.settings;
    let (path, cpath) = main.lua_paths(plugin.kind);
    let some = |text: &str| (!text.is_empty()).then(|| text.to_string());
    Ok(Spec {
        kind: plugin.kind,
        name: plugin.name.clone(),
        source_path: plugin
            .find_source(main)
            .map_err(|fault| fault.to_string())?,
        config: plugin.served(main, shared.log_level),
        limits: Limits {
            memory: settings.memory_limit,
            instructions: settings.instruction_limit,
            output: settings.output_limit,
            input: INPUT_LIMIT,
            max_message: main.max_message_size,
            process_message_injects: settings.process_message_inject_limit,
            timer_event_injects: settings.timer_event_inject_limit,
        },
        restricted_headers: settings.restricted_headers,
        hostname: main.hostname.clone(),
        pid: main.pid,
        lua_path: some(path),
        lua_cpath: some(cpath),
        state,
        jit: settings.jit,
        log_level: shared.log_level,
        modules: Arc::clone(&shared.modules),
    })
}

/// Plugins print at this level only.
const TRIAL_LOG_LEVEL: u8 = 7;

/// Bytes of the input buffer; Hindsight's default, which no configuration changes.
const INPUT_LIMIT: usize = 65_536;

/// Gives a plugin without a saved state its first one, so that its state has a place from the first message on.
pub fn first_state(
    sandbox: &mut Sandbox,
    state: Option<&StateFile>,
    place: &str,
) -> Result<(), String> {
    match state {
        Some(state) if !state.exists() => state.write(&sandbox.preserve(place)?),
        _ => Ok(()),
    }
}

/// Compiles a plugin's matcher; the error says where in which file it is wrong.
pub fn matcher(plugin: &Plugin) -> Result<Matcher, String> {
    let expression = plugin.message_matcher.as_deref().unwrap_or_default();
    let matcher = Matcher::parse(expression).map_err(|error| {
        let (file, line) = (plugin.cfg.display(), plugin.message_matcher_line);
        format!("{file}:{line}: invalid message_matcher: {expression}: {error}")
    })?;
    for warning in matcher.warnings() {
        tracing::warn!(target: "plugin", plugin = %plugin.name, "message_matcher: {warning}");
    }
    Ok(matcher)
}
