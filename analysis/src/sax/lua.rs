//! The `sax` module.

use sandbox::native::{Call, Class, Error, Function, Object, Scope, Type, function};

use super::{MAX_CARDINALITY, MAX_LETTERS, MAX_VALUES, MIN_CARDINALITY, Window, Word};
use crate::binding::{charge, check, check_int, filled, write_new};

/// Values that are looked at for one step of the plugin's budget.
const VALUES_PER_STEP: usize = 4;

const METAMETHODS: &[(&str, Function)] = &[
    ("__eq", function(equal)),
    ("__tostring", function(tostring)),
];

const METHODS: &[(&str, Function)] = &[
    ("__tostring", function(tostring)),
    ("add", function(add)),
    ("clear", function(clear)),
    ("get_word", function(get_word)),
];

/// Words and windows are of one class, because Lua compares objects of one class only.
pub enum Sax {
    /// `sax.word`
    Word(Word),
    /// `sax.window`
    Window(Window),
}

impl Sax {
    fn word(&self) -> &Word {
        match self {
            Sax::Word(word) => word,
            Sax::Window(window) => window.word(),
        }
    }

    fn window_mut(&mut self) -> Result<&mut Window, Error> {
        match self {
            Sax::Window(window) => Ok(window),
            Sax::Word(_) => Err(Error::argument(
                1,
                "mozsvc.sax.window expected, got userdata",
            )),
        }
    }
}

impl Object for Sax {
    fn class() -> Class {
        Class {
            name: "mozsvc.sax.window",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        let letters = self.word().n_letters() * 2;
        match self {
            Sax::Word(_) => letters,
            Sax::Window(window) => letters + window.word().n_values() * 8,
        }
    }

    fn output(&self, _: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        self.word().write(out);
        Some(Ok(()))
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        match self {
            Sax::Word(word) => preserve_word(word, key, out),
            Sax::Window(window) => preserve_window(window, key, out),
        }
        Some(Ok(()))
    }
}

fn preserve_word(word: &Word, key: &[u8], out: &mut Vec<u8>) {
    let mut letters = Vec::with_capacity(word.n_letters() + 2);
    word.write(&mut letters);
    let letters = String::from_utf8_lossy(&letters);
    // Upstream forgets how many values the word stands for.
    let n_values = match word.n_values() {
        0 => String::new(),
        n => format!(", {n}"),
    };
    let constructor = format!(
        "sax.word.new(\"{letters}\", {}{n_values})",
        word.cardinality()
    );
    write_new(key, &constructor, out);
}

fn preserve_window(window: &Window, key: &[u8], out: &mut Vec<u8>) {
    let word = window.word();
    let (n, w, c) = (word.n_values(), word.n_letters(), word.cardinality());
    write_new(key, &format!("sax.window.new({n}, {w}, {c})"), out);
    if window.values().all(f64::is_nan) {
        return;
    }
    for part in [key, b":clear()\n", key, b":add({"] {
        out.extend_from_slice(part);
    }
    for (i, value) in window.values().enumerate() {
        let comma = if i == 0 { "" } else { "," };
        out.extend_from_slice(comma.as_bytes());
        let text = match value {
            _ if value.is_nan() => "0/0".into(),
            f64::INFINITY => "1/0".into(),
            f64::NEG_INFINITY => "-1/0".into(),
            _ => format!("{value:?}"),
        };
        out.extend_from_slice(text.as_bytes());
    }
    out.extend_from_slice(b"})\n");
}

/// Pushes the module.
///
/// # Errors
/// At the memory limit.
pub fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(&[
        ("mindist", function(mindist)),
        ("version", function(version)),
    ])?;
    call.push_library(&[("new", function(new_word))])?;
    call.raw_set_field(-2, "word")?;
    call.push_library(&[("new", function(new_window))])?;
    call.raw_set_field(-2, "window")?;
    Ok(1)
}

fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes("0.5.0")?;
    Ok(1)
}

fn check_args(call: &Call<'_>, n: usize) -> Result<(), Error> {
    check(call.arg_count() == n, 0, "incorrect number of args")
}

/// Checks the measures of a word; errors are those of argument `i`.
fn check_measures(n: i32, w: i32, c: i32, i: i32) -> Result<(), Error> {
    check(n > 1 && n <= MAX_VALUES, i, "n is out of range")?;
    check(w > 1 && w <= MAX_LETTERS, i, "w is out of range")?;
    check(n % w == 0, i, "n must be evenly divisible by w")?;
    let cardinality = i32::from(MIN_CARDINALITY)..=i32::from(MAX_CARDINALITY);
    check(cardinality.contains(&c), i, "cardinality is out of range")
}

/// `window.new(n, w, c)`
fn new_window(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 3)?;
    let [n, w, c] = [
        check_int(call, 1)?,
        check_int(call, 2)?,
        check_int(call, 3)?,
    ];
    check_measures(n, w, c, 1)?;
    let values = filled(call, n as usize, f64::NAN)?;
    call.push_object(Sax::Window(Window::new(values, w as usize, c as u8)))?;
    Ok(1)
}

/// `word.new(text, c)` or `word.new(series, w, c)`; states have `word.new(text, c, n)` too.
fn new_word(call: &mut Call<'_>) -> Result<usize, Error> {
    match call.arg_count() {
        2 => word_of_text(call),
        3 if call.type_of(1) == Type::String => word_of_text(call),
        3 => word_of_series(call),
        _ => Err(Error::argument(0, "incorrect number of arguments")),
    }
}

fn word_of_text(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    check(text.len() > 1, 1, "length of SAX string should be > 1")?;
    let cardinality = u8::try_from(check_int(call, 2)?).unwrap_or(0);
    let n_values = match call.arg_count() {
        2 => 0,
        _ => check_int(call, 3)?.max(0) as usize,
    };
    call.check_memory(text.len().saturating_mul(2))?;
    charge(call, text.len() / VALUES_PER_STEP)?;
    let word = Word::of_text(text, cardinality).ok_or_else(|| {
        Error::argument(
            1,
            "illegal symbols for given cardinality or bad cardinality itself",
        )
    })?;
    call.push_object(Sax::Word(word.with_values(n_values)))?;
    Ok(1)
}

fn word_of_series(call: &mut Call<'_>) -> Result<usize, Error> {
    let [w, c] = [check_int(call, 2)?, check_int(call, 3)?];
    if call.type_of(1) != Type::Table {
        return Err(Error::argument(1, "array-like table expected"));
    }
    let n = i32::try_from(call.raw_len(1)).unwrap_or(i32::MAX);
    check_measures(n, w, c, 2)?;
    let values = check_numbers(call, 1, n as usize)?;
    let word = Word::of_series(values.iter(), w as usize, c as u8);
    call.push_object(Sax::Word(word))?;
    Ok(1)
}

/// The last `n` numbers of the table that is argument `i`; all of them are checked.
fn check_numbers(call: &mut Call<'_>, i: i32, n: usize) -> Result<Vec<f64>, Error> {
    let size = call.raw_len(i);
    let mut numbers = Vec::with_capacity(n.min(size));
    for at in 1..=size {
        if at % VALUES_PER_STEP == 0 {
            call.charge(1)?;
        }
        call.raw_get_index(i, at as i64)?;
        let number = call.to_number(-1);
        let number =
            number.ok_or_else(|| Error::argument(1, "expected array of numbers as input"))?;
        if at + n > size {
            numbers.push(number);
        }
        call.pop(1);
    }
    Ok(numbers)
}

/// `window:add(number or table)`
fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 2)?;
    let mut sax = call.check_object_mut::<Sax>(1)?;
    let window = sax.window_mut()?;
    let n = window.word().n_values();
    charge(call, n / VALUES_PER_STEP)?;
    if let Some(number) = call.to_number(2) {
        window.add(&[number]);
        return Ok(0);
    }
    check(
        call.type_of(2) == Type::Table,
        2,
        "number or array-like table expected",
    )?;
    let numbers = check_numbers(call, 2, n)?;
    if !numbers.is_empty() {
        window.add(&numbers);
    }
    Ok(0)
}

fn clear(call: &mut Call<'_>) -> Result<usize, Error> {
    check(call.arg_count() == 1, 0, "incorrect number of arguments")?;
    call.check_object_mut::<Sax>(1)?.window_mut()?.clear();
    Ok(0)
}

fn get_word(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 1)?;
    let word = call
        .check_object_mut::<Sax>(1)?
        .window_mut()?
        .word()
        .clone();
    call.push_object(Sax::Word(word))?;
    Ok(1)
}

/// Argument `i` as a word or window.
fn check_sax<'a>(call: &Call<'a>, i: i32) -> Result<sandbox::native::ObjectRef<'a, Sax>, Error> {
    match call.is_object::<Sax>(i) {
        true => call.check_object(i),
        // The doubled word is upstream's.
        false => Err(call.type_error(i, "sax.window or sax.word expected")),
    }
}

/// `mindist(a, b)`
fn mindist(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 2)?;
    let (a, b) = (check_sax(call, 1)?, check_sax(call, 2)?);
    charge(call, a.word().n_letters() / VALUES_PER_STEP)?;
    let Some(distance) = a.word().distance(b.word()) else {
        call.push_nil()?;
        return Ok(1);
    };
    for number in [distance.total, distance.above, distance.below] {
        call.push_number(number)?;
    }
    Ok(3)
}

fn equal(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 2)?;
    let (a, b) = (check_sax(call, 1)?, check_sax(call, 2)?);
    charge(call, a.word().n_letters() / VALUES_PER_STEP)?;
    call.push_bool(a.word() == b.word())?;
    Ok(1)
}

fn tostring(call: &mut Call<'_>) -> Result<usize, Error> {
    check_args(call, 1)?;
    let sax = check_sax(call, 1)?;
    let n = sax.word().n_letters();
    crate::binding::push_written(call, n, |out| sax.word().write(out))
}
