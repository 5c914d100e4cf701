//! The values of one column of a row group in memory, with their levels, and how they go into the file.

use bytes::Bytes;
use parquet::basic::Type as Physical;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::errors::Result as ParquetResult;
use parquet::file::writer::SerializedColumnWriter;

use crate::schema::ColumnPlan;

/// Levels handed to the encoder at a time, and a few more up to the end of a row.
const LEVELS_PER_BATCH: usize = 4_096;

/// Bytes of an INT96.
pub const INT96_LEN: usize = 12;

/// Numbers below it, either side of zero, fit into 64 bits.
const MAX_SHORT: f64 = i64::MAX as f64;

#[derive(Debug)]
enum Values {
    Bool(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Int96(Vec<Int96>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    /// Bytes of all values and where each ends.
    Binary(Vec<u8>, Vec<usize>),
    /// Bytes of all values, each of the same length.
    Fixed(Vec<u8>, usize),
}

/// How much a column holds.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    values: usize,
    defs: usize,
    reps: usize,
}

/// A value that does not go into its column: the words that tell why.
pub type Misfit = String;

/// The values of one column.
#[derive(Debug)]
pub struct Column {
    values: Values,
    defs: Vec<u8>,
    reps: Vec<u8>,
    /// Up to here are whole rows.
    whole: Mark,
}

fn mismatch(plan: &ColumnPlan, kind: &str) -> Misfit {
    format!("column '{}' data type mismatch ({kind})", plan.name)
}

impl Column {
    /// An empty one.
    pub fn new(plan: &ColumnPlan) -> Column {
        let values = match plan.physical {
            Physical::BOOLEAN => Values::Bool(Vec::new()),
            Physical::INT32 => Values::Int32(Vec::new()),
            Physical::INT64 => Values::Int64(Vec::new()),
            Physical::INT96 => Values::Int96(Vec::new()),
            Physical::FLOAT => Values::Float(Vec::new()),
            Physical::DOUBLE => Values::Double(Vec::new()),
            Physical::BYTE_ARRAY => Values::Binary(Vec::new(), Vec::new()),
            Physical::FIXED_LEN_BYTE_ARRAY => Values::Fixed(Vec::new(), plan.length),
        };
        Column {
            values,
            defs: Vec::new(),
            reps: Vec::new(),
            whole: Mark::default(),
        }
    }

    /// Bytes it has taken from the system.
    pub fn memory(&self) -> usize {
        let values = match &self.values {
            Values::Bool(values) => values.capacity(),
            Values::Int32(values) => values.capacity() * 4,
            Values::Int64(values) => values.capacity() * 8,
            Values::Int96(values) => values.capacity() * INT96_LEN,
            Values::Float(values) => values.capacity() * 4,
            Values::Double(values) => values.capacity() * 8,
            Values::Binary(bytes, ends) => bytes.capacity() + ends.capacity() * size_of::<usize>(),
            Values::Fixed(bytes, _) => bytes.capacity(),
        };
        values + self.defs.capacity() + self.reps.capacity()
    }

    fn n_values(&self) -> usize {
        match &self.values {
            Values::Bool(values) => values.len(),
            Values::Int32(values) => values.len(),
            Values::Int64(values) => values.len(),
            Values::Int96(values) => values.len(),
            Values::Float(values) => values.len(),
            Values::Double(values) => values.len(),
            Values::Binary(_, ends) => ends.len(),
            Values::Fixed(bytes, length) => bytes.len() / length,
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// When the column does not take these.
    pub fn push_bytes(
        &mut self,
        plan: &ColumnPlan,
        text: &[u8],
        levels: (u8, u8),
    ) -> Result<(), Misfit> {
        let wrong_length = |wanted: &str| {
            let (name, n) = (&plan.name, text.len());
            Err(format!(
                "column '{name}' expected {wanted} but received {n} bytes"
            ))
        };
        match &mut self.values {
            Values::Binary(bytes, ends) => {
                if plan.is_text && std::str::from_utf8(text).is_err() {
                    return Err(format!("column '{}' is not valid UTF-8", plan.name));
                }
                bytes.extend_from_slice(text);
                ends.push(bytes.len());
            }
            Values::Fixed(bytes, length) => {
                if text.len() != *length {
                    return wrong_length(&format!("FIXED_LEN_BYTE_ARRAY({length})"));
                }
                bytes.extend_from_slice(text);
            }
            Values::Int96(values) => {
                let Ok(text) = <&[u8; INT96_LEN]>::try_from(text) else {
                    return wrong_length("INT96");
                };
                values.push(int96(text));
            }
            _ => return Err(mismatch(plan, "string")),
        }
        self.push_levels(plan, levels);
        Ok(())
    }

    /// Adds a truth value.
    ///
    /// # Errors
    /// When the column is not one of those.
    pub fn push_bool(
        &mut self,
        plan: &ColumnPlan,
        truth: bool,
        levels: (u8, u8),
    ) -> Result<(), Misfit> {
        let Values::Bool(values) = &mut self.values else {
            return Err(mismatch(plan, "boolean"));
        };
        values.push(truth);
        self.push_levels(plan, levels);
        Ok(())
    }

    /// Adds a whole number.
    ///
    /// # Errors
    /// When the column is not one of those, or the number is beyond its range.
    pub fn push_integer(
        &mut self,
        plan: &ColumnPlan,
        number: i128,
        levels: (u8, u8),
    ) -> Result<(), Misfit> {
        let fits = (plan.range.min..=plan.range.max).contains(&number);
        match &mut self.values {
            Values::Int32(_) | Values::Int64(_) if !fits => {
                return Err(format!("column '{}' number out of range", plan.name));
            }
            // Unsigned numbers are stored by their bits.
            Values::Int32(values) => values.push(number as i32),
            Values::Int64(values) => values.push(number as i64),
            _ => return Err(mismatch(plan, "integer")),
        }
        self.push_levels(plan, levels);
        Ok(())
    }

    /// Adds a floating point number to a column of those.
    ///
    /// # Errors
    /// When the column is not one of those.
    pub fn push_double(
        &mut self,
        plan: &ColumnPlan,
        number: f64,
        levels: (u8, u8),
    ) -> Result<(), Misfit> {
        match &mut self.values {
            Values::Float(values) => values.push(number as f32),
            Values::Double(values) => values.push(number),
            _ => return Err(mismatch(plan, "number")),
        }
        self.push_levels(plan, levels);
        Ok(())
    }

    /// Adds a number of Lua: as it is, or what is before its decimal point in a column of whole numbers.
    ///
    /// # Errors
    /// When the column has no numbers, or the number is beyond its range.
    pub fn push_number(
        &mut self,
        plan: &ColumnPlan,
        number: f64,
        levels: (u8, u8),
    ) -> Result<(), Misfit> {
        match plan.physical {
            Physical::FLOAT | Physical::DOUBLE => self.push_double(plan, number, levels),
            // The short way for nearly all numbers.
            _ if number.abs() < MAX_SHORT => {
                self.push_integer(plan, i128::from(number as i64), levels)
            }
            _ if number.is_finite() => self.push_integer(plan, number as i128, levels),
            Physical::INT32 | Physical::INT64 => {
                Err(format!("column '{}' number out of range", plan.name))
            }
            _ => Err(mismatch(plan, "integer")),
        }
    }

    /// Adds that there is nothing.
    ///
    /// # Errors
    /// When there has to be something.
    pub fn push_null(&mut self, plan: &ColumnPlan, (r, d): (u8, u8)) -> Result<(), Misfit> {
        if plan.dl == 0 || plan.dl == d && plan.is_required {
            return Err(format!("column '{}' is required", plan.name));
        }
        self.push_levels(plan, (r, d));
        Ok(())
    }

    fn push_levels(&mut self, plan: &ColumnPlan, (r, d): (u8, u8)) {
        if plan.dl > 0 {
            self.defs.push(d);
        }
        if plan.rl > 0 {
            self.reps.push(r);
        }
    }

    /// What was added belongs to a whole row.
    pub fn keep(&mut self) {
        self.whole = Mark {
            values: self.n_values(),
            defs: self.defs.len(),
            reps: self.reps.len(),
        };
    }

    /// Forgets what was added since [`Column::keep`].
    pub fn roll_back(&mut self) {
        let n = self.whole.values;
        match &mut self.values {
            Values::Bool(values) => values.truncate(n),
            Values::Int32(values) => values.truncate(n),
            Values::Int64(values) => values.truncate(n),
            Values::Int96(values) => values.truncate(n),
            Values::Float(values) => values.truncate(n),
            Values::Double(values) => values.truncate(n),
            Values::Binary(bytes, ends) => {
                ends.truncate(n);
                bytes.truncate(ends.last().copied().unwrap_or(0));
            }
            Values::Fixed(bytes, length) => bytes.truncate(n * *length),
        }
        self.defs.truncate(self.whole.defs);
        self.reps.truncate(self.whole.reps);
    }

    /// Hands everything to the encoder and is empty afterwards, without memory.
    ///
    /// # Errors
    /// The encoder's.
    pub fn write(
        &mut self,
        plan: &ColumnPlan,
        out: &mut SerializedColumnWriter<'_>,
    ) -> ParquetResult<()> {
        let taken = std::mem::replace(self, Column::new(plan));
        let mut levels = Levels {
            defs: &taken.defs,
            reps: &taken.reps,
            dl: plan.dl,
            n_values: taken.n_values(),
        };
        match taken.values {
            Values::Bool(values) => write_all::<BoolType>(&values, &mut levels, out),
            Values::Int32(values) => write_all::<Int32Type>(&values, &mut levels, out),
            Values::Int64(values) => write_all::<Int64Type>(&values, &mut levels, out),
            Values::Int96(values) => write_all::<Int96Type>(&values, &mut levels, out),
            Values::Float(values) => write_all::<FloatType>(&values, &mut levels, out),
            Values::Double(values) => write_all::<DoubleType>(&values, &mut levels, out),
            Values::Binary(bytes, ends) => {
                let bytes = Bytes::from(bytes);
                let value = |i: usize| {
                    let start = if i == 0 { 0 } else { ends[i - 1] };
                    ByteArray::from(bytes.slice(start..ends[i]))
                };
                write_made::<ByteArrayType>(value, &mut levels, out)
            }
            Values::Fixed(bytes, length) => {
                let bytes = Bytes::from(bytes);
                let value = |i: usize| {
                    let value = bytes.slice(i * length..(i + 1) * length);
                    FixedLenByteArray::from(ByteArray::from(value))
                };
                write_made::<FixedLenByteArrayType>(value, &mut levels, out)
            }
        }
    }
}

fn int96(text: &[u8; INT96_LEN]) -> Int96 {
    let word = |i: usize| {
        let bytes = text[i..i + 4].try_into().expect("four bytes are there");
        u32::from_le_bytes(bytes)
    };
    let mut number = Int96::new();
    number.set_data(word(0), word(4), word(8));
    number
}

/// Levels that are not written yet, cut into batches that end with a row.
struct Levels<'a> {
    defs: &'a [u8],
    reps: &'a [u8],
    dl: u8,
    n_values: usize,
}

/// Levels as the encoder takes them, and the number of values that go with them.
struct Batch {
    defs: Vec<i16>,
    reps: Vec<i16>,
    n_values: usize,
}

impl Batch {
    fn defs(&self) -> Option<&[i16]> {
        (!self.defs.is_empty()).then_some(&self.defs)
    }

    fn reps(&self) -> Option<&[i16]> {
        (!self.reps.is_empty()).then_some(&self.reps)
    }
}

impl Levels<'_> {
    fn next(&mut self) -> Option<Batch> {
        let left = if self.dl > 0 {
            self.defs.len()
        } else {
            self.n_values
        };
        if left == 0 {
            return None;
        }
        let mut n = left.min(LEVELS_PER_BATCH);
        if !self.reps.is_empty() {
            let rest = &self.reps[n..];
            n += rest.iter().position(|&r| r == 0).unwrap_or(rest.len());
        }
        let defs = self
            .defs
            .split_off(..n.min(self.defs.len()))
            .unwrap_or_default();
        let reps = self
            .reps
            .split_off(..n.min(self.reps.len()))
            .unwrap_or_default();
        let n_values = match self.dl {
            0 => n,
            dl => defs.iter().filter(|&&d| d == dl).count(),
        };
        self.n_values -= n_values;
        Some(Batch {
            defs: defs.iter().copied().map(i16::from).collect(),
            reps: reps.iter().copied().map(i16::from).collect(),
            n_values,
        })
    }
}

fn write_all<T: DataType>(
    values: &[T::T],
    levels: &mut Levels<'_>,
    out: &mut SerializedColumnWriter<'_>,
) -> ParquetResult<()> {
    let mut at = 0;
    while let Some(batch) = levels.next() {
        let end = at + batch.n_values;
        let writer = out.typed::<T>();
        writer.write_batch(&values[at..end], batch.defs(), batch.reps())?;
        at = end;
    }
    Ok(())
}

/// As [`write_all`], for values that are made a batch at a time.
fn write_made<T: DataType>(
    value: impl Fn(usize) -> T::T,
    levels: &mut Levels<'_>,
    out: &mut SerializedColumnWriter<'_>,
) -> ParquetResult<()> {
    let mut at = 0;
    while let Some(batch) = levels.next() {
        let end = at + batch.n_values;
        let values: Vec<T::T> = (at..end).map(&value).collect();
        let writer = out.typed::<T>();
        writer.write_batch(&values, batch.defs(), batch.reps())?;
        at = end;
    }
    Ok(())
}
