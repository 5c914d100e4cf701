//! The `timezone` module: how far a time zone is from UTC at a moment. The rules are compiled in, so nothing is read from the
//! disk.

use jiff::{Timestamp, tz::TimeZone};
use sandbox::native::{Call, Error, Function, Registry, function};

const FUNCTIONS: &[(&str, Function)] = &[
    ("exists", function(exists)),
    ("local_offset", function(local_offset)),
    ("offset", function(offset)),
];

/// Offers `timezone`.
pub fn register(registry: &mut Registry) {
    registry.add("timezone", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

/// The zone that argument 1 names.
fn zone(call: &Call<'_>) -> Result<Option<TimeZone>, Error> {
    let name = call.check_bytes(1)?;
    Ok(std::str::from_utf8(name)
        .ok()
        .and_then(|name| TimeZone::get(name).ok()))
}

fn check_zone(call: &Call<'_>) -> Result<TimeZone, Error> {
    zone(call)?.ok_or_else(|| {
        let name = String::from_utf8_lossy(call.check_bytes(1).unwrap_or_default());
        Error::new(format!("{name} not found in timezone database"))
    })
}

/// `exists(name)`
fn exists(call: &mut Call<'_>) -> Result<usize, Error> {
    let exists = zone(call)?.is_some();
    call.push_bool(exists)?;
    Ok(1)
}

/// The moment that many whole seconds after 1970, kept within the years that zones are known for.
fn check_moment(call: &Call<'_>) -> Result<Timestamp, Error> {
    let seconds = call.check_integer(2)?;
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(first, last))
        .map_err(|error| Error::new(error.to_string().to_lowercase()))
}

fn push_offset(call: &mut Call<'_>, zone: &TimeZone, moment: Timestamp) -> Result<usize, Error> {
    let info = zone.to_offset_info(moment);
    call.push_integer(info.offset().seconds().into())?;
    call.push_bytes(info.abbreviation())?;
    call.push_bool(info.dst().is_dst())?;
    Ok(3)
}

/// `offset(name, seconds)`: seconds east of UTC, the abbreviation, and whether it is summer time.
fn offset(call: &mut Call<'_>) -> Result<usize, Error> {
    let zone = check_zone(call)?;
    let moment = check_moment(call)?;
    push_offset(call, &zone, moment)
}

/// `local_offset(name, seconds)`: as `offset`, for a moment given as the zone's clocks show it. Of two such moments the
/// first is meant, and where clocks skip it the offset before counts.
fn local_offset(call: &mut Call<'_>) -> Result<usize, Error> {
    let zone = check_zone(call)?;
    let shown = jiff::tz::Offset::UTC.to_datetime(check_moment(call)?);
    let moment = zone
        .to_ambiguous_timestamp(shown)
        .compatible()
        .map_err(|error| Error::new(error.to_string().to_lowercase()))?;
    push_offset(call, &zone, moment)
}
