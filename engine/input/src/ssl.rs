//! The `ssl` module of input and output plugins: TLS over connected sockets with LuaSec's functions.
//!
//! Differences: TLS 1.2 and 1.3 only, whatever older protocol is named; a side that verifies and is told no authorities
//! trusts the system's; a name given by `sni` must be the certificate's; the timeouts of a wrapped socket stay.

mod certificate;
mod params;

use std::sync::Arc;

use sandbox::native::{Call, Class, Error, Function, Object, Registry, Type, function};
use tls::Verify;

use crate::socket::secure::{self, Side};
pub(crate) use certificate::Peer;

const FUNCTIONS: &[(&str, Function)] = &[
    ("loadcertificate", function(certificate::load)),
    ("newcontext", function(newcontext)),
    ("wrap", function(wrap)),
];

/// Offers `ssl` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("ssl", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_bytes("0.9")?;
    call.raw_set_field(-2, "_VERSION")?;
    push_abilities(call)?;
    call.raw_set_field(-2, "config")?;
    Ok(1)
}

/// What can be asked for, as LuaSec tells it: sets of names.
fn push_abilities(call: &mut Call<'_>) -> Result<(), Error> {
    let sets: [(&str, &[&str]); 3] = [
        ("protocols", params::PROTOCOLS),
        ("options", params::OPTIONS),
        ("algorithms", &["ec"]),
    ];
    call.push_table(0, sets.len())?;
    for (name, members) in sets {
        call.push_table(0, members.len())?;
        for member in members {
            call.push_bool(true)?;
            call.raw_set_field(-2, member)?;
        }
        call.raw_set_field(-2, name)?;
    }
    Ok(())
}

/// Settings of one side that are checked and loaded.
struct Context {
    side: Side,
    is_verified: bool,
}

/// Bytes counted for the trusted certificates and the own ones; a system's roots take about this.
const CONTEXT_MEMORY: usize = 256 * 1024;

impl Object for Context {
    fn class() -> Class {
        Class {
            name: "SSL:Context",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        if self.is_verified {
            CONTEXT_MEMORY
        } else {
            16 * 1024
        }
    }
}

/// The context that the table at `i` describes, or the reason why there is none.
fn context_of(call: &mut Call<'_>, i: i32) -> Result<Result<Context, String>, Error> {
    let params = match params::read(call, i)? {
        Ok(params) => params,
        Err(reason) => return Ok(Err(reason)),
    };
    call.check_memory(CONTEXT_MEMORY)?;
    let is_verified = params.settings.verify != Verify::None;
    let side = match params.is_server {
        true => tls::server(&params.settings).map(|config| Side::Server(Arc::new(config))),
        false => tls::client(&params.settings).map(|config| Side::Client(Arc::new(config))),
    };
    let context = side.map(|side| Context { side, is_verified });
    Ok(context.map_err(|error| error.to_string()))
}

fn push_reason(call: &mut Call<'_>, reason: &str) -> Result<usize, Error> {
    call.push_nil()?;
    call.push_bytes(reason)?;
    Ok(2)
}

/// `newcontext(params)`: a context, or nil and the reason.
fn newcontext(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    match context_of(call, 1)? {
        Ok(context) => {
            call.push_object(context)?;
            Ok(1)
        }
        Err(reason) => push_reason(call, &reason),
    }
}

/// `wrap(socket, context or params)`: a connection that speaks TLS after its handshake, or nil and the reason.
fn wrap(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.type_of(2) == Type::Table {
        return match context_of(call, 2)? {
            Ok(context) => secure::wrap(call, context.side, context.is_verified),
            Err(reason) => push_reason(call, &reason),
        };
    }
    let context = call.check_object::<Context>(2)?;
    let (side, is_verified) = (context.side.clone(), context.is_verified);
    drop(context);
    secure::wrap(call, side, is_verified)
}
