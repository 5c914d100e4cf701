//! The inputs to begin with: the files of `corpus/<target>/`, or what the target makes by code.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::targets::Target;

/// The folder of the target's inputs.
pub fn folder(target: &Target) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target.name)
}

/// All inputs of the target: its seeds and the files of its folder, sorted by name so that a run can be had again.
pub fn inputs(target: &Target) -> Result<Vec<Vec<u8>>> {
    let mut inputs = (target.seeds)();
    let Ok(entries) = fs::read_dir(folder(target)) else {
        return Ok(inputs);
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        inputs.push(fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(inputs)
}

/// Writes the seeds of the target into its folder, where coverage-guided fuzzers begin.
pub fn write(target: &Target) -> Result<usize> {
    let folder = folder(target);
    fs::create_dir_all(&folder)?;
    let seeds = (target.seeds)();
    for (i, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{i:02}")), seed)?;
    }
    Ok(seeds.len())
}
