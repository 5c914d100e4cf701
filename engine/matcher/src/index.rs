//! Many matchers at once: leaves out those that cannot match.
//!
//! From each expression the index takes a *cover*: a few equalities, like `Type == 'a'` or `Fields[x] == 5`, of which
//! at least one holds in every message that matches. A message is looked up by what it says, and only matchers with
//! an equality that holds are evaluated, with those that have no cover. So the cost of a message grows with the
//! matchers that want it, not with those that are loaded.
//!
//! Where an expression offers several covers, the one whose equalities are rarest among all matchers is taken: of
//! five thousand `Type == 'a' && Fields[x] == N` each is found by its `Fields[x]`.
//!
//! The tables are built from the expressions of the operator, so no message can fill them with colliding keys.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use schemas::view::{FieldView, Value, View};

use crate::eval::{Exceeded, Program, text_header};
use crate::expr::{FieldTest, Node, Number, Relation, Test, TextHeader, TextTest, Tree};
use crate::{Inner, Matcher};

/// The headers that equalities are taken from.
const HEADERS: [TextHeader; 5] = [
    TextHeader::Type,
    TextHeader::Logger,
    TextHeader::Hostname,
    TextHeader::EnvVersion,
    TextHeader::Payload,
];

/// An index over many matchers, each with a number. To add or remove one, build it anew.
#[derive(Debug, Default)]
pub struct MatcherIndex {
    /// Matchers by what they ask; those that ask the same share a group and are evaluated once.
    groups: Vec<Group>,
    /// Groups to evaluate for every message.
    without_cover: Vec<u32>,
    /// Matchers that want every message, sorted.
    always: Vec<u32>,
    headers: [TextTable; HEADERS.len()],
    fields: FxHashMap<Box<[u8]>, Vec<FieldTable>>,
    /// A bit for each length of a name in `fields`, lengths beyond 63 sharing the last one: most names of a message
    /// need no more than a look at it.
    name_lengths: u64,
    needs_fields: bool,
}

/// Matchers with the same expression.
#[derive(Debug)]
struct Group {
    /// The expression, copied: all programs of the index lie together in memory. Those of the matchers lie wherever their
    /// plugins were loaded, so that with thousands each evaluation would wait for the memory.
    program: Program,
    members: Vec<Arc<Inner>>,
    ids: Vec<u32>,
}

/// Groups by the text that a header or field must equal.
#[derive(Debug, Default)]
struct TextTable {
    groups: FxHashMap<Box<[u8]>, Vec<u32>>,
    /// Longer text need not be hashed.
    longest: usize,
}

/// Groups by what one element of the fields of one name must equal.
#[derive(Debug)]
struct FieldTable {
    element: u8,
    texts: TextTable,
    numbers: FxHashMap<NumberKey, Vec<u32>>,
}

/// What [`MatcherIndex::matching`] works with. Make one for each thread, use it for message after message; it allocates
/// nothing once it has grown to the size of the index.
#[derive(Debug, Default)]
pub struct Scratch {
    /// When a group was last a candidate.
    seen: Vec<u64>,
    now: u64,
    candidates: Vec<u32>,
}

/// An equality that a message must fulfil.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key<'t> {
    Header(usize, &'t [u8]),
    FieldText(&'t [u8], u8, &'t [u8]),
    FieldNumber(&'t [u8], u8, NumberKey),
}

/// Equal numbers have equal keys, whether they are integers or doubles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum NumberKey {
    Integer(i64),
    Double(u64),
}

impl From<Number> for NumberKey {
    fn from(number: Number) -> NumberKey {
        match number {
            Number::Integer(number) => NumberKey::Integer(number),
            Number::Double(number) => NumberKey::Double(number.to_bits()),
        }
    }
}

impl<'t> Key<'t> {
    /// The equality that a test is, if the index can look it up.
    fn of(test: &'t Test) -> Option<Key<'t>> {
        match test {
            Test::Text(header, TextTest::Compare(Relation::Equal, text)) => {
                let header = HEADERS.iter().position(|known| known == header)?;
                Some(Key::Header(header, text))
            }
            // Which of several fields of one name is meant is left to the evaluation.
            Test::Field(field, FieldTest::Text(TextTest::Compare(Relation::Equal, text))) => {
                Some(Key::FieldText(&field.name, field.element, text))
            }
            Test::Field(field, FieldTest::Number(Relation::Equal, number)) => Some(
                Key::FieldNumber(&field.name, field.element, (*number).into()),
            ),
            _ => None,
        }
    }
}

/// Equalities of which one must hold, and how many matchers they make candidates.
#[derive(Debug, Clone)]
struct Cover<'t> {
    keys: Vec<Key<'t>>,
    /// First the matchers that share the keys; then, to decide between equals, the work of looking them up.
    cost: (usize, usize),
}

/// How many groups use each equality.
type Popularity<'t> = FxHashMap<Key<'t>, usize>;

impl<'t> Cover<'t> {
    /// The best cover of a tree; none if a message can match without any equality.
    fn of(tree: &'t Tree, popularity: &Popularity<'t>) -> Option<Cover<'t>> {
        let mut covers: Vec<Option<Cover<'t>>> = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            // A node comes after its children and is the only one that asks for them.
            let cover = match node {
                Node::Test(test) => Cover::of_test(test, popularity),
                Node::And(left, right) => {
                    Cover::better(covers[*left].take(), covers[*right].take())
                }
                Node::Or(left, right) => Cover::both(covers[*left].take(), covers[*right].take()),
            };
            covers.push(cover);
        }
        covers.pop().flatten()
    }

    fn of_test(test: &'t Test, popularity: &Popularity<'t>) -> Option<Cover<'t>> {
        if let Test::Constant(false) = test {
            return Some(Cover {
                keys: Vec::new(),
                cost: (0, 0),
            });
        }
        let key = Key::of(test)?;
        let lookup = usize::from(!matches!(key, Key::Header(..)));
        let cost = (popularity.get(&key).copied().unwrap_or(0), lookup);
        Some(Cover {
            keys: vec![key],
            cost,
        })
    }

    /// Of two covers, each of which is enough, the cheaper.
    fn better(left: Option<Cover<'t>>, right: Option<Cover<'t>>) -> Option<Cover<'t>> {
        match (left, right) {
            (Some(left), Some(right)) if right.cost < left.cost => Some(right),
            (left, right) => left.or(right),
        }
    }

    /// The cover of two branches, either of which may be the one that matches.
    fn both(left: Option<Cover<'t>>, right: Option<Cover<'t>>) -> Option<Cover<'t>> {
        let (mut left, right) = (left?, right?);
        left.keys.extend(right.keys);
        left.cost = (left.cost.0 + right.cost.0, left.cost.1 + right.cost.1);
        Some(left)
    }
}

impl MatcherIndex {
    /// Builds the index. Numbers may repeat; each comes out once for every matcher that has it.
    pub fn build<'a>(matchers: impl IntoIterator<Item = (u32, &'a Matcher)>) -> MatcherIndex {
        let mut index = MatcherIndex::default();
        index.group(matchers);
        let trees: Vec<Arc<Inner>> = index
            .groups
            .iter()
            .map(|group| group.members[0].clone())
            .collect();
        let popularity = popularity(&trees);
        for (number, inner) in trees.iter().enumerate() {
            match Cover::of(&inner.tree, &popularity) {
                Some(cover) => cover
                    .keys
                    .iter()
                    .for_each(|key| index.insert(key, number as u32)),
                None => index.without_cover.push(number as u32),
            }
        }
        index
    }

    /// Sorts out what is the same for every message, and puts together what is the same expression.
    fn group<'a>(&mut self, matchers: impl IntoIterator<Item = (u32, &'a Matcher)>) {
        let mut known = FxHashMap::default();
        for (id, matcher) in matchers {
            match matcher.inner.program.constant() {
                Some(true) => self.always.push(id),
                Some(false) => {}
                None => {
                    self.needs_fields |= matcher.needs_fields();
                    let text = matcher.inner.tree.flat_bytes();
                    let group = *known.entry(text).or_insert_with(|| {
                        self.groups.push(Group {
                            program: matcher.inner.program.clone(),
                            members: Vec::new(),
                            ids: Vec::new(),
                        });
                        self.groups.len() - 1
                    });
                    self.groups[group].members.push(matcher.inner.clone());
                    self.groups[group].ids.push(id);
                }
            }
        }
        self.always.sort_unstable();
    }

    fn insert(&mut self, key: &Key<'_>, group: u32) {
        match *key {
            Key::Header(header, text) => self.headers[header].insert(text, group),
            Key::FieldText(name, element, text) => {
                self.field_table(name, element).texts.insert(text, group);
            }
            Key::FieldNumber(name, element, number) => {
                push_once(self.field_table(name, element).numbers.entry(number), group);
            }
        }
    }

    fn field_table(&mut self, name: &[u8], element: u8) -> &mut FieldTable {
        self.name_lengths |= length_bit(name);
        let tables = self.fields.entry(name.into()).or_default();
        let place = tables.iter().position(|table| table.element == element);
        let place = place.unwrap_or_else(|| {
            tables.push(FieldTable {
                element,
                texts: TextTable::default(),
                numbers: FxHashMap::default(),
            });
            tables.len() - 1
        });
        &mut tables[place]
    }

    /// Whether any matcher looks at the message; if none does, [`MatcherIndex::always`] is the answer for each.
    pub fn needs_message(&self) -> bool {
        !self.groups.is_empty()
    }

    /// Whether any matcher looks at fields.
    pub fn needs_fields(&self) -> bool {
        self.needs_fields
    }

    /// The numbers of the matchers that want every message, sorted.
    pub fn always(&self) -> &[u32] {
        &self.always
    }

    /// Puts the sorted numbers of all matchers that want the message in `out`, in place of what was there.
    pub fn matching(&self, view: &View<'_>, scratch: &mut Scratch, out: &mut Vec<u32>) {
        out.clear();
        out.extend_from_slice(&self.always);
        if self.groups.is_empty() {
            return;
        }
        scratch.begin(self.groups.len());
        self.look_up(view, scratch);
        let exceeded = Exceeded::default();
        for group in self.without_cover.iter().chain(&scratch.candidates) {
            let group = &self.groups[*group as usize];
            if group.matches(view, &exceeded) {
                out.extend_from_slice(&group.ids);
            }
        }
        if out.len() > self.always.len() {
            out.sort_unstable();
        }
    }

    /// Finds the groups with an equality that holds in the message.
    fn look_up(&self, view: &View<'_>, scratch: &mut Scratch) {
        for (header, table) in HEADERS.iter().zip(&self.headers) {
            if !table.groups.is_empty()
                && let Some(text) = text_header(view, *header)
            {
                scratch.add(table.get(text));
            }
        }
        if self.fields.is_empty() {
            return;
        }
        for (place, name) in view.field_names() {
            if self.name_lengths & length_bit(name) != 0
                && let Some(tables) = self.fields.get(name)
                && let Some(field) = view.field_at(place)
            {
                tables
                    .iter()
                    .for_each(|table| table.look_up(&field, scratch));
            }
        }
    }
}

/// Counts how many groups use each equality.
fn popularity(trees: &[Arc<Inner>]) -> Popularity<'_> {
    let mut popularity = Popularity::default();
    for key in trees
        .iter()
        .flat_map(|inner| inner.tree.tests())
        .filter_map(Key::of)
    {
        *popularity.entry(key).or_insert(0) += 1;
    }
    popularity
}

fn length_bit(name: &[u8]) -> u64 {
    1 << name.len().min(63)
}

/// Adds a group to a list that may have it: an expression may name an equality twice.
fn push_once<K>(entry: Entry<'_, K, Vec<u32>>, group: u32) {
    let groups = entry.or_default();
    // Groups come in order, so a second one is next to the first.
    if groups.last() != Some(&group) {
        groups.push(group);
    }
}

impl Group {
    #[inline]
    fn matches(&self, view: &View<'_>, exceeded: &Exceeded) -> bool {
        let matches = self.program.matches(view, exceeded);
        let count = exceeded.take();
        if count > 0 {
            self.members
                .iter()
                .for_each(|member| member.count_exceeded(count));
        }
        matches
    }
}

impl TextTable {
    fn insert(&mut self, text: &[u8], group: u32) {
        self.longest = self.longest.max(text.len());
        push_once(self.groups.entry(text.into()), group);
    }

    #[inline]
    fn get(&self, text: &[u8]) -> &[u32] {
        if text.len() > self.longest {
            return &[];
        }
        self.groups.get(text).map_or(&[], Vec::as_slice)
    }
}

impl FieldTable {
    fn look_up(&self, field: &FieldView<'_>, scratch: &mut Scratch) {
        let number = match field.value(self.element.into()) {
            Some(Value::String(text) | Value::Bytes(text)) => {
                return scratch.add(self.texts.get(text));
            }
            Some(Value::Integer(number)) => Number::Integer(number),
            Some(Value::Double(number)) => Number::from_double(number),
            Some(Value::Bool(_)) | None => return,
        };
        if let Some(groups) = self.numbers.get(&number.into()) {
            scratch.add(groups);
        }
    }
}

impl Scratch {
    fn begin(&mut self, groups: usize) {
        if self.seen.len() < groups {
            self.seen.resize(groups, 0);
            self.candidates.reserve(groups);
        }
        // One more for each message: it never comes round.
        self.now += 1;
        self.candidates.clear();
    }

    fn add(&mut self, groups: &[u32]) {
        for group in groups {
            let seen = &mut self.seen[*group as usize];
            if *seen != self.now {
                *seen = self.now;
                self.candidates.push(*group);
            }
        }
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
