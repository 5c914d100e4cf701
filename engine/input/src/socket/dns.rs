//! `socket.dns`: names to addresses.

use std::net::SocketAddr;

use sandbox::native::{Call, Error, Function, function};

use super::address::{Family, resolve};
use super::wait::{Failure, Timeouts};
use super::{host_at, push_failure, waiting};

/// The functions of `socket.dns`.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("getaddrinfo", function(getaddrinfo)),
    ("gethostname", function(gethostname)),
    ("toip", function(toip)),
];

fn gethostname(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(rustix::system::uname().nodename().to_bytes())?;
    Ok(1)
}

fn addresses(call: &Call<'_>) -> Result<(String, Result<Vec<SocketAddr>, Failure>), Error> {
    let host = host_at(call, 1)?;
    let clock = Timeouts::default().start();
    let mut found = waiting(call, |running| {
        resolve(&host, 0, Family::Any, &clock, running)
    });
    if let Ok(addresses) = &mut found {
        addresses.dedup();
    }
    Ok((host, found))
}

/// `getaddrinfo(host)`: an array of `{family = ..., addr = ...}`.
fn getaddrinfo(call: &mut Call<'_>) -> Result<usize, Error> {
    let found = match addresses(call)?.1 {
        Ok(found) => found,
        Err(failure) => return push_failure(call, &failure),
    };
    call.push_table(found.len(), 0)?;
    for (i, address) in found.iter().enumerate() {
        call.push_table(0, 2)?;
        call.push_bytes(Family::name_of(address))?;
        call.raw_set_field(-2, "family")?;
        call.push_bytes(address.ip().to_string())?;
        call.raw_set_field(-2, "addr")?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    Ok(1)
}

/// `toip(host)`: the first IPv4 address, and a table with the name and all of them.
fn toip(call: &mut Call<'_>) -> Result<usize, Error> {
    let (host, found) = addresses(call)?;
    let found = match found {
        Ok(found) => found,
        Err(failure) => return push_failure(call, &failure),
    };
    let v4: Vec<&SocketAddr> = found.iter().filter(|address| address.is_ipv4()).collect();
    let Some(first) = v4.first() else {
        return push_failure(call, &Failure::HostNotFound);
    };
    call.push_bytes(first.ip().to_string())?;
    call.push_table(0, 3)?;
    call.push_bytes(&host)?;
    call.raw_set_field(-2, "name")?;
    call.push_table(0, 0)?;
    call.raw_set_field(-2, "alias")?;
    call.push_table(v4.len(), 0)?;
    for (i, address) in v4.iter().enumerate() {
        call.push_bytes(address.ip().to_string())?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    call.raw_set_field(-2, "ip")?;
    Ok(2)
}
