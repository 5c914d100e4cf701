//! `output/landfill.lua` and `input/heka_store.lua`: what came in raw is kept in finished files, and comes back by date and filter.

use e2e::{Site, frame, messages, payloads};
use schemas::message::{Field, Message};

const DAY_NS: i64 = 86_400_000_000_000;
/// 2026-11-01 in UTC.
const NOVEMBER_NS: i64 = 20_758 * DAY_NS;

fn sample(n: usize, host: &str) -> Message {
    let mut message = Message::new([n as u8; 16], NOVEMBER_NS + n as i64 * DAY_NS / 2);
    message.type_ = Some(b"raw".to_vec());
    message.payload = Some(n.to_string().into_bytes());
    message.fields.push(Field::string("Host", host));
    message
}

fn bytes(all: &[Message]) -> Vec<u8> {
    all.iter().flat_map(frame).collect()
}

/// A site that brings messages into a landfill.
fn landfill(all: &[Message], cfg: &str) -> Site {
    let site = Site::new();
    let input = site.write("in.heka", bytes(all));
    site.write("landfill/.keep", "");
    let cfg = format!(
        "message_matcher = \"TRUE\"\nlandfill_name = \"incoming\"\nbatch_dir = \"{}\"\nticker_interval = 1\n{cfg}",
        site.path("landfill").display()
    );
    let input = format!(
        "instruction_limit = 0\ninput_filename = \"{}\"",
        input.display()
    );
    site.ours("input/heka_file.lua", "in", &input)
        .ours("output/landfill.lua", "landfill", &cfg)
}

fn files(site: &Site) -> Vec<String> {
    let entries = std::fs::read_dir(site.path("landfill")).expect("the landfill is there");
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| name != ".keep").collect();
    names.sort();
    names
}

#[test]
fn submissions_are_kept_by_host_in_files_that_are_finished() {
    let hosts = ["incoming", "elsewhere"];
    let all: Vec<Message> = (0..20).map(|n| sample(n, hosts[n % 2])).collect();
    let site = landfill(&all, "roll_size = 200");
    // An earlier run was killed in the middle of a message, another before the first.
    let whole = frame(&all[0]);
    site.write(
        "landfill/incoming+20261101+000000.0_host_1",
        [&whole[..], &whole[..9]].concat(),
    );
    site.write("landfill/incoming_other+20261101+000000.1_host_1", "");
    site.write("landfill/foreign+20261101+000000.1_host_1", "stays");
    site.replay().expect(0);
    let names = files(&site);
    assert_eq!(names[0], "foreign+20261101+000000.1_host_1");
    assert_eq!(names[1], "incoming+20261101+000000.0_host_1.done");
    assert!(names.len() > 5, "they roll by size: {names:?}");
    // What was cut off is kept, and nobody takes it for a file of messages.
    assert_eq!(names[2], "incoming+20261101+000000.0_host_1.torn");
    let is_done = |name: &String| name.ends_with(".done");
    assert!(names[3..].iter().all(is_done), "{names:?}");
    let names: Vec<String> = names.into_iter().filter(is_done).collect();
    let of = |prefix: &str| -> Vec<Message> {
        let names = names.iter().filter(|name| name.starts_with(prefix));
        names
            .flat_map(|name| messages(&site.path("landfill").join(name)))
            .collect()
    };
    assert_eq!(
        of("incoming+").len(),
        11,
        "the whole one of the crash is kept"
    );
    assert_eq!(of("incoming_other+").len(), 10);
}

#[test]
fn age_finishes_a_file_without_traffic() {
    let site = landfill(&[sample(1, "incoming")], "roll_interval = 1");
    let mut engine = site.start();
    engine.until("the lone message's file is finished", || {
        files(&site).iter().any(|name| name.ends_with(".done"))
    });
    engine.stop().expect(0);
}

/// A store with the messages of ten days in two files, and one of lines.
fn store(cfg: &str) -> Site {
    let all: Vec<Message> = (0..20).map(|n| sample(n, "incoming")).collect();
    let site = Site::new();
    site.write("store/a/x+20261101+000000.0_h_1.done", bytes(&all[..10]));
    site.write("store/b/x+20261106+000000.0_h_1.done", bytes(&all[10..]));
    site.write("store/c.ndjson", "{\"Payload\":\"line\"}\nnonsense\n");
    let cfg = format!(
        "instruction_limit = 0\nstore_path = \"{}\"\n{cfg}",
        site.path("store").display()
    );
    site.ours("input/heka_store.lua", "store", &cfg)
        .collect("all", "TRUE")
}

#[test]
fn a_store_comes_back_by_date_and_filter() {
    let site = store(
        "ending = '.done'\nfrom = '2026-11-02'\nto = '2026-11-07T12:00:00Z'\nmatcher = \"Payload != '3'\"",
    );
    site.replay().expect(0);
    let expected: Vec<String> = (2..13).filter(|n| *n != 3).map(|n| n.to_string()).collect();
    assert_eq!(payloads(&site.path("all.heka")), expected);
    assert!(
        site.log().contains("10 messages injected, 10 not wanted"),
        "{}",
        site.log()
    );
    // Once more: the checkpoint says that everything was read.
    site.replay().expect(0);
    assert_eq!(payloads(&site.path("all.heka")), expected);
}

#[test]
fn a_file_of_another_day_is_not_opened() {
    let site = store("ending = '.done'\nfrom = '2026-11-07'\nset_type = 'again'");
    site.write("store/a/x+20261101+000000.0_h_1.done", "never read");
    site.replay().expect(0);
    let all = messages(&site.path("all.heka"));
    assert_eq!(all.len(), 8);
    assert!(
        all.iter()
            .all(|message| message.type_.as_deref() == Some(b"again"))
    );
}

#[test]
fn lines_go_to_the_decoder() {
    let site = store("ending = '.ndjson'\ndecoder_module = 'decoders.lines'");
    site.replay().expect(0);
    assert_eq!(
        payloads(&site.path("all.heka")),
        ["{\"Payload\":\"line\"}", "nonsense"]
    );
}

#[test]
fn a_wrong_date_is_named() {
    let site = store("from = 'yesterday'");
    site.replay().expect(2);
    assert!(
        site.log().contains("from must be a day or a time in UTC"),
        "{}",
        site.log()
    );
}
