//! Dates as text: `strftime` in the C locale and UTC, with a check that every conversion is one POSIX knows.

/// The conversions accepted without a modifier.
const PLAIN: &[u8] = b"aAbBcCdDeFgGhHIjklmMnprRSstTuUVwWxXyYzZ%";
/// The conversions that may follow `%E`; the C locale has no alternative form, so the modifier changes nothing.
const AFTER_E: &[u8] = b"cCxXyY";
/// The conversions that may follow `%O`.
const AFTER_O: &[u8] = b"deHImMSuUVwWy";

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const SECONDS_PER_DAY: i64 = 86_400;
/// C keeps a year in an `int`; times further away than that have no date.
const YEAR_LIMIT: i64 = i32::MAX as i64;

/// A moment taken apart, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date {
    /// Seconds since the epoch.
    pub seconds: i64,
    /// The year as people write it.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// Days since Sunday, 0 to 6.
    pub weekday: u32,
    /// Days since the first of January, 0 to 365.
    pub year_day: u32,
}

/// Takes `seconds` since the epoch apart; `None` when the year does not fit C's `int`.
pub fn date_of(seconds: i64) -> Option<Date> {
    let days = seconds.div_euclid(SECONDS_PER_DAY);
    let rest = seconds.rem_euclid(SECONDS_PER_DAY) as u32;
    let (year, month, day) = civil_of(days);
    if year.abs() > YEAR_LIMIT {
        return None;
    }
    Some(Date {
        seconds,
        year,
        month,
        day,
        hour: rest / 3600,
        minute: rest / 60 % 60,
        second: rest % 60,
        weekday: (days + 4).rem_euclid(7) as u32,
        year_day: (days - days_of(year, 1, 1)) as u32,
    })
}

/// Seconds since the epoch of a date whose parts may lie outside their ranges (the 32nd of January is the first of
/// February), as `mktime` does in UTC. `None` when the year is out of range.
pub fn seconds_of(date: [i32; 6]) -> Option<i64> {
    let [year, month, day, hour, minute, second] = date.map(i64::from);
    let months = month - 1;
    let year = year + months.div_euclid(12);
    let month = months.rem_euclid(12) as u32 + 1;
    let days = days_of(year, month, 1) + day - 1;
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    date_of(seconds).map(|date| date.seconds)
}

/// Writes `date` to `out` as `format` says.
///
/// # Errors
/// The conversion that POSIX does not know, without its `%`.
pub fn format<'f>(format: &'f [u8], date: &Date, out: &mut Vec<u8>) -> Result<(), &'f [u8]> {
    let mut rest = format;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        let after = &rest[at + 1..];
        let used = conversion_len(after)?;
        convert(after[used - 1], date, out);
        rest = &after[used..];
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// How many bytes the conversion at the start of `text` takes (one, or two with a modifier).
fn conversion_len(text: &[u8]) -> Result<usize, &[u8]> {
    let (known, modifier) = match text.first() {
        Some(b'E') => (AFTER_E, 1),
        Some(b'O') => (AFTER_O, 1),
        _ => (PLAIN, 0),
    };
    match text.get(modifier) {
        Some(c) if known.contains(c) => Ok(modifier + 1),
        _ => Err(&text[..text.len().min(modifier + 1)]),
    }
}

fn convert(conversion: u8, d: &Date, out: &mut Vec<u8>) {
    match conversion {
        b'a' => out.extend_from_slice(&WEEKDAYS[d.weekday as usize].as_bytes()[..3]),
        b'A' => out.extend_from_slice(WEEKDAYS[d.weekday as usize].as_bytes()),
        b'b' | b'h' => out.extend_from_slice(&MONTHS[d.month as usize - 1].as_bytes()[..3]),
        b'B' => out.extend_from_slice(MONTHS[d.month as usize - 1].as_bytes()),
        b'c' => all(b"a b e T Y", d, out),
        b'C' => number(d.year.div_euclid(100), 2, b'0', out),
        b'd' => number(d.day.into(), 2, b'0', out),
        b'D' | b'x' => all(b"m/d/y", d, out),
        b'e' => number(d.day.into(), 2, b' ', out),
        b'F' => all(b"Y-m-d", d, out),
        b'g' => number(iso_week(d).0.rem_euclid(100), 2, b'0', out),
        b'G' => number(iso_week(d).0, 1, b'0', out),
        b'H' => number(d.hour.into(), 2, b'0', out),
        b'I' => number(hour12(d), 2, b'0', out),
        b'j' => number(i64::from(d.year_day) + 1, 3, b'0', out),
        b'k' => number(d.hour.into(), 2, b' ', out),
        b'l' => number(hour12(d), 2, b' ', out),
        b'm' => number(d.month.into(), 2, b'0', out),
        b'M' => number(d.minute.into(), 2, b'0', out),
        b'n' => out.push(b'\n'),
        b'p' => out.extend_from_slice(if d.hour < 12 { b"AM" } else { b"PM" }),
        b'r' => all(b"I:M:S p", d, out),
        b'R' => all(b"H:M", d, out),
        b'S' => number(d.second.into(), 2, b'0', out),
        b's' => number(d.seconds, 1, b'0', out),
        b't' => out.push(b'\t'),
        b'T' | b'X' => all(b"H:M:S", d, out),
        b'u' => number((i64::from(d.weekday) + 6) % 7 + 1, 1, b'0', out),
        b'U' => number(week_of_year(d, d.weekday), 2, b'0', out),
        b'V' => number(iso_week(d).1, 2, b'0', out),
        b'w' => number(d.weekday.into(), 1, b'0', out),
        b'W' => number(week_of_year(d, (d.weekday + 6) % 7), 2, b'0', out),
        b'y' => number(d.year.rem_euclid(100), 2, b'0', out),
        b'Y' => number(d.year, 1, b'0', out),
        b'z' => out.extend_from_slice(b"+0000"),
        b'Z' => out.extend_from_slice(b"UTC"),
        _ => out.push(conversion),
    }
}

/// A composed conversion: every letter of `parts` is a conversion itself, everything else stands for itself.
fn all(parts: &[u8], date: &Date, out: &mut Vec<u8>) {
    for &part in parts {
        if part.is_ascii_alphabetic() {
            convert(part, date, out);
        } else {
            out.push(part);
        }
    }
}

fn number(value: i64, width: usize, fill: u8, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let sign = usize::from(value < 0);
    let pad = width.saturating_sub(digits.len() - at + sign);
    if fill == b' ' {
        out.extend(std::iter::repeat_n(fill, pad));
    }
    if value < 0 {
        out.push(b'-');
    }
    if fill != b' ' {
        out.extend(std::iter::repeat_n(fill, pad));
    }
    out.extend_from_slice(&digits[at..]);
}

fn hour12(date: &Date) -> i64 {
    i64::from((date.hour + 11) % 12 + 1)
}

/// The number of the week when weeks start on the day `since_start` days ago.
fn week_of_year(date: &Date, since_start: u32) -> i64 {
    i64::from((date.year_day + 7 - since_start) / 7)
}

/// The year and number of the ISO 8601 week, the one that holds the Thursday next to `date`.
fn iso_week(date: &Date) -> (i64, i64) {
    let monday_based = i64::from((date.weekday + 6) % 7);
    let thursday = date.seconds.div_euclid(SECONDS_PER_DAY) - monday_based + 3;
    let (year, _, _) = civil_of(thursday);
    (year, (thursday - days_of(year, 1, 1)) / 7 + 1)
}

/// Days from the epoch to a date of the Gregorian calendar. The year is counted from March, so that the leap day is
/// its last; 400 years have 146,097 days.
fn days_of(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other direction of [`days_of`].
fn civil_of(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = ((month_from_march + 2) % 12 + 1) as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests {
    use super::*;

    fn text(pattern: &str, seconds: i64) -> String {
        let mut out = Vec::new();
        let date = date_of(seconds).expect("in range");
        format(pattern.as_bytes(), &date, &mut out).expect("known conversions");
        String::from_utf8(out).expect("ascii")
    }

    /// What the C library says, for the conversions that do not depend on the time zone's name.
    fn from_c(pattern: &str, seconds: i64) -> String {
        let pattern = std::ffi::CString::new(pattern).expect("no zero");
        let mut parts = std::mem::MaybeUninit::<libc::tm>::zeroed();
        let mut buffer = [0u8; 256];
        // SAFETY: all pointers are to live objects of this function, and the length is that of the buffer.
        let len = unsafe {
            libc::gmtime_r(&seconds, parts.as_mut_ptr());
            libc::strftime(
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                pattern.as_ptr(),
                parts.as_ptr(),
            )
        };
        String::from_utf8_lossy(&buffer[..len]).into_owned()
    }

    #[test]
    fn agrees_with_the_c_library() {
        let all = "%a|%A|%b|%B|%c|%C|%d|%D|%e|%F|%g|%G|%h|%H|%I|%j|%k|%l|%m|%M|%n|%p|%r|%R|%S|%t|%T|%u|%U|%V|%w|%W|%x|%X|%y|%Y|%%|%Ey|%Od";
        let mut seconds = -1_000_000_003i64;
        while seconds < 5_000_000_000 {
            assert_eq!(text(all, seconds), from_c(all, seconds), "at {seconds}");
            seconds += 1_234_567;
        }
    }

    #[test]
    fn names_the_unknown_conversion() {
        let date = date_of(0).expect("in range");
        let mut out = Vec::new();
        assert_eq!(format(b"%Y %Q", &date, &mut out), Err(&b"Q"[..]));
        assert_eq!(format(b"%Ez", &date, &mut out), Err(&b"Ez"[..]));
        assert_eq!(format(b"%", &date, &mut out), Err(&b""[..]));
        assert_eq!(format(b"%O", &date, &mut out), Err(&b"O"[..]));
    }

    #[test]
    fn times_go_both_ways() {
        let mut seconds = -62_135_596_800i64;
        while seconds < 253_402_300_799 {
            let d = date_of(seconds).expect("in range");
            let parts = [d.month, d.day, d.hour, d.minute, d.second].map(|n| n as i32);
            let [month, day, hour, minute, second] = parts;
            let back = seconds_of([d.year as i32, month, day, hour, minute, second]);
            assert_eq!(back, Some(seconds));
            seconds += 98_765_431;
        }
    }

    #[test]
    fn parts_out_of_range_carry_over() {
        assert_eq!(seconds_of([1970, 1, 32, 0, 0, 0]), Some(31 * 86_400));
        assert_eq!(seconds_of([1970, 13, 1, 0, 0, 0]), Some(365 * 86_400));
        assert_eq!(seconds_of([1970, 0, 31, 0, 0, 0]), Some(-86_400));
        assert_eq!(seconds_of([1970, 1, 1, 0, 0, -1]), Some(-1));
    }

    #[test]
    fn far_times_have_no_date() {
        assert_eq!(date_of(i64::MAX / 2), None);
        assert_eq!(date_of(i64::MIN / 2), None);
        assert!(date_of((i64::from(i32::MAX) - 2000) * 31_556_952).is_some());
        assert_eq!(seconds_of([i32::MAX, i32::MAX, 1, 0, 0, 0]), None);
    }
}
