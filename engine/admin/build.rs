//! Lists the built pages in `web/dist`, so that the program has them inside. Without them it is built all the same, and its
//! one page says how to make them.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // Asked when it runs: the target folder may outlive the place in which it was built.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let dist = Path::new(&here).join("web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files: Vec<_> = fs::read_dir(&dist)?
        .collect::<io::Result<Vec<_>>>()?
        .into_iter()
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && !is_hidden(path))
        .collect();
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let name = path.file_name().expect("it is a file").to_string_lossy();
        writeln!(list, "    ({name:?}, include_bytes!({path:?})),")
            .expect("a String takes any text");
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").expect("Cargo sets it");
    fs::write(Path::new(&out).join("assets.rs"), list)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}
