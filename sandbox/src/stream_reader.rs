//! `create_stream_reader`: finds messages in a stream that an input reads.

use schemas::View;
use schemas::frame::StreamReader;

use crate::message::{Part, Read, read};
use crate::native::{Call, Class, Error, Function, Object, Type, function};

/// Longest name of a reader in bytes; Hindsight's.
const MAX_NAME: usize = 254;

/// A stream reader in Lua's hands.
pub(crate) struct Reader {
    name: String,
    stream: StreamReader,
    max_message: usize,
}

impl Reader {
    /// The message found last.
    pub(crate) fn message(&self) -> Option<&[u8]> {
        self.stream.message()
    }

    pub(crate) fn view(&self) -> Option<View<'_>> {
        self.stream.view()
    }
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
        self.max_message
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
        max_message,
    })?;
    Ok(1)
}

/// `reader:find_message(bytes | nil | file [, decode])`: whether a message was found, bytes used up, bytes still needed
/// (or, from a file, bytes read).
fn find_message(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut reader = call.check_object_mut::<Reader>(1)?;
    let decode = if call.is_none(3) {
        true
    } else {
        call.check_bool(3)?
    };
    let from_file = match call.type_of(2) {
        Type::Nil | Type::None => false,
        Type::String => {
            let bytes = call.check_bytes(2)?;
            if reader.stream.push(bytes).is_err() {
                return Err(Error::new(format!(
                    "buffer reallocation failed\tname:{}",
                    reader.name
                )));
            }
            false
        }
        Type::Userdata => true,
        _ => {
            return Err(Error::argument(
                2,
                "buffer must be a nil, string, userdata (FILE*)",
            ));
        }
    };
    let found = reader.stream.find(decode);
    let mut third = found.need;
    if from_file {
        third = if found.found {
            0
        } else {
            fill_from_file(call, &mut reader, found.need)?
        };
    }
    let consumed = found.consumed;
    call.push_bool(found.found)?;
    call.push_number(consumed as f64)?;
    call.push_number(third as f64)?;
    Ok(3)
}

/// Reads up to `need` bytes from the file that is argument 2, by its own method; how many there were.
fn fill_from_file(call: &mut Call<'_>, reader: &mut Reader, need: usize) -> Result<usize, Error> {
    let top = call.top();
    let is_file = call.push_metafield(2, "__index")? && call.type_of(-1) == Type::Table;
    if is_file {
        call.raw_get_field(-1, "read")?;
    }
    if !is_file || call.type_of(-1) != Type::Function {
        return Err(Error::argument(
            2,
            "buffer must be a nil, string, userdata (FILE*)",
        ));
    }
    call.push_value(2)?;
    call.push_number(need.max(1) as f64)?;
    call.call(2, 1)?;
    let bytes = call.bytes_at(-1).unwrap_or_default();
    let n = bytes.len();
    let fits = reader.stream.push(bytes).is_ok();
    call.truncate(top);
    if fits {
        Ok(n)
    } else {
        Err(Error::new(format!(
            "buffer reallocation failed\tname:{}",
            reader.name
        )))
    }
}

/// `reader:decode_message(bytes)`: takes one message as it is; the stream's buffer is forgotten.
fn decode_message(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut reader = call.check_object_mut::<Reader>(1)?;
    if call.type_of(2) != Type::String {
        return Err(Error::argument(2, "buffer must be string"));
    }
    let bytes = call.check_bytes(2)?;
    if bytes.is_empty() {
        return Err(Error::new("empty protobuf string"));
    }
    match reader.stream.set_message(bytes) {
        Ok(true) => Ok(0),
        Ok(false) => Err(Error::new("invalid protobuf string")),
        Err(_) => Err(Error::new(format!(
            "buffer reallocation failed\tname:{}",
            reader.name
        ))),
    }
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
