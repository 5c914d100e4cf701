//! `output/log_file.lua`: rolled by size and by time, the oldest deleted, a torn line cut off.

use e2e::Site;

/// One message a second of message time, each with a line of ten bytes.
fn source(count: u32) -> String {
    format!(
        r#"
        require "string"
        function process_message()
            for n = 1, {count} do
                inject_message{{ Timestamp = (1.6e9 + n) * 1e9, Payload = string.format("line %04d", n) }}
            end
            return 0
        end
    "#
    )
}

fn site(count: u32, cfg: &str) -> Site {
    let site = Site::new();
    let cfg = format!(
        "message_matcher = \"TRUE\"\noutput_file = \"{}\"\n{cfg}",
        site.path("logs/out.log").display()
    );
    site.write("logs/other.log", "not ours");
    site.input("source", "", &source(count))
        .ours("output/log_file.lua", "log", &cfg)
}

/// The rolled files in the order of their names, then the current one.
fn files(site: &Site) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(site.path("logs"))
        .expect("it is there")
        .flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("out.log.")).collect();
    names.sort();
    names.push("out.log".into());
    names
        .into_iter()
        .map(|name| (site.read(format!("logs/{name}")), name))
        .map(|(text, name)| (name, text))
        .collect()
}

fn lines(count: u32) -> String {
    (1..=count).map(|n| format!("line {n:04}\n")).collect()
}

#[test]
fn it_rolls_by_size_without_losing_a_line() {
    let site = site(100, "roll_size = 300");
    site.replay().expect(0);
    let files = files(&site);
    assert_eq!(files.len(), 4, "{files:?}");
    assert!(
        files[..3].iter().all(|(_, text)| text.len() == 300),
        "{files:?}"
    );
    assert_eq!(
        files
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<String>(),
        lines(100)
    );
}

#[test]
fn the_oldest_are_deleted() {
    let site = site(100, "roll_size = 200\nretention = 2");
    site.replay().expect(0);
    let texts: Vec<String> = files(&site).into_iter().map(|(_, text)| text).collect();
    assert_eq!(
        texts.concat(),
        lines(100)[600..],
        "two rolled files and the current one are left"
    );
    assert_eq!(site.read("logs/other.log"), "not ours");
}

#[test]
fn it_rolls_by_time() {
    let site = site(100, "roll_interval = 30\nticker_interval = 1");
    site.replay().expect(0);
    let files = files(&site);
    assert!(files.len() >= 4, "{files:?}");
    assert_eq!(
        files
            .iter()
            .map(|(_, text)| text.as_str())
            .collect::<String>(),
        lines(100)
    );
    let longest = files.iter().map(|(_, text)| text.lines().count()).max();
    assert!(
        longest <= Some(31),
        "no file holds more than an interval and a tick: {files:?}"
    );
}

#[test]
fn a_torn_line_is_cut_off_and_the_rest_kept() {
    let site = site(2, "");
    site.write("logs/out.log", "whole\nto");
    site.replay().expect(0);
    assert_eq!(site.read("logs/out.log"), format!("whole\n{}", lines(2)));
}
