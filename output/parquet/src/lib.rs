//! Parquet files: the module `parquet`, and schemas derived from JSON Schema.
//!
//! Rows are gathered column by column in memory ([`column`]), a row group is encoded at once, and the file is open only while
//! bytes go into it, so that a plugin can have a writer for each of a thousand partitions.

pub mod column;
pub mod derive;
pub mod merge;
mod module;
mod pool;
mod properties;
pub mod schema;
mod shred;
pub mod writer;

use parquet::errors::ParquetError;
use sandbox::native::Registry;

pub use module::VERSION;

/// Offers `parquet` to input and output plugins.
pub fn register(registry: &mut Registry) {
    module::register(registry);
}

/// The words of an error without the name of the library.
fn words(error: &ParquetError) -> String {
    match error {
        ParquetError::General(text) => text.clone(),
        other => other.to_string(),
    }
}
