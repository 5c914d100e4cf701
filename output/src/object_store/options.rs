//! Reads tables of options: every value checked, and no name that means nothing.

use std::time::Duration;

use sandbox::native::{Call, Error, Type};

use crate::courier::Pace;
use crate::s3::{Credentials, PART_SIZE_MAX, PART_SIZE_MIN, Settings};

/// Names in a table, at most.
const NAMES_MAX: usize = 100;

/// A table argument; the names that were asked for are remembered.
pub(super) struct Table<'c, 'a> {
    call: &'c mut Call<'a>,
    i: i32,
    known: Vec<&'static str>,
}

impl<'c, 'a> Table<'c, 'a> {
    /// Argument `i`, which may be left out.
    pub(super) fn argument(call: &'c mut Call<'a>, i: i32) -> Result<Table<'c, 'a>, Error> {
        if !call.is_none_or_nil(i) {
            call.check_table(i)?;
        }
        Ok(Table {
            call,
            i,
            known: Vec::new(),
        })
    }

    /// Runs `read` with the value of a name on top; none if there is no value.
    pub(super) fn with<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&mut Call<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        self.known.push(name);
        if self.call.is_none_or_nil(self.i) {
            return Ok(None);
        }
        let top = self.call.top();
        self.call.raw_get_field(self.i, name)?;
        let value = match self.call.is_nil(-1) {
            true => None,
            false => Some(read(self.call)?),
        };
        self.call.truncate(top);
        Ok(value)
    }

    fn wrong(&self, name: &str, expected: &str) -> Error {
        Error::argument(self.i, format!("{name} must be {expected}"))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        let found = self.with(name, |call| {
            let bytes = call.bytes_at(-1).map(<[u8]>::to_vec);
            Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
        })?;
        match found {
            Some(None) => Err(self.wrong(name, "a string")),
            found => Ok(found.flatten()),
        }
    }

    /// A boolean.
    pub(super) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, Error> {
        match self.with(name, |call| Ok(call.bool_at(-1)))? {
            Some(None) => Err(self.wrong(name, "a boolean")),
            found => Ok(found.flatten()),
        }
    }

    /// A number within limits.
    pub(super) fn number(
        &mut self,
        name: &'static str,
        least: f64,
        most: f64,
    ) -> Result<Option<f64>, Error> {
        match self.with(name, |call| Ok(call.number_at(-1)))? {
            None => Ok(None),
            Some(Some(number)) if (least..=most).contains(&number) => Ok(Some(number)),
            Some(_) => Err(self.wrong(name, &format!("a number from {least} to {most}"))),
        }
    }

    /// A number of milliseconds or seconds as a time.
    fn time(&mut self, name: &'static str, unit_s: f64) -> Result<Option<Duration>, Error> {
        /// A day is longer than anybody wants to wait.
        const DAY_S: f64 = 86_400.0;
        let number = self.number(name, 0.001, DAY_S / unit_s)?;
        Ok(number.map(|number| Duration::from_secs_f64(number * unit_s)))
    }

    /// An array of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Result<Option<Vec<String>>, Error> {
        let found = self.with(name, |call| {
            if call.type_of(-1) != Type::Table || call.raw_len(-1) > NAMES_MAX {
                return Ok(None);
            }
            let mut texts = Vec::new();
            for n in 1..=call.raw_len(-1) {
                call.raw_get_index(-1, n as i64)?;
                let text = call
                    .bytes_at(-1)
                    .and_then(|bytes| String::from_utf8(bytes.to_vec()).ok());
                call.pop(1);
                let Some(text) = text else { return Ok(None) };
                texts.push(text);
            }
            Ok(Some(texts))
        })?;
        match found {
            Some(None) => Err(self.wrong(name, "an array of strings")),
            found => Ok(found.flatten()),
        }
    }

    /// What is said of a bucket.
    pub(super) fn settings(&mut self, settings: &mut Settings) -> Result<(), Error> {
        settings.endpoint = self.text("endpoint")?;
        settings.region = self.text("region")?;
        // Servers at an address of their own seldom have a name for each bucket.
        settings.path_style = self
            .flag("path_style")?
            .unwrap_or(settings.endpoint.is_some());
        if let Some(text) = self.text("credentials")? {
            settings.credentials =
                Credentials::from_text(&text).map_err(|reason| Error::argument(self.i, reason))?;
        }
        if let Some(timeout) = self.time("timeout", 1.0)? {
            settings.timeout = timeout;
        }
        if let Some(size) = self.number("part_size", PART_SIZE_MIN as f64, PART_SIZE_MAX as f64)? {
            settings.part_size = size as u64;
        }
        if let Some(checksums) = self.flag("checksums")? {
            settings.checksums = checksums;
        }
        Ok(())
    }

    /// How deliveries and attempts go on.
    pub(super) fn pace(&mut self) -> Result<Pace, Error> {
        let mut pace = Pace::default();
        if let Some(concurrency) = self.number("concurrency", 1.0, 256.0)? {
            pace.concurrency = concurrency as usize;
        }
        pace.per_second = self.number("rate", 1e-3, 1e9)?;
        pace.bytes_per_second = self.number("bytes_per_second", 1.0, 1e15)?;
        pace.retry.attempts = self
            .number("attempts", 1.0, 1e9)?
            .map(|attempts| attempts as u32 - 1);
        if let Some(first) = self.time("retry_ms", 1e-3)? {
            pace.retry.first = first;
        }
        if let Some(longest) = self.time("retry_max_ms", 1e-3)? {
            pace.retry.longest = longest;
        }
        // For a folder they mean nothing, and are no mistake.
        self.known.extend([
            "endpoint",
            "region",
            "path_style",
            "credentials",
            "timeout",
            "part_size",
            "checksums",
        ]);
        Ok(pace)
    }

    /// Refuses names that nobody asked for: they are slips of the pen.
    pub(super) fn done(self) -> Result<(), Error> {
        let Table { call, i, known } = self;
        if call.is_none_or_nil(i) {
            return Ok(());
        }
        let mut unknown = None;
        call.for_each(i, |call| {
            let name = call.bytes_at(-2).unwrap_or(b"?");
            if !known.iter().any(|known| known.as_bytes() == name) {
                unknown = Some(String::from_utf8_lossy(name).into_owned());
            }
            Ok(())
        })?;
        match unknown {
            Some(name) => Err(Error::argument(i, format!("unknown option '{name}'"))),
            None => Ok(()),
        }
    }
}
