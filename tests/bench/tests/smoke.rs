//! Runs every benchmark in tiny sizes: all messages must arrive; nothing is said about times.

use std::process::Command;

#[test]
fn every_benchmark_works_in_small() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_foresight-bench"))
        .arg("--small")
        .arg("--directory")
        .arg(folder.path())
        .output()
        .expect("the benchmark program starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{complained}");
    for name in [
        "inject-write",
        "route-10000",
        "nginx-strings",
        "nginx-grammar",
        "reinject",
        "modules",
        "edge",
        "loader",
        "lake",
        "kafka",
        "graphs",
        "footprint",
        "recovery",
        "latency",
    ] {
        assert!(
            printed.contains(&format!("\n{name} ")),
            "{name} is in the table:\n{printed}"
        );
    }
}
