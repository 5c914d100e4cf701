//! A host that writes down what it is asked, and plugins made of a text.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use sandbox::{
    Answer, Checkpoint, CompiledMatcher, CreateError, Host, InjectError, Kind, Sandbox, Spec,
};
use schemas::View;
use schemas::message::Message;

/// What a host has seen.
#[derive(Default)]
pub struct Seen {
    pub injected: Vec<(Vec<u8>, Option<Checkpoint>)>,
    pub checkpoints: Vec<Checkpoint>,
    pub updates: Vec<(Option<u64>, u64)>,
    pub log: Vec<(u8, String)>,
    /// What `inject` answers; taken from the front, then success.
    pub answers: Vec<Result<(), InjectError>>,
    pub running: bool,
}

/// The host's notes, shared with the test.
pub type Notes = Arc<Mutex<Seen>>;

pub struct TestHost(pub Notes);

struct TypeMatcher(Vec<u8>);

impl CompiledMatcher for TypeMatcher {
    fn matches(&self, view: &View<'_>) -> bool {
        view.type_() == Some(&self.0)
    }
}

impl TestHost {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0
            .lock()
            .expect("no test panics while it holds the notes")
    }
}

impl Host for TestHost {
    fn inject(
        &mut self,
        framed: &[u8],
        message: &[u8],
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(), InjectError> {
        let mut seen = self.seen();
        let (header, n) = schemas::frame::header(message.len());
        assert_eq!(framed, [&header[..n], message].concat());
        if !seen.answers.is_empty() {
            seen.answers.remove(0)?;
        }
        seen.injected.push((message.to_vec(), checkpoint.cloned()));
        Ok(())
    }

    fn checkpoint_only(&mut self, checkpoint: &Checkpoint) -> Result<(), InjectError> {
        let mut seen = self.seen();
        if !seen.answers.is_empty() {
            seen.answers.remove(0)?;
        }
        seen.checkpoints.push(checkpoint.clone());
        Ok(())
    }

    fn is_running(&mut self) -> bool {
        self.seen().running
    }

    fn update_checkpoint(&mut self, sequence: Option<u64>, failures: u64) -> Result<(), String> {
        self.seen().updates.push((sequence, failures));
        Ok(())
    }

    fn compile_matcher(&mut self, expression: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        match expression.strip_prefix(b"Type == ") {
            Some(type_) => Ok(Box::new(TypeMatcher(type_.to_vec()))),
            None => Err("expected Type ==".into()),
        }
    }

    fn log(&mut self, severity: u8, text: &str) {
        self.seen().log.push((severity, text.into()));
    }
}

/// Writes a plugin's text to a file of its own.
pub fn file(source: &str) -> PathBuf {
    static N: AtomicU64 = AtomicU64::new(0);
    let n = N.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("sandbox_tests.{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let path = folder.join(format!("p{n}.lua"));
    std::fs::write(&path, source).expect("the folder is writable");
    path
}

/// A spec for a plugin's text.
pub fn spec(kind: Kind, source: &str) -> Spec {
    let mut spec = Spec::new(kind, format!("{}.test", kind.name()), file(source));
    spec.hostname = "host.test".into();
    spec.pid = 4321;
    spec.limits.process_message_injects = 100;
    spec
}

/// Makes a sandbox and gives access to its host's notes.
pub fn try_make(spec: Spec) -> (Result<Sandbox, CreateError>, Notes) {
    let notes = Notes::default();
    notes.lock().expect("new").running = true;
    (
        Sandbox::new(spec, Box::new(TestHost(Arc::clone(&notes)))),
        notes,
    )
}

pub fn make(spec: Spec) -> (Sandbox, Notes) {
    let (sandbox, notes) = try_make(spec);
    (sandbox.expect("the plugin is right"), notes)
}

/// Runs a text as the main chunk of a plugin; its error, or an empty text.
pub fn main_chunk_error(kind: Kind, source: &str) -> String {
    match try_make(spec(kind, source)).0 {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// Runs a text as the main chunk; it must succeed. Its own asserts are the test.
#[track_caller]
pub fn check(kind: Kind, source: &str) {
    let error = main_chunk_error(kind, source);
    assert!(error.is_empty(), "{error}");
}

/// The body as `process_message` of a plugin, run once on a message.
pub fn run(kind: Kind, body: &str) -> (Answer, Notes) {
    run_spec(spec(
        kind,
        &format!("require 'string' require 'table' function process_message(...) {body}\nend"),
    ))
}

pub fn run_spec(spec: Spec) -> (Answer, Notes) {
    let kind = spec.kind;
    let (mut sandbox, notes) = make(spec);
    let message = sample();
    let framed = framed(&message);
    let answer = match kind {
        Kind::Input => sandbox.process_input(&Checkpoint::None),
        _ => sandbox.process_message(&message, &framed, Some(7)),
    };
    (answer, notes)
}

/// As [`run`], for a body that must return 0.
#[track_caller]
pub fn run_ok(kind: Kind, body: &str) -> Notes {
    let (answer, notes) = run(kind, &format!("{body}\nreturn 0"));
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
    notes
}

/// The text of the error that `body` raises in `process_message`, without the place.
#[track_caller]
pub fn run_error(kind: Kind, body: &str) -> String {
    match run(kind, body).0 {
        Answer::Terminated(text) => {
            let text = text
                .strip_prefix("process_message() ")
                .expect("it always begins so")
                .to_owned();
            text.split_once(".lua:1: ")
                .map_or(text.clone(), |(_, rest)| rest.to_owned())
        }
        other => panic!("expected an error, got {other:?}"),
    }
}

/// A message with every header and all kinds of fields.
pub fn sample() -> Vec<u8> {
    use schemas::message::{Field, FieldValue};
    let mut message = Message::new(*b"0123456789abcdef", 1_000_000_000);
    message.type_ = Some(b"test.type".to_vec());
    message.logger = Some(b"input.logger".to_vec());
    message.severity = Some(4);
    message.payload = Some(b"the payload".to_vec());
    message.env_version = Some(b"1.2".to_vec());
    message.pid = Some(99);
    message.hostname = Some(b"sender".to_vec());
    message.fields = vec![
        Field::string("text", "one"),
        Field::integer("number", 42),
        Field::double("double", 1.5),
        Field::bool("flag", true),
        Field::bytes("raw bytes", b"\x00\xff"),
        Field::string("text", "two"),
        Field::with("list", FieldValue::Integer(vec![1, 2, 3])),
    ];
    message.to_bytes()
}

pub fn framed(message: &[u8]) -> Vec<u8> {
    let (header, n) = schemas::frame::header(message.len());
    [&header[..n], message].concat()
}

/// The only message that was injected.
#[track_caller]
pub fn the_message(notes: &Notes) -> Message {
    let seen = notes
        .lock()
        .expect("no test panics while it holds the notes");
    assert_eq!(seen.injected.len(), 1);
    Message::decode(&seen.injected[0].0).expect("what is injected is valid")
}

/// Runs `work` on a thread of its own. If it does not end, the whole test process is aborted: a failed cage must not make
/// the tests hang.
pub fn watched<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    const LONGEST: Duration = Duration::from_secs(60);
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let result = work();
        let _ = sender.send(());
        result
    });
    if receiver.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
        eprintln!(
            "a plugin was not stopped within {LONGEST:?}: {:?}",
            std::thread::current().name()
        );
        std::process::abort();
    }
    thread.join().expect("the work does not panic")
}
