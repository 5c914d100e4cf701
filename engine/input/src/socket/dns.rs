//! `socket.dns`: names to addresses and back.

use std::net::{IpAddr, SocketAddr};

use sandbox::native::{Call, Error, Function, function};

use super::address::{Family, look_up_name, resolve};
use super::wait::{Failure, Timeouts};
use super::{host_at, push_failure, waiting};

/// The functions of `socket.dns`.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("getaddrinfo", function(getaddrinfo)),
    ("gethostname", function(gethostname)),
    ("getnameinfo", function(getnameinfo)),
    ("tohostname", function(tohostname)),
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

/// `getnameinfo(address)`: an array of the names of an address.
fn getnameinfo(call: &mut Call<'_>) -> Result<usize, Error> {
    let (_, name) = name_of(call)?;
    match name {
        Ok(name) => {
            call.push_table(1, 0)?;
            call.push_bytes(name)?;
            call.raw_set_index(-2, 1)?;
            Ok(1)
        }
        Err(failure) => push_failure(call, &failure),
    }
}

/// `tohostname(address)`: the name of an address, and a table with name and address.
fn tohostname(call: &mut Call<'_>) -> Result<usize, Error> {
    let (address, name) = name_of(call)?;
    match name {
        Ok(name) => push_resolved(call, &name, &name, &[address.to_string()]),
        Err(failure) => push_failure(call, &failure),
    }
}

/// The address at argument 1, which may be a name too, and what it is called.
fn name_of(call: &Call<'_>) -> Result<(IpAddr, Result<String, Failure>), Error> {
    let host = host_at(call, 1)?;
    let clock = Timeouts::default().start();
    let found = waiting(call, |running| {
        let address = resolve(&host, 0, Family::Any, &clock, running)?[0].ip();
        Ok((address, look_up_name(address, &clock, running)?))
    });
    Ok(match found {
        Ok((address, name)) => (address, Ok(name)),
        Err(failure) => (IpAddr::from([0, 0, 0, 0]), Err(failure)),
    })
}

/// `toip(host)`: the first IPv4 address, and a table with the name and all of them.
fn toip(call: &mut Call<'_>) -> Result<usize, Error> {
    let (host, found) = addresses(call)?;
    let found = match found {
        Ok(found) => found,
        Err(failure) => return push_failure(call, &failure),
    };
    let v4 = found.iter().filter(|address| address.is_ipv4());
    let v4: Vec<String> = v4.map(|address| address.ip().to_string()).collect();
    match v4.first() {
        Some(first) => push_resolved(call, first, &host, &v4),
        None => push_failure(call, &Failure::HostNotFound),
    }
}

/// Pushes the answer and the table `{name = ..., alias = {}, ip = {...}}`.
fn push_resolved(
    call: &mut Call<'_>,
    answer: &str,
    name: &str,
    addresses: &[String],
) -> Result<usize, Error> {
    call.push_bytes(answer)?;
    call.push_table(0, 3)?;
    call.push_bytes(name)?;
    call.raw_set_field(-2, "name")?;
    call.push_table(0, 0)?;
    call.raw_set_field(-2, "alias")?;
    call.push_table(addresses.len(), 0)?;
    for (i, address) in addresses.iter().enumerate() {
        call.push_bytes(address)?;
        call.raw_set_index(-2, i as i64 + 1)?;
    }
    call.raw_set_field(-2, "ip")?;
    Ok(2)
}
