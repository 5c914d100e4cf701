//! The `object_store` module of input and output plugins: objects of S3 or of a folder, and spools of growing files.

mod reading;
mod spool;

use std::sync::Arc;
use std::time::Duration;

use sandbox::native::{Call, Class, Error, Function, Object, ObjectMut, Registry, function};
use tokio::runtime::Runtime;

use crate::courier::{Courier, Pace, Parcel, Receipt};
use crate::destination::{Body, Store};
use crate::location::Location;
use crate::object::Access;
use crate::options::{Table, config};
use crate::rights;
use crate::runtime::{Patience, runtime};
use crate::s3::Bucket;
use crate::stores::{self, Opened};

/// Parcels of a store that have no receipt yet, at most.
const PENDING_MAX: usize = 1000;

/// The longest wait of one call, in seconds.
const WAIT_MAX_S: f64 = 3600.0;

/// Memory of a store beside what it delivers, about.
const STORE_MEMORY: usize = 4096;

const FUNCTIONS: &[(&str, Function)] = &[
    ("open", function(open_store)),
    ("spool", function(spool::open)),
];

/// Offers `object_store` to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("object_store", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

const METHODS: &[(&str, Function)] = &[
    ("list", function(reading::list)),
    ("open", function(reading::open)),
    ("pending", function(pending)),
    ("poll", function(poll)),
    ("put", function(put)),
    ("put_file", function(put_file)),
];

/// A store as a plugin has it.
pub(crate) struct StoreHandle {
    pub(crate) access: Access,
    pub(crate) pace: Pace,
    courier: Courier,
    /// Bytes of parcels that lie in memory.
    bytes: usize,
}

impl Object for StoreHandle {
    fn class() -> Class {
        Class {
            name: "foresight.object_store",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        STORE_MEMORY + self.bytes
    }
}

/// What a plugin that calls may wait for.
pub(crate) fn patience(call: &Call<'_>) -> Patience {
    Patience::of_plugin(call.handle(), call.kind())
}

/// A text argument, which must be UTF-8.
pub(crate) fn text<'a>(call: &Call<'a>, i: i32) -> Result<&'a str, Error> {
    std::str::from_utf8(call.check_bytes(i)?).map_err(|_| Error::argument(i, "invalid UTF-8"))
}

/// `open(address[, options])`: a store; nothing is asked of it yet.
fn open_store(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut location =
        Location::parse(text(call, 1)?).map_err(|reason| Error::argument(1, reason))?;
    let owner = config(call, "owner")?;
    let plugin = call.plugin_name();
    let mut table = Table::argument(call, 2)?;
    match &mut location {
        Location::Bucket(settings) => {
            table.settings(settings)?;
            table.object_rights(&mut settings.rights)?;
        }
        Location::Directory(_, rights) => {
            table.ignore_settings();
            table.file_rights(rights)?;
        }
    }
    if let Some(template) = table.text("prefix")? {
        // The name of a plugin has its kind before it.
        let plugin = plugin.split_once('.').map_or(plugin, |(_, stem)| stem);
        let prefix = rights::prefix(&template, owner.as_deref(), plugin);
        location.descend(&prefix.map_err(|reason| table.refuse(reason))?);
    }
    let pace = table.pace()?;
    table.done()?;
    let runtime = runtime().map_err(Error::new)?;
    let store = open_location(&location, call.plugin_name(), owner, runtime);
    let destination = Arc::clone(&store) as Arc<dyn crate::destination::Destination>;
    let access = Access {
        store,
        runtime,
        retry: pace.retry,
    };
    call.push_object(StoreHandle {
        courier: Courier::new(runtime, destination, pace.clone()),
        access,
        pace,
        bytes: 0,
    })?;
    Ok(1)
}

/// Opens the store; whoever asks [`crate::stores`] may look into buckets from now on.
fn open_location(
    location: &Location,
    plugin: &str,
    owner: Option<String>,
    runtime: &Runtime,
) -> Arc<dyn Store> {
    match location {
        Location::Bucket(settings) => {
            let bucket = Arc::new(runtime.block_on(Bucket::open(settings)));
            let opened = Opened {
                plugin: plugin.to_owned(),
                address: bucket.address(),
                owner,
                is_public: settings.rights.is_public(),
            };
            stores::add(opened, &bucket);
            bucket
        }
        Location::Directory(..) => location.open(runtime),
    }
}

fn store<'a>(call: &Call<'a>) -> Result<ObjectMut<'a, StoreHandle>, Error> {
    call.check_object_mut::<StoreHandle>(1)
}

/// `put(key, bytes[, name])`: delivers in the background; true, or nil and `full`.
fn put(call: &mut Call<'_>) -> Result<usize, Error> {
    let bytes = call.check_bytes(3)?;
    call.charge(u32::try_from(bytes.len()).unwrap_or(u32::MAX))?;
    call.check_memory(bytes.len())?;
    send(call, Body::Bytes(bytes.into()))
}

/// `put_file(key, path[, name])`: as `put`, with a file that nobody changes any more.
fn put_file(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = text(call, 3)?;
    send(call, Body::File(path.into()))
}

fn send(call: &mut Call<'_>, body: Body) -> Result<usize, Error> {
    let key = text(call, 2)?;
    let name = match call.is_none_or_nil(4) {
        true => key,
        false => text(call, 4)?,
    };
    crate::destination::check_key(key).map_err(|failure| Error::argument(2, failure.reason))?;
    let mut store = store(call)?;
    if store.courier.pending() >= PENDING_MAX {
        drop(store);
        call.push_nil()?;
        call.push_bytes("full")?;
        return Ok(2);
    }
    if let Body::Bytes(bytes) = &body {
        store.bytes += bytes.len();
    }
    store.courier.send(Parcel {
        key: key.to_owned(),
        body,
        prepare: None,
        name: name.to_owned(),
    });
    drop(store);
    call.recount(1)?;
    call.push_bool(true)?;
    Ok(1)
}

/// `pending()`: deliveries that `poll` has not told of.
fn pending(call: &mut Call<'_>) -> Result<usize, Error> {
    let pending = store(call)?.courier.pending();
    call.push_number(pending as f64)?;
    Ok(1)
}

/// `poll([seconds])`: the name and true, or the name, nil and the reason, of a delivery that has ended; nothing when none
/// has, after the wait.
fn poll(call: &mut Call<'_>) -> Result<usize, Error> {
    let wait = call.opt_number(2)?.unwrap_or(0.0);
    let mut store = store(call)?;
    let mut receipt = store.courier.receipt();
    if receipt.is_none() && wait > 0.0 {
        let wait = Duration::from_secs_f64(wait.min(WAIT_MAX_S));
        let runtime = store.access.runtime;
        let next = async {
            tokio::time::timeout(wait, store.courier.next_receipt())
                .await
                .ok()
        };
        receipt = patience(call).wait(runtime, next).flatten().flatten();
    }
    if let Some(receipt) = &receipt {
        store.bytes -= receipt.bytes;
    }
    drop(store);
    call.recount(1)?;
    push_receipt(call, receipt)
}

fn push_receipt(call: &mut Call<'_>, receipt: Option<Receipt>) -> Result<usize, Error> {
    let Some(receipt) = receipt else {
        call.push_nil()?;
        return Ok(1);
    };
    call.push_bytes(receipt.name)?;
    match receipt.outcome {
        Ok(()) => {
            call.push_bool(true)?;
            Ok(2)
        }
        Err(failure) => {
            call.push_nil()?;
            call.push_bytes(failure.reason)?;
            Ok(3)
        }
    }
}
