//! `socket.select`: which of many sockets can be read or written now.

use rustix::event::{PollFd, PollFlags};
use sandbox::native::{Call, Error, ObjectRef, function};

use super::object::Socket;
use super::{wait, waiting};

/// The most sockets in one call: each takes a slot of Lua's stack, of which a call may use 8000.
pub(super) const MAX_SOCKETS: usize = 4000;

/// `select(to read, to write[, seconds])`: two tables of the ready ones, by number and by socket, and `timeout` if there
/// are none.
pub(super) fn select(call: &mut Call<'_>) -> Result<usize, Error> {
    let seconds = call.opt_number(3)?;
    call.push_table(0, 0)?;
    let readable = call.top();
    call.push_table(0, 0)?;
    let writable = call.top();
    call.push_function(function(ready))?;
    call.push_number(seconds.unwrap_or(-1.0))?;
    // The number of sockets to read, known only after they are pushed.
    let n_read = push_all(call, 1)?;
    let n_write = push_all(call, 2)?;
    if n_read + n_write > MAX_SOCKETS {
        return Err(Error::new(format!("more than {MAX_SOCKETS} sockets")));
    }
    call.push_integer(n_read as i64)?;
    call.call(n_read + n_write + 2, -1)?;
    let found = call.top();
    let mut any = false;
    for slot in writable + 1..=found {
        let place = call.number_at(slot).unwrap_or(0.0) as usize;
        any = true;
        if place <= n_read {
            give(call, 1, place, readable)?;
        } else {
            give(call, 2, place - n_read, writable)?;
        }
    }
    call.push_value(readable)?;
    call.push_value(writable)?;
    if any {
        return Ok(2);
    }
    call.push_bytes("timeout")?;
    Ok(3)
}

/// Pushes the sockets of the array at argument `i`; a missing one has none.
fn push_all(call: &mut Call<'_>, i: i32) -> Result<usize, Error> {
    if call.is_none_or_nil(i) {
        return Ok(0);
    }
    call.check_table(i)?;
    let mut count = 0;
    loop {
        call.raw_get_index(i, count as i64 + 1)?;
        if call.is_nil(-1) || count > MAX_SOCKETS {
            call.pop(1);
            return Ok(count);
        }
        count += 1;
    }
}

/// Adds socket number `place` of the array at argument `i` to `table`, under its number there and under itself.
fn give(call: &mut Call<'_>, i: i32, place: usize, table: i32) -> Result<(), Error> {
    let number = call.raw_len(table) as i64 + 1;
    call.raw_get_index(i, place as i64)?;
    call.push_value(-1)?;
    call.push_integer(number)?;
    call.raw_set(table)?;
    call.raw_set_index(table, number)
}

/// Called with the seconds, all sockets, and how many of them are to be read; gives the places of the ready ones.
fn ready(call: &mut Call<'_>) -> Result<usize, Error> {
    let seconds = call.check_number(1)?;
    let last = call.arg_count() as i32;
    let n_read = call.check_integer(last)? as usize;
    let sockets = (2..last).map(|i| call.check_object::<Socket>(i));
    let sockets = sockets.collect::<Result<Vec<ObjectRef<'_, Socket>>, Error>>()?;
    let dirty: Vec<usize> = (0..n_read).filter(|&i| sockets[i].has_unread()).collect();
    let mut places: Vec<usize> = Vec::new();
    let mut fds = Vec::with_capacity(sockets.len());
    for (i, socket) in sockets.iter().enumerate() {
        let wanted = if i < n_read {
            PollFlags::IN
        } else {
            PollFlags::OUT
        };
        if let Some(fd) = socket.fd() {
            places.push(i);
            fds.push(PollFd::from_borrowed_fd(fd, wanted));
        }
    }
    // What waits in a buffer is ready at once.
    let time = if dirty.is_empty() {
        wait::duration(Some(seconds))
    } else {
        Some(std::time::Duration::ZERO)
    };
    let waited = waiting(call, |running| wait::any_ready(&mut fds, time, running));
    waited.map_err(|failure| Error::new(failure.to_string()))?;
    let polled = places
        .iter()
        .zip(&fds)
        .filter(|(_, fd)| !fd.revents().is_empty());
    let mut found: Vec<usize> = polled.map(|(&i, _)| i).chain(dirty).collect();
    found.sort_unstable();
    found.dedup();
    drop(fds);
    drop(sockets);
    for &i in &found {
        call.push_integer(i as i64 + 1)?;
    }
    Ok(found.len())
}
