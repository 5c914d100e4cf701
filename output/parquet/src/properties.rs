//! The table of properties that `parquet.writer` takes, read into what the encoder wants.

use parquet::basic::{Compression, Encoding, Type as Physical, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr,
    WriterVersion,
};
use parquet::schema::types::ColumnPath;
use sandbox::native::{Call, Error, Type};

use crate::schema::Plan;

/// Sizes in bytes that pages and dictionaries may have, at most; bounds the memory of encoding.
const PAGE_MAX: f64 = 64.0 * 1024.0 * 1024.0;

/// Longest minimum and maximum of a column in the footer, in bytes.
const STATISTICS_MAX: usize = 64;

/// Who made the file, when the plugin does not say.
const CREATED_BY: &str = concat!("foresight version ", env!("CARGO_PKG_VERSION"));

/// A codec by its name; `level` is that of zstd.
///
/// # Errors
/// When there is no such codec.
pub fn codec(name: &str, level: i32) -> Result<Compression, String> {
    Ok(match name {
        "uncompressed" => Compression::UNCOMPRESSED,
        "snappy" => Compression::SNAPPY,
        "gzip" => Compression::GZIP(Default::default()),
        "brotli" => Compression::BROTLI(Default::default()),
        "lz4" => Compression::LZ4_RAW,
        "zstd" => {
            let level = ZstdLevel::try_new(level).map_err(|error| crate::words(&error))?;
            Compression::ZSTD(level)
        }
        _ => return Err(format!("invalid compression:{name}")),
    })
}

/// Zstd's own default.
pub const ZSTD_LEVEL: i32 = 3;

fn encoding(name: &str) -> Option<Encoding> {
    Some(match name {
        "plain" => Encoding::PLAIN,
        "plain_dictionary" => Encoding::PLAIN_DICTIONARY,
        "rle" => Encoding::RLE,
        "bit_packed" => return None,
        "delta_binary_packed" => Encoding::DELTA_BINARY_PACKED,
        "delta_length_byte_array" => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        "delta_byte_array" => Encoding::DELTA_BYTE_ARRAY,
        "rle_dictionary" => Encoding::RLE_DICTIONARY,
        _ => return None,
    })
}

fn builder() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(CREATED_BY.into())
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_statistics_truncate_length(Some(STATISTICS_MAX))
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(None)
}

/// What files get without a table.
pub fn defaults() -> WriterPropertiesPtr {
    builder().build().into()
}

/// What a file that is made of others gets, with what these say beside their schema.
pub fn for_merged(codec: Compression, about: Option<Vec<KeyValue>>) -> WriterPropertiesPtr {
    let properties = builder().set_compression(codec);
    properties.set_key_value_metadata(about).build().into()
}

/// Properties with a codec of [`codec`] for all columns.
#[cfg(test)]
pub fn with_codec(codec: Compression) -> WriterPropertiesPtr {
    builder().set_compression(codec).build().into()
}

/// Reads the table at argument `i`.
///
/// # Errors
/// The words of the public module, as they are.
pub fn read(call: &mut Call<'_>, i: i32) -> Result<WriterPropertiesPtr, Error> {
    let mut out = Some(builder());
    call.for_each(i, |call| {
        let Some(key) = call.bytes_at(-2) else {
            return Err(Error::bare("non string key in the properties table"));
        };
        let key = String::from_utf8_lossy(key).into_owned();
        let before = out.take().expect("it is put back below");
        out = Some(read_entry(call, &key, before)?);
        Ok(())
    })?;
    let out = out.expect("it was put back above");
    Ok(out.build().into())
}

/// Whether each column can be written as the properties say: the encoder panics where it cannot.
///
/// # Errors
/// When a column cannot; the words name it.
pub fn check(properties: &WriterProperties, plan: &Plan) -> Result<(), String> {
    for column in plan.descriptor().columns() {
        let fits = match properties.encoding(column.path()) {
            None | Some(Encoding::PLAIN) => true,
            Some(Encoding::RLE) => column.physical_type() == Physical::BOOLEAN,
            Some(Encoding::DELTA_BINARY_PACKED) => {
                matches!(column.physical_type(), Physical::INT32 | Physical::INT64)
            }
            Some(Encoding::DELTA_LENGTH_BYTE_ARRAY) => {
                column.physical_type() == Physical::BYTE_ARRAY
            }
            Some(Encoding::DELTA_BYTE_ARRAY) => matches!(
                column.physical_type(),
                Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY
            ),
            Some(_) => false,
        };
        if !fits {
            let path = column.path();
            return Err(format!(
                "the encoding does not go with the type of column:{path}"
            ));
        }
    }
    Ok(())
}

/// The entry whose value is on top.
fn read_entry(
    call: &mut Call<'_>,
    key: &str,
    out: WriterPropertiesBuilder,
) -> Result<WriterPropertiesBuilder, Error> {
    Ok(match key {
        "dictionary_pagesize_limit" => out.set_dictionary_page_size_limit(size(call, PAGE_MAX)?),
        "data_pagesize" => out.set_data_page_size_limit(size(call, PAGE_MAX)?),
        "write_batch_size" => out.set_write_batch_size(size(call, 1024.0 * 1024.0)?),
        "compression_level" => out,
        "version" => match text(call).as_deref() {
            None => out,
            Some("1.0") => out.set_writer_version(WriterVersion::PARQUET_1_0),
            Some("2.0") => out.set_writer_version(WriterVersion::PARQUET_2_0),
            Some(other) => return Err(Error::bare(format!("invalid version:{other}"))),
        },
        "created_by" => match text(call) {
            Some(name) => out.set_created_by(name),
            None => out,
        },
        "columns" => {
            if call.type_of(-1) != Type::Table {
                return Err(Error::bare("columns must be a table"));
            }
            read_columns(call, out)?
        }
        _ => read_common(call, key, None, out)?,
    })
}

/// What can be set for all columns, and for one.
fn read_common(
    call: &mut Call<'_>,
    key: &str,
    column: Option<&str>,
    out: WriterPropertiesBuilder,
) -> Result<WriterPropertiesBuilder, Error> {
    let path =
        column.map(|name| ColumnPath::from(name.split('.').map(String::from).collect::<Vec<_>>()));
    let place = column
        .map(|name| format!(" column:{name}"))
        .unwrap_or_default();
    Ok(match (key, path) {
        ("enable_dictionary", None) => out.set_dictionary_enabled(call.is_true(-1)),
        ("enable_dictionary", Some(path)) => {
            out.set_column_dictionary_enabled(path, call.is_true(-1))
        }
        ("enable_statistics", path) => {
            let which = match call.is_true(-1) {
                true => EnabledStatistics::Chunk,
                false => EnabledStatistics::None,
            };
            match path {
                None => out.set_statistics_enabled(which),
                Some(path) => out.set_column_statistics_enabled(path, which),
            }
        }
        ("compression", path) => {
            let Some(name) = text(call) else {
                return Ok(out);
            };
            let codec =
                codec(&name, ZSTD_LEVEL).map_err(|words| Error::bare(format!("{words}{place}")))?;
            match path {
                None => out.set_compression(codec),
                Some(path) => out.set_column_compression(path, codec),
            }
        }
        ("encoding", path) => {
            let Some(name) = text(call) else {
                return Ok(out);
            };
            let invalid = || Error::bare(format!("invalid encoding:{name}{place}"));
            match (encoding(&name).ok_or_else(invalid)?, path) {
                (Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY, None) => {
                    out.set_dictionary_enabled(true)
                }
                (Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY, Some(path)) => {
                    out.set_column_dictionary_enabled(path, true)
                }
                (encoding, None) => out.set_encoding(encoding),
                (encoding, Some(path)) => out.set_column_encoding(path, encoding),
            }
        }
        _ => out,
    })
}

/// The table of columns on top.
fn read_columns(
    call: &mut Call<'_>,
    out: WriterPropertiesBuilder,
) -> Result<WriterPropertiesBuilder, Error> {
    let columns = call.top();
    let mut out = Some(out);
    call.for_each(columns, |call| {
        let Some(name) = call.text_at(-2) else {
            return Ok(());
        };
        if call.type_of(-1) != Type::Table {
            return Ok(());
        }
        let name = String::from_utf8_lossy(&name).into_owned();
        let of_column = call.top();
        call.for_each(of_column, |call| {
            let key = call.text_at(-2).unwrap_or_default();
            let key = String::from_utf8_lossy(&key).into_owned();
            let before = out.take().ok_or("properties were given up")?;
            out = Some(read_common(call, &key, Some(&name), before)?);
            Ok(())
        })
    })?;
    out.ok_or_else(|| Error::new("properties were given up"))
}

fn text(call: &Call<'_>) -> Option<String> {
    let text = call.text_at(-1)?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// A number of bytes or rows from 1.
fn size(call: &Call<'_>, max: f64) -> Result<usize, Error> {
    match call.to_number(-1) {
        Some(number) if (1.0..=max).contains(&number) => Ok(number as usize),
        _ => Err(Error::bare(format!(
            "sizes must be numbers from 1 to {max}"
        ))),
    }
}
