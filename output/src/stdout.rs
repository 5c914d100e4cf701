//! The standard output as a destination, for programs behind a pipe.

use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;

use crate::destination::{Body, Destination, Failure, Work};

/// Guards the standard output of this process, so that pieces of several plugins do not mix.
static OUT: Mutex<()> = Mutex::new(());

/// The standard output of this process.
#[derive(Debug, Default)]
pub struct Stdout {
    /// What was written in part only, and how many bytes of it: the next attempt goes on there.
    torn: Mutex<Option<(String, usize)>>,
}

impl Stdout {
    fn write(&self, key: &str, body: &Body) -> Result<(), Failure> {
        let read;
        let bytes = match body {
            Body::Bytes(bytes) => &**bytes,
            Body::File(path) => {
                read = std::fs::read(path).map_err(|error| Failure::of_file(path, &error))?;
                &read[..]
            }
        };
        let _out = OUT.lock().unwrap_or_else(PoisonError::into_inner);
        let mut torn = self.torn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = match torn.take() {
            Some((of, at)) if of == key => at,
            _ => 0,
        };
        while at < bytes.len() {
            match rustix::io::write(std::io::stdout(), &bytes[at..]) {
                Ok(n) => at += n,
                Err(Errno::INTR) => {}
                Err(error) => {
                    *torn = Some((key.to_owned(), at));
                    let reason = format!("writing to the standard output: {error}");
                    return Err(match error {
                        // Nobody reads it any more, nor will.
                        Errno::PIPE => Failure::lasting(reason),
                        _ => Failure::passing(reason),
                    });
                }
            }
        }
        Ok(())
    }
}

impl Destination for Stdout {
    /// Lasts as long as whoever reads takes for it.
    fn put<'a>(&'a self, key: &'a str, body: &'a Body) -> Work<'a, ()> {
        // Runs on a worker that may wait; the runtime lets the others go on.
        Box::pin(async move { tokio::task::block_in_place(|| self.write(key, body)) })
    }
}
