//! A Python with DuckDB and pyarrow, which come from PyPI into a folder for caches; without Python a test fails and says so.

use std::path::PathBuf;
use std::process::Command;

/// A Python with both readers.
///
/// # Panics
/// When there is no Python that can be given them.
pub fn python() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache"),
        PathBuf::from,
    );
    let venv = cache.join("foresight/python");
    let python = venv.join("bin/python");
    let works = Command::new(&python)
        .args(["-c", "import duckdb, pyarrow"])
        .status();
    if works.is_ok_and(|status| status.success()) {
        return python;
    }
    let run = |program: &str, args: &[&str]| {
        let status = Command::new(program).args(args).status();
        let is_good = status.is_ok_and(|status| status.success());
        assert!(
            is_good,
            "install Python 3 with venv first: {program} {args:?} failed"
        );
    };
    run("python3", &["-m", "venv", &venv.to_string_lossy()]);
    let pip = ["-m", "pip", "install", "-q", "duckdb", "pyarrow"];
    run(&python.to_string_lossy(), &pip);
    python
}
