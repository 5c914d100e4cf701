//! Times as RFC 3339 writes them, to nanoseconds since 1970.

/// A time that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rfc3339 {
    /// Nanoseconds since 1970, UTC; the nearest that 64 bits hold for years they do not reach (before 1677, behind 2262).
    pub nanoseconds: i64,
    /// What the time zone is ahead of UTC.
    pub offset_minutes: i64,
}

/// Where it is wrong, and what was expected there.
type Wrong = (usize, &'static str);

/// Reads `YYYY-MM-DDTHH:MM:SS[.digits](Z|+HH:MM|-HH:MM|+HHMM|-HHMM)`.
///
/// As in Hindsight a day or second behind the end of its month or minute counts into the next.
pub(crate) fn parse_rfc3339(text: &[u8]) -> Result<Rfc3339, Wrong> {
    let mut reader = Reader { text, at: 0 };
    let year = reader.digits(4, 0..=9999, "a year of four digits")?;
    reader.byte(b"-", "-")?;
    let month = reader.digits(2, 1..=12, "a month from 01 to 12")?;
    reader.byte(b"-", "-")?;
    let day = reader.digits(2, 1..=31, "a day from 01 to 31")?;
    reader.byte(b"T", "T")?;
    let hour = reader.digits(2, 0..=23, "an hour from 00 to 23")?;
    reader.byte(b":", ":")?;
    let minute = reader.digits(2, 0..=59, "a minute from 00 to 59")?;
    reader.byte(b":", ":")?;
    let second = reader.digits(2, 0..=60, "a second from 00 to 60")?;
    let fraction = reader.fraction()?;
    let offset_minutes = reader.offset()?;
    if reader.at < text.len() {
        return Err((reader.at, "the end of the time"));
    }
    let days = days_since_1970(year, month) + day - 1;
    let seconds = days * 86_400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
    let nanoseconds = i128::from(seconds) * 1_000_000_000 + i128::from(fraction);
    let nearest = nanoseconds.clamp(i64::MIN.into(), i64::MAX.into());
    Ok(Rfc3339 {
        nanoseconds: nearest as i64,
        offset_minutes,
    })
}

/// Days from 1970-01-01 to the first of a month in the Gregorian calendar.
fn days_since_1970(year: i64, month: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days_before_month = (153 * month + 2) / 5;
    365 * year + leap_days + days_before_month - 719_468
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl Reader<'_> {
    fn digits(
        &mut self,
        count: usize,
        range: std::ops::RangeInclusive<i64>,
        expected: &'static str,
    ) -> Result<i64, Wrong> {
        let wrong = (self.at, expected);
        let digits = self.text.get(self.at..self.at + count).ok_or(wrong)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(wrong);
        }
        let value = digits
            .iter()
            .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        self.at += count;
        if range.contains(&value) {
            Ok(value)
        } else {
            Err(wrong)
        }
    }

    /// One of these bytes.
    fn byte(&mut self, any: &[u8], expected: &'static str) -> Result<u8, Wrong> {
        match self.text.get(self.at) {
            Some(byte) if any.contains(byte) => {
                self.at += 1;
                Ok(*byte)
            }
            _ => Err((self.at, expected)),
        }
    }

    /// Nanoseconds; what lies behind the ninth digit is dropped.
    fn fraction(&mut self) -> Result<i64, Wrong> {
        if self.byte(b".", "").is_err() {
            return Ok(0);
        }
        let start = self.at;
        let mut value = 0;
        let mut scale = 1_000_000_000;
        while let Some(digit) = self.text.get(self.at).filter(|byte| byte.is_ascii_digit()) {
            scale /= 10;
            value += i64::from(digit - b'0') * scale;
            self.at += 1;
        }
        if self.at == start {
            Err((start, "a digit"))
        } else {
            Ok(value)
        }
    }

    /// Minutes ahead of UTC.
    fn offset(&mut self) -> Result<i64, Wrong> {
        let sign = match self.byte(b"Z+-", "Z or an offset like +01:00")? {
            b'Z' => return Ok(0),
            b'-' => -1,
            _ => 1,
        };
        let hours = self.digits(2, 0..=23, "the hours of an offset, from 00 to 23")?;
        // The colon is RFC 3339's; Hindsight's grammar had none.
        let _ = self.byte(b":", "");
        let minutes = self.digits(2, 0..=59, "the minutes of an offset, from 00 to 59")?;
        Ok(sign * (hours * 60 + minutes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> i64 {
        parse_rfc3339(text.as_bytes())
            .expect("a good time")
            .nanoseconds
    }

    #[test]
    fn known_times() {
        assert_eq!(read("1970-01-01T00:00:00Z"), 0);
        assert_eq!(read("1970-01-01T00:00:00.000000001Z"), 1);
        assert_eq!(read("1969-12-31T23:59:59Z"), -1_000_000_000);
        assert_eq!(read("2000-02-29T12:34:56.5Z"), 951_827_696_500_000_000);
        assert_eq!(read("2015-04-11T17:30:26Z"), 1_428_773_426_000_000_000);
        assert_eq!(read("2262-04-11T23:47:16.854775807Z"), i64::MAX);
    }

    #[test]
    fn offsets_are_ahead_of_utc() {
        let utc = read("2015-04-11T17:30:26Z");
        for ahead in ["2015-04-11T18:30:26+0100", "2015-04-11T18:30:26+01:00"] {
            assert_eq!(read(ahead), utc);
        }
        assert_eq!(read("2015-04-11T12:00:26-05:30"), utc);
        assert_eq!(
            read("2015-04-12T00:00:00+23:59"),
            read("2015-04-11T00:01:00Z")
        );
        let offset = |text: &str| parse_rfc3339(text.as_bytes()).expect("good").offset_minutes;
        assert_eq!(offset("2015-04-11T12:00:26-0530"), -330);
        assert_eq!(offset("2015-04-11T12:00:26+0000"), 0);
    }

    #[test]
    fn what_overflows_counts_on() {
        assert_eq!(read("2015-02-31T00:00:00Z"), read("2015-03-03T00:00:00Z"));
        assert_eq!(read("2015-12-31T23:59:60Z"), read("2016-01-01T00:00:00Z"));
        assert_eq!(
            read("2015-12-31T23:59:59.1234567899Z") % 1_000_000_000,
            123_456_789
        );
    }

    #[test]
    fn years_out_of_reach_are_the_nearest() {
        assert_eq!(read("9999-12-31T23:59:59Z"), i64::MAX);
        assert_eq!(read("0000-01-01T00:00:00Z"), i64::MIN);
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let lengths = |leap| [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut days = days_since_1970(1600, 1);
        for year in 1600..2400 {
            let leap = i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
            for (month, length) in (1..).zip(lengths(leap)) {
                assert_eq!(days_since_1970(year, month), days);
                days += length;
            }
        }
    }

    #[test]
    fn errors_point_at_the_character() {
        for (text, at) in [
            ("", 0),
            ("20150411T173026", 4),
            ("2015-13-11T17:30:26Z", 5),
            ("2015-04-00T17:30:26Z", 8),
            ("2015-04-11 17:30:26Z", 10),
            ("2015-04-11T24:30:26Z", 11),
            ("2015-04-11T17:60:26Z", 14),
            ("2015-04-11T17:30:61Z", 17),
            ("2015-04-11T17:30:26", 19),
            ("2015-04-11T17:30:26.Z", 20),
            ("2015-04-11T17:30:26z", 19),
            ("2015-04-11T17:30:26+1", 20),
            ("2015-04-11T17:30:26+01:60", 23),
            ("2015-04-11T17:30:26+24:00", 20),
            ("2015-04-11T17:30:26ZZ", 20),
            ("+015-04-11T17:30:26Z", 0),
        ] {
            let wrong = parse_rfc3339(text.as_bytes()).expect_err(text);
            assert_eq!(wrong.0, at, "{text}: {}", wrong.1);
        }
    }
}
