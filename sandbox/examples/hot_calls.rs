//! Measures the calls that happen for every message: `inject_message`, and `process_message` with three `read_message`.
//!
//! CPU time of this thread per call, best of several rounds, with a host that does nothing: what it shows is the price of
//! the sandbox alone. Caches are warm and messages equal; real traffic is slower. Also measures how fast sandboxes are
//! made and how much memory each keeps.

use std::time::Duration;

use sandbox::{Checkpoint, Host, InjectError, Kind, Sandbox, Spec};
use schemas::message::{Field, Message};

struct Nothing;

impl Host for Nothing {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }

    fn log(&mut self, _: u8, text: &str) {
        println!("log: {text}");
    }
}

const INJECT: &str = r#"
local message = {
    Timestamp = 1500000000000000000, Type = "nginx.access", Logger = "input.nginx", Severity = 6,
    Payload = "GET /index.html HTTP/1.1 200 from somewhere", EnvVersion = "1.0", Pid = 1234, Hostname = "web1.example.com",
    Uuid = "0123456789abcdef",
    Fields = {status = 200, bytes = 5123, user_agent = "curl/7.88", path = "/index.html", ok = true, duration = 0.25},
}
function process_message()
    for i = 1, 1000 do inject_message(message) end
    return 0
end
"#;

const READ: &str = r#"
count = 0
function process_message()
    if read_message("Type") == "nginx.access" and read_message("Fields[status]") == 200 then
        count = count + #read_message("Payload")
    end
    return 0
end
function timer_event() end
"#;

const TRIVIAL: &str = r#"
require "string"
local count = 0
function process_message() count = count + 1 return 0 end
function timer_event(ns, shutdown) inject_payload("txt", "count", count) end
"#;

fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux keeps this");
    let ns = stat
        .split(' ')
        .next()
        .and_then(|ns| ns.parse().ok())
        .expect("it begins with a number");
    Duration::from_nanos(ns)
}

fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux keeps this");
    let pages: usize = statm
        .split(' ')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("the second number is the resident set");
    pages * 4096
}

fn make(kind: Kind, path: &std::path::Path) -> Sandbox {
    let mut spec = Spec::new(kind, "test.plugin", path);
    spec.restricted_headers = false;
    spec.limits.instructions = 1_000_000;
    spec.limits.process_message_injects = 1;
    Sandbox::new(spec, Box::new(Nothing)).expect("the plugin is right")
}

/// Runs `work`, which does `n` calls, in several rounds; the best nanoseconds per call.
fn best(n: u32, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..30 {
        let start = cpu_time();
        work();
        best = best.min((cpu_time() - start).as_nanos() as f64 / f64::from(n));
    }
    best
}

fn main() {
    let folder = std::env::temp_dir().join(format!("hot_calls.{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    let write = |name: &str, source: &str| {
        let path = folder.join(name);
        std::fs::write(&path, source).expect("the folder is writable");
        path
    };

    let mut injecting = make(Kind::Input, &write("inject.lua", INJECT));
    let ns = best(100_000, || {
        for _ in 0..100 {
            injecting.process_input(&Checkpoint::None);
        }
    });
    println!(
        "inject_message, 9 headers and 6 fields: {ns:.0} ns, {:?}",
        injecting.stats()
    );

    let mut message = Message::new([7; 16], 1_500_000_000_000_000_000);
    message.type_ = Some(b"nginx.access".to_vec());
    message.payload = Some(b"GET /index.html HTTP/1.1 200 from somewhere".to_vec());
    message.hostname = Some(b"web1.example.com".to_vec());
    message
        .fields
        .push(Field::string("user_agent", "curl/7.88"));
    message.fields.push(Field::integer("status", 200));
    message.fields.push(Field::double("duration", 0.25));
    let bytes = message.to_bytes();
    let mut reading = make(Kind::Analysis, &write("read.lua", READ));
    let ns = best(100_000, || {
        for _ in 0..100_000 {
            let _ = reading.process_message(&bytes, &bytes, None);
        }
    });
    println!(
        "process_message with 3 read_message: {ns:.0} ns, {:?}",
        reading.stats()
    );

    let trivial = write("trivial.lua", TRIVIAL);
    for n in [1_000, 10_000] {
        let (before, start) = (resident(), std::time::Instant::now());
        let mut sandboxes: Vec<Sandbox> = (0..n).map(|_| make(Kind::Analysis, &trivial)).collect();
        let made = start.elapsed();
        for sandbox in &mut sandboxes {
            let _ = sandbox.process_message(&bytes, &bytes, None);
        }
        let each = (resident() - before) / n;
        println!(
            "{n} sandboxes: made in {made:?}, {each} bytes each, {:?}",
            sandboxes[0].stats()
        );
    }
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
