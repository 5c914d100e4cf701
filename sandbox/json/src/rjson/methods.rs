//! The methods of documents.

use sandbox::native::{Call, Error, Type, function};

use super::{Json, SchemaObject, handle_argument, place_of, value_argument};
use crate::document::{Document, Node};
use crate::schema::Outcome;

/// Members looked through for one step of the budget.
const MEMBERS_PER_STEP: usize = 8;

/// Checks the number of arguments; the value that argument 2 stands for, none for nil.
fn checked_value(call: &Call<'_>) -> Result<Option<(u32, Node)>, Error> {
    if !(1..=2).contains(&call.arg_count()) {
        return Err(Error::argument(0, "invalid number of arguments"));
    }
    let json = call.check_object::<Json>(1)?;
    let place = value_argument(call, &json)?;
    Ok(place.map(|place| (place, json.document.node(place))))
}

/// `document:type([value])`
pub(super) fn type_of(call: &mut Call<'_>) -> Result<usize, Error> {
    let name = match checked_value(call)?.map(|(_, node)| node) {
        None | Some(Node::Removed) => {
            call.push_nil()?;
            return Ok(1);
        }
        Some(Node::Null) => "null",
        Some(Node::Boolean(_)) => "boolean",
        Some(Node::Integer(_) | Node::Unsigned(_) | Node::Double(_)) => "number",
        Some(Node::String(..)) => "string",
        Some(Node::Array(..)) => "array",
        Some(Node::Object(..)) => "object",
    };
    call.push_bytes(name)?;
    Ok(1)
}

/// `document:size([value])`
pub(super) fn size(call: &mut Call<'_>) -> Result<usize, Error> {
    let Some((place, node)) = checked_value(call)? else {
        call.push_nil()?;
        return Ok(1);
    };
    let what = match node {
        Node::String(_, len) => {
            call.push_integer(len.into())?;
            return Ok(1);
        }
        Node::Array(_, len) | Node::Object(_, len) => {
            call.charge(len / MEMBERS_PER_STEP as u32)?;
            let n = call.check_object::<Json>(1)?.document.count(place);
            call.push_integer(n as i64)?;
            return Ok(1);
        }
        Node::Boolean(_) => "a boolean",
        Node::Null | Node::Removed => "a NULL",
        Node::Integer(_) | Node::Unsigned(_) | Node::Double(_) => "a number",
    };
    Err(Error::new(format!("attempt to get length of {what}")))
}

/// `document:value([value])`
pub(super) fn value(call: &mut Call<'_>) -> Result<usize, Error> {
    match checked_value(call)?.map(|(_, node)| node) {
        None | Some(Node::Null | Node::Removed) => call.push_nil()?,
        Some(Node::Boolean(truth)) => call.push_bool(truth)?,
        Some(Node::Integer(number)) => call.push_integer(number)?,
        Some(Node::Unsigned(number)) => call.push_number(number as f64)?,
        Some(Node::Double(number)) => call.push_number(number)?,
        Some(Node::String(at, len)) => {
            let json = call.check_object::<Json>(1)?;
            call.push_bytes(json.document.text(at, len))?;
        }
        Some(Node::Object(..)) => return Err(Error::new("value() not allowed on an object")),
        Some(Node::Array(..)) => return Err(Error::new("value() not allowed on an array")),
    }
    Ok(1)
}

/// Where a path begins: at the value of argument 2, or at the whole document; and the argument at which its first step
/// stands.
fn path_start(call: &Call<'_>, json: &Json) -> Result<(u32, i32), Error> {
    match call.type_of(2) {
        Type::LightUserdata | Type::Userdata if handle_argument(call, 2) != Some(0) => {
            Ok((place_of(json, handle_argument(call, 2))?, 3))
        }
        _ => Ok((json.document.root(), 2)),
    }
}

/// One step of a path, argument `i`: a key or an index. None if there is no such value.
fn step(call: &mut Call<'_>, place: u32, i: i32) -> Result<Option<u32>, Error> {
    let document = &call.check_object::<Json>(1)?.document;
    if let Node::Array(_, len) | Node::Object(_, len) = document.node(place) {
        call.charge(len / MEMBERS_PER_STEP as u32)?;
    }
    Ok(match call.type_of(i) {
        Type::String => document.member(place, call.check_bytes(i)?),
        Type::Number => match call.check_integer(i)? {
            index @ 0.. => document.item(place, index as usize),
            _ => None,
        },
        _ => None,
    })
}

/// `document:find([value,] key...)`
pub(super) fn find(call: &mut Call<'_>) -> Result<usize, Error> {
    let (mut place, first) = path_start(call, &*call.check_object::<Json>(1)?)?;
    for i in first..=call.arg_count() as i32 {
        match step(call, place, i)? {
            Some(found) => place = found,
            None => {
                call.push_nil()?;
                return Ok(1);
            }
        }
    }
    let handle = call.check_object::<Json>(1)?.handle(place);
    call.push_light(handle)?;
    Ok(1)
}

/// Takes the value that the arguments speak of out of its container; its new place.
fn take(call: &mut Call<'_>) -> Result<Option<u32>, Error> {
    let (mut place, first) = path_start(call, &*call.check_object::<Json>(1)?)?;
    let n_args = call.arg_count() as i32;
    if n_args < first {
        return Err(Error::new("cannot remove the root"));
    }
    let mut container = place;
    for i in first..=n_args {
        match step(call, place, i)? {
            Some(found) => (container, place) = (place, found),
            None => return Ok(None),
        }
    }
    // Borrowed for this statement only: what is counted again must not be in use.
    let taken = call
        .check_object_mut::<Json>(1)?
        .document
        .take(container, place);
    call.recount(1)?;
    Ok(Some(taken))
}

/// `document:remove([value,] key...)`: the removed value as a document of its own.
pub(super) fn remove(call: &mut Call<'_>) -> Result<usize, Error> {
    let Some(place) = take(call)? else {
        call.push_nil()?;
        return Ok(1);
    };
    let memory = call.check_object::<Json>(1)?.document.memory();
    call.check_memory(memory)?;
    call.charge(u32::try_from(memory / size_of::<Node>()).unwrap_or(u32::MAX))?;
    let copy: Document = call.check_object::<Json>(1)?.document.copy(place);
    call.push_object(Json::new(copy))?;
    Ok(1)
}

/// `document:remove_shallow([value,] key...)`: the removed value, which stays with the document.
pub(super) fn remove_shallow(call: &mut Call<'_>) -> Result<usize, Error> {
    match take(call)? {
        Some(place) => {
            let handle = call.check_object::<Json>(1)?.handle(place);
            call.push_light(handle)?;
        }
        None => call.push_nil()?,
    }
    Ok(1)
}

/// `document:make_field([value])`: what `inject_message` takes as a field.
pub(super) fn make_field(call: &mut Call<'_>) -> Result<usize, Error> {
    let Some((place, _)) = checked_value(call)? else {
        call.push_nil()?;
        return Ok(1);
    };
    let handle = call.check_object::<Json>(1)?.handle(place);
    call.push_table(0, 3)?;
    call.push_light(handle)?;
    call.raw_set_field(-2, "value")?;
    call.push_value(1)?;
    call.raw_set_field(-2, "userdata")?;
    call.push_bytes("json")?;
    call.raw_set_field(-2, "representation")?;
    Ok(1)
}

/// What an iterator keeps, as upvalues: the document, the container, the next place, and the next index.
mod kept {
    pub(super) const DOCUMENT: u8 = 1;
    pub(super) const CONTAINER: u8 = 2;
    pub(super) const PLACE: u8 = 3;
    pub(super) const INDEX: u8 = 4;
}

/// `document:iter([value])`: a function that gives index and value, or key and value, one by one.
pub(super) fn iter(call: &mut Call<'_>) -> Result<usize, Error> {
    let Some((place, node)) = checked_value(call)? else {
        call.push_nil()?;
        return Ok(1);
    };
    let (Node::Array(first, _) | Node::Object(first, _)) = node else {
        return Err(Error::new("iter() not allowed on a primitive type"));
    };
    let handle = call.check_object::<Json>(1)?.handle(place);
    call.push_value(1)?;
    call.push_light(handle)?;
    call.push_integer(first.into())?;
    call.push_integer(0)?;
    call.push_closure(function(next), 4)?;
    Ok(1)
}

/// What an iterator finds.
struct Found {
    /// The key of a member; an item has none.
    key: Option<Vec<u8>>,
    handle: u64,
    next_place: u32,
    /// Holes that were stepped over.
    n_holes: u32,
}

fn next(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(kept::DOCUMENT)?;
    call.push_upvalue(kept::CONTAINER)?;
    call.push_upvalue(kept::PLACE)?;
    call.push_upvalue(kept::INDEX)?;
    let container = call.light_at(-3).unwrap_or_default();
    let place = call.number_at(-2).unwrap_or_default() as u32;
    let index = call.number_at(-1).unwrap_or_default();
    let found = call.with_object(-4, |json: &Json| {
        let container = json.place(container)?;
        Some(look(json, container, place))
    });
    let Some(found) = found.flatten() else {
        return Err(Error::new("iterator has been invalidated"));
    };
    let Some(found) = found else {
        call.push_nil()?;
        call.push_nil()?;
        return Ok(2);
    };
    call.charge(1 + found.n_holes)?;
    call.push_integer(found.next_place.into())?;
    call.set_upvalue(kept::PLACE);
    match found.key {
        Some(key) => call.push_bytes(key)?,
        None => {
            call.push_number(index + 1.0)?;
            call.set_upvalue(kept::INDEX);
            call.push_number(index)?;
        }
    }
    call.push_light(found.handle)?;
    Ok(2)
}

/// The first item or member from `place` on.
fn look(json: &Json, container: u32, place: u32) -> Option<Found> {
    let document = &json.document;
    let (first, len, step) = match document.node(container) {
        Node::Array(first, len) => (first, len, 1),
        Node::Object(first, len) => (first, len, 2),
        _ => return None,
    };
    let end = first + len * step;
    let mut at = place;
    while at < end && document.node(at + step - 1) == Node::Removed {
        at += step;
    }
    if at >= end {
        return None;
    }
    let key = match document.node(at) {
        Node::String(at, len) if step == 2 => Some(document.text(at, len).to_vec()),
        _ => None,
    };
    Some(Found {
        key,
        handle: json.handle(at + step - 1),
        next_place: at + step,
        n_holes: (at - place) / step,
    })
}

/// `document:validate(schema)`: whether it fits; if not, why: a line on the first violation, and a report on all as JSON.
pub(super) fn validate(call: &mut Call<'_>) -> Result<usize, Error> {
    let json = call.check_object::<Json>(1)?;
    let schema = call.check_object::<SchemaObject>(2)?;
    let limit = call.instruction_limit();
    let (schema, cost) = schema.0.get().map_err(Error::bare)?;
    call.charge(cost.map_or(0, |cost| cost.steps))?;
    let validation = schema.validate(&json.document, limit);
    call.charge(validation.steps)?;
    match validation.outcome {
        Outcome::Valid => {
            call.push_bool(true)?;
            call.push_nil()?;
            Ok(2)
        }
        Outcome::Invalid { first, report } => {
            call.push_bool(false)?;
            call.push_bytes(first)?;
            call.push_bytes(report)?;
            Ok(3)
        }
        Outcome::Exhausted => {
            call.charge(u32::MAX)?;
            Err(Error::new("validate() takes too long"))
        }
        Outcome::TooDeep => Err(Error::new("validate() nests too deeply")),
    }
}
