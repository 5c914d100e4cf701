//! Timeouts and options of sockets, under LuaSocket's names.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use sandbox::native::{Call, Error};

use super::object::socket;
use super::wait::{self, Failure};
use super::{push_failure, push_outcome};

/// `settimeout(seconds[, mode])`: `b` for each wait, `t` (or `r`) for a whole call.
pub(super) fn settimeout(call: &mut Call<'_>) -> Result<usize, Error> {
    let time = wait::duration(call.opt_number(2)?);
    let mode = call.opt_bytes(3)?.unwrap_or(b"b");
    let mut socket = socket(call)?;
    match mode.first() {
        Some(b'b') => socket.timeouts.block = time,
        Some(b't' | b'r') => socket.timeouts.total = time,
        _ => return Err(Error::argument(3, "invalid timeout mode")),
    }
    drop(socket);
    call.push_integer(1)?;
    Ok(1)
}

/// Both timeouts in seconds, -1 for none.
pub(super) fn gettimeout(call: &mut Call<'_>) -> Result<usize, Error> {
    let timeouts = socket(call)?.timeouts;
    for time in [timeouts.block, timeouts.total] {
        call.push_number(time.map_or(-1.0, |time| time.as_secs_f64()))?;
    }
    Ok(2)
}

/// `setoption(name[, value])`
pub(super) fn setoption(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(2)?;
    let outcome = match name {
        b"linger" => set_linger(call)?,
        b"ip-add-membership" | b"ip-drop-membership" => set_membership(call, name)?,
        b"ipv6-add-membership" | b"ipv6-drop-membership" => set_membership6(call, name)?,
        b"recv-buffer-size" | b"send-buffer-size" | b"ip-multicast-ttl" | b"tcp-keepidle"
        | b"tcp-keepintvl" | b"tcp-keepcnt" | b"priority" => set_number(call, name)?,
        _ => set_flag(call, name)?,
    };
    push_outcome(call, outcome.map_err(Failure::from))
}

fn raw_error() -> io::Error {
    io::Error::from_raw_os_error(libc::EBADF)
}

fn set_flag(call: &Call<'_>, name: &[u8]) -> Result<io::Result<()>, Error> {
    let socket = socket(call)?;
    let on = call.check_bool(3)?;
    let Ok(raw) = socket.raw() else {
        return Ok(Err(raw_error()));
    };
    Ok(match name {
        b"reuseaddr" => raw.set_reuse_address(on),
        b"reuseport" => raw.set_reuse_port(on),
        b"keepalive" => raw.set_keepalive(on),
        b"tcp-nodelay" => raw.set_tcp_nodelay(on),
        b"broadcast" => raw.set_broadcast(on),
        b"ipv6-v6only" => raw.set_only_v6(on),
        b"ip-multicast-loop" => raw.set_multicast_loop_v4(on),
        _ => return Err(unknown(name)),
    })
}

fn unknown(name: &[u8]) -> Error {
    Error::argument(
        2,
        format!("unsupported option '{}'", String::from_utf8_lossy(name)),
    )
}

fn set_number(call: &Call<'_>, name: &[u8]) -> Result<io::Result<()>, Error> {
    let socket = socket(call)?;
    let value = call.check_integer(3)?;
    let value = u32::try_from(value).map_err(|_| Error::argument(3, "number out of range"))?;
    let Ok(raw) = socket.raw() else {
        return Ok(Err(raw_error()));
    };
    let seconds = Duration::from_secs(value.into());
    let keepalive = socket2::TcpKeepalive::new();
    Ok(match name {
        b"recv-buffer-size" => raw.set_recv_buffer_size(value as usize),
        b"send-buffer-size" => raw.set_send_buffer_size(value as usize),
        b"ip-multicast-ttl" => raw.set_multicast_ttl_v4(value),
        b"priority" => raw.set_priority(value),
        b"tcp-keepidle" => raw.set_tcp_keepalive(&keepalive.with_time(seconds)),
        b"tcp-keepintvl" => raw.set_tcp_keepalive(&keepalive.with_interval(seconds)),
        _ => raw.set_tcp_keepalive(&keepalive.with_retries(value)),
    })
}

/// `{on = boolean, timeout = seconds}`
fn set_linger(call: &mut Call<'_>) -> Result<io::Result<()>, Error> {
    call.check_table(3)?;
    call.raw_get_field(3, "on")?;
    let on = call.bool_at(-1);
    call.raw_get_field(3, "timeout")?;
    let seconds = call.to_number(-1);
    call.pop(2);
    let on = on.ok_or_else(|| Error::argument(3, "boolean 'on' field expected"))?;
    let seconds = seconds.ok_or_else(|| Error::argument(3, "number 'timeout' field expected"))?;
    let linger = on.then(|| wait::duration(Some(seconds)).unwrap_or(Duration::ZERO));
    let socket = socket(call)?;
    Ok(socket
        .raw()
        .map_err(|_| raw_error())
        .and_then(|raw| raw.set_linger(linger)))
}

/// A text field of the table at argument 3.
fn text_field(call: &mut Call<'_>, name: &str) -> Result<String, Error> {
    call.check_table(3)?;
    call.raw_get_field(3, name)?;
    let text = call.text_at(-1);
    call.pop(1);
    let text = text.and_then(|text| String::from_utf8(text).ok());
    text.ok_or_else(|| Error::argument(3, format!("string '{name}' field expected")))
}

/// `{multiaddr = ip, interface = ip}`
fn set_membership(call: &mut Call<'_>, name: &[u8]) -> Result<io::Result<()>, Error> {
    let bad = |field: &str| Error::argument(3, format!("invalid '{field}' ip address"));
    let group = text_field(call, "multiaddr")?;
    let group: Ipv4Addr = group.parse().map_err(|_| bad("multiaddr"))?;
    let interface = text_field(call, "interface")?;
    let interface: Ipv4Addr = match interface.as_str() {
        "*" => Ipv4Addr::UNSPECIFIED,
        text => text.parse().map_err(|_| bad("interface"))?,
    };
    let socket = socket(call)?;
    let Ok(raw) = socket.raw() else {
        return Ok(Err(raw_error()));
    };
    Ok(match name {
        b"ip-add-membership" => raw.join_multicast_v4(&group, &interface),
        _ => raw.leave_multicast_v4(&group, &interface),
    })
}

/// `{multiaddr = ip, interface = number}`
fn set_membership6(call: &mut Call<'_>, name: &[u8]) -> Result<io::Result<()>, Error> {
    let group = text_field(call, "multiaddr")?;
    let group: Ipv6Addr = group
        .parse()
        .map_err(|_| Error::argument(3, "invalid 'multiaddr' ip address"))?;
    call.raw_get_field(3, "interface")?;
    let interface = call.to_number(-1).unwrap_or(0.0) as u32;
    call.pop(1);
    let socket = socket(call)?;
    let Ok(raw) = socket.raw() else {
        return Ok(Err(raw_error()));
    };
    Ok(match name {
        b"ipv6-add-membership" => raw.join_multicast_v6(&group, interface),
        _ => raw.leave_multicast_v6(&group, interface),
    })
}

/// What `getoption` answers.
enum Answer {
    Flag(bool),
    Number(f64),
    Linger(Option<Duration>),
    /// The words of the error that waits, if one does.
    Text(Option<String>),
}

/// `getoption(name)`
pub(super) fn getoption(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(2)?;
    let socket = socket(call)?;
    let Ok(raw) = socket.raw() else {
        drop(socket);
        return push_failure(call, &Failure::Closed);
    };
    let answer = match name {
        b"reuseaddr" => raw.reuse_address().map(Answer::Flag),
        b"reuseport" => raw.reuse_port().map(Answer::Flag),
        b"keepalive" => raw.keepalive().map(Answer::Flag),
        b"tcp-nodelay" => raw.tcp_nodelay().map(Answer::Flag),
        b"broadcast" => raw.broadcast().map(Answer::Flag),
        b"ipv6-v6only" => raw.only_v6().map(Answer::Flag),
        b"ip-multicast-loop" => raw.multicast_loop_v4().map(Answer::Flag),
        b"recv-buffer-size" => raw.recv_buffer_size().map(|n| Answer::Number(n as f64)),
        b"send-buffer-size" => raw.send_buffer_size().map(|n| Answer::Number(n as f64)),
        b"ip-multicast-ttl" => raw.multicast_ttl_v4().map(|n| Answer::Number(n.into())),
        b"linger" => raw.linger().map(Answer::Linger),
        b"error" => raw
            .take_error()
            .map(|e| Answer::Text(e.map(|e| Failure::from(e).to_string()))),
        _ => return Err(unknown(name)),
    };
    drop(socket);
    push_answer(call, answer)
}

fn push_answer(call: &mut Call<'_>, answer: io::Result<Answer>) -> Result<usize, Error> {
    match answer {
        Err(error) => return push_failure(call, &error.into()),
        Ok(Answer::Flag(on)) => call.push_bool(on)?,
        Ok(Answer::Number(number)) => call.push_number(number)?,
        Ok(Answer::Text(Some(text))) => call.push_bytes(text)?,
        Ok(Answer::Text(None)) => call.push_nil()?,
        Ok(Answer::Linger(linger)) => {
            call.push_table(0, 2)?;
            call.push_bool(linger.is_some())?;
            call.raw_set_field(-2, "on")?;
            call.push_number(linger.unwrap_or_default().as_secs_f64())?;
            call.raw_set_field(-2, "timeout")?;
        }
    }
    Ok(1)
}
