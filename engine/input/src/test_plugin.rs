//! For tests: runs Lua code as the main chunk of an input or output plugin that may use this crate's modules.

use std::sync::Arc;

use sandbox::native::Registry;
use sandbox::{Host, InjectError, Kind, Limits, Sandbox, Spec};

/// Takes nothing, since a main chunk injects nothing.
struct NoHost;

impl Host for NoHost {
    fn inject(
        &mut self,
        _: &[u8],
        _: &[u8],
        _: Option<&sandbox::Checkpoint>,
    ) -> Result<(), InjectError> {
        Err(InjectError::Rejected(1))
    }
}

/// Makes a plugin of this code; what its main chunk raised.
pub(crate) fn load(kind: Kind, code: &str) -> Result<Sandbox, String> {
    load_with(kind, code, |_| ())
}

/// As [`load`], with further modules.
pub(crate) fn load_with(
    kind: Kind,
    code: &str,
    more: impl FnOnce(&mut Registry),
) -> Result<Sandbox, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("plugin.lua");
    let prelude = "require 'string' require 'table' require 'io' require 'os' ";
    let code = format!(
        "{prelude} socket = require 'socket' lfs = require 'lfs' maxminddb = require 'maxminddb' {code}"
    );
    std::fs::write(&path, code).expect("written");
    let mut registry = Registry::new();
    crate::register(&mut registry);
    more(&mut registry);
    let mut spec = Spec::new(kind, "input.test", path);
    spec.modules = Arc::new(registry);
    spec.limits = Limits {
        memory: 32 << 20,
        instructions: 0,
        ..Limits::default()
    };
    Sandbox::new(spec, Box::new(NoHost)).map_err(|error| error.to_string())
}

/// Runs code that must not fail.
pub(crate) fn run(code: &str) -> Sandbox {
    load(Kind::Input, code).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs code that must fail; its error.
pub(crate) fn error_of(code: &str) -> String {
    load(Kind::Input, code)
        .map(|_| ())
        .expect_err("it should fail")
}
