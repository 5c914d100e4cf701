//! JSON Schema over documents: compiling within limits, validating within a budget, and reports in RapidJSON's form.

mod mark;
mod meter;
mod report;
pub mod shared;
mod value;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value as Json;

use crate::document::{Document, Node};
use meter::Meter;
use value::{Documents, Looked, Value};

/// Deepest nesting of a schema.
pub const MAX_DEPTH: usize = 100;

/// Values that a schema may have.
pub const MAX_VALUES: usize = 100_000;

/// Regular expressions that a schema may have.
pub const MAX_PATTERNS: usize = 1_000;

/// Longest regular expression in bytes.
pub const MAX_PATTERN: usize = 4_096;

/// Size of a compiled regular expression in bytes; it bounds the time that compiling takes.
const PATTERN_SIZE_MAX: usize = 256 * 1024;

/// Steps back that one match of a regular expression with look-around or back references may take.
const BACKTRACK_MAX: usize = 10_000;

/// Memory of a compiled schema for each of its values, in bytes: an estimate on the high side, since the validator does not
/// tell what it takes.
const MEMORY_PER_VALUE: usize = 512;

/// Memory of a compiled regular expression that is counted, in bytes.
const MEMORY_PER_PATTERN: usize = 16 * 1024;

/// Steps of the budget that compiling takes for each value, and for each regular expression.
const STEPS_PER_VALUE: usize = 50;
const STEPS_PER_PATTERN: usize = 2_000;

/// Steps of a validation for one instruction of the plugin's limit.
const STEPS_PER_INSTRUCTION: u64 = 16;

/// Steps of a validation for a plugin without a limit: about half a minute.
const STEPS_MAX: u64 = 1_000_000_000;

/// Memory that the violations of one validation may take before they are told, in bytes.
const VIOLATIONS_MEMORY: usize = 16 << 20;

/// Memory of one violation, in bytes, without the path to its value, of which it has two copies: an estimate.
const MEMORY_PER_VIOLATION: usize = 1024;

/// Bytes of a violation that are written in one step.
const BYTES_PER_STEP: u64 = 32;

/// What compiling a schema takes.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory in bytes.
    pub memory: usize,
    /// Steps of the budget.
    pub steps: u32,
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    validator: Validator<Documents>,
    /// The schema as it was written, for reports.
    json: Json,
    draft: Draft,
    memory: usize,
    /// Some regular expression is matched by trying, so that each text may take [`BACKTRACK_MAX`] steps.
    backtracks: bool,
}

/// What became of a validation.
#[derive(Debug)]
pub enum Outcome {
    /// The document fits.
    Valid,
    /// It does not.
    Invalid {
        /// The first violation: where in the schema, which keyword, where in the document.
        first: String,
        /// All violations as JSON, by keyword.
        report: String,
    },
    /// It took too long.
    Exhausted,
    /// Schema and document together nest too deeply.
    TooDeep,
}

/// The end of a validation.
#[derive(Debug)]
pub struct Validation {
    /// What became of it.
    pub outcome: Outcome,
    /// Steps to charge for it.
    pub steps: u32,
}

impl Schema {
    /// What compiling this schema takes, told before anything is done.
    ///
    /// # Errors
    /// When the schema is larger than any may be.
    pub fn cost(document: &Document) -> Result<Cost, String> {
        if document.depth() > MAX_DEPTH {
            return Err(format!("schema nests deeper than {MAX_DEPTH}"));
        }
        if document.len() > MAX_VALUES {
            return Err(format!("schema has more than {MAX_VALUES} values"));
        }
        let n_patterns = patterns(document).count();
        if n_patterns > MAX_PATTERNS {
            return Err(format!("schema has more than {MAX_PATTERNS} patterns"));
        }
        if let Some(pattern) = patterns(document).find(|pattern| pattern.len() > MAX_PATTERN) {
            let len = pattern.len();
            return Err(format!("pattern of {len} bytes, {MAX_PATTERN} may be"));
        }
        Ok(Cost {
            memory: document.len() * MEMORY_PER_VALUE + n_patterns * MEMORY_PER_PATTERN,
            steps: (document.len() * STEPS_PER_VALUE + n_patterns * STEPS_PER_PATTERN) as u32,
        })
    }

    /// Compiles a schema. Its `$schema` tells the draft; 4 without one, as RapidJSON knows no other. Formats are not
    /// checked, and nothing is fetched.
    ///
    /// # Errors
    /// When the document is no schema, or larger than one may be.
    pub fn compile(document: &Document) -> Result<Schema, String> {
        let cost = Schema::cost(document)?;
        let json = to_json(document, document.root());
        let draft = draft(&json);
        let limits = PatternOptions::fancy_regex()
            .backtrack_limit(BACKTRACK_MAX)
            .size_limit(PATTERN_SIZE_MAX)
            .dfa_size_limit(PATTERN_SIZE_MAX);
        let validator = jsonschema::options_for::<Documents>()
            .with_draft(draft)
            .with_pattern_options(limits)
            .should_validate_formats(false)
            .offline()
            .build(&mark::marked(&json)?)
            .map_err(|error| format!("invalid schema: {error}"))?;
        Ok(Schema {
            validator,
            json,
            draft,
            memory: cost.memory,
            backtracks: patterns(document).any(may_backtrack),
        })
    }

    /// Bytes that the schema takes, as far as they are known.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Validates a document, in a time that `instruction_limit` of the plugin (0 for none) bounds.
    pub fn validate(&self, document: &Document, instruction_limit: u64) -> Validation {
        let max = match instruction_limit {
            0 => STEPS_MAX,
            limit => limit.saturating_mul(STEPS_PER_INSTRUCTION).min(STEPS_MAX),
        };
        let meter = |violations, steps_per_violation| Meter {
            steps: max,
            steps_per_text: if self.backtracks { 200 } else { 1 },
            violations,
            steps_per_violation,
        };
        let looked = Looked::new(document);
        let root = Value::of(&looked, looked.root());
        let (valid, mut steps) = meter(0, 1).run(|| self.validator.is_valid(root));
        let outcome = match valid {
            Ok(true) => Ok(Outcome::Valid),
            Ok(false) => {
                let (outcome, taken) = self.tell(&looked, &meter);
                steps += taken;
                outcome
            }
            Err(stop) => Err(stop),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(meter::Stop::Exhausted | meter::Stop::TooMany) => Outcome::Exhausted,
            Err(meter::Stop::TooDeep) => Outcome::TooDeep,
        };
        let steps = u32::try_from(steps / STEPS_PER_INSTRUCTION).unwrap_or(u32::MAX);
        Validation { outcome, steps }
    }

    /// The violations of a document that has some, or the first alone where all would take too much memory; and the steps.
    fn tell(
        &self,
        document: &Looked<'_>,
        meter: &impl Fn(usize, u64) -> Meter,
    ) -> (Result<Outcome, meter::Stop>, u64) {
        let memory = MEMORY_PER_VIOLATION + 2 * document.longest_path();
        let most = (VIOLATIONS_MEMORY / memory).max(1);
        let steps = memory as u64 / BYTES_PER_STEP;
        let root = Value::of(document, document.root());
        let (all, taken) = meter(most, steps).run(|| {
            let errors = self.validator.iter_errors(root);
            report::report(document, &self.json, self.draft, errors)
        });
        if !matches!(all, Err(meter::Stop::TooMany)) {
            return (all, taken);
        }
        let (first, taken_again) = meter(most, steps).run(|| {
            let error = self.validator.validate(root).err().into_iter();
            report::report(document, &self.json, self.draft, error)
        });
        (first, taken + taken_again)
    }
}

/// The draft that `$schema` names.
fn draft(schema: &Json) -> Draft {
    let named = schema.get("$schema").and_then(Json::as_str).unwrap_or("");
    let known = [
        ("draft-06", Draft::Draft6),
        ("draft-07", Draft::Draft7),
        ("2019-09", Draft::Draft201909),
        ("2020-12", Draft::Draft202012),
    ];
    let found = known.iter().find(|(name, _)| named.contains(name));
    found.map_or(Draft::Draft4, |&(_, draft)| draft)
}

/// Every text that is a regular expression, or looks like one: values of `pattern` and keys of `patternProperties`.
fn patterns(document: &Document) -> impl Iterator<Item = &[u8]> {
    let objects = (0..document.len() as u32).filter_map(|place| match document.node(place) {
        Node::Object(first, len) => Some((first, len)),
        _ => None,
    });
    let members = objects.flat_map(|(first, len)| document.members(first, len));
    members.flat_map(|(key, place)| {
        let keys = match (key, document.node(place)) {
            (b"patternProperties", Node::Object(first, len)) => Some((first, len)),
            _ => None,
        };
        let keys = keys
            .into_iter()
            .flat_map(|(first, len)| document.members(first, len))
            .map(|(key, _)| key);
        let value = match (key, document.node(place)) {
            (b"pattern", Node::String(at, len)) => Some(document.text(at, len)),
            _ => None,
        };
        keys.chain(value)
    })
}

/// Whether a regular expression may have look-around or back references, which are matched by trying.
fn may_backtrack(pattern: &[u8]) -> bool {
    let pairs = pattern.windows(2);
    pairs.into_iter().any(|pair| {
        pair == b"(?" || pair[0] == b'\\' && (pair[1].is_ascii_digit() || pair[1] == b'k')
    })
}

/// A schema as the compiler wants it; it nests no deeper than [`MAX_DEPTH`].
fn to_json(document: &Document, place: u32) -> Json {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match document.node(place) {
        Node::Null | Node::Removed => Json::Null,
        Node::Boolean(truth) => Json::Bool(truth),
        Node::Integer(number) => Json::from(number),
        Node::Unsigned(number) => Json::from(number),
        Node::Double(number) => Json::from(number),
        Node::String(at, len) => Json::String(text(document.text(at, len))),
        Node::Array(first, len) => {
            let items = document.items(first, len);
            items.map(|item| to_json(document, item)).collect()
        }
        Node::Object(first, len) => {
            let members = document.members(first, len);
            let members = members.map(|(key, value)| (text(key), to_json(document, value)));
            Json::Object(members.collect())
        }
    }
}
