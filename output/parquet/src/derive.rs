//! The text of a Parquet schema from a JSON Schema, so that the lake's tables follow the schemas of submissions.
//!
//! Objects with properties become groups, objects without become maps, arrays become lists; what is not required is optional,
//! so that a column that comes later breaks no reader. What has no single type has no column and is told.

use std::fmt::Write;

use serde_json::{Map, Value as Json};
use thiserror::Error;

use crate::schema::{MAX_DEPTH, MAX_NAME, MAX_NODES};

/// Memory that reading a JSON Schema takes for each of its bytes, at most about.
pub const MEMORY_PER_BYTE: usize = 32;

/// References followed one after the other, at most.
const MAX_REFERENCES: usize = 32;

/// Longest text of a schema in bytes; names of many fields under long paths end there.
const MAX_TEXT: usize = 4 << 20;

/// Why there is no schema.
#[derive(Debug, Error)]
pub enum DeriveError {
    /// It is no JSON.
    #[error("invalid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The root has no properties that become columns.
    #[error("the schema describes no object with fields that can be columns")]
    NoFields,
    /// There are too many.
    #[error("schema has more than {MAX_NODES} fields")]
    TooLarge,
}

/// A derived schema.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Derived {
    /// Its text, in the form of parquet-mr.
    pub text: String,
    /// Paths of what has no column, with dots between their names.
    pub left_out: Vec<String>,
}

/// Derives a schema called `name`.
///
/// # Errors
/// See [`DeriveError`].
pub fn from_json_schema(schema: &[u8], name: &str) -> Result<Derived, DeriveError> {
    let root: Json = serde_json::from_slice(schema)?;
    let mut writer = Writer {
        root: &root,
        out: Derived::default(),
        path: Vec::new(),
        n_fields: 0,
    };
    let shape = writer.shape(&root, 0);
    let Some(Shape::Record(properties, required)) = shape else {
        return Err(DeriveError::NoFields);
    };
    let fields = writer.fields(properties, &required, 1)?;
    if fields.is_empty() {
        return Err(DeriveError::NoFields);
    }
    let mut out = writer.out;
    out.text = format!("message {name} {{\n{fields}}}\n");
    Ok(out)
}

/// What a schema describes.
enum Shape<'s> {
    /// A value of this type.
    Value(&'static str),
    /// Fields, and the names of those that are always there.
    Record(&'s Map<String, Json>, Vec<&'s str>),
    /// Values of one kind under any key.
    Map(&'s Json),
    /// Items of one kind.
    List(&'s Json),
}

struct Writer<'s> {
    root: &'s Json,
    out: Derived,
    path: Vec<String>,
    n_fields: usize,
}

impl<'s> Writer<'s> {
    /// The fields of a group as text, those without a column noted; recursion ends at [`MAX_DEPTH`].
    fn fields(
        &mut self,
        properties: &'s Map<String, Json>,
        required: &[&str],
        depth: usize,
    ) -> Result<String, DeriveError> {
        let mut text = String::new();
        for (name, schema) in properties {
            let repetition = match required.contains(&name.as_str()) {
                true => "required",
                false => "optional",
            };
            self.path.push(name.clone());
            let field = match is_name(name) {
                true => self.field(repetition, name, schema, depth)?,
                false => None,
            };
            match field {
                Some(field) => text.push_str(&field),
                None => self.out.left_out.push(self.path.join(".")),
            }
            self.path.pop();
            if text.len() > MAX_TEXT {
                return Err(DeriveError::TooLarge);
            }
        }
        Ok(text)
    }

    /// One field as text; nothing if it has no column.
    fn field(
        &mut self,
        repetition: &str,
        name: &str,
        schema: &'s Json,
        depth: usize,
    ) -> Result<Option<String>, DeriveError> {
        self.n_fields += 1;
        if self.n_fields > MAX_NODES {
            return Err(DeriveError::TooLarge);
        }
        // Maps and lists are two levels more.
        if depth + 3 > MAX_DEPTH {
            return Ok(None);
        }
        let pad = "  ".repeat(depth);
        let nullable = is_nullable(schema);
        let repetition = if nullable { "optional" } else { repetition };
        let (annotation, inner) = match self.shape(schema, 0) {
            None => return Ok(None),
            Some(Shape::Value(kind)) => {
                let (kind, meaning) = kind.split_once(' ').unwrap_or((kind, ""));
                let space = if meaning.is_empty() { "" } else { " " };
                return Ok(Some(format!(
                    "{pad}{repetition} {kind} {name}{space}{meaning};\n"
                )));
            }
            Some(Shape::Record(properties, required)) => {
                ("", self.fields(properties, &required, depth + 1)?)
            }
            Some(Shape::Map(values)) => (" (MAP)", self.entries(values, depth + 1)?),
            Some(Shape::List(items)) => (" (LIST)", self.items(items, depth + 1)?),
        };
        if inner.is_empty() {
            return Ok(None);
        }
        let mut text = String::with_capacity(inner.len() + 64);
        let head = writeln!(text, "{pad}{repetition} group {name}{annotation} {{");
        head.expect("a string takes everything");
        text.push_str(&inner);
        text.push_str(&pad);
        text.push_str("}\n");
        Ok(Some(text))
    }

    fn entries(&mut self, values: &'s Json, depth: usize) -> Result<String, DeriveError> {
        let pad = "  ".repeat(depth);
        let value = self.field("optional", "value", values, depth + 1)?;
        Ok(value.map_or_else(String::new, |value| {
            format!("{pad}repeated group key_value {{\n{pad}  required binary key (UTF8);\n{value}{pad}}}\n")
        }))
    }

    fn items(&mut self, items: &'s Json, depth: usize) -> Result<String, DeriveError> {
        let pad = "  ".repeat(depth);
        let element = self.field("optional", "element", items, depth + 1)?;
        Ok(element.map_or_else(String::new, |element| {
            format!("{pad}repeated group list {{\n{element}{pad}}}\n")
        }))
    }

    /// What the schema describes, if it is one thing.
    fn shape(&self, schema: &'s Json, n_references: usize) -> Option<Shape<'s>> {
        if n_references > MAX_REFERENCES {
            return None;
        }
        let object = schema.as_object()?;
        if let Some(reference) = object.get("$ref") {
            let target = self.root.pointer(reference.as_str()?.strip_prefix('#')?)?;
            return self.shape(target, n_references + 1);
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            if let Some(parts) = object.get(keyword).and_then(Json::as_array)
                && !object.contains_key("type")
                && !object.contains_key("properties")
            {
                let mut parts = parts.iter().filter(|part| !is_null(part));
                let part = parts.next().filter(|_| parts.next().is_none())?;
                return self.shape(part, n_references + 1);
            }
        }
        Some(match kind(object)? {
            "string" => Shape::Value("binary (UTF8)"),
            "integer" => Shape::Value("int64"),
            "number" => Shape::Value("double"),
            "boolean" => Shape::Value("boolean"),
            "array" => Shape::List(object.get("items").filter(|items| items.is_object())?),
            "object" => return of_object(object),
            _ => return None,
        })
    }
}

fn of_object(object: &Map<String, Json>) -> Option<Shape<'_>> {
    if let Some(properties) = object.get("properties").and_then(Json::as_object)
        && !properties.is_empty()
    {
        let required = object.get("required").and_then(Json::as_array);
        let names = required.into_iter().flatten().filter_map(Json::as_str);
        return Some(Shape::Record(properties, names.collect()));
    }
    if let Some(patterns) = object.get("patternProperties").and_then(Json::as_object) {
        let mut values = patterns.values();
        return values
            .next()
            .filter(|_| values.next().is_none())
            .map(Shape::Map);
    }
    let values = object.get("additionalProperties")?;
    values.is_object().then_some(Shape::Map(values))
}

/// The one type that the schema allows beside null, told or seen from what else it says.
fn kind(object: &Map<String, Json>) -> Option<&str> {
    match object.get("type") {
        Some(Json::String(kind)) => Some(kind),
        Some(Json::Array(kinds)) => {
            let mut kinds = kinds
                .iter()
                .filter_map(Json::as_str)
                .filter(|kind| *kind != "null");
            let first = kinds.next()?;
            match kinds.next() {
                None => Some(first),
                // Every whole number is a number.
                Some(second) if kinds.next().is_none() => {
                    let both = [first, second];
                    (both.contains(&"integer") && both.contains(&"number")).then_some("number")
                }
                Some(_) => None,
            }
        }
        Some(_) => None,
        None if object.contains_key("properties") => Some("object"),
        None => {
            let words = object.get("enum").and_then(Json::as_array)?;
            words.iter().all(Json::is_string).then_some("string")
        }
    }
}

fn is_null(schema: &Json) -> bool {
    schema.get("type").and_then(Json::as_str) == Some("null")
}

fn is_nullable(schema: &Json) -> bool {
    let in_types = match schema.get("type") {
        Some(Json::Array(kinds)) => kinds.iter().any(|kind| kind == "null"),
        _ => false,
    };
    let in_parts = ["anyOf", "oneOf"].into_iter().any(|keyword| {
        let parts = schema.get(keyword).and_then(Json::as_array);
        parts.is_some_and(|parts| parts.iter().any(is_null))
    });
    in_types || in_parts
}

/// Whether the text of a schema can have this name.
fn is_name(name: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || c.is_control() || ";={}".contains(c);
    !name.is_empty() && name.len() <= MAX_NAME && !name.contains(ends)
}

#[cfg(test)]
mod tests;
