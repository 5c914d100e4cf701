//! What a plugin may ask of the operating system: the time, and for inputs and outputs also files and programs.
//!
//! The time zone is always UTC, whatever the system's is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::lib_io::{self, wait};
use crate::native::{Call, Error, Function, function};
use crate::sandbox::Kind;
use crate::strftime::{self, Date};

/// What every plugin has.
const TIME: &[(&str, Function)] = &[
    ("clock", function(clock)),
    ("date", function(date)),
    ("difftime", function(difftime)),
    ("time", function(time)),
];
/// What only inputs and outputs have.
const SYSTEM: &[(&str, Function)] = &[
    ("execute", function(execute)),
    ("getenv", function(getenv)),
    ("remove", function(remove)),
    ("rename", function(rename)),
    ("tmpname", function(tmpname)),
];

/// Pushes the library.
pub(crate) fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(TIME)?;
    if call.kind() != Kind::Analysis {
        call.set_functions(-1, SYSTEM)?;
    }
    Ok(1)
}

/// The processor time of the program so far, in seconds.
fn clock(call: &mut Call<'_>) -> Result<usize, Error> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    call.push_number(spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9)?;
    Ok(1)
}

fn difftime(call: &mut Call<'_>) -> Result<usize, Error> {
    let later = call.check_number(1)?;
    let earlier = call.opt_number(2)?.unwrap_or(0.0);
    call.push_number(later.trunc() - earlier.trunc())?;
    Ok(1)
}

fn now() -> f64 {
    // A clock before 1970 is as good as none.
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs() as f64)
}

/// `os.date([format [, seconds]])`; fractions of seconds are cut off.
fn date(call: &mut Call<'_>) -> Result<usize, Error> {
    let format = call.opt_bytes(1)?.unwrap_or(b"%c");
    let seconds = call.opt_number(2)?.unwrap_or_else(now);
    let format = format.strip_prefix(b"!").unwrap_or(format);
    let date = match seconds.is_nan() {
        true => None,
        false => strftime::date_of(seconds as i64),
    };
    let Some(date) = date else {
        call.push_nil()?;
        return Ok(1);
    };
    if format.starts_with(b"*t") {
        return push_date(call, &date);
    }
    // No conversion gives more than 64 bytes for its two.
    call.check_memory(format.len().saturating_mul(32))?;
    let mut text = Vec::with_capacity(64);
    if let Err(unknown) = strftime::format(format, &date, &mut text) {
        let unknown = String::from_utf8_lossy(unknown);
        return Err(Error::argument(
            1,
            format!("invalid conversion specifier '%{unknown}'"),
        ));
    }
    call.push_bytes(text)?;
    Ok(1)
}

fn push_date(call: &mut Call<'_>, date: &Date) -> Result<usize, Error> {
    call.push_table(0, 9)?;
    let fields = [
        ("sec", i64::from(date.second)),
        ("min", date.minute.into()),
        ("hour", date.hour.into()),
        ("day", date.day.into()),
        ("month", date.month.into()),
        ("year", date.year),
        ("wday", i64::from(date.weekday) + 1),
        ("yday", i64::from(date.year_day) + 1),
    ];
    for (name, value) in fields {
        call.push_integer(value)?;
        call.raw_set_field(-2, name)?;
    }
    call.push_bool(false)?;
    call.raw_set_field(-2, "isdst")?;
    Ok(1)
}

/// `os.time([table])`
fn time(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.is_none_or_nil(1) {
        call.push_number(now())?;
        return Ok(1);
    }
    call.check_table(1)?;
    let fields = [
        ("year", None),
        ("month", None),
        ("day", None),
        ("hour", Some(12)),
        ("min", Some(0)),
        ("sec", Some(0)),
    ];
    let mut parts = [0; 6];
    for (part, (name, default)) in parts.iter_mut().zip(fields) {
        *part = date_field(call, name, default)?;
    }
    match strftime::seconds_of(parts) {
        Some(seconds) => call.push_integer(seconds)?,
        None => call.push_nil()?,
    }
    Ok(1)
}

fn date_field(call: &mut Call<'_>, name: &str, default: Option<i32>) -> Result<i32, Error> {
    call.raw_get_field(1, name)?;
    let value = call.to_number(-1).map(|number| number as i32);
    call.pop(1);
    value
        .or(default)
        .ok_or_else(|| Error::new(format!("field '{name}' missing in date table")))
}

/// `os.execute([command])`: the status as C's `system` gives it; without a command, whether there is a shell.
fn execute(call: &mut Call<'_>) -> Result<usize, Error> {
    let Some(command) = call.opt_bytes(1)? else {
        call.push_number(1.0)?;
        return Ok(1);
    };
    // What the plugin wrote so far is there for the program to read.
    lib_io::flush_all(call)?;
    let mut shell = Command::new("/bin/sh");
    // A group of its own, so that all it starts can be ended with it.
    shell.process_group(0);
    shell.arg("-c").arg(OsStr::from_bytes(command));
    let mut waiter = lib_io::CallWaiter::new(call);
    let status = shell
        .spawn()
        .and_then(|mut child| wait::for_child(&mut child, &mut waiter));
    call.push_integer(status.map_or(-1, i64::from))?;
    Ok(1)
}

fn getenv(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    // Names with such bytes cannot be set, and asking for them is an error in Rust.
    let askable = !name.is_empty() && !name.contains(&b'=') && !name.contains(&0);
    match std::env::var_os(OsStr::from_bytes(name)).filter(|_| askable) {
        Some(value) => call.push_bytes(value.as_bytes())?,
        None => call.push_nil()?,
    }
    Ok(1)
}

/// Removes a file or an empty folder.
fn remove(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    let path = lib_io::path_of(name);
    let removed = match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => std::fs::remove_dir(path),
        _ => std::fs::remove_file(path),
    };
    lib_io::push_outcome(call, removed, Some(name))
}

fn rename(call: &mut Call<'_>) -> Result<usize, Error> {
    let (from, to) = (call.check_bytes(1)?, call.check_bytes(2)?);
    let renamed = std::fs::rename(lib_io::path_of(from), lib_io::path_of(to));
    lib_io::push_outcome(call, renamed, Some(from))
}

fn tmpname(call: &mut Call<'_>) -> Result<usize, Error> {
    match lib_io::temporary_file(call.random_u64()) {
        Ok((_, path)) => call.push_bytes(Path::as_os_str(&path).as_bytes())?,
        Err(_) => return Err(Error::new("unable to generate a unique filename")),
    }
    Ok(1)
}

#[cfg(test)]
mod tests {
    use crate::lib_string::test_state::{run, run_as};
    use crate::sandbox::Kind;

    #[test]
    fn dates_as_text() {
        run(
            "assert(os.date('%Y-%m-%d %H:%M:%S', 1000000000) == '2001-09-09 01:46:40')
            assert(os.date('!%c', 0) == 'Thu Jan  1 00:00:00 1970')
            assert(os.date('%s', 1e9 + 0.9) == '1000000000')
            assert(os.date('%k|%e', 0) == ' 0| 1')
            assert(os.date('%Y', 1e300) == nil and os.date('%Y', 0/0) == nil)
            local ok, e = pcall(os.date, '%Q', 0)
            assert(not ok and e:find(\"invalid conversion specifier '%Q'\", 1, true), e)",
        );
    }

    #[test]
    fn dates_as_tables_and_back() {
        run("local t = os.date('*t', 1000000000)
            assert(t.year == 2001 and t.month == 9 and t.day == 9 and t.hour == 1 and t.min == 46 and t.sec == 40)
            assert(t.wday == 1 and t.yday == 252 and t.isdst == false)
            assert(os.time(t) == 1000000000)
            assert(os.time{year = 1970, month = 1, day = 1} == 43200)
            assert(os.time{year = '1970', month = 1, day = 1, hour = 0} == 0)
            local ok, e = pcall(os.time, {year = 1970, month = 1})
            assert(not ok and e:find(\"field 'day' missing in date table\", 1, true), e)
            assert(os.difftime(5.5, 2) == 3 and os.clock() > 0 and os.time() > 1.7e9)");
    }

    #[test]
    fn analysis_has_the_time_only() {
        run_as(Kind::Analysis, "assert(os.date and os.time and os.clock and os.difftime)
            for _, name in ipairs{'execute', 'exit', 'getenv', 'remove', 'rename', 'setlocale', 'tmpname'} do
                assert(os[name] == nil, name)
            end");
        run("assert(os.exit == nil and os.setlocale == nil and os.execute and os.tmpname)");
    }

    #[test]
    fn programs_and_their_status() {
        run("assert(os.execute() == 1)
            assert(os.execute('exit 3') == 3 * 256 and os.execute('true') == 0)
            assert(os.execute('kill -9 $$') == 9)");
    }

    #[test]
    fn files_come_and_go() {
        run("local a, b = os.tmpname(), os.tmpname()
            assert(a ~= b and os.remove(b) and os.rename(a, b))
            local ok, e, code = os.rename(a, b)
            assert(ok == nil and e == a .. ': No such file or directory' and code == 2)
            assert(os.remove(b) == true)
            local ok, e, code = os.remove(b)
            assert(ok == nil and e == b .. ': No such file or directory' and code == 2)
            assert(os.getenv('PATH') and os.getenv('no such name') == nil and os.getenv('a=b') == nil)");
    }
}
