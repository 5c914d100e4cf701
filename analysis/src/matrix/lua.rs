//! The `streaming_algorithms.matrix` module.

use sandbox::native::{Call, Class, Error, Function, Object, function};

use super::{Element, Match, Matrix, Merge};
use crate::binding::{
    charge, check, check_count, check_counts, check_int, check_option, filled, push_member,
};
use crate::serialized::{self, Serialized, fromstring, tostring};

/// Numbers that are looked at for one step of the plugin's budget.
const NUMBERS_PER_STEP: usize = 4;

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    push_member(
        call,
        "streaming_algorithms",
        "matrix",
        &[("new", function(new))],
    )
}

impl<T: Element> Matrix<T> {
    const METHODS: &'static [(&'static str, Function)] = &[
        ("__tostring", function(tostring::<Matrix<T>>)),
        ("add", function(add::<T>)),
        ("clear_row", function(clear_row::<T>)),
        ("fromstring", function(fromstring::<Matrix<T>>)),
        ("get", function(get::<T>)),
        ("get_configuration", function(get_configuration::<T>)),
        ("get_row", function(get_row::<T>)),
        ("merge", function(merge::<T>)),
        ("pcc", function(pcc::<T>)),
        ("set", function(set::<T>)),
        ("sum", function(sum::<T>)),
    ];
    const METAMETHODS: &'static [(&'static str, Function)] =
        &[("__tostring", function(tostring::<Matrix<T>>))];
}

impl<T: Element> Object for Matrix<T> {
    fn class() -> Class {
        Class {
            name: T::NAMES[1],
            methods: Matrix::<T>::METHODS,
            metamethods: Matrix::<T>::METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.byte_len()
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let (rows, columns) = (self.rows(), self.columns());
        let kind = match T::NAMES[0] {
            "int" => String::new(),
            other => format!(", \"{other}\""),
        };
        let constructor = format!("streaming_algorithms.matrix.new({rows}, {columns}{kind})");
        serialized::preserve(self, key, &constructor, out);
        Some(Ok(()))
    }
}

/// `new(rows, columns[, type])`
fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 2..=3)?;
    let rows = check_int(call, 1)?;
    check(rows > 0, 1, "must be > 0")?;
    let columns = check_int(call, 2)?;
    check(columns > 0, 2, "must be > 0")?;
    let kinds = [<i32 as Element>::NAMES[0], <f32 as Element>::NAMES[0]];
    match check_option(call, 3, Some(0), &kinds)? {
        0 => push_new::<i32>(call, rows as usize, columns as usize),
        _ => push_new::<f32>(call, rows as usize, columns as usize),
    }
}

fn push_new<T: Element>(call: &mut Call<'_>, rows: usize, columns: usize) -> Result<usize, Error> {
    let n = rows.saturating_mul(columns);
    let numbers = filled(call, n, T::EMPTY)?;
    charge(call, n / NUMBERS_PER_STEP)?;
    call.push_object(Matrix::new(rows, numbers))?;
    Ok(1)
}

/// Argument 2 as a row, from 0.
fn check_row<T: Element>(call: &Call<'_>, matrix: &Matrix<T>) -> Result<usize, Error> {
    let row = usize::try_from(check_int(call, 2)?).unwrap_or(0);
    check((1..=matrix.rows()).contains(&row), 2, "invalid row")?;
    Ok(row - 1)
}

/// Arguments 2 and 3 as row and column, from 0.
fn check_cell<T: Element>(call: &Call<'_>, matrix: &Matrix<T>) -> Result<(usize, usize), Error> {
    let row = check_row(call, matrix)?;
    let column = usize::try_from(check_int(call, 3)?).unwrap_or(0);
    check((1..=matrix.columns()).contains(&column), 3, "invalid col")?;
    Ok((row, column - 1))
}

fn add<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut matrix = call.check_object_mut::<Matrix<T>>(1)?;
    check_count(call, 4)?;
    let (row, column) = check_cell(call, &matrix)?;
    let number = T::of_number(call.check_number(4)?);
    let sum = matrix.add(row, column, number);
    call.push_number(sum.number())?;
    Ok(1)
}

fn set<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut matrix = call.check_object_mut::<Matrix<T>>(1)?;
    check_count(call, 4)?;
    let (row, column) = check_cell(call, &matrix)?;
    let number = T::of_number(call.check_number(4)?);
    matrix.set(row, column, number);
    call.push_number(number.number())?;
    Ok(1)
}

fn get<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let matrix = call.check_object::<Matrix<T>>(1)?;
    check_count(call, 3)?;
    let (row, column) = check_cell(call, &matrix)?;
    call.push_number(matrix.get(row, column).number())?;
    Ok(1)
}

fn get_row<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let matrix = call.check_object::<Matrix<T>>(1)?;
    check_count(call, 2)?;
    let row = check_row(call, &matrix)?;
    charge(call, matrix.columns())?;
    call.check_memory(matrix.columns().saturating_mul(8))?;
    call.push_table(matrix.columns(), 0)?;
    for (i, number) in (1..).zip(matrix.row(row)) {
        call.push_number(number.number())?;
        call.raw_set_index(-2, i)?;
    }
    Ok(1)
}

fn clear_row<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut matrix = call.check_object_mut::<Matrix<T>>(1)?;
    check_count(call, 2)?;
    let row = check_row(call, &matrix)?;
    charge(call, matrix.columns() / NUMBERS_PER_STEP)?;
    matrix.clear_row(row);
    Ok(0)
}

fn get_configuration<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let matrix = call.check_object::<Matrix<T>>(1)?;
    check_count(call, 1)?;
    call.push_number(matrix.rows() as f64)?;
    call.push_number(matrix.columns() as f64)?;
    Ok(2)
}

fn sum<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 2..=3)?;
    let matrix = call.check_object::<Matrix<T>>(1)?;
    let row = check_row(call, &matrix)?;
    charge(call, matrix.columns() / NUMBERS_PER_STEP)?;
    call.push_number(matrix.sum(row))?;
    Ok(1)
}

/// `pcc(row[, "max" or "min"])`
fn pcc<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    let matrix = call.check_object::<Matrix<T>>(1)?;
    let row = check_row(call, &matrix)?;
    let which = match check_option(call, 3, Some(0), &["max", "min"])? {
        0 => Match::Max,
        _ => Match::Min,
    };
    charge(call, matrix.rows() * matrix.columns())?;
    let Some((coefficient, other)) = matrix.most_alike(row, which) else {
        return Ok(0);
    };
    call.push_number(coefficient)?;
    call.push_number((other + 1) as f64)?;
    Ok(2)
}

/// `merge(matrix[, "add" or "set"])`
fn merge<T: Element>(call: &mut Call<'_>) -> Result<usize, Error> {
    check_counts(call, 2..=3)?;
    let mut matrix = call.check_object_mut::<Matrix<T>>(1)?;
    let other = match call.raw_equal(1, 2) {
        true => None,
        false => Some(call.check_object::<Matrix<T>>(2)?),
    };
    let how = match check_option(call, 3, Some(0), &["add", "set"])? {
        0 => Merge::Add,
        _ => Merge::Set,
    };
    charge(call, matrix.rows() * matrix.columns() / NUMBERS_PER_STEP)?;
    match other {
        Some(other) => matrix.merge(&other, how),
        None => matrix.merge_self(how),
    }
    Ok(0)
}
