//! The module `rjson`: documents that stay out of Lua, of which a plugin takes what it needs, and JSON Schema.

mod message;
mod methods;

use std::sync::atomic::{AtomicU64, Ordering};

use sandbox::native::{
    Call, Class, Error, Function, LIGHT_END, Object, Registry, Scope, Type, function,
};

use crate::document::{Document, Failure, Limits, Node, Options};
use crate::schema::Schema;
use crate::schema::shared::SharedSchema;

/// Version of upstream's module whose behaviour this is.
const VERSION: &str = "1.1.4";

/// Values of each document that can have a handle, at most; a document has a value for every second byte at most, and each
/// can be moved once.
const HANDLES_PER_PLACE: u64 = 2;

/// Steps of compiling schemas that a plugin has free in its life: a loader compiles all schemas of its folder while it is
/// loaded, a hundred with fifty thousand values and some hundred regular expressions, and then none.
const FREE_STEPS: f64 = 5_000_000.0;

/// Where the state keeps how many steps went into compiling.
const COMPILED: &str = "rjson.compiled";

const FUNCTIONS: &[(&str, Function)] = &[
    ("make_field", function(methods::make_field)),
    ("parse", function(parse)),
    ("parse_message", function(message::parse_message)),
    ("parse_schema", function(parse_schema)),
    ("version", function(version)),
];

const METHODS: &[(&str, Function)] = &[
    ("find", function(methods::find)),
    ("iter", function(methods::iter)),
    ("make_field", function(methods::make_field)),
    ("parse", function(parse_again)),
    ("parse_message", function(message::parse_message_again)),
    ("remove", function(methods::remove)),
    ("remove_shallow", function(methods::remove_shallow)),
    ("size", function(methods::size)),
    ("type", function(methods::type_of)),
    ("validate", function(methods::validate)),
    ("value", function(methods::value)),
];

pub(crate) fn register(registry: &mut Registry) {
    registry.add_io("rjson", function(open));
}

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_library(FUNCTIONS)?;
    call.push_value(-1)?;
    call.set_global("rjson")?;
    Ok(1)
}

/// A document in Lua's hands. A value of it is known to Lua by a handle: a light userdata that no other document accepts.
struct Json {
    document: Document,
    /// The handle of the value at place 0.
    first_handle: u64,
}

/// The next handle that no document has.
static NEXT_HANDLE: AtomicU64 = AtomicU64::new(1);

impl Json {
    fn new(document: Document) -> Json {
        let n_handles = document.len() as u64 * HANDLES_PER_PLACE;
        // After half a million million handles they begin anew; documents that old do not live any more.
        let taken = NEXT_HANDLE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |next| {
            let end = next + n_handles;
            Some(if end < LIGHT_END { end } else { 1 + n_handles })
        });
        let next = taken.expect("there always is a next one");
        let first_handle = if next + n_handles < LIGHT_END {
            next
        } else {
            1
        };
        Json {
            document,
            first_handle,
        }
    }

    fn handle(&self, place: u32) -> u64 {
        self.first_handle + u64::from(place)
    }

    /// The place of the value that a handle stands for, if it is one of this document and still there.
    fn place(&self, handle: u64) -> Option<u32> {
        let place = u32::try_from(handle.checked_sub(self.first_handle)?).ok()?;
        let known = (place as usize) < self.document.len();
        (known && self.document.node(place) != Node::Removed).then_some(place)
    }
}

impl Object for Json {
    fn class() -> Class {
        Class {
            name: "mozsvc.rjson",
            methods: METHODS,
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.document.memory()
    }

    fn output(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        let limit = out.len().saturating_add(scope.output_limit());
        self.document.write(self.document.root(), limit, out);
        Some(Ok(()))
    }

    fn output_part(
        &self,
        part: u64,
        scope: &Scope<'_>,
        out: &mut Vec<u8>,
    ) -> Option<Result<(), String>> {
        if part == 0 {
            return self.output(scope, out);
        }
        let Some(place) = self.place(part) else {
            // Upstream's words for a handle that is none of the document's.
            return Some(Err("1".into()));
        };
        let limit = out.len().saturating_add(scope.output_limit());
        self.document.write(place, limit, out);
        Some(Ok(()))
    }
}

/// The limits of a plugin, as the reader of documents asks for them.
struct PluginLimits<'c, 'a>(&'c mut Call<'a>);

impl Limits for PluginLimits<'_, '_> {
    fn memory(&mut self, bytes: usize) -> Result<(), Error> {
        self.0.check_memory(bytes)
    }

    fn charge(&mut self, steps: u32) -> Result<(), Error> {
        self.0.charge(steps)
    }
}

/// Reads a document within the limits of the plugin.
fn read(call: &mut Call<'_>, text: Vec<u8>, options: Options) -> Result<Document, Error> {
    Document::parse(text, options, &mut PluginLimits(call)).map_err(|failure| match failure {
        Failure::Limit(error) => error,
        Failure::Syntax(error) => Error::bare(format!(
            "failed to parse offset:{} {}",
            error.offset, error.text
        )),
    })
}

/// Argument `i` as the text of a document, and the options that stand behind it.
fn text_argument(call: &Call<'_>, i: i32) -> Result<(Vec<u8>, Options), Error> {
    let text = call.check_bytes(i)?;
    call.check_memory(text.len())?;
    let options = Options {
        validate_utf8: call.is_true(i + 1),
        stop_when_done: false,
    };
    Ok((text.to_vec(), options))
}

/// `parse(text [, validate_encoding])`
fn parse(call: &mut Call<'_>) -> Result<usize, Error> {
    let (text, options) = text_argument(call, 1)?;
    let document = read(call, text, options)?;
    call.push_object(Json::new(document))?;
    Ok(1)
}

/// `document:parse(text [, validate_encoding])`: the document becomes another one; null if that fails.
fn parse_again(call: &mut Call<'_>) -> Result<usize, Error> {
    forget(call)?;
    let (text, options) = text_argument(call, 2)?;
    let document = read(call, text, options)?;
    replace(call, document)
}

/// Makes the document at argument 1 null.
fn forget(call: &mut Call<'_>) -> Result<(), Error> {
    *call.check_object_mut::<Json>(1)? = Json::new(Document::default());
    call.recount(1)
}

/// Gives the document at argument 1 a new content, and pushes it.
fn replace(call: &mut Call<'_>, document: Document) -> Result<usize, Error> {
    call.check_memory(document.memory())?;
    *call.check_object_mut::<Json>(1)? = Json::new(document);
    call.recount(1)?;
    call.push_value(1)?;
    Ok(1)
}

/// A compiled schema in Lua's hands.
struct SchemaObject(SharedSchema);

impl Object for SchemaObject {
    fn class() -> Class {
        Class {
            name: "mozsvc.rjson_schema",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.memory()
    }
}

/// `parse_schema(text)`
fn parse_schema(call: &mut Call<'_>) -> Result<usize, Error> {
    let (text, _) = text_argument(call, 1)?;
    let options = Options {
        validate_utf8: true,
        stop_when_done: false,
    };
    let document = read(call, text.clone(), options)?;
    let cost = Schema::cost(&document).map_err(Error::bare)?;
    // What is compiled is shared and not counted, but must fit while it is made.
    call.check_memory(cost.memory)?;
    charge_compiling(call, cost.steps)?;
    let schema = SharedSchema::new(text, &document).map_err(Error::bare)?;
    call.push_object(SchemaObject(schema))?;
    Ok(1)
}

/// Charges what a plugin compiles beyond [`FREE_STEPS`].
fn charge_compiling(call: &mut Call<'_>, steps: u32) -> Result<(), Error> {
    call.push_kept(COMPILED)?;
    let before = call.number_at(-1).unwrap_or(0.0);
    let now = before + f64::from(steps);
    call.pop(1);
    call.push_number(now)?;
    call.keep(COMPILED)?;
    let beyond = (now - FREE_STEPS.max(before)).max(0.0);
    call.charge(beyond as u32)
}

/// `version()`
fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(VERSION)?;
    Ok(1)
}

/// The place that argument 2 stands for: the whole document when it is not given, none for nil.
fn value_argument(call: &Call<'_>, json: &Json) -> Result<Option<u32>, Error> {
    if call.is_none(2) {
        return Ok(Some(json.document.root()));
    }
    match call.type_of(2) {
        Type::Nil => Ok(None),
        Type::LightUserdata | Type::Userdata => match handle_argument(call, 2) {
            Some(0) => Ok(None),
            handle => place_of(json, handle).map(Some),
        },
        _ => Err(call.type_error(2, "userdata")),
    }
}

/// The handle at argument `i`; none for anything else.
fn handle_argument(call: &Call<'_>, i: i32) -> Option<u64> {
    call.light_at(i)
}

fn place_of(json: &Json, handle: Option<u64>) -> Result<u32, Error> {
    handle
        .and_then(|handle| json.place(handle))
        .ok_or_else(|| Error::new("invalid value"))
}
