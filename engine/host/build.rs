//! Lists every plugin and module of the distribution, so that the demonstration has them inside the program.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The folders below `plugins/` that hold Lua for the engine; the others are for readers and editors.
const FOLDERS: [&str; 6] = [
    "input", "analysis", "output", "decoders", "encoders", "modules",
];

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
    let mut list = String::from("&[\n");
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={}", root.join(folder).display());
        for path in lua_files(&root.join(folder))? {
            let short = path.strip_prefix(&root).expect("it was found below");
            writeln!(list, "    ({short:?}, include_str!({path:?})),")
                .expect("a String takes any text");
        }
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").expect("Cargo sets it");
    fs::write(Path::new(&out).join("plugins.rs"), list)
}

fn lua_files(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "lua") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
