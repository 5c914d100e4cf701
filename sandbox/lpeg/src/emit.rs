//! From a pattern to the program of the matching machine: where one byte decides, no choice is set.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use memchr::memmem::Finder;

use crate::ir::{Entry, Facts, Id, Ir, Item};
use crate::program::{Address, Kind, Op, Program, SwitchTable, pieces, set_table};
use crate::set::ByteSet;
use crate::tree::{Capture, Constant, Home};

/// Alternatives, told apart by their first bytes, from which on a table is used.
const SWITCH_MIN: usize = 3;

/// Named groups that a table is made ready for at most.
const FIELDS_MAX: u32 = 64;

/// Compiles an analysed pattern.
pub(crate) fn emit(ir: &Ir<'_>, home: &Arc<Home>) -> Program {
    let mut emitter = Emitter {
        ir,
        program: Program {
            home: Arc::clone(home),
            ops: Vec::new(),
            sets: Vec::new(),
            literals: Vec::new(),
            finders: Vec::new(),
            switches: Vec::new(),
            kinds: Vec::new(),
            constants: Vec::new(),
            has_runtime: false,
        },
        sets: HashMap::new(),
        literals: HashMap::new(),
        kinds: HashMap::new(),
        bytes: HashMap::new(),
        rule_calls: Vec::new(),
        fields: fields(ir),
    };
    emitter.item(ir.root, &ByteSet::FULL, None);
    emitter.push(Op::End);
    emitter.shorten_jumps();
    emitter.program
}

struct Emitter<'i, 't> {
    ir: &'i Ir<'t>,
    program: Program,
    sets: HashMap<ByteSet, u32>,
    literals: HashMap<&'i [u8], u32>,
    /// Kinds of captures by their item.
    kinds: HashMap<Id, u32>,
    bytes: HashMap<&'t [u8], u32>,
    /// Calls that do not know the address of their rule yet.
    rule_calls: Vec<(usize, usize)>,
    fields: Vec<u32>,
}

/// What is known of the next byte: one of these.
type Known<'s> = Option<&'s ByteSet>;

impl<'i, 't> Emitter<'i, 't> {
    fn push(&mut self, op: Op) -> usize {
        self.program.ops.push(op);
        self.program.ops.len() - 1
    }

    fn here(&self) -> Address {
        self.program.ops.len() as Address
    }

    /// Lets the jump at `at` lead here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        retarget(&mut self.program.ops[at], here);
    }

    fn set(&mut self, set: &ByteSet) -> u32 {
        if let Some(&known) = self.sets.get(set) {
            return known;
        }
        let number = self.program.sets.len() as u32;
        self.program.sets.push(set_table(set));
        self.sets.insert(*set, number);
        number
    }

    /// Emits a jump to be landed that is taken unless a byte of the set is next.
    fn test(&mut self, first: &ByteSet) -> usize {
        let op = match first.single() {
            Some(byte) => Op::TestByte(byte, 0),
            None if *first == ByteSet::FULL => Op::TestAny(0),
            None => Op::TestSet(self.set(first), 0),
        };
        self.push(op)
    }

    fn item(&mut self, id: Id, follow: &ByteSet, known: Known<'_>) {
        let ir = self.ir;
        match ir.item(id) {
            Item::Set(set) => self.one_of(set, known),
            Item::Any(n) => drop(self.push(Op::Any(*n))),
            Item::Literal(bytes) => {
                let number = self.literal(bytes);
                self.push(Op::Literal(number));
            }
            Item::True => {}
            Item::False => drop(self.push(Op::Fail)),
            Item::Sequence(parts) => self.sequence(parts, follow, known),
            Item::Choice(parts) => self.choice(parts, follow, known),
            Item::AtLeast(body, min) => self.at_least(*body, *min, follow, known),
            Item::AtMost(body, max) => self.at_most(*body, *max, follow),
            Item::Not(body) => self.not(*body),
            Item::And(body) => self.and(*body),
            Item::Behind(body, length) => {
                if *length > 0 {
                    self.push(Op::Behind(*length));
                }
                self.item(*body, &ByteSet::FULL, None);
            }
            Item::Call(rule) => {
                let at = self.push(Op::Call(0));
                self.rule_calls.push((at, *rule));
            }
            Item::Grammar(rules) => self.grammar(rules.clone()),
            Item::Capture(capture, body) => self.capture(id, capture, *body, follow, known),
            Item::Closed(_) => unreachable!("only verification leaves patterns closed"),
        }
    }

    fn one_of(&mut self, set: &ByteSet, known: Known<'_>) {
        let op = match set.single() {
            _ if known.is_some_and(|known| known.minus(set) == ByteSet::EMPTY) => Op::Skip,
            Some(byte) => Op::Byte(byte),
            None if *set == ByteSet::FULL => Op::Any(1),
            None => Op::Set(self.set(set)),
        };
        self.push(op);
    }

    fn literal(&mut self, bytes: &'i [u8]) -> u32 {
        let literals = &mut self.program.literals;
        *self.literals.entry(bytes).or_insert_with(|| {
            literals.push(bytes.into());
            (literals.len() - 1) as u32
        })
    }

    fn sequence(&mut self, parts: &[Id], follow: &ByteSet, known: Known<'_>) {
        // What may follow each part, from the last to the first.
        let mut follows = Vec::with_capacity(parts.len());
        let (mut first, mut entry) = (*follow, Entry::Byte);
        for &part in parts.iter().rev() {
            follows.push(first);
            (first, entry) = self.ir.before(part, first, entry);
            if entry == Entry::Runtime {
                (first, entry) = (ByteSet::FULL, Entry::Byte);
            }
        }
        let mut known = known;
        for (&part, follow) in parts.iter().zip(follows.iter().rev()) {
            self.item(part, follow, known);
            if self.ir.fact(part).length.fixed() != Some(0) {
                known = None;
            }
        }
    }

    fn choice(&mut self, parts: &[Id], follow: &ByteSet, known: Known<'_>) {
        let deciding = |&&part: &&Id| self.ir.fact(part).needs_first();
        let n_heads = parts.iter().take_while(deciding).count();
        let (heads, rest) = parts.split_at(n_heads);
        if heads.len() >= SWITCH_MIN {
            let groups = self.groups(heads);
            if groups.len() >= SWITCH_MIN {
                return self.switch(&groups, rest, follow);
            }
        }
        self.one_by_one(parts, follow, known);
    }

    /// Alternatives that can begin with the same byte come into the same group; within it they keep their order.
    fn groups(&self, parts: &[Id]) -> Vec<(ByteSet, Vec<usize>)> {
        let mut groups: Vec<(ByteSet, Vec<usize>)> = Vec::new();
        for (n, &part) in parts.iter().enumerate() {
            let mut first = self.ir.fact(part).first;
            let mut members = Vec::new();
            groups.retain_mut(|(set, others)| {
                let apart = set.is_disjoint(&first);
                if !apart {
                    first = first.union(set);
                    members.append(others);
                }
                apart
            });
            members.push(n);
            groups.push((first, members));
        }
        for (_, members) in &mut groups {
            members.sort_unstable();
            for member in members {
                *member = parts[*member] as usize;
            }
        }
        groups
    }

    /// Goes by the next byte to the one group that can match; otherwise, or when the group fails, to `rest`.
    fn switch(&mut self, groups: &[(ByteSet, Vec<usize>)], rest: &[Id], follow: &ByteSet) {
        let after = rest.iter().fold(ByteSet::EMPTY, |set, &part| {
            set.union(&self.beginning(part, follow))
        });
        let number = self.program.switches.len();
        self.program.switches.push([0; 257]);
        self.push(Op::Switch(number as u32));
        let mut table: SwitchTable = [0; 257];
        let mut ends = Vec::new();
        let mut choices = Vec::new();
        for (set, members) in groups {
            for byte in set.iter() {
                table[usize::from(byte)] = self.here();
            }
            let members: Vec<Id> = members.iter().map(|&member| member as Id).collect();
            let decided = rest.is_empty()
                || members.iter().all(|&part| self.ir.fact(part).fails_at_head)
                || set.is_disjoint(&after);
            if decided {
                self.one_by_one(&members, follow, Some(set));
                ends.push(self.push(Op::Jump(0)));
            } else {
                choices.push(self.push(Op::Choice(0)));
                self.one_by_one(&members, &ByteSet::FULL, Some(set));
                ends.push(self.push(Op::Commit(0)));
            }
        }
        let here = self.here();
        for address in table.iter_mut().filter(|address| **address == 0) {
            *address = here;
        }
        for choice in choices {
            self.land(choice);
        }
        match rest {
            [] => drop(self.push(Op::Fail)),
            _ => self.one_by_one(rest, follow, None),
        }
        for end in ends {
            self.land(end);
        }
        self.program.switches[number] = table;
    }

    /// The bytes with which a match of the part begins, or what follows it if the part takes none.
    fn beginning(&self, part: Id, follow: &ByteSet) -> ByteSet {
        match self.ir.before(part, *follow, Entry::Byte) {
            (_, Entry::Runtime) => ByteSet::FULL,
            (first, _) => first,
        }
    }

    fn one_by_one(&mut self, parts: &[Id], follow: &ByteSet, known: Known<'_>) {
        // How the alternatives after each begin, from the last to the first.
        let mut rests = Vec::with_capacity(parts.len());
        let mut rest = ByteSet::EMPTY;
        for &part in parts.iter().rev() {
            rests.push(rest);
            rest = rest.union(&self.beginning(part, follow));
        }
        let mut ends = Vec::new();
        for (n, &part) in parts.iter().enumerate() {
            if n + 1 == parts.len() || self.ir.fact(part).cannot_fail {
                self.item(part, follow, known);
                break;
            }
            let rest = &rests[parts.len() - 1 - n];
            ends.push(self.alternative(part, rest, follow, known));
        }
        for end in ends {
            self.land(end);
        }
    }

    /// One alternative; where it fails, the code that follows is the next. Returns the jump behind it, to be landed.
    fn alternative(
        &mut self,
        part: Id,
        rest: &ByteSet,
        follow: &ByteSet,
        known: Known<'_>,
    ) -> usize {
        let facts = *self.ir.fact(part);
        let test = self.test_unless_known(&facts, known);
        let known = if facts.needs_first() {
            Some(&facts.first)
        } else {
            known
        };
        let end = if decides(&facts, rest) {
            self.item(part, follow, known);
            self.push(Op::Jump(0))
        } else {
            let choice = self.push(Op::Choice(0));
            // Where it fails does not depend on what follows: once it has matched, the others are not tried.
            self.item(part, &ByteSet::FULL, known);
            let end = self.push(Op::Commit(0));
            self.land(choice);
            end
        };
        if let Some(test) = test {
            self.land(test);
        }
        end
    }

    /// Tests the first byte if it decides and is not known to be right.
    fn test_unless_known(&mut self, facts: &Facts, known: Known<'_>) -> Option<usize> {
        let right = known.is_some_and(|known| known.minus(&facts.first) == ByteSet::EMPTY);
        (facts.needs_first() && !right).then(|| self.test(&facts.first))
    }

    fn at_least(&mut self, body: Id, min: u32, follow: &ByteSet, known: Known<'_>) {
        let facts = *self.ir.fact(body);
        let mut known = known;
        if let Item::Set(set) = self.ir.item(body) {
            return self.span(set, min, known);
        }
        // After each copy comes another, or what follows.
        let next = facts.first.union(follow);
        for _ in 0..min {
            self.item(body, &next, known.take());
        }
        if self.before_next(body) {
            return;
        }
        let known = facts.needs_first().then_some(&facts.first);
        if decides(&facts, follow) {
            let top = self.here();
            let test = self.test(&facts.first);
            self.item(body, &next, known);
            self.push(Op::Jump(top));
            self.land(test);
            return;
        }
        let test = self.test_unless_known(&facts, None);
        let choice = self.push(Op::Choice(0));
        let top = self.here();
        self.item(body, &ByteSet::FULL, None);
        self.push(Op::PartialCommit(top));
        self.land(choice);
        if let Some(test) = test {
            self.land(test);
        }
    }

    fn span(&mut self, set: &ByteSet, min: u32, known: Known<'_>) {
        let mut known = known;
        for _ in 1..min {
            self.one_of(set, known.take());
        }
        let others = set.complement();
        let op = match others.iter().collect::<Vec<_>>()[..] {
            [] => Op::ToEnd,
            [a] => Op::To1(a),
            [a, b] => Op::To2(a, b),
            [a, b, c] => Op::To3(a, b, c),
            _ if min > 0 => Op::SpanSome(self.set(set)),
            _ => Op::Span(self.set(set)),
        };
        if min > 0 && !matches!(op, Op::SpanSome(_)) {
            self.one_of(set, known);
        }
        self.push(op);
    }

    /// Emits the loop over `1 - literal`, if it is one.
    fn before_next(&mut self, body: Id) -> bool {
        let Item::Sequence(parts) = self.ir.item(body) else {
            return false;
        };
        let [not, any] = parts[..] else { return false };
        let (Item::Not(stop), Item::Set(set)) = (self.ir.item(not), self.ir.item(any)) else {
            return false;
        };
        if *set != ByteSet::FULL {
            return false;
        }
        match self.ir.item(*stop) {
            Item::Literal(bytes) => {
                let number = self.program.finders.len() as u32;
                self.program.finders.push(Finder::new(bytes).into_owned());
                self.push(Op::Before(number));
                true
            }
            _ => self.skip_to_head(*stop),
        }
    }

    /// The loop over `1 - stop`, where `stop` must begin with certain bytes: goes to the next of them, and looks there.
    fn skip_to_head(&mut self, stop: Id) -> bool {
        let facts = *self.ir.fact(stop);
        if !facts.needs_first() || facts.first == ByteSet::FULL || facts.fails_at_head {
            return false;
        }
        let top = self.here();
        self.span(&facts.first.complement(), 0, None);
        let end = self.push(Op::TestAny(0));
        let choice = self.push(Op::Choice(0));
        self.item(stop, &ByteSet::FULL, Some(&facts.first));
        let found = self.push(Op::BackCommit(0));
        self.land(choice);
        self.push(Op::Skip);
        self.push(Op::Jump(top));
        self.land(end);
        self.land(found);
        true
    }

    fn at_most(&mut self, body: Id, max: u32, follow: &ByteSet) {
        let facts = *self.ir.fact(body);
        let next = facts.first.union(follow);
        let known = facts.needs_first().then_some(&facts.first);
        let mut ends = Vec::new();
        if decides(&facts, follow) {
            for _ in 0..max {
                ends.push(self.test(&facts.first));
                self.item(body, &next, known);
            }
        } else {
            ends.extend(self.test_unless_known(&facts, None));
            ends.push(self.push(Op::Choice(0)));
            for n in 1..=max {
                self.item(body, &ByteSet::FULL, if n == 1 { known } else { None });
                let next = self.here() + 1;
                match n == max {
                    true => ends.push(self.push(Op::Commit(0))),
                    false => drop(self.push(Op::PartialCommit(next))),
                }
            }
        }
        for end in ends {
            self.land(end);
        }
    }

    fn not(&mut self, body: Id) {
        let facts = *self.ir.fact(body);
        if facts.needs_first() && facts.fails_at_head {
            let set = self.set(&facts.first);
            self.push(Op::NotSet(set));
            return;
        }
        let test = self.test_unless_known(&facts, None);
        let choice = self.push(Op::Choice(0));
        let known = facts.needs_first().then_some(&facts.first);
        self.item(body, &ByteSet::FULL, known);
        self.push(Op::FailTwice);
        self.land(choice);
        if let Some(test) = test {
            self.land(test);
        }
    }

    fn and(&mut self, body: Id) {
        let facts = *self.ir.fact(body);
        if let Some(length) = facts.length.fixed().filter(|_| !facts.has_captures) {
            self.item(body, &ByteSet::FULL, None);
            if length > 0 {
                self.push(Op::Behind(length));
            }
            return;
        }
        let choice = self.push(Op::Choice(0));
        self.item(body, &ByteSet::FULL, None);
        let end = self.push(Op::BackCommit(0));
        self.land(choice);
        self.push(Op::Fail);
        self.land(end);
    }

    fn grammar(&mut self, rules: std::ops::Range<usize>) {
        let outer_calls = std::mem::take(&mut self.rule_calls);
        let first = self.push(Op::Call(0));
        let end = self.push(Op::Jump(0));
        self.land(first);
        let mut addresses = Vec::with_capacity(rules.len());
        for rule in rules.clone() {
            addresses.push(self.here());
            let body = self.ir.rules[rule].body;
            self.item(body, &ByteSet::FULL, None);
            self.push(Op::Return);
        }
        self.land(end);
        for (at, rule) in std::mem::replace(&mut self.rule_calls, outer_calls) {
            retarget(&mut self.program.ops[at], addresses[rule - rules.start]);
        }
    }

    fn capture(
        &mut self,
        id: Id,
        capture: &'t Capture,
        body: Id,
        follow: &ByteSet,
        known: Known<'_>,
    ) {
        let facts = *self.ir.fact(body);
        let kind = self.kind(id, capture);
        if matches!(capture, Capture::Runtime(_)) {
            self.program.has_runtime = true;
            self.push(Op::Open(kind));
            // A failure in the body must not be taken for one of what follows: the function may still refuse.
            self.item(body, &ByteSet::FULL, known);
            self.push(Op::CloseRuntime);
            return;
        }
        match facts.length.fixed().filter(|_| !facts.has_captures) {
            Some(length) => {
                self.item(body, follow, known);
                self.push(Op::Full(kind, length));
            }
            None => {
                self.push(Op::Open(kind));
                self.item(body, follow, known);
                self.push(Op::Close);
            }
        }
    }

    fn kind(&mut self, id: Id, capture: &'t Capture) -> u32 {
        if let Some(&known) = self.kinds.get(&id) {
            return known;
        }
        let kind = match capture {
            Capture::Position => Kind::Position,
            Capture::Constant(value) => Kind::Constant(self.constant(value)),
            Capture::Argument(n) => Kind::Argument(*n),
            Capture::Simple => Kind::Simple,
            Capture::Group(name) => Kind::Group(name.as_ref().map(|name| self.constant(name))),
            Capture::BackReference(name) => Kind::BackReference(self.constant(name)),
            Capture::Table => Kind::Table(self.fields[id as usize]),
            Capture::Substitution => Kind::Substitution,
            Capture::Fold(value) => Kind::Fold(self.constant(value)),
            Capture::Format(format) => Kind::Format(pieces(format)),
            Capture::Select(n) => Kind::Select(*n),
            Capture::Query(value) => Kind::Query(self.constant(value)),
            Capture::Function(value) if self.is_to_number(value) => {
                Kind::ToNumber(self.constant(value))
            }
            Capture::Function(value) => Kind::Function(self.constant(value)),
            Capture::Runtime(value) => Kind::Runtime(self.constant(value)),
        };
        let number = self.program.kinds.len() as u32;
        self.program.kinds.push(kind);
        self.kinds.insert(id, number);
        number
    }

    fn is_to_number(&self, value: &Constant) -> bool {
        let known = self.program.home.to_number.load(Ordering::Relaxed);
        known != 0 && matches!(value, Constant::Object { address, .. } if *address == known)
    }

    /// The place of a value; equal values have the same.
    fn constant(&mut self, value: &'t Constant) -> u32 {
        let constants = &mut self.program.constants;
        let known = match value {
            Constant::Bytes(bytes) => self.bytes.get(&**bytes).copied(),
            _ => constants
                .iter()
                .position(|known| known == value)
                .map(|n| n as u32),
        };
        if let Some(known) = known {
            return known;
        }
        let number = constants.len() as u32;
        constants.push(value.clone());
        if let Constant::Bytes(bytes) = value {
            self.bytes.insert(bytes, number);
        }
        number
    }

    /// Lets jumps lead where they end up, and makes a call that is followed by a return a jump.
    fn shorten_jumps(&mut self) {
        let ops = &mut self.program.ops;
        for at in 0..ops.len() {
            let Some(target) = target(ops[at]) else {
                continue;
            };
            let end = last_target(ops, target);
            match ops[at] {
                Op::Call(_) if ops[last_target(ops, at as u32 + 1) as usize] == Op::Return => {
                    ops[at] = Op::Jump(end);
                }
                Op::Jump(_) if matches!(ops[end as usize], Op::Return | Op::Fail | Op::End) => {
                    ops[at] = ops[end as usize];
                }
                _ => retarget(&mut ops[at], end),
            }
        }
        for switch in &mut self.program.switches {
            for address in switch.iter_mut() {
                *address = last_target(ops, *address);
            }
        }
    }
}

/// Whether nothing but the first byte can make the part fail where anything else could match: either it fails by that
/// byte alone, or what else could match begins with other bytes.
fn decides(facts: &Facts, others: &ByteSet) -> bool {
    facts.needs_first() && (facts.fails_at_head || facts.first.is_disjoint(others))
}

fn target(op: Op) -> Option<Address> {
    match op {
        Op::TestAny(to)
        | Op::TestByte(_, to)
        | Op::TestSet(_, to)
        | Op::Jump(to)
        | Op::Call(to)
        | Op::Choice(to)
        | Op::Commit(to)
        | Op::PartialCommit(to)
        | Op::BackCommit(to) => Some(to),
        _ => None,
    }
}

fn retarget(op: &mut Op, to: Address) {
    *op = match *op {
        Op::TestAny(_) => Op::TestAny(to),
        Op::TestByte(byte, _) => Op::TestByte(byte, to),
        Op::TestSet(set, _) => Op::TestSet(set, to),
        Op::Jump(_) => Op::Jump(to),
        Op::Call(_) => Op::Call(to),
        Op::Choice(_) => Op::Choice(to),
        Op::Commit(_) => Op::Commit(to),
        Op::PartialCommit(_) => Op::PartialCommit(to),
        Op::BackCommit(_) => Op::BackCommit(to),
        other => unreachable!("{other:?} goes nowhere"),
    };
}

/// Where a jump to this address ends up after the jumps it meets.
fn last_target(ops: &[Op], from: Address) -> Address {
    let mut to = from;
    // Jumps may form a circle: a rule that is nothing but a loop of calls.
    for _ in 0..ops.len() {
        match ops[to as usize] {
            Op::Jump(next) if next != to => to = next,
            _ => break,
        }
    }
    to
}

/// For each item how many named groups it holds that are not within another capture.
fn fields(ir: &Ir<'_>) -> Vec<u32> {
    let mut fields: Vec<u32> = Vec::with_capacity(ir.items.len());
    // For each item what a capture around it would take, and for table captures what it does take.
    let mut tables: Vec<u32> = Vec::with_capacity(ir.items.len());
    for item in &ir.items {
        let of = |id: &Id| fields.get(*id as usize).copied().unwrap_or(0);
        let n = match item {
            Item::Sequence(parts) => parts.iter().map(of).fold(0, u32::saturating_add),
            Item::Choice(parts) => parts.iter().map(of).max().unwrap_or(0),
            Item::AtLeast(body, _) | Item::AtMost(body, _) | Item::And(body) => of(body),
            Item::Grammar(rules) => of(&ir.rules[rules.start].body),
            Item::Capture(Capture::Group(Some(_)), _) => 1,
            _ => 0,
        };
        let within = match item {
            Item::Capture(Capture::Table, body) => of(body),
            _ => 0,
        };
        fields.push(n.min(FIELDS_MAX));
        tables.push(within);
    }
    tables
}
