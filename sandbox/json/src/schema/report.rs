//! Violations of a schema in the form of RapidJSON's reports: by keyword, each with what was found, what was expected, and
//! where both stand.

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use jsonschema::{Draft, JsonType};
use serde_json::{Map, Value as Json, json};

use super::Outcome;
use super::value::duplicates;
use crate::document::{Document, Node};

/// Violations that a report tells; those beyond are left out.
const VIOLATIONS_MAX: usize = 100;

/// Reports within reports, as `anyOf` has them for its branches.
const NESTING_MAX: usize = 8;

/// Bytes of a text of the document that a report quotes.
const QUOTED_MAX: usize = 1_024;

/// One violation.
struct Violation {
    /// The keyword under which it is reported.
    keyword: &'static str,
    body: Map<String, Json>,
    /// Where the schema with the keyword stands, as a pointer.
    schema: String,
    /// Where the value stands that the report names.
    instance: String,
    /// What the first line says, where it differs.
    line: Option<Line>,
}

/// Schema, keyword and value that the line on the first violation names.
struct Line {
    schema: String,
    keyword: &'static str,
    instance: String,
}

/// What becomes of a validation with these violations.
pub(super) fn report<'e>(
    document: &Document,
    schema: &Json,
    draft: Draft,
    errors: impl Iterator<Item = ValidationError<'e>>,
) -> Outcome {
    let errors: Vec<_> = errors.collect();
    let reporter = Reporter {
        document,
        schema,
        draft,
    };
    let (violations, report) = reporter.report(errors.iter().collect(), 0);
    let Some(violation) = violations.into_iter().next() else {
        return Outcome::Valid;
    };
    let line = violation.line.unwrap_or(Line {
        schema: violation.schema,
        keyword: violation.keyword,
        instance: violation.instance,
    });
    Outcome::Invalid {
        first: format!(
            "SchemaURI: {} Keyword: {} DocumentURI: {}",
            uri(&line.schema),
            line.keyword,
            uri(&line.instance)
        ),
        report: Json::Object(report).to_string(),
    }
}

struct Reporter<'d> {
    document: &'d Document,
    schema: &'d Json,
    draft: Draft,
}

impl Reporter<'_> {
    /// The violations in the order in which RapidJSON, which reads the document from its beginning, would find them; and the
    /// report on them.
    fn report(
        &self,
        mut errors: Vec<&ValidationError<'_>>,
        nesting: usize,
    ) -> (Vec<Violation>, Map<String, Json>) {
        errors.truncate(VIOLATIONS_MAX);
        errors.sort_by_cached_key(|error| self.order(error));
        let mut violations: Vec<Violation> = Vec::new();
        for error in errors {
            let violation = self.violation(error, nesting);
            let merged = violations
                .last_mut()
                .is_some_and(|last| merge(last, &violation));
            if !merged {
                violations.push(violation);
            }
        }
        let mut report = Map::new();
        for violation in &violations {
            let mut body = violation.body.clone();
            body.insert("instanceRef".into(), uri(&violation.instance).into());
            body.insert("schemaRef".into(), uri(&violation.schema).into());
            add(&mut report, violation.keyword, Json::Object(body));
        }
        (violations, report)
    }

    /// The position of the value in the document, then whether the keyword is looked at before its members, after them, or
    /// last.
    fn order(&self, error: &ValidationError<'_>) -> Vec<u32> {
        const AFTER_MEMBERS: u32 = u32::MAX - 1;
        const LAST: u32 = u32::MAX;
        let mut order = Vec::new();
        let mut place = self.document.root();
        for token in tokens(error.instance_path().as_str()) {
            let Some(inner) = self.inner(place, &token) else {
                break;
            };
            order.push(inner - self.first_place(place) + 1);
            place = inner;
        }
        order.push(match error.kind() {
            Kind::Required { .. }
            | Kind::MinProperties { .. }
            | Kind::MaxProperties { .. }
            | Kind::MinItems { .. }
            | Kind::MaxItems { .. } => AFTER_MEMBERS,
            Kind::Enum { .. }
            | Kind::Constant { .. }
            | Kind::AnyOf { .. }
            | Kind::OneOfMultipleValid { .. }
            | Kind::OneOfNotValid { .. }
            | Kind::Not { .. } => LAST,
            Kind::AdditionalProperties { unexpected } => {
                let found = unexpected.first().and_then(|name| self.inner(place, name));
                found.map_or(0, |inner| inner - self.first_place(place) + 1)
            }
            _ => 0,
        });
        order
    }

    fn first_place(&self, place: u32) -> u32 {
        match self.document.node(place) {
            Node::Array(first, _) | Node::Object(first, _) => first,
            _ => place,
        }
    }

    /// The place of the item or member that a token of a pointer names.
    fn inner(&self, place: u32, token: &str) -> Option<u32> {
        match self.document.node(place) {
            Node::Array(..) => self.document.item(place, token.parse().ok()?),
            _ => self.document.member(place, token.as_bytes()),
        }
    }

    fn locate(&self, pointer: &str) -> u32 {
        let root = self.document.root();
        let found = tokens(pointer).try_fold(root, |place, token| self.inner(place, &token));
        found.unwrap_or(root)
    }

    fn violation(&self, error: &ValidationError<'_>, nesting: usize) -> Violation {
        let instance = error.instance_path().as_str().to_owned();
        let path = error.schema_path().as_str();
        let place = self.locate(&instance);
        let (keyword, body) = self.describe(error, place, nesting);
        let schema = without_last(path, 1).to_owned();
        let line = all_of_line(error).or_else(|| {
            let (line_keyword, token) = match error.kind() {
                Kind::AdditionalItems { limit } => ("items", limit.to_string()),
                Kind::AdditionalProperties { unexpected } => (keyword, escape(unexpected.first()?)),
                Kind::UniqueItems => (keyword, body.get("duplicates")?[1].to_string()),
                _ => return None,
            };
            Some(Line {
                schema: schema.clone(),
                keyword: line_keyword,
                instance: format!("{instance}/{token}"),
            })
        });
        Violation {
            keyword,
            body,
            schema,
            instance,
            line,
        }
    }

    /// The keyword of a violation, and what there is to say about it.
    fn describe(
        &self,
        error: &ValidationError<'_>,
        place: u32,
        nesting: usize,
    ) -> (&'static str, Map<String, Json>) {
        let is_draft4 = self.draft == Draft::Draft4;
        let count = |expected: &u64| numbers(self.document.count(place), &json!(expected));
        let limit = |expected: &Json| numbers(self.quote(place), expected);
        let exclusive = |keyword: &str, expected: &Json| {
            let mut body = numbers(self.quote(place), expected);
            body.insert(keyword.into(), true.into());
            body
        };
        match error.kind() {
            Kind::Type { kind } => ("type", self.type_body(place, kind)),
            Kind::Minimum { limit: expected } => ("minimum", limit(expected)),
            Kind::Maximum { limit: expected } => ("maximum", limit(expected)),
            Kind::ExclusiveMinimum { limit } if is_draft4 => {
                ("minimum", exclusive("exclusiveMinimum", limit))
            }
            Kind::ExclusiveMaximum { limit } if is_draft4 => {
                ("maximum", exclusive("exclusiveMaximum", limit))
            }
            Kind::ExclusiveMinimum { limit: expected } => ("exclusiveMinimum", limit(expected)),
            Kind::ExclusiveMaximum { limit: expected } => ("exclusiveMaximum", limit(expected)),
            Kind::MultipleOf { multiple_of } => ("multipleOf", limit(&json!(multiple_of))),
            Kind::MinLength { limit: expected } => ("minLength", limit(&json!(expected))),
            Kind::MaxLength { limit: expected } => ("maxLength", limit(&json!(expected))),
            Kind::MinItems { limit } => ("minItems", count(limit)),
            Kind::MaxItems { limit } => ("maxItems", count(limit)),
            Kind::MinProperties { limit } => ("minProperties", count(limit)),
            Kind::MaxProperties { limit } => ("maxProperties", count(limit)),
            Kind::Pattern { .. }
            | Kind::BacktrackLimitExceeded { .. }
            | Kind::RegexEngineFailure { .. } => ("pattern", object("actual", self.quote(place))),
            Kind::AdditionalItems { limit } => ("additionalItems", object("disallowed", *limit)),
            Kind::AdditionalProperties { unexpected } => {
                let name = unexpected.first().cloned();
                ("additionalProperties", object("disallowed", name))
            }
            Kind::Required { property } => self.missing(error, place, property),
            Kind::UniqueItems => ("uniqueItems", self.duplicates(place)),
            Kind::Enum { .. } => ("enum", Map::new()),
            Kind::Constant { .. } => ("const", Map::new()),
            Kind::Not { .. } => ("not", Map::new()),
            _ => self.describe_nested(error, nesting),
        }
    }

    /// Violations that hold others, and those that RapidJSON does not know.
    fn describe_nested(
        &self,
        error: &ValidationError<'_>,
        nesting: usize,
    ) -> (&'static str, Map<String, Json>) {
        let branches = |context: &Vec<Vec<ValidationError<'static>>>| {
            if nesting >= NESTING_MAX {
                return Map::new();
            }
            let branch = |errors: &Vec<ValidationError<'static>>| {
                Json::Object(self.report(errors.iter().collect(), nesting + 1).1)
            };
            object("errors", context.iter().map(branch).collect::<Vec<_>>())
        };
        match error.kind() {
            Kind::AnyOf { context } => ("anyOf", branches(context)),
            Kind::OneOfMultipleValid { context } | Kind::OneOfNotValid { context } => {
                ("oneOf", branches(context))
            }
            Kind::PropertyNames { error } if nesting < NESTING_MAX => {
                let inner = self.report(vec![error], nesting + 1).1;
                ("propertyNames", object("errors", vec![Json::Object(inner)]))
            }
            Kind::PropertyNames { .. } => ("propertyNames", Map::new()),
            Kind::UnevaluatedItems { unexpected } => {
                ("unevaluatedItems", object("disallowed", unexpected.clone()))
            }
            Kind::UnevaluatedProperties { unexpected } => (
                "unevaluatedProperties",
                object("disallowed", unexpected.clone()),
            ),
            Kind::Contains => ("contains", Map::new()),
            Kind::FalseSchema => ("false", Map::new()),
            Kind::Format { format } => ("format", object("expected", format.clone())),
            Kind::ContentEncoding { .. } | Kind::FromUtf8 { .. } => ("contentEncoding", Map::new()),
            Kind::ContentMediaType { .. } => ("contentMediaType", Map::new()),
            Kind::Referencing(_) => ("$ref", Map::new()),
            _ => ("schema", Map::new()),
        }
    }

    fn type_body(&self, place: u32, kind: &TypeKind) -> Map<String, Json> {
        let name = |kind: JsonType| Json::from(kind.as_str());
        let expected = match kind {
            TypeKind::Single(kind) => vec![name(*kind)],
            TypeKind::Multiple(kinds) => kinds.iter().map(name).collect(),
        };
        let actual = match self.document.node(place) {
            Node::Null | Node::Removed => "null",
            Node::Boolean(_) => "boolean",
            Node::Integer(_) | Node::Unsigned(_) => "integer",
            Node::Double(_) => "number",
            Node::String(..) => "string",
            Node::Array(..) => "array",
            Node::Object(..) => "object",
        };
        let mut body = object("expected", expected);
        body.insert("actual".into(), actual.into());
        body
    }

    /// A missing member: that of `required`, or one that another member depends on.
    fn missing(
        &self,
        error: &ValidationError<'_>,
        place: u32,
        property: &Json,
    ) -> (&'static str, Map<String, Json>) {
        let names = Json::from(vec![property.clone()]);
        let path = error.schema_path().as_str();
        if !path.ends_with("/dependencies") && !path.ends_with("/dependentRequired") {
            return ("required", object("missing", names));
        }
        // Which member depends on it is told by the schema alone.
        let rules = self.schema.pointer(path).and_then(Json::as_object);
        let source = rules.into_iter().flatten().find(|(source, names)| {
            let asks = names
                .as_array()
                .is_some_and(|names| names.contains(property));
            asks && self.document.member(place, source.as_bytes()).is_some()
        });
        let source = source.map_or("", |(source, _)| source.as_str());
        ("dependencies", object("errors", object(source, names)))
    }

    fn duplicates(&self, place: u32) -> Map<String, Json> {
        let Node::Array(first, len) = self.document.node(place) else {
            return Map::new();
        };
        match duplicates(self.document, first, len) {
            Some((a, b)) => object("duplicates", vec![a, b]),
            None => Map::new(),
        }
    }

    /// A scalar of the document; long texts are cut.
    fn quote(&self, place: u32) -> Json {
        match self.document.node(place) {
            Node::Boolean(truth) => truth.into(),
            Node::Integer(number) => number.into(),
            Node::Unsigned(number) => number.into(),
            Node::Double(number) => number.into(),
            Node::String(at, len) => {
                let text = self.document.text(at, len);
                let text = &text[..text.len().min(QUOTED_MAX)];
                String::from_utf8_lossy(text).into_owned().into()
            }
            _ => Json::Null,
        }
    }
}

fn object(key: &str, value: impl Into<Json>) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert(key.into(), value.into());
    object
}

fn numbers(actual: impl Into<Json>, expected: &Json) -> Map<String, Json> {
    let mut body = object("actual", actual);
    body.insert("expected".into(), expected.clone());
    body
}

/// Adds one missing member to others of the same object and schema; false if these are different violations.
fn merge(last: &mut Violation, new: &Violation) -> bool {
    let same =
        last.keyword == new.keyword && last.instance == new.instance && last.schema == new.schema;
    if !same {
        return false;
    }
    match (
        last.keyword,
        last.body.get_mut("missing"),
        new.body.get("missing"),
    ) {
        ("required", Some(Json::Array(all)), Some(Json::Array(one))) => {
            all.extend(one.iter().cloned());
            return true;
        }
        ("dependencies", _, _) => {}
        _ => return false,
    }
    let Some(Json::Object(one)) = new.body.get("errors") else {
        return false;
    };
    let Some(Json::Object(all)) = last.body.get_mut("errors") else {
        return false;
    };
    for (source, names) in one {
        match (all.get_mut(source), names) {
            (Some(Json::Array(all)), Json::Array(names)) => all.extend(names.iter().cloned()),
            _ => drop(all.insert(source.clone(), names.clone())),
        }
    }
    true
}

/// Adds a violation under its keyword; several make an array.
fn add(report: &mut Map<String, Json>, keyword: &str, violation: Json) {
    match report.get_mut(keyword) {
        None => drop(report.insert(keyword.into(), violation)),
        Some(Json::Array(all)) => all.push(violation),
        Some(one) => *one = Json::Array(vec![one.take(), violation]),
    }
}

/// The line on a violation within a branch of `allOf`: it names the `allOf`, and the value that it belongs to.
fn all_of_line(error: &ValidationError<'_>) -> Option<Line> {
    let evaluated = error.evaluation_path().as_str();
    let before_ref = evaluated.split("/$ref").next().unwrap_or(evaluated);
    let path = if branch(before_ref).is_some() {
        evaluated
    } else {
        error.schema_path().as_str()
    };
    let at = branch(path)?;
    let n_inside = path[at..]
        .split('/')
        .filter(|part| {
            matches!(
                *part,
                "properties"
                    | "patternProperties"
                    | "additionalProperties"
                    | "items"
                    | "additionalItems"
            )
        })
        .count();
    Some(Line {
        schema: path[..at].to_owned(),
        keyword: "allOf",
        instance: without_last(error.instance_path().as_str(), n_inside).to_owned(),
    })
}

/// Where `/allOf/` and a number stand in a path.
fn branch(path: &str) -> Option<usize> {
    const ALL_OF: &str = "/allOf/";
    path.match_indices(ALL_OF).map(|(at, _)| at).find(|at| {
        let rest = &path[at + ALL_OF.len()..];
        rest.starts_with(|c: char| c.is_ascii_digit()) && !path[..*at].ends_with("/properties")
    })
}

/// A pointer without its last `n` tokens.
fn without_last(pointer: &str, n: usize) -> &str {
    (0..n).fold(pointer, |pointer, _| {
        pointer.rfind('/').map_or("", |at| &pointer[..at])
    })
}

/// The tokens of a pointer.
fn tokens(pointer: &str) -> impl Iterator<Item = String> + '_ {
    pointer.split('/').skip(1).map(unescape)
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// A pointer as the fragment of a URI.
fn uri(pointer: &str) -> String {
    let mut uri = String::from("#");
    for byte in pointer.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(byte.into());
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
