//! What happens when a plugin fails, does not end, or is stuck in native code: that plugin stops, with its reason
//! in the log and in its `.err` file, and nothing else is touched.

use std::any::Any;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sandbox::Handle;

use crate::config::{Plugin, kind_name};
use crate::load::write_err;
use crate::shared::Shared;

/// A plugin has so long to notice a stop by itself before its call is interrupted.
const NOTICE_STOP: Duration = Duration::from_secs(10);

/// An interrupted call has so long to end before its thread is left behind.
const END_AFTER_INTERRUPT: Duration = Duration::from_secs(2);

/// How often a wait looks whether the plugin has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Records that a plugin was terminated by its own error.
pub fn terminated(shared: &Shared, plugin: &Plugin, reason: &str) {
    tracing::error!(target: "plugin", plugin = %plugin.name, "terminated: {reason}");
    shared.plugin_failed(plugin.kind);
    note(&plugin.cfg.with_extension("err"), reason);
    if plugin.settings.shutdown_on_terminate {
        tracing::info!(target: "plugin", plugin = %plugin.name, "shutting down on terminate");
        shared.request_shutdown();
    }
}

/// Records that a plugin could not be created.
pub fn not_created(shared: &Shared, plugin: &Plugin, reason: &str) {
    let kind_text = kind_name(plugin.kind);
    tracing::error!(
        target: "plugin",
        plugin = %plugin.name,
        "lsb_heka_create_{kind_text} failed: {reason}"
    );
    shared.plugin_failed(plugin.kind);
    note(&plugin.cfg.with_extension("err"), reason);
}

/// Records that a plugin hangs in native code and was left behind; the rest of the engine goes on.
pub fn stuck(shared: &Shared, plugin: &Plugin) {
    terminated(
        shared,
        plugin,
        "stuck in native code: the call did not end and was quarantined",
    );
}

/// Writes the reason into a plugin's `.err` file.
pub fn note(err_file: &Path, reason: &str) {
    if let Err(error) = write_err(err_file, reason) {
        tracing::error!(target: "hindsight", "writing {}: {error}", err_file.display());
    }
}

/// Whether a call has run so long that it can only be stuck in native code.
pub fn is_stuck(handle: &Handle, after: Duration) -> bool {
    handle.in_native()
        && handle
            .call_started()
            .is_some_and(|start| start.elapsed() > after)
}

/// Waits until `done`; first patiently, then with the call interrupted. False when neither helped.
pub fn wait_for_call(handle: &Handle, done: impl Fn() -> bool) -> bool {
    handle.stop();
    if wait(NOTICE_STOP, &done) {
        return true;
    }
    handle.interrupt();
    wait(END_AFTER_INTERRUPT, &done)
}

/// Joins a thread; when it does not end, `interrupt` is called, and if that does not help the thread is left behind.
pub fn join_or_leave(thread: JoinHandle<()>, interrupt: impl FnOnce()) -> bool {
    let ended = wait(NOTICE_STOP, || thread.is_finished()) || {
        interrupt();
        wait(END_AFTER_INTERRUPT, || thread.is_finished())
    };
    if ended && thread.join().is_err() {
        tracing::error!(target: "hindsight", "a thread of the engine ended by a panic");
    }
    ended
}

fn wait(timeout: Duration, done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    while !done() {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}

/// The text of a panic, for the log.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| text.to_string())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!(
        "internal fault of the engine: {}",
        text.as_deref().unwrap_or("no reason given")
    )
}
