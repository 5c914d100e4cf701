//! The modules `geoip`, `geoip.city` and `geoip.country`: the old GeoIP functions of lua-geoip, answered from today's MaxMind
//! databases (`.mmdb`). The `.dat` files of that time are not read.

use std::ffi::OsStr;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use sandbox::native::{Call, Class, Error, Object, Registry, Type, function};

use crate::maxminddb::shared::{self, Database};
use crate::maxminddb::{address, push_scalar, value};

/// Steps for one value: a walk through the search tree and one through the data.
const VALUE_STEPS: u32 = 200;

/// Where a value of the old databases is found in the new ones.
#[derive(Clone, Copy)]
enum Source {
    /// At the end of this path; an empty string if it is not there.
    Text(&'static [&'static str]),
    /// As a number; 0 if it is not there.
    Number(&'static [&'static str]),
    /// Always this number.
    Fixed(i64),
    /// The new databases do not have it.
    Gone,
}

type Fields = &'static [(&'static str, Source)];

const CITY: Fields = &[
    ("country_code", Source::Text(&["country", "iso_code"])),
    ("country_code3", Source::Gone),
    ("country_name", Source::Text(&["country", "names", "en"])),
    ("region", Source::Text(&["subdivisions", "0", "iso_code"])),
    ("city", Source::Text(&["city", "names", "en"])),
    ("postal_code", Source::Text(&["postal", "code"])),
    ("latitude", Source::Number(&["location", "latitude"])),
    ("longitude", Source::Number(&["location", "longitude"])),
    ("metro_code", Source::Number(&["location", "metro_code"])),
    ("dma_code", Source::Number(&["location", "metro_code"])),
    ("area_code", Source::Fixed(0)),
    // UTF-8.
    ("charset", Source::Fixed(1)),
    ("continent_code", Source::Text(&["continent", "code"])),
];

const COUNTRY: Fields = &[
    ("id", Source::Gone),
    ("code", Source::Text(&["country", "iso_code"])),
    ("code3", Source::Gone),
    ("name", Source::Text(&["country", "names", "en"])),
    ("continent", Source::Text(&["continent", "code"])),
];

/// Constants of `geoip`, which programs pass to `open`. Only their names matter here.
const CONSTANTS: &[(&str, i64)] = &[
    ("STANDARD", 0),
    ("MEMORY_CACHE", 1),
    ("CHECK_CACHE", 2),
    ("INDEX_CACHE", 4),
    ("MMAP_CACHE", 8),
    ("ISO_8859_1", 0),
    ("UTF8", 1),
];

/// Offers the modules to input and output plugins.
pub fn register(registry: &mut Registry) {
    registry.add_io("geoip", function(open));
    registry.add_io("geoip.city", function(open_kind::<City>));
    registry.add_io("geoip.country", function(open_kind::<Country>));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_table(0, CONSTANTS.len())?;
    for (name, number) in CONSTANTS {
        call.push_integer(*number)?;
        call.raw_set_field(-2, name)?;
    }
    Ok(1)
}

/// A kind of database.
trait Kind: Send + 'static {
    const CLASS: Class;
    const FIELDS: Fields;
    /// How errors name it.
    const NAME: &'static str;
}

struct City;

impl Kind for City {
    const CLASS: Class = Class {
        name: "lua-geoip.db.city",
        methods: &[
            ("charset", function(charset::<City>)),
            ("close", function(close::<City>)),
            ("query_by_addr", function(query_by_addr::<City>)),
            ("query_by_ipnum", function(query_by_ipnum::<City>)),
            ("set_charset", function(set_charset::<City>)),
        ],
        metamethods: &[],
    };
    const FIELDS: Fields = CITY;
    const NAME: &'static str = "city";
}

struct Country;

impl Kind for Country {
    const CLASS: Class = Class {
        name: "lua-geoip.db.country",
        methods: &[
            ("charset", function(charset::<Country>)),
            ("close", function(close::<Country>)),
            ("query_by_addr", function(query_by_addr::<Country>)),
            ("query_by_ipnum", function(query_by_ipnum::<Country>)),
            ("set_charset", function(set_charset::<Country>)),
        ],
        metamethods: &[],
    };
    const FIELDS: Fields = COUNTRY;
    const NAME: &'static str = "country";
}

/// An open database; none once it is closed.
struct Handle<K> {
    database: Option<Arc<Database>>,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind> Object for Handle<K> {
    fn class() -> Class {
        K::CLASS
    }
}

fn open_kind<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[("open", function(open_database::<K>))])?;
    Ok(1)
}

/// `open(file[, flags[, charset]])`
fn open_database<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    let path = Path::new(OsStr::from_bytes(call.check_bytes(1)?));
    for i in [2, 3] {
        call.opt_integer(i)?;
    }
    match shared::open(path) {
        Ok(database) => {
            call.push_object(Handle {
                database: Some(database),
                kind: std::marker::PhantomData::<K>,
            })?;
            Ok(1)
        }
        Err(error) => {
            call.push_nil()?;
            let name = K::CLASS.name;
            call.push_bytes(format!(
                "{name} error: failed to open database file: {error}"
            ))?;
            Ok(2)
        }
    }
}

fn check_open<K: Kind>(call: &Call<'_>) -> Result<Arc<Database>, Error> {
    let handle = call.check_object::<Handle<K>>(1)?;
    handle.database.clone().ok_or_else(|| {
        let name = K::NAME;
        Error::bare(format!(
            "lua-geoip error: attempted to use closed {name} db"
        ))
    })
}

fn close<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_object_mut::<Handle<K>>(1)?.database = None;
    Ok(0)
}

/// The names are always UTF-8.
fn charset<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    check_open::<K>(call)?;
    call.push_integer(1)?;
    Ok(1)
}

fn set_charset<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    check_open::<K>(call)?;
    call.check_integer(2)?;
    Ok(0)
}

/// `db:query_by_addr(address, ...)`: the named values, or a table of all.
fn query_by_addr<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    let database = check_open::<K>(call)?;
    let address = address(call.check_bytes(2)?);
    answer::<K>(call, &database, address)
}

/// `db:query_by_ipnum(number, ...)`: as `query_by_addr`, for an IPv4 address as a number.
fn query_by_ipnum<K: Kind>(call: &mut Call<'_>) -> Result<usize, Error> {
    let database = check_open::<K>(call)?;
    let number = u32::try_from(call.check_integer(2)?).ok();
    let address = number.map(|number| IpAddr::V4(Ipv4Addr::from(number)));
    answer::<K>(call, &database, address)
}

fn answer<K: Kind>(
    call: &mut Call<'_>,
    database: &Database,
    address: Option<IpAddr>,
) -> Result<usize, Error> {
    let known = address.filter(|address| {
        database
            .lookup(*address)
            .is_ok_and(|found| found.has_data())
    });
    let Some(address) = known else {
        call.push_nil()?;
        call.push_bytes("not found")?;
        return Ok(2);
    };
    let n_args = call.arg_count() as i32;
    if n_args < 3 {
        call.push_table(0, K::FIELDS.len())?;
        for (name, source) in K::FIELDS {
            push_value(call, database, address, *source)?;
            call.raw_set_field(-2, name)?;
        }
        return Ok(1);
    }
    for i in 3..=n_args {
        let wanted = call.check_bytes(i)?;
        let field = K::FIELDS.iter().find(|(name, _)| name.as_bytes() == wanted);
        let Some((_, source)) = field else {
            let words = format!("invalid option '{}'", String::from_utf8_lossy(wanted));
            return Err(Error::argument(i, words));
        };
        push_value(call, database, address, *source)?;
    }
    Ok(n_args as usize - 2)
}

fn push_value(
    call: &mut Call<'_>,
    database: &Database,
    address: IpAddr,
    source: Source,
) -> Result<(), Error> {
    call.charge(VALUE_STEPS)?;
    let (path, kind) = match source {
        Source::Text(path) => (path, Type::String),
        Source::Number(path) => (path, Type::Number),
        Source::Fixed(number) => return call.push_integer(number),
        Source::Gone => return call.push_nil(),
    };
    if let Ok(Some(value)) = value(database, address, path)
        && push_scalar(call, &value)?
    {
        return Ok(());
    }
    match kind {
        Type::Number => call.push_number(0.0),
        _ => call.push_bytes(""),
    }
}

#[cfg(test)]
mod tests;
