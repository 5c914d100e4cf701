//! A pattern with its rule calls resolved, its chains flattened, and what is known of each part: the compiler's view.

use std::collections::HashMap;
use std::sync::Arc;

use crate::set::ByteSet;
use crate::tree::{Capture, Constant, Info, Node, Rule, Shape, Tree};

/// The place of an item.
pub(crate) type Id = u32;

/// A part of a pattern.
#[derive(Debug)]
pub(crate) enum Item<'t> {
    Set(ByteSet),
    Any(u32),
    /// Two bytes at least.
    Literal(Vec<u8>),
    True,
    False,
    Sequence(Vec<Id>),
    Choice(Vec<Id>),
    AtLeast(Id, u32),
    AtMost(Id, u32),
    Not(Id),
    And(Id),
    Behind(Id, u32),
    /// A call of a rule, by its place.
    Call(usize),
    /// A grammar: the places of its rules.
    Grammar(std::ops::Range<usize>),
    Capture(&'t Capture, Id),
    /// A closed pattern that is not looked into.
    Closed(Info),
}

/// A rule of one of the grammars.
#[derive(Debug)]
pub(crate) struct IrRule<'t> {
    pub(crate) name: &'t Constant,
    pub(crate) body: Id,
    /// The items that were made for it.
    pub(crate) items: std::ops::Range<usize>,
}

/// Whether a pattern can match without regard to the next byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// No: the next byte must be one of `first`.
    Byte,
    /// Yes.
    Empty,
    /// It may call Lua before it looks at the byte, so it must always be tried.
    Runtime,
}

/// The length of the matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// Nothing is known yet: no match was found.
    None,
    Fixed(u32),
    Varies,
}

impl Length {
    fn then(self, next: Length) -> Length {
        match (self, next) {
            (Length::None, _) | (_, Length::None) => Length::None,
            (Length::Fixed(a), Length::Fixed(b)) => {
                a.checked_add(b).map_or(Length::Varies, Length::Fixed)
            }
            _ => Length::Varies,
        }
    }

    fn or(self, other: Length) -> Length {
        match (self, other) {
            (Length::None, known) | (known, Length::None) => known,
            (a, b) if a == b => a,
            _ => Length::Varies,
        }
    }

    /// The length, if it is always the same.
    pub(crate) fn fixed(self) -> Option<u32> {
        match self {
            Length::Fixed(length) => Some(length),
            _ => None,
        }
    }
}

/// What is known of an item. Calls begin with nothing, and the facts grow until all agree.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Facts {
    /// The bytes with which a match begins that takes one. If it may take none, what follows decides too.
    pub(crate) first: ByteSet,
    pub(crate) entry: Entry,
    pub(crate) nullable: bool,
    pub(crate) cannot_fail: bool,
    /// Fails, if at all, by looking at no more than the next byte.
    pub(crate) fails_at_head: bool,
    pub(crate) length: Length,
    pub(crate) has_captures: bool,
}

impl Facts {
    const NOTHING: Facts = Facts {
        first: ByteSet::EMPTY,
        entry: Entry::Byte,
        nullable: false,
        cannot_fail: false,
        fails_at_head: false,
        length: Length::None,
        has_captures: false,
    };

    /// Of a pattern that takes no byte.
    const EMPTY: Facts = Facts {
        entry: Entry::Empty,
        nullable: true,
        length: Length::Fixed(0),
        ..Facts::NOTHING
    };

    /// Whether the first byte decides: a match must begin with one of `first`.
    pub(crate) fn needs_first(&self) -> bool {
        self.entry == Entry::Byte
    }
}

/// A pattern as the compiler sees it; items come after those they are made of, calls excepted.
#[derive(Debug, Default)]
pub(crate) struct Ir<'t> {
    pub(crate) items: Vec<Item<'t>>,
    pub(crate) facts: Vec<Facts>,
    pub(crate) rules: Vec<IrRule<'t>>,
    pub(crate) root: Id,
}

/// Why a pattern cannot be compiled.
#[derive(Debug, PartialEq)]
pub(crate) enum Unresolved {
    /// No such rule in the grammar.
    Undefined(Constant),
    /// A call outside any grammar.
    Outside(Constant),
}

/// Work that lasts as long as there are items; the argument says how many.
pub(crate) type Charge<'c, E> = dyn FnMut(usize) -> Result<(), E> + 'c;

impl<'t> Ir<'t> {
    /// The whole pattern.
    pub(crate) fn of(tree: &'t Tree) -> Result<Ir<'t>, Unresolved> {
        let mut lowering = Lowering::default();
        lowering.ir.root = lowering.lower(tree)?;
        Ok(lowering.ir)
    }

    /// A grammar about to be made; closed patterns in it are not looked into.
    pub(crate) fn of_rules(rules: &'t [Rule]) -> Result<Ir<'t>, Unresolved> {
        let mut lowering = Lowering {
            closed_are_opaque: true,
            ..Lowering::default()
        };
        lowering.ir.root = lowering.grammar(rules)?;
        Ok(lowering.ir)
    }

    /// Finds the facts of all items: repeats until those of the rules no longer grow.
    pub(crate) fn analyse<E>(&mut self, charge: &mut Charge<'_, E>) -> Result<(), E> {
        self.facts = vec![Facts::NOTHING; self.items.len()];
        loop {
            charge(2 * self.items.len())?;
            // From the last rule to the first, since rules mostly call those after them; then everything in order.
            for rule in (0..self.rules.len()).rev() {
                self.update(self.rules[rule].items.clone());
            }
            if !self.update(0..self.items.len()) || self.rules.is_empty() {
                return Ok(());
            }
        }
    }

    /// Finds the facts of these items; whether some have changed.
    fn update(&mut self, items: std::ops::Range<usize>) -> bool {
        let mut changed = false;
        for id in items {
            let facts = self.facts_of(id);
            changed |= std::mem::replace(&mut self.facts[id], facts) != facts;
        }
        changed
    }

    pub(crate) fn fact(&self, id: Id) -> &Facts {
        &self.facts[id as usize]
    }

    pub(crate) fn item(&self, id: Id) -> &Item<'t> {
        &self.items[id as usize]
    }

    fn facts_of(&self, id: usize) -> Facts {
        match &self.items[id] {
            Item::Set(set) => Facts {
                first: *set,
                fails_at_head: true,
                length: Length::Fixed(1),
                ..Facts::NOTHING
            },
            Item::Any(n) => Facts {
                first: ByteSet::FULL,
                fails_at_head: *n == 1,
                length: Length::Fixed(*n),
                ..Facts::NOTHING
            },
            Item::Literal(bytes) => Facts {
                first: ByteSet::of(&bytes[..1]),
                length: u32::try_from(bytes.len()).map_or(Length::Varies, Length::Fixed),
                ..Facts::NOTHING
            },
            Item::True => Facts {
                cannot_fail: true,
                ..Facts::EMPTY
            },
            Item::False => Facts {
                fails_at_head: true,
                length: Length::Fixed(0),
                ..Facts::NOTHING
            },
            Item::Sequence(parts) => self.sequence(parts),
            Item::Choice(parts) => self.choice(parts),
            Item::AtLeast(body, min) => self.at_least(self.fact(*body), *min),
            Item::AtMost(body, _) => Facts {
                entry: self.fact(*body).entry.max(Entry::Empty),
                nullable: true,
                cannot_fail: true,
                fails_at_head: false,
                length: self.fact(*body).length.or(Length::Fixed(0)),
                ..*self.fact(*body)
            },
            Item::Not(body) => Facts {
                has_captures: self.fact(*body).has_captures,
                entry: runtime_or_empty(self.fact(*body)),
                ..Facts::EMPTY
            },
            Item::And(body) => Facts {
                nullable: true,
                length: Length::Fixed(0),
                ..*self.fact(*body)
            },
            Item::Behind(..) => Facts::EMPTY,
            Item::Call(rule) => *self.fact(self.rules[*rule].body),
            Item::Grammar(rules) => *self.fact(self.rules[rules.start].body),
            Item::Capture(capture, body) => of_capture(capture, self.fact(*body)),
            Item::Closed(info) => Facts {
                first: ByteSet::FULL,
                entry: Entry::Runtime,
                nullable: info.nullable,
                cannot_fail: info.cannot_fail,
                fails_at_head: false,
                length: info.fixed_length.map_or(Length::Varies, Length::Fixed),
                has_captures: info.has_captures,
            },
        }
    }

    fn sequence(&self, parts: &[Id]) -> Facts {
        let mut facts = Facts {
            cannot_fail: true,
            fails_at_head: true,
            ..Facts::EMPTY
        };
        for (n, &part) in parts.iter().enumerate() {
            let part = self.fact(part);
            facts.nullable &= part.nullable;
            facts.cannot_fail &= part.cannot_fail;
            facts.fails_at_head &= if n == 0 {
                part.fails_at_head
            } else {
                part.cannot_fail
            };
            facts.length = facts.length.then(part.length);
            facts.has_captures |= part.has_captures;
        }
        for &part in parts.iter().rev() {
            (facts.first, facts.entry) = self.before(part, facts.first, facts.entry);
        }
        facts
    }

    /// How a match of `id` begins that is followed by what begins like this.
    pub(crate) fn before(&self, id: Id, next: ByteSet, next_entry: Entry) -> (ByteSet, Entry) {
        let facts = self.fact(id);
        match self.item(id) {
            Item::Not(body) if facts.entry != Entry::Runtime => match self.item(*body) {
                Item::Set(set) => (next.minus(set), next_entry),
                _ => (next, next_entry),
            },
            Item::And(_) if facts.needs_first() && next_entry == Entry::Byte => {
                (next.minus(&facts.first.complement()), Entry::Byte)
            }
            _ => match facts.entry {
                Entry::Byte => (facts.first, Entry::Byte),
                Entry::Empty => (facts.first.union(&next), next_entry),
                Entry::Runtime => (facts.first.union(&next), Entry::Runtime),
            },
        }
    }

    fn choice(&self, parts: &[Id]) -> Facts {
        let mut facts = Facts {
            fails_at_head: true,
            ..Facts::NOTHING
        };
        for &part in parts {
            let part = self.fact(part);
            facts.first = facts.first.union(&part.first);
            facts.entry = facts.entry.max(part.entry);
            facts.nullable |= part.nullable;
            facts.cannot_fail |= part.cannot_fail;
            facts.fails_at_head &= part.fails_at_head;
            facts.length = facts.length.or(part.length);
            facts.has_captures |= part.has_captures;
        }
        facts
    }

    fn at_least(&self, body: &Facts, min: u32) -> Facts {
        if min > 0 {
            // The loop that follows the copies cannot fail.
            return Facts {
                fails_at_head: body.fails_at_head && min == 1,
                length: Length::Varies,
                ..*body
            };
        }
        Facts {
            entry: body.entry.max(Entry::Empty),
            nullable: true,
            cannot_fail: true,
            fails_at_head: false,
            length: Length::Varies,
            ..*body
        }
    }
}

fn runtime_or_empty(body: &Facts) -> Entry {
    // Even a body that calls Lua later has to be tried: what it does must not depend on how it is compiled.
    if body.entry == Entry::Runtime {
        Entry::Runtime
    } else {
        Entry::Empty
    }
}

fn of_capture(capture: &Capture, body: &Facts) -> Facts {
    let body = Facts {
        has_captures: true,
        ..*body
    };
    if !matches!(capture, Capture::Runtime(_)) {
        return body;
    }
    Facts {
        entry: if body.needs_first() {
            Entry::Byte
        } else {
            Entry::Runtime
        },
        cannot_fail: false,
        fails_at_head: false,
        length: Length::Varies,
        ..body
    }
}

/// Makes items of trees. Shared trees are lowered once for each grammar they stand in.
#[derive(Default)]
struct Lowering<'t> {
    ir: Ir<'t>,
    scopes: Vec<Scope<'t>>,
    /// Items of trees, by the tree and, if it is open, the scope.
    known: HashMap<(*const Node, usize), Id>,
    scopes_made: usize,
    closed_are_opaque: bool,
}

/// The rules that calls can see: those of the innermost grammar.
struct Scope<'t> {
    number: usize,
    rules: Vec<(&'t Constant, usize)>,
    by_bytes: HashMap<&'t [u8], usize>,
}

impl<'t> Scope<'t> {
    fn new(number: usize, names: impl Iterator<Item = (&'t Constant, usize)>) -> Scope<'t> {
        let mut scope = Scope {
            number,
            rules: Vec::new(),
            by_bytes: HashMap::new(),
        };
        for (name, rule) in names {
            match name {
                Constant::Bytes(bytes) => drop(scope.by_bytes.insert(bytes, rule)),
                _ => scope.rules.push((name, rule)),
            }
        }
        scope
    }

    fn find(&self, name: &Constant) -> Option<usize> {
        match name {
            Constant::Bytes(bytes) => self.by_bytes.get(&**bytes).copied(),
            _ => self
                .rules
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, rule)| *rule),
        }
    }
}

impl<'t> Lowering<'t> {
    fn push(&mut self, item: Item<'t>) -> Id {
        self.ir.items.push(item);
        (self.ir.items.len() - 1) as Id
    }

    fn lower(&mut self, tree: &'t Tree) -> Result<Id, Unresolved> {
        let scope = match self.scopes.last() {
            Some(scope) if tree.info.is_open => scope.number,
            _ => 0,
        };
        let key = (Arc::as_ptr(tree), scope);
        if let Some(&id) = self.known.get(&key) {
            return Ok(id);
        }
        let id = if self.closed_are_opaque && !tree.info.is_open {
            self.push(Item::Closed(tree.info))
        } else {
            self.lower_new(tree)?
        };
        self.known.insert(key, id);
        Ok(id)
    }

    fn lower_new(&mut self, tree: &'t Tree) -> Result<Id, Unresolved> {
        let item = match &tree.shape {
            Shape::Set(set) if *set == ByteSet::EMPTY => Item::False,
            Shape::Set(set) => Item::Set(*set),
            Shape::Any(1) => Item::Set(ByteSet::FULL),
            Shape::Any(n) => Item::Any(*n),
            Shape::Literal(bytes) if bytes.len() == 1 => Item::Set(ByteSet::of(bytes)),
            Shape::Literal(bytes) => Item::Literal(bytes.to_vec()),
            Shape::True => Item::True,
            Shape::False => Item::False,
            Shape::Sequence(..) => return self.sequence(tree),
            Shape::Choice(..) => return self.choice(tree),
            Shape::AtLeast(body, min) => Item::AtLeast(self.lower(body)?, *min),
            Shape::AtMost(body, max) => Item::AtMost(self.lower(body)?, *max),
            Shape::Not(body) => Item::Not(self.lower(body)?),
            Shape::And(body) => Item::And(self.lower(body)?),
            Shape::Behind(body, length) => Item::Behind(self.lower(body)?, *length),
            Shape::Call(name) => Item::Call(self.resolve(name)?),
            Shape::Grammar(rules) => return self.grammar(rules),
            Shape::Capture(capture, body) => Item::Capture(capture, self.lower(body)?),
        };
        Ok(self.push(item))
    }

    fn resolve(&self, name: &Constant) -> Result<usize, Unresolved> {
        let Some(scope) = self.scopes.last() else {
            return Err(Unresolved::Outside(name.clone()));
        };
        scope
            .find(name)
            .ok_or_else(|| Unresolved::Undefined(name.clone()))
    }

    /// A chain of sequences as one; what is matched as one literal becomes one.
    fn sequence(&mut self, tree: &'t Tree) -> Result<Id, Unresolved> {
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut waiting = vec![tree];
        while let Some(tree) = waiting.pop() {
            match &tree.shape {
                Shape::Sequence(a, b) if !self.is_opaque(tree) => waiting.extend([b, a]),
                Shape::Literal(bytes) => literal.extend_from_slice(bytes),
                Shape::Set(set) if set.single().is_some() => literal.extend(set.iter()),
                _ => {
                    self.push_literal(&mut literal, &mut parts);
                    parts.push(self.lower(tree)?);
                }
            }
        }
        self.push_literal(&mut literal, &mut parts);
        Ok(match parts[..] {
            [part] => part,
            _ => self.push(Item::Sequence(parts)),
        })
    }

    fn is_opaque(&self, tree: &Tree) -> bool {
        self.closed_are_opaque && !tree.info.is_open
    }

    fn push_literal(&mut self, literal: &mut Vec<u8>, parts: &mut Vec<Id>) {
        let item = match literal.len() {
            0 => return,
            1 => Item::Set(ByteSet::of(literal)),
            _ => Item::Literal(std::mem::take(literal)),
        };
        literal.clear();
        let id = self.push(item);
        parts.push(id);
    }

    /// A chain of choices as one; neighbouring sets become one.
    fn choice(&mut self, tree: &'t Tree) -> Result<Id, Unresolved> {
        let mut parts = Vec::new();
        let mut set = ByteSet::EMPTY;
        let mut waiting = vec![tree];
        while let Some(tree) = waiting.pop() {
            match &tree.shape {
                Shape::Choice(a, b) if !self.is_opaque(tree) => waiting.extend([b, a]),
                _ => match tree.as_set() {
                    Some(more) => set = set.union(&more),
                    None => {
                        self.push_set(&mut set, &mut parts);
                        parts.push(self.lower(tree)?);
                    }
                },
            }
        }
        self.push_set(&mut set, &mut parts);
        Ok(match parts[..] {
            [part] => part,
            _ => self.push(Item::Choice(parts)),
        })
    }

    fn push_set(&mut self, set: &mut ByteSet, parts: &mut Vec<Id>) {
        if *set != ByteSet::EMPTY {
            let id = self.push(Item::Set(std::mem::take(set)));
            parts.push(id);
        }
    }

    fn grammar(&mut self, rules: &'t [Rule]) -> Result<Id, Unresolved> {
        let start = self.ir.rules.len();
        self.scopes_made += 1;
        let names = rules
            .iter()
            .enumerate()
            .map(|(n, rule)| (&rule.name, start + n));
        self.scopes.push(Scope::new(self.scopes_made, names));
        // Grammars within this one number their rules after these.
        self.ir.rules.extend(rules.iter().map(|rule| IrRule {
            name: &rule.name,
            body: 0,
            items: 0..0,
        }));
        for (n, rule) in rules.iter().enumerate() {
            let from = self.ir.items.len();
            let body = self.lower(&rule.body)?;
            let items = from..self.ir.items.len();
            let rule = &mut self.ir.rules[start + n];
            (rule.body, rule.items) = (body, items);
        }
        self.scopes.pop();
        Ok(self.push(Item::Grammar(start..start + rules.len())))
    }
}
