//! `create_stream_reader`: finds messages in a stream that an input reads.

use schemas::View;
use schemas::frame::{Found, StreamReader};

use crate::message::{Part, Read, read};
use crate::native::{Call, Class, Error, Function, Object, Type, function};

/// Longest name of a reader in bytes; Hindsight's.
const MAX_NAME: usize = 254;

/// A stream reader in Lua's hands.
pub(crate) struct Reader {
    name: String,
    stream: StreamReader,
}

impl Reader {
    /// The message found last.
    pub(crate) fn message(&self) -> Option<&[u8]> {
        self.stream.message()
    }

    pub(crate) fn view(&self) -> Option<View<'_>> {
        self.stream.view()
    }

    /// Makes room for `len` more bytes, as far as the plugin's memory allows.
    fn grow(&mut self, call: &Call<'_>, len: usize) -> Result<(), Error> {
        let growth = self.stream.growth(len);
        if growth > 0 {
            call.check_memory(growth)?;
        }
        self.stream
            .space(len)
            .map(drop)
            .map_err(|_| Error::new(format!("buffer reallocation failed\tname:{}", self.name)))
    }

    fn push(&mut self, call: &Call<'_>, bytes: &[u8]) -> Result<(), Error> {
        self.grow(call, bytes.len())?;
        self.stream.push(bytes).expect("room was made");
        Ok(())
    }
}

/// Runs `work` on the reader that is argument 1 and counts its memory again if that has changed.
fn with_reader<T>(
    call: &mut Call<'_>,
    work: impl FnOnce(&mut Call<'_>, &mut Reader) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = call.check_object_mut::<Reader>(1)?;
    let before = reader.memory();
    let result = work(call, &mut reader);
    let after = reader.memory();
    drop(reader);
    if before != after {
        call.recount(1)?;
    }
    result
}

const METHODS: &[(&str, Function)] = &[
    ("find_message", function(find_message)),
    ("decode_message", function(decode_message)),
    ("read_message", function(read_message)),
];

impl Object for Reader {
    fn class() -> Class {
        Class {
            name: "lsb.heka_stream_reader",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.stream.memory()
    }
}

/// `create_stream_reader(name)`
pub(crate) fn create(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = call.check_bytes(1)?;
    if name.len() > MAX_NAME {
        return Err(Error::argument(1, "name is too long"));
    }
    let max_message = call.shared().limits.max_message;
    let name = String::from_utf8_lossy(name).into_owned();
    call.push_object(Reader {
        name,
        stream: StreamReader::new(max_message),
    })?;
    Ok(1)
}

/// `reader:find_message(bytes | nil | file [, decode])`: whether a message was found, bytes used up, bytes still needed
/// (or, from a file, bytes read).
fn find_message(call: &mut Call<'_>) -> Result<usize, Error> {
    let (found, third) = with_reader(call, find)?;
    call.push_bool(found.found)?;
    call.push_number(found.consumed as f64)?;
    call.push_number(third as f64)?;
    Ok(3)
}

/// What was found, and the third result of `find_message`.
fn find(call: &mut Call<'_>, reader: &mut Reader) -> Result<(Found, usize), Error> {
    let decode = if call.is_none(3) {
        true
    } else {
        call.check_bool(3)?
    };
    let kind = call.type_of(2);
    match kind {
        Type::Nil | Type::None | Type::Userdata => {}
        Type::String => reader.push(call, call.check_bytes(2)?)?,
        _ => return Err(no_source()),
    }
    let found = reader.stream.find(decode);
    let third = match (kind, found.found) {
        (Type::Userdata, true) => 0,
        (Type::Userdata, false) => fill_from_file(call, reader, found.need)?,
        _ => found.need,
    };
    Ok((found, third))
}

fn no_source() -> Error {
    Error::argument(2, "buffer must be a nil, string, userdata (FILE*)")
}

/// Reads up to `need` bytes from the file that is argument 2, by its own method; how many there were.
fn fill_from_file(call: &mut Call<'_>, reader: &mut Reader, need: usize) -> Result<usize, Error> {
    let top = call.top();
    let is_file = call.push_metafield(2, "__index")? && call.type_of(-1) == Type::Table;
    if is_file {
        call.raw_get_field(-1, "read")?;
    }
    if !is_file || call.type_of(-1) != Type::Function {
        return Err(no_source());
    }
    call.push_value(2)?;
    call.push_number(need.max(1) as f64)?;
    call.call(2, 1)?;
    let bytes = call.bytes_at(-1).unwrap_or_default();
    let n = bytes.len();
    reader.push(call, bytes)?;
    call.truncate(top);
    Ok(n)
}

/// `reader:decode_message(bytes)`: takes one message as it is; the stream's buffer is forgotten.
fn decode_message(call: &mut Call<'_>) -> Result<usize, Error> {
    with_reader(call, |call, reader| {
        if call.type_of(2) != Type::String {
            return Err(Error::argument(2, "buffer must be string"));
        }
        let bytes = call.check_bytes(2)?;
        if bytes.is_empty() {
            return Err(Error::new("empty protobuf string"));
        }
        reader.stream.clear();
        reader.grow(call, bytes.len())?;
        match reader.stream.set_message(bytes) {
            Ok(true) => Ok(0),
            _ => Err(Error::new("invalid protobuf string")),
        }
    })
}

/// `reader:read_message(name [, fieldIndex [, arrayIndex]])`
fn read_message(call: &mut Call<'_>) -> Result<usize, Error> {
    if !(2..=4).contains(&call.arg_count()) {
        return Err(Error::new("read_message() incorrect number of arguments"));
    }
    let reader = call.check_object::<Reader>(1)?;
    let name = call.check_bytes(2)?;
    let mut at = [0, 0];
    for (i, what) in [(3, "field"), (4, "array")] {
        let number = call.opt_integer(i)?.unwrap_or(0);
        if number < 0 {
            return Err(Error::argument(i, format!("{what} index must be >= 0")));
        }
        at[i as usize - 3] = number as usize;
    }
    let part = Part::parse(name).ok_or_else(|| {
        let name = String::from_utf8_lossy(name);
        Error::new(format!(
            "heka_read_message() field: '{name}' not supported/recognized"
        ))
    })?;
    let Some(view) = reader.view() else {
        call.push_nil()?;
        return Ok(1);
    };
    match read(&view, None, part, name, (at[0], at[1])) {
        Read::Nil => call.push_nil()?,
        Read::Bytes(bytes) => call.push_bytes(bytes)?,
        Read::Number(number) => call.push_number(number)?,
        Read::Bool(truth) => call.push_bool(truth)?,
    }
    Ok(1)
}
