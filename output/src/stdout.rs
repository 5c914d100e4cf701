//! The standard output as a destination, for programs behind a pipe.

use std::io::Write;

use crate::destination::{Body, Destination, Failure, Work};

/// The standard output of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stdout;

impl Stdout {
    fn write(body: &Body) -> Result<(), Failure> {
        let failed = |error: std::io::Error| {
            let reason = format!("writing to the standard output: {error}");
            match error.kind() {
                // Nobody reads it any more, nor will.
                std::io::ErrorKind::BrokenPipe => Failure::lasting(reason),
                _ => Failure::passing(reason),
            }
        };
        // Locked for all of it, so that pieces of several plugins do not mix.
        let mut stdout = std::io::stdout().lock();
        match body {
            Body::Bytes(bytes) => stdout.write_all(bytes).map_err(failed)?,
            Body::File(path) => {
                let told = |error: std::io::Error| Failure::of_file(path, &error);
                let mut file = std::fs::File::open(path).map_err(told)?;
                std::io::copy(&mut file, &mut stdout).map_err(failed)?;
            }
        }
        stdout.flush().map_err(failed)
    }
}

impl Destination for Stdout {
    /// Whoever reads slowly makes this last; a second attempt writes everything again.
    fn put<'a>(&'a self, _: &'a str, body: &'a Body) -> Work<'a, ()> {
        // Runs on a worker that may wait; the runtime lets the others go on.
        Box::pin(async move { tokio::task::block_in_place(|| Stdout::write(body)) })
    }
}
