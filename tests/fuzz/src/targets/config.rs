//! Fuzzes the evaluation of configuration files.

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "config",
    about: "plugin and main configuration files",
    run,
    seeds,
    words: &[
        b"filename = ",
        b"ticker_interval = 60\n",
        b"t = {}\n",
        b"t.t = t\n",
        b"{",
        b"}",
        b"[\"k\"] = ",
        b"while true do end\n",
        b"function f() return f() end\n",
        b"for i = 1, 1e9 do ",
        b" end\n",
        b"[[",
        b"]]",
        b"--[[",
        b"\"",
        b"..",
        b"1e999",
        b"0/0",
        b"nil",
        b"goto a\n",
        b"::a::\n",
        b"t = {t, t}\n",
    ],
    n_smoke: 1_000,
};

fn run(bytes: &[u8]) {
    match sandbox::config_file::evaluate(bytes) {
        Ok(file) => {
            let again = sandbox::config_file::evaluate(bytes)
                .expect("what could be read can be read again");
            assert_eq!(
                file.table.len(),
                again.table.len(),
                "another configuration from the same text"
            );
        }
        Err(error) => assert!(!error.to_string().is_empty(), "an error without words"),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "filename = \"x.lua\"\nmessage_matcher = \"TRUE\"\nticker_interval = 60\npreserve_data = true\n",
        "output_path = \"output\"\nanalysis_defaults = { output_limit = 64 * 1024, memory_limit = 1024 * 1024 }\ninput_defaults = {}\n",
        "local names = {\"a\", \"b\"}\nfor i, n in {} do end\nt = {names, [1.5] = 2, x = {y = {z = -1}}}\n",
        "t = {}\nfor i = 1, 100 do t[i] = \"v\" .. i end\n",
        "s = [==[ long\nstring ]==] -- comment\nt = { 'a\\nb\\065', 0x10, 1e3; 5 }\n",
        "if x == nil then y = not x else y = x end\nfunction f(a, ...) return a end\nz = f(1, 2)\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}
