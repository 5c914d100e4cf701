//! Tests of `cat`: every form, selection, damage, and following a queue as it grows.

use super::*;
use schemas::message::Message;
use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// A framed message with this Type and Payload.
fn framed(type_: &str, payload: &str) -> Vec<u8> {
    let message = Message {
        uuid: Some([7; 16]),
        timestamp: 1_500_000_000_123_456_789,
        type_: Some(type_.into()),
        payload: Some(payload.into()),
        ..Message::default()
    };
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    let (head, length) = header(bytes.len());
    [&head[..length], &bytes].concat()
}

fn options(file: &Path) -> Options {
    let matcher = "TRUE".to_string();
    Options {
        file: file.to_path_buf(),
        form: Form::Count,
        matcher,
        tail: None,
        follow: false,
    }
}

/// The counts, the output and the reports of a run over `bytes`.
fn run(bytes: &[u8], change: impl FnOnce(&mut Options)) -> (Counts, String, String) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("0.log");
    std::fs::write(&file, bytes).expect("the directory is ours");
    let mut options = options(&file);
    change(&mut options);
    let (mut out, mut reports) = (Vec::new(), Vec::new());
    let counts = cat(&options, &mut out, &mut reports, &|| false).expect("the file is readable");
    let text = |bytes: Vec<u8>| {
        String::from_utf8_lossy(&bytes).replace(&dir.path().display().to_string(), ".")
    };
    (counts, text(out), text(reports))
}

fn three() -> Vec<u8> {
    [framed("a", "1"), framed("b", "2"), framed("a", "3")].concat()
}

#[test]
fn text_is_lsb_heka_cats() {
    let (counts, out, reports) = run(&framed("a", "one"), |options| options.form = Form::Text);
    let expected = ":Uuid: 07070707-0707-0707-0707-070707070707\n\
        :Timestamp: 2017-07-14T02:40:00.123456789Z\n:Type: a\n:Logger: <nil>\n:Severity: 7\n:Payload: one\n\
        :EnvVersion: <nil>\n:Pid: <nil>\n:Hostname: <nil>\n:Fields:\n\n";
    assert_eq!(out, expected);
    assert_eq!(
        (counts.to_string().as_str(), reports.as_str()),
        ("Processed: 1, matched: 1 messages", "")
    );
}

#[test]
fn a_matcher_selects() {
    let (counts, out, _) = run(&three(), |options| {
        options.matcher = "Type == 'b'".into();
        options.form = Form::Json;
    });
    assert_eq!((counts.processed, counts.matched), (3, 1));
    let json: serde_json::Value = serde_json::from_str(out.trim_end()).expect("one JSON object");
    assert_eq!(json["Payload"], "2");
    let (counts, out, _) = run(&three(), |options| options.matcher = "FALSE".into());
    assert_eq!((counts.matched, out.as_str()), (0, ""));
}

#[test]
fn the_heka_form_is_the_stream_itself() {
    let (_, out, _) = run(&three(), |options| options.form = Form::Heka);
    assert_eq!(out.as_bytes(), String::from_utf8_lossy(&three()).as_bytes());
}

#[test]
fn the_last_messages() {
    for (tail, expected) in [
        (0, vec![]),
        (1, vec!["3"]),
        (2, vec!["2", "3"]),
        (9, vec!["1", "2", "3"]),
    ] {
        let (counts, out, _) = run(&three(), |options| {
            options.tail = Some(tail);
            options.form = Form::Json;
        });
        let payloads = out
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        assert_eq!(
            payloads
                .map(|json| json["Payload"].clone())
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(counts.matched, 3);
    }
}

#[test]
fn damage_is_reported_with_its_place_and_skipped() {
    let (one, two) = (framed("a", "1"), framed("a", "2"));
    let torn = &two[..two.len() - 3];
    let bytes = [
        &b"garbage"[..],
        &one,
        b"\x1e\x02\x08\x05\x1fxxxxx",
        &two,
        torn,
    ]
    .concat();
    let (counts, _, reports) = run(&bytes, |_| {});
    let second = 7 + one.len();
    let last = second + 10 + two.len();
    let expected = format!(
        "./0.log: 7 bytes at offset 0 are no message, skipped\n\
         ./0.log: 10 bytes at offset {second} are no message, skipped\n\
         ./0.log: {} bytes at offset {last} are no message, skipped\n",
        torn.len()
    );
    assert_eq!(reports, expected);
    assert_eq!(
        (counts.processed, counts.damaged),
        (2, 17 + torn.len() as u64)
    );
}

#[test]
fn a_message_hidden_behind_a_false_head_is_found() {
    // The head promises more than there is.
    let bytes = [&b"\x1e\x04\x08\xff\xff\x03\x1f"[..], &framed("a", "1")].concat();
    let (counts, _, reports) = run(&bytes, |_| {});
    assert_eq!(counts.processed, 1);
    assert_eq!(
        reports,
        "./0.log: 7 bytes at offset 0 are no message, skipped\n"
    );
}

#[test]
fn many_false_heads_take_no_time() {
    let bytes = b"\x1e\x05\x08\xff\xff\xff\x7f\x1f".repeat(50_000);
    let (counts, _, _) = run(&bytes, |_| {});
    assert_eq!((counts.processed, counts.damaged), (0, bytes.len() as u64));
}

#[test]
fn large_messages_span_reads() {
    let bytes: Vec<u8> = (0..5)
        .flat_map(|i| framed("a", &"x".repeat(i * READ_SIZE)))
        .collect();
    let (counts, out, _) = run(&bytes, |options| options.form = Form::Heka);
    assert_eq!(
        (counts.processed, out.len()),
        (5, String::from_utf8_lossy(&bytes).len())
    );
}

#[test]
fn what_cannot_be_shown_says_so() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let fail = |options: Options| {
        cat(&options, &mut Vec::new(), &mut Vec::new(), &|| false)
            .expect_err("it is wrong")
            .to_string()
    };
    assert!(fail(options(&dir.path().join("none"))).contains("No such file"));
    assert!(fail(options(dir.path())).contains("is a directory"));
    let wrong = Options {
        matcher: "Type ==".into(),
        ..options(dir.path())
    };
    assert!(fail(wrong).starts_with("invalid message matcher: "));
}

/// A reader of the output that has gone.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_closed_pipe_is_told_apart() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("0.log");
    std::fs::write(&file, three()).expect("the directory is ours");
    let options = Options {
        form: Form::Text,
        ..options(&file)
    };
    let error = cat(&options, &mut Closed, &mut Vec::new(), &|| false).expect_err("nobody reads");
    assert!(error.is_broken_pipe());
}

/// Output that others can wait for.
#[derive(Clone, Default)]
struct Sink(Arc<(Mutex<Vec<u8>>, Condvar)>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .0
            .lock()
            .expect("nothing panics under this lock")
            .extend_from_slice(bytes);
        self.0.1.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    /// Waits until `count` messages have come; far longer than it can take on a busy machine.
    fn wait_for(&self, count: usize) -> Vec<String> {
        let lines = |bytes: &Vec<u8>| bytes.iter().filter(|byte| **byte == b'\n').count();
        let guard = self.0.0.lock().expect("nothing panics under this lock");
        let limit = Duration::from_secs(60);
        let waited = self
            .0
            .1
            .wait_timeout_while(guard, limit, |bytes| lines(bytes) < count);
        let (bytes, _) = waited.expect("nothing panics under this lock");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let payload = |line: &str| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["Payload"].clone()
        };
        text.lines()
            .map(|line| payload(line).as_str().expect("a text").to_string())
            .collect()
    }
}

#[test]
fn following_sees_growth_later_segments_and_cuts() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = dir.path().join("9.log");
    let append = |name: &str, bytes: &[u8]| {
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(dir.path().join(name))
            .expect("ours");
        file.write_all(bytes).expect("the directory is ours");
    };
    append("9.log", &[framed("a", "1"), framed("a", "2")].concat());
    let (sink, running) = (Sink::default(), AtomicBool::new(true));
    let options = Options {
        form: Form::Json,
        tail: Some(1),
        follow: true,
        ..options(&file)
    };
    let mut out = sink.clone();
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| {
            cat(&options, &mut out, &mut Vec::new(), &|| {
                running.load(Ordering::SeqCst)
            })
        });
        assert_eq!(sink.wait_for(1), ["2"]);
        let third = framed("a", "3");
        append("9.log", &third[..9]);
        append("9.log", &third[9..]);
        assert_eq!(sink.wait_for(2), ["2", "3"]);
        append("9.log", &framed("a", "4"));
        append("10.log", &framed("a", "5"));
        append("8.log", &framed("a", "never"));
        append("11.txt", &framed("a", "never"));
        assert_eq!(sink.wait_for(4), ["2", "3", "4", "5"]);
        std::fs::write(dir.path().join("10.log"), b"").expect("the directory is ours");
        append("10.log", &framed("a", "6"));
        running.store(false, Ordering::SeqCst);
        append("10.log", b"");
        let counts = shown
            .join()
            .expect("no panic")
            .expect("the files are readable");
        assert!(counts.processed >= 5);
    });
}

#[test]
fn the_next_segment_has_the_next_higher_number() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for name in ["1.log", "2.log", "10.log", "x.log", "3.txt", "11.log"] {
        std::fs::write(dir.path().join(name), "").expect("the directory is ours");
    }
    let next = |name: &str| {
        next_segment(&dir.path().join(name)).map(|path| path.file_name().map(OsStr::to_owned))
    };
    assert_eq!(next("1.log"), Some(Some("2.log".into())));
    assert_eq!(next("2.log"), Some(Some("10.log".into())));
    assert_eq!(next("11.log"), None);
    assert_eq!(next("x.log"), None);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_shown_or_reported(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400), at in 0..400_usize) {
        let at = at.min(bytes.len());
        let whole = framed("a", "1");
        let mixed = [&bytes[..at], &whole, &bytes[at..]].concat();
        let (counts, _, _) = run(&mixed, |_| {});
        // Before the message, garbage may look like a frame that swallows it; all bytes are accounted for.
        proptest::prop_assert!(counts.processed >= 1 || counts.damaged == mixed.len() as u64);
    }
}
