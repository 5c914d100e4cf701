//! Finds the program `foresight` that belongs to the tests: same profile, same target directory, freshly built.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The program. The first call has Cargo build it, which does nothing when it is up to date.
///
/// # Panics
/// When it cannot be built; Cargo's own message stands before.
pub fn path() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

fn build() -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own path");
    // <target>/<profile>/deps/<test>
    let profile_dir = this.ancestors().nth(2).expect("tests lie in a deps folder");
    let target_dir = profile_dir
        .parent()
        .expect("a profile lies in a target folder");
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What Cargo tells this test about its crate would have build scripts that look at it run again, here and at the next
    // build outside.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_of_a_crate) {
            command.env_remove(name);
        }
    }
    let built = command
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .args([
            "build",
            "--quiet",
            // The features of dependencies are those of the whole workspace, as they are for its tests.
            "--workspace",
            "--bin",
            "foresight",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target_dir)
        .status()
        .expect("cargo runs, since it runs this test");
    assert!(
        built.success(),
        "the program foresight could not be built; see the lines above"
    );
    profile_dir.join("foresight")
}

/// Whether Cargo sets this variable for one crate only.
fn is_of_a_crate(name: &str) -> bool {
    let prefixes = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    prefixes.iter().any(|prefix| name.starts_with(prefix))
}
