//! How much of the processors a thread asks for.

use std::io;

/// Makes the calling thread, and those that it starts, `steps` nicer to all others: it gets a smaller share where processors
/// are short, and loses nothing where they are not. Needs no privilege.
///
/// Source: nice(2); on Linux the niceness is a thread's, see sched(7).
///
/// # Errors
/// The system's.
pub fn give_way(steps: i32) -> io::Result<()> {
    rustix::process::nice(steps)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_becomes_nicer() {
        let nicer = std::thread::spawn(|| {
            give_way(3).expect("a thread may always be nicer");
            rustix::process::nice(0)
        });
        let before = rustix::process::nice(0).expect("nothing changes");
        let nicer = nicer
            .join()
            .expect("it does not panic")
            .expect("nothing changes");
        let after = rustix::process::nice(0).expect("nothing changes");
        assert_eq!(before, after);
        assert_eq!(nicer, (before + 3).min(19));
    }
}
