//! One column of one row group, decoded batch by batch and encoded again; or its levels alone, for a column that is missing.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
    Int64Type, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedColumnWriter;
use parquet::schema::types::ColumnDescriptor;

/// Rows that are decoded at once, at most.
const ROWS_PER_BATCH: usize = 1024;

/// Bytes of values that are decoded at once, about.
const BYTES_PER_BATCH: u64 = 4 << 20;

/// What went wrong: on the one side, or on the other.
pub(super) enum Fault {
    Reading(String),
    Writing(ParquetError),
}

fn reading(error: ParquetError) -> Fault {
    Fault::Reading(crate::words(&error))
}

/// How much there is to read.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub rows: u64,
    /// Bytes of the values before compression.
    pub bytes: u64,
}

impl Extent {
    fn batch(self) -> usize {
        let per_row = (self.bytes / self.rows.max(1)).max(1);
        let rows = (BYTES_PER_BATCH / per_row).max(1);
        usize::try_from(rows).map_or(ROWS_PER_BATCH, |rows| rows.min(ROWS_PER_BATCH))
    }
}

/// Decoded values and levels of some rows.
struct Batch<T: DataType> {
    values: Vec<T::T>,
    defs: Vec<i16>,
    reps: Vec<i16>,
    n_levels: usize,
}

/// Hands all rows to `take`, batch by batch. A column with more or fewer rows than `extent` says is a fault.
fn read<T: DataType>(
    column: &mut ColumnReaderImpl<T>,
    extent: Extent,
    mut take: impl FnMut(&Batch<T>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut batch = Batch::<T> {
        values: Vec::new(),
        defs: Vec::new(),
        reps: Vec::new(),
        n_levels: 0,
    };
    let size = extent.batch();
    let mut n_rows = 0;
    loop {
        batch.values.clear();
        batch.defs.clear();
        batch.reps.clear();
        let (defs, reps) = (Some(&mut batch.defs), Some(&mut batch.reps));
        let read = column.read_records(size, defs, reps, &mut batch.values);
        let (rows, _, n_levels) = read.map_err(reading)?;
        n_rows += rows as u64;
        batch.n_levels = n_levels;
        if n_rows > extent.rows || rows == 0 && n_rows < extent.rows {
            let expected = extent.rows;
            return Err(Fault::Reading(format!(
                "has {n_rows} rows or more, {expected} expected"
            )));
        }
        if rows == 0 {
            return Ok(());
        }
        take(&batch)?;
    }
}

fn copy_typed<T: DataType>(
    mut column: ColumnReaderImpl<T>,
    about: &ColumnDescriptor,
    extent: Extent,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    let (has_defs, has_reps) = (about.max_def_level() > 0, about.max_rep_level() > 0);
    let out = out.typed::<T>();
    read(&mut column, extent, |batch| {
        let defs = has_defs.then_some(&batch.defs[..]);
        let reps = has_reps.then_some(&batch.reps[..]);
        let written = out.write_batch(&batch.values, defs, reps);
        written.map(drop).map_err(Fault::Writing)
    })
}

/// Copies a column that both files have; `about` is true of both.
pub(super) fn copy(
    column: ColumnReader,
    about: &ColumnDescriptor,
    extent: Extent,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    use ColumnReader as From;
    match column {
        From::BoolColumnReader(column) => copy_typed::<BoolType>(column, about, extent, out),
        From::Int32ColumnReader(column) => copy_typed::<Int32Type>(column, about, extent, out),
        From::Int64ColumnReader(column) => copy_typed::<Int64Type>(column, about, extent, out),
        From::Int96ColumnReader(column) => copy_typed::<Int96Type>(column, about, extent, out),
        From::FloatColumnReader(column) => copy_typed::<FloatType>(column, about, extent, out),
        From::DoubleColumnReader(column) => copy_typed::<DoubleType>(column, about, extent, out),
        From::ByteArrayColumnReader(column) => {
            copy_typed::<ByteArrayType>(column, about, extent, out)
        }
        From::FixedLenByteArrayColumnReader(column) => {
            copy_typed::<FixedLenByteArrayType>(column, about, extent, out)
        }
    }
}

/// The levels of a group's instances, made of those of a column in it.
#[derive(Default)]
struct Levels {
    defs: Vec<i16>,
    reps: Vec<i16>,
}

impl Levels {
    /// An instance begins wherever the column does not only repeat something inside of the group; it is as far defined as the
    /// column is, but not further than the group itself.
    fn set<T: DataType>(&mut self, batch: &Batch<T>, (rl, dl): (i16, i16)) {
        self.defs.clear();
        self.reps.clear();
        for i in 0..batch.n_levels {
            let r = batch.reps.get(i).copied().unwrap_or(0);
            let d = batch.defs.get(i).copied().unwrap_or(0);
            if r <= rl {
                self.reps.push(r);
                self.defs.push(d.min(dl));
            }
        }
    }
}

fn fill_typed<T: DataType>(
    mut sibling: ColumnReaderImpl<T>,
    group: (i16, i16),
    about: &ColumnDescriptor,
    extent: Extent,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    let mut levels = Levels::default();
    read(&mut sibling, extent, |batch| {
        levels.set(batch, group);
        write_nulls(&levels.defs, &levels.reps, about, out)
    })
}

/// Writes a column that a file has not: nothing in each instance of the innermost group that it has. `group` tells the
/// repetition and definition levels of that, `sibling` is a column in it.
pub(super) fn fill(
    sibling: ColumnReader,
    group: (i16, i16),
    about: &ColumnDescriptor,
    extent: Extent,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    use ColumnReader as From;
    match sibling {
        From::BoolColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::Int32ColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::Int64ColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::Int96ColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::FloatColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::DoubleColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::ByteArrayColumnReader(column) => fill_typed(column, group, about, extent, out),
        From::FixedLenByteArrayColumnReader(column) => {
            fill_typed(column, group, about, extent, out)
        }
    }
}

/// Writes a column of which a file has not even the outermost group.
pub(super) fn fill_rows(
    rows: u64,
    about: &ColumnDescriptor,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    let zeros = [0; ROWS_PER_BATCH];
    let mut left = rows;
    while left > 0 {
        let n = usize::try_from(left).map_or(ROWS_PER_BATCH, |left| left.min(ROWS_PER_BATCH));
        write_nulls(&zeros[..n], &zeros[..n], about, out)?;
        left -= n as u64;
    }
    Ok(())
}

fn write_nulls(
    defs: &[i16],
    reps: &[i16],
    about: &ColumnDescriptor,
    out: &mut SerializedColumnWriter<'_>,
) -> Result<(), Fault> {
    use ColumnWriter as To;
    let (defs, reps) = (Some(defs), (about.max_rep_level() > 0).then_some(reps));
    let written = match out.untyped() {
        To::BoolColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::Int32ColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::Int64ColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::Int96ColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::FloatColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::DoubleColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::ByteArrayColumnWriter(out) => out.write_batch(&[], defs, reps),
        To::FixedLenByteArrayColumnWriter(out) => out.write_batch(&[], defs, reps),
    };
    written.map(drop).map_err(Fault::Writing)
}
