//! Fuzzes the readers of the native library as plugins call them: `struct`, `zlib`, `snappy`, `zstd`, `gzfile`, `openssl`.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use sandbox::value::Table;
use sandbox::{
    Answer, Checkpoint, CompiledMatcher, Host, InjectError, Kind, Limits, Sandbox, Spec,
};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "library",
    about: "struct formats, compressed data and certificates, as plugins read them",
    run,
    seeds,
    words: &[
        b"\x1f\x8b\x08\0",
        b"\x78\x9c",
        b"\x28\xb5\x2f\xfd",
        b"c0",
        b"i32",
        b"!8",
        b"-----BEGIN CERTIFICATE-----\n",
        b"\xff\xff\xff\xff\x0f",
    ],
    n_smoke: 3_000,
};

/// The plugin's own limits; reading a small input needs far less.
const MEMORY: usize = 64 << 20;
const INSTRUCTIONS: u64 = 200_000_000;

fn run(bytes: &[u8]) {
    thread_local! {
        static PLUGIN: RefCell<Option<Sandbox>> = const { RefCell::new(None) };
    }
    PLUGIN.with_borrow_mut(|plugin| {
        let sandbox = plugin.get_or_insert_with(load);
        let message = message(bytes);
        let answer = sandbox.process_message(&message, &message, None);
        if let Answer::Terminated(why) = answer {
            *plugin = None;
            panic!("the plugin was ended: {why:?}");
        }
    });
}

/// A message with these bytes as its payload.
fn message(payload: &[u8]) -> Vec<u8> {
    let mut message = vec![0x0a, 16];
    message.extend_from_slice(&[7; 16]);
    message.extend_from_slice(&[0x10, 1, 0x32]);
    let mut len = payload.len();
    while len >= 0x80 {
        message.push(len as u8 | 0x80);
        len >>= 7;
    }
    message.push(len as u8);
    message.extend_from_slice(payload);
    message
}

fn load() -> Sandbox {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("library.lua");
    let mut spec = Spec::new(Kind::Output, "output.fuzzed", path);
    spec.config = Table::new();
    spec.modules = Arc::new(host::run::modules());
    spec.limits = Limits {
        memory: MEMORY,
        instructions: INSTRUCTIONS,
        ..Limits::default()
    };
    Sandbox::new(spec, Box::new(Nobody)).unwrap_or_else(|error| panic!("{error}"))
}

/// A host that is asked for nothing.
struct Nobody;

impl Host for Nobody {
    fn inject(&mut self, _: &[u8], _: &[u8], _: Option<&Checkpoint>) -> Result<(), InjectError> {
        Ok(())
    }

    fn compile_matcher(&mut self, _: &[u8]) -> Result<Box<dyn CompiledMatcher>, String> {
        Err("not here".to_owned())
    }
}

/// "hello world" in each form, each behind the byte that chooses its reader.
fn seeds() -> Vec<Vec<u8>> {
    const DEFLATED: &[u8] = b"\xcbH\xcd\xc9\xc9W(\xcf/\xcaI\x01\0";
    let gzip = [
        b"\x1f\x8b\x08\0\0\0\0\0\x02\x03",
        DEFLATED,
        b"\x85\x11J\r\x0b\0\0\0",
    ]
    .concat();
    let zlib = [b"\x78\x9c", DEFLATED, b"\x1a\x0b\x04\x5d"].concat();
    let seed = |reader: u8, bytes: &[u8]| [&[reader], bytes].concat();
    vec![
        seed(0, b"\x0d>!4bi3Hsc0fdx\x01\0\x02\x03\x04\x05\x06\x07hello\0"),
        seed(0, b"\x05bc0sI\x05hello world\0\0\0\0\0"),
        seed(1, &gzip),
        seed(1, &zlib),
        seed(1, DEFLATED),
        seed(2, b"\x14\x10hello\x3a\x05\0"),
        seed(3, b"\x28\xb5\x2f\xfd\x20\x0b\x59\0\0hello world"),
        seed(4, &[&gzip[..], &gzip].concat()),
        seed(4, b"plain\ntext"),
        seed(
            5,
            b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        ),
        seed(5, b"\x30\x06\x30\x04\xa0\x02\x02\x01"),
    ]
}
