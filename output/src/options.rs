//! Reads tables of options: every value checked, and no name that means nothing.

use std::time::Duration;

use sandbox::native::{Call, Error, Type};

use crate::courier::Pace;
use crate::packing::Packing;
use crate::rights::{self, FileRights, ObjectRights};
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

    pub(super) fn wrong(&self, name: &str, expected: &str) -> Error {
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
    pub(super) fn time(
        &mut self,
        name: &'static str,
        unit_s: f64,
    ) -> Result<Option<Duration>, Error> {
        /// A day is longer than anybody wants to wait.
        const DAY_S: f64 = 86_400.0;
        let number = self.number(name, 0.001, DAY_S / unit_s)?;
        Ok(number.map(|number| Duration::from_secs_f64(number * unit_s)))
    }

    /// What is compressed with what.
    pub(super) fn packing(&mut self) -> Result<Packing, Error> {
        match self.text("compression")? {
            None => Ok(Packing::None),
            Some(name) => Packing::from_name(&name)
                .ok_or_else(|| self.wrong("compression", "'none', 'gzip' or 'zstd'")),
        }
    }

    /// What is wrong with the table as a whole.
    pub(super) fn refuse(&self, reason: impl Into<String>) -> Error {
        Error::argument(self.i, reason.into())
    }

    /// A table from texts to texts, in the order of the first.
    pub(super) fn pairs(
        &mut self,
        name: &'static str,
        most: usize,
    ) -> Result<Option<Vec<(String, String)>>, Error> {
        let found = self.with(name, |call| {
            if call.type_of(-1) != Type::Table {
                return Ok(None);
            }
            let (mut pairs, mut is_good, table) = (Vec::new(), true, call.top());
            call.for_each(table, |call| {
                let text = |i| {
                    let bytes: Option<&[u8]> = call.bytes_at(i);
                    bytes.and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
                };
                match (text(-2), text(-1)) {
                    (Some(name), Some(value)) if pairs.len() < most => pairs.push((name, value)),
                    _ => is_good = false,
                }
                Ok(())
            })?;
            pairs.sort();
            Ok(is_good.then_some(pairs))
        })?;
        match found {
            Some(None) => Err(self.wrong(name, "a table from strings to strings")),
            found => Ok(found.flatten()),
        }
    }

    /// An array of statuses of HTTP.
    pub(super) fn statuses(&mut self, name: &'static str) -> Result<Option<Vec<u16>>, Error> {
        let found = self.with(name, |call| {
            if call.type_of(-1) != Type::Table || call.raw_len(-1) > NAMES_MAX {
                return Ok(None);
            }
            let mut statuses = Vec::new();
            for n in 1..=call.raw_len(-1) {
                call.raw_get_index(-1, n as i64)?;
                let status = call.number_at(-1).filter(|n| (300.0..=599.0).contains(n));
                call.pop(1);
                let Some(status) = status else {
                    return Ok(None);
                };
                statuses.push(status as u16);
            }
            Ok(Some(statuses))
        })?;
        match found {
            Some(None) => Err(self.wrong(name, "an array of numbers from 300 to 599")),
            found => Ok(found.flatten()),
        }
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
        Ok(pace)
    }

    /// What goes with the objects of a bucket.
    pub(super) fn object_rights(&mut self, found: &mut ObjectRights) -> Result<(), Error> {
        if let Some(name) = self.text("acl")? {
            found.acl = Some(rights::acl(&name).map_err(|reason| self.refuse(reason))?);
        }
        if let Some(pairs) = self.pairs("tags", rights::TAGS_MAX)? {
            found.tags = Some(rights::tags(&pairs).map_err(|reason| self.refuse(reason))?);
        }
        Ok(())
    }

    /// Who may do what in a folder.
    pub(super) fn file_rights(&mut self, found: &mut FileRights) -> Result<(), Error> {
        found.file_mode = self.mode("file_mode")?;
        found.folder_mode = self.mode("folder_mode")?;
        if let Some(name) = self.text("group")? {
            found.group = Some(rights::group(&name).map_err(|reason| self.refuse(reason))?);
        }
        Ok(())
    }

    fn mode(&mut self, name: &'static str) -> Result<Option<u32>, Error> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        rights::mode(&text)
            .map(Some)
            .map_err(|expected| self.wrong(name, &expected))
    }

    /// For a folder the settings of a bucket mean nothing, and are no mistake.
    pub(super) fn ignore_settings(&mut self) {
        self.known.extend([
            "endpoint",
            "region",
            "path_style",
            "credentials",
            "timeout",
            "part_size",
            "checksums",
        ]);
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

/// A text of the plugin's configuration.
pub(crate) fn config(call: &mut Call<'_>, key: &str) -> Result<Option<String>, Error> {
    call.push_config(key)?;
    let value = call.text_at(-1);
    call.pop(1);
    Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
}
