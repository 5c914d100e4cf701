//! Marks schemas so that a validation is metered where the validator itself asks nothing of the document.
//!
//! Schemas that are applied to the same value (`allOf`, `$ref` and the like) can be many more than there are values: a row of
//! definitions, each of which asks twice for the next, are 2^n. Each such schema gets a keyword that asks for the kind of the
//! value, and that every value fulfils.

use serde_json::Value as Json;

/// The keyword: the validator looks at it before it looks at what is marked for.
const MARK: &str = "maxProperties";

/// No document has as many members.
const MEMBERS_MAX: u32 = u32::MAX;

/// Keywords whose schemas are applied to the same value.
const IN_PLACE: [&str; 9] = [
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependencies",
];

/// Keywords that lead to a schema for the same value.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// Keywords whose value has schemas under names of its own.
const MAPS: [&str; 6] = [
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "dependentSchemas",
    "dependencies",
];

/// Keywords whose value is data.
const DATA: [&str; 2] = ["enum", "const"];

/// A copy of a schema with the marks; it nests no deeper than a schema may.
///
/// # Errors
/// When a reference could lead to data, which bears no marks.
pub(super) fn marked(schema: &Json) -> Result<Json, String> {
    let mut marked = schema.clone();
    let mut seen = Seen::default();
    mark(&mut marked, &mut seen);
    if seen.schemas_in_data && seen.reference_to_data {
        return Err("invalid schema: a reference to what enum or const hold".to_owned());
    }
    Ok(marked)
}

#[derive(Default)]
struct Seen {
    /// Data that looks like a schema with others in it.
    schemas_in_data: bool,
    /// A reference that may name data.
    reference_to_data: bool,
}

/// Marks a schema and those within.
fn mark(schema: &mut Json, seen: &mut Seen) {
    let map = match schema {
        Json::Object(map) => map,
        Json::Array(schemas) => return schemas.iter_mut().for_each(|schema| mark(schema, seen)),
        _ => return,
    };
    // Draft 4 wants one name at least; schemas in use have none, and RapidJSON takes them.
    if map
        .get("required")
        .is_some_and(|names| names == &Json::Array(Vec::new()))
    {
        map.shift_remove("required");
    }
    for (key, value) in map.iter_mut() {
        let key = key.as_str();
        if DATA.contains(&key) {
            seen.schemas_in_data |= has_schemas(value);
            continue;
        }
        if REFERENCES.contains(&key) {
            seen.reference_to_data |= value.as_str().is_some_and(may_name_data);
        }
        match &mut *value {
            Json::Object(schemas) if MAPS.contains(&key) => {
                schemas.values_mut().for_each(|schema| mark(schema, seen));
            }
            value => mark(value, seen),
        }
        if !IN_PLACE.contains(&key) {
            continue;
        }
        match value {
            Json::Object(schemas) if MAPS.contains(&key) => {
                schemas.values_mut().for_each(mark_branch);
            }
            Json::Array(schemas) => schemas.iter_mut().for_each(mark_branch),
            schema => mark_branch(schema),
        }
    }
    if is_applied_in_place(map) {
        add_mark(map);
    }
}

fn is_applied_in_place(map: &serde_json::Map<String, Json>) -> bool {
    let mut keywords = IN_PLACE.iter().chain(&REFERENCES);
    keywords.any(|&keyword| map.contains_key(keyword))
}

fn mark_branch(branch: &mut Json) {
    if let Json::Object(map) = branch {
        add_mark(map);
    }
}

fn add_mark(map: &mut serde_json::Map<String, Json>) {
    map.entry(MARK).or_insert(Json::from(MEMBERS_MAX));
}

/// Whether a reference may name a place in data; what is escaped may be anything.
fn may_name_data(reference: &str) -> bool {
    reference.contains('%') || DATA.iter().any(|keyword| reference.contains(keyword))
}

/// Whether data looks like a schema with others in it.
fn has_schemas(data: &Json) -> bool {
    match data {
        Json::Array(items) => items.iter().any(has_schemas),
        Json::Object(map) => is_applied_in_place(map) || map.values().any(has_schemas),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_list_of_required_names_is_none() {
        let schema = json!({"required": [], "properties": {"required": {"required": []}}, "enum": [{"required": []}]});
        let expected = json!({"properties": {"required": {}}, "enum": [{"required": []}]});
        assert_eq!(marked(&schema), Ok(expected));
    }

    #[test]
    fn marks_schemas_but_neither_names_nor_data() {
        let schema = json!({
            "properties": {"not": {"type": "null"}, "a": {"anyOf": [{}, true]}},
            "enum": [{"other": [1]}],
            "dependentSchemas": {"if": {"type": "null"}},
            "items": {"type": "string"},
        });
        let max = MEMBERS_MAX;
        let expected = json!({
            "properties": {
                "not": {"type": "null"},
                "a": {"anyOf": [{"maxProperties": max}, true], "maxProperties": max},
            },
            "enum": [{"other": [1]}],
            "dependentSchemas": {"if": {"type": "null", "maxProperties": max}},
            "items": {"type": "string"},
            "maxProperties": max,
        });
        assert_eq!(marked(&schema), Ok(expected));
    }

    #[test]
    fn keeps_a_bound_that_is_there() {
        let schema = json!({"not": {"maxProperties": 1}, "maxProperties": 2});
        assert_eq!(marked(&schema), Ok(schema));
    }

    #[test]
    fn refuses_references_to_data_that_could_branch() {
        let reference = |to: &str| json!({"$ref": to, "enum": [{"allOf": [{}]}]});
        assert!(marked(&reference("#/enum/0")).is_err());
        assert!(marked(&reference("#/%65num/0")).is_err());
        assert!(marked(&reference("#/definitions/a")).is_ok());
        assert!(marked(&json!({"$ref": "#/enum/0", "enum": [{"type": "null"}]})).is_ok());
    }
}
