//! What Hindsight's plugins, tools and operators rely on: answers, checkpoints, state, files, directories, signals.

mod answers;
mod checkpoints;
mod files;
mod load;
mod preserve;
mod process;
mod timers;

/// Injects every line of a file, which may grow, as a message of Type "line".
pub fn lines_input(site: e2e::Site) -> e2e::Site {
    let file = site.write("lines", "");
    let cfg = format!(
        "input_filename = \"{}\"\nticker_interval = 1\ndefault_headers = {{ Type = \"line\" }}",
        file.display()
    );
    site.ours("input/file.lua", "lines", &cfg)
}

/// An input that injects these payloads once.
pub fn payloads_input(payloads: &[&str]) -> String {
    let list: Vec<String> = payloads
        .iter()
        .map(|payload| format!("{payload:?}"))
        .collect();
    format!(
        "function process_message()\nfor _, p in ipairs{{ {} }} do inject_message{{ Type = 'line', Payload = p }} end\n\
         return 0\nend\n",
        list.join(", ")
    )
}
