//! What every Lua plugin must have: a manual at its head, a sample configuration that parses, and a test.

use sandbox::config_file;

use crate::{Complaint, File, Tree};

/// Where the plugins lie.
const HOME: &str = "plugins/";

/// Kinds that an operator configures; the others are modules that they load.
const CONFIGURED: [&str; 3] = ["plugins/input/", "plugins/analysis/", "plugins/output/"];

/// How a file of type annotations for editors begins; it is no module.
const ANNOTATIONS: &str = "---@meta";

/// Where the tests of plugins lie.
const TESTS: [&str; 2] = ["tests/e2e/tests/", "tests/modules/"];

/// All rules of this module.
pub fn check(tree: &Tree) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    let lua = tree
        .ending(".lua")
        .filter(|file| file.path.starts_with(HOME) && !file.text.starts_with(ANNOTATIONS));
    for file in lua {
        complaints.extend(manual(file));
        complaints.extend(test(tree, file));
        if is_configured(file) {
            complaints.extend(sample(tree, file));
        }
    }
    complaints.extend(orphans(tree));
    complaints
}

fn is_configured(file: &File) -> bool {
    CONFIGURED.iter().any(|kind| file.path.starts_with(kind))
}

/// The plugin begins with the licence and its manual, whose Lua examples parse.
fn manual(file: &File) -> Vec<Complaint> {
    let Some(manual) = manual_of(&file.text) else {
        let text = "begin the plugin with its manual: `--[[`, a line `# Title: what it does`, the text, `--]]`";
        return vec![file.complaint(1, text)];
    };
    let mut complaints = Vec::new();
    let wanted = if is_configured(file) {
        "## Sample configuration"
    } else {
        "## "
    };
    if !manual.lines().any(|line| line.starts_with(wanted)) {
        complaints.push(file.complaint(1, format!("the manual needs a section `{wanted}`")));
    }
    // Where a module shows how it is called, the example is no configuration.
    let is_code = |block: &&str| !is_configured(file) && block.contains("require");
    for block in lua_blocks(manual)
        .into_iter()
        .filter(|block| !is_code(block))
    {
        if let Err(error) = config_file::evaluate(block.as_bytes()) {
            let text = format!("an example in the manual is no valid configuration: {error}");
            complaints.push(file.complaint(1, text));
        }
    }
    complaints
}

/// The text between the first `--[[` and `--]]`, if only comment lines stand before it and it has a title.
fn manual_of(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once("--[[\n")?;
    let only_comments = head
        .lines()
        .all(|line| line.is_empty() || line.starts_with("--"));
    let (manual, _) = rest.split_once("--]]")?;
    (only_comments && manual.starts_with("# ")).then_some(manual)
}

/// The blocks marked as Lua.
fn lua_blocks(manual: &str) -> Vec<&str> {
    let parts = manual.split("```lua\n").skip(1);
    parts
        .filter_map(|part| part.split_once("```").map(|(block, _)| block))
        .collect()
}

/// The sample beside the plugin is the one of its manual.
fn sample(tree: &Tree, file: &File) -> Vec<Complaint> {
    let Some(block) = manual_of(&file.text)
        .map(lua_blocks)
        .and_then(|blocks| blocks.first().copied())
    else {
        return vec![file.complaint(
            1,
            "the manual needs a sample configuration between ```lua and ```",
        )];
    };
    let mut complaints = Vec::new();
    let name = file.path.rsplit('/').next().unwrap_or_default();
    if !block.lines().any(|line| {
        line.replace(' ', "")
            .starts_with(&format!("filename=\"{name}\""))
    }) {
        complaints.push(file.complaint(
            1,
            format!("the sample configuration must say filename = \"{name}\""),
        ));
    }
    let cfg = file.path.replace(".lua", ".cfg");
    match tree.get(&cfg) {
        None => complaints.push(file.complaint(
            0,
            format!("write {cfg} with the sample configuration of the manual"),
        )),
        Some(sample) if sample.text != block => {
            let text = format!(
                "differs from the sample configuration in {}: make them the same",
                file.path
            );
            complaints.push(sample.complaint(1, text));
        }
        Some(_) => {}
    }
    complaints
}

/// Some end-to-end test names the plugin: `input/file.lua`, or the module name `decoders.syslog`.
fn test(tree: &Tree, file: &File) -> Option<Complaint> {
    let short = file.path.trim_start_matches(HOME);
    let module = short
        .trim_end_matches(".lua")
        .trim_start_matches("modules/")
        .replace('/', ".");
    let name = if is_configured(file) {
        short.to_string()
    } else {
        module
    };
    let tests = || {
        tree.files
            .iter()
            .filter(|file| TESTS.iter().any(|home| file.path.starts_with(home)))
    };
    let is_named = tests().any(|test| test.text.contains(&name));
    (!is_named).then(|| {
        file.complaint(
            0,
            format!(
                "no test uses it: add one below {} that names `{name}`",
                TESTS.join(" or ")
            ),
        )
    })
}

/// Configurations without a plugin.
fn orphans(tree: &Tree) -> Vec<Complaint> {
    let cfgs = tree.ending(".cfg").filter(|file| is_configured(file));
    let lost = cfgs.filter(|file| tree.get(&file.path.replace(".cfg", ".lua")).is_none());
    lost.map(|file| {
        file.complaint(
            0,
            "there is no plugin of this name: rename or delete the sample",
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLUGIN: &str = "-- Licence\n\n--[[\n# A plugin: does something\n\n## Sample configuration\n\n```lua\n\
                          filename = \"a.lua\"\nx = 1\n```\n--]]\n\nx = 1\n";
    const SAMPLE: &str = "filename = \"a.lua\"\nx = 1\n";
    const TEST: (&str, &str) = ("tests/e2e/tests/plugins/a.rs", "plugin(\"input/a.lua\")");

    fn complaints(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files))
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_whole_plugin_is_fine() {
        let files = [
            ("plugins/input/a.lua", PLUGIN),
            ("plugins/input/a.cfg", SAMPLE),
            TEST,
        ];
        assert_eq!(complaints(&files), [""; 0]);
    }

    #[test]
    fn a_missing_part_is_named() {
        let found = complaints(&[("plugins/input/a.lua", PLUGIN)]);
        assert!(found[0].contains("no test uses it"), "{found:?}");
        assert!(found[1].contains("write plugins/input/a.cfg"), "{found:?}");
        let other = [
            ("plugins/input/a.lua", PLUGIN),
            ("plugins/input/a.cfg", "filename = \"a.lua\"\n"),
            TEST,
        ];
        assert!(complaints(&other)[0].contains("differs from the sample"));
        let bare = [
            ("plugins/input/a.lua", "x = 1\n"),
            ("plugins/input/a.cfg", SAMPLE),
            TEST,
        ];
        assert!(complaints(&bare)[0].contains("begin the plugin with its manual"));
    }

    #[test]
    fn an_example_must_parse() {
        let broken = PLUGIN.replace("x = 1\n```", "x = = 1\n```");
        let sample = SAMPLE.replace("x = 1", "x = = 1");
        let found = complaints(&[
            ("plugins/input/a.lua", &broken),
            ("plugins/input/a.cfg", &sample),
            TEST,
        ]);
        assert!(found[0].contains("no valid configuration"), "{found:?}");
    }

    #[test]
    fn modules_need_a_manual_and_a_test_but_no_sample() {
        let module = "--[[\n# A decoder: of lines\n\n## Configuration\n\nnone\n--]]\n";
        let test = ("tests/e2e/tests/d.rs", "decoder_module = \"decoders.a\"");
        assert_eq!(
            complaints(&[("plugins/decoders/a.lua", module), test]),
            [""; 0]
        );
        let untested = complaints(&[("plugins/decoders/heka/a.lua", module)]);
        assert!(
            untested[0].contains("names `decoders.heka.a`"),
            "{untested:?}"
        );
    }

    #[test]
    fn a_sample_without_a_plugin_is_lost() {
        assert_eq!(complaints(&[("plugins/output/b.cfg", "")]).len(), 1);
    }
}
