//! Patterns as Lua sees them: objects, the values that only Lua can hold, and what else is turned into a pattern.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use sandbox::native::{Call, Class, Error, Object, Type};

use crate::api;
use crate::ir::{Ir, Unresolved};
use crate::program::Program;
use crate::tree::{Capture, Constant, Home, MAX_DEPTH, MAX_SIZE, Maker, Node, Rule, Tree};
use crate::verify::{self, Refusal};
use crate::{emit, ir};

/// The key under which the state keeps its [`Home`].
const HOME: &str = "lpeg";

/// The key under which the state keeps `tonumber`.
const TO_NUMBER: &str = "lpeg tonumber";

/// In the companion of a pattern: its own value.
const OWN: i64 = 0;

/// In the companion of a compiled pattern: the one it had before; from 1 on stand the constants of the program.
const BEFORE: i64 = -1;

/// Bytes for a node while it is compiled: its item and facts, or its instructions.
const BYTES_PER_NODE: usize = size_of::<ir::Item<'static>>() + size_of::<ir::Facts>();

/// A pattern.
///
/// Its companion table keeps alive the functions, tables and other values in it. It is made like the tree: a pattern with a
/// value has it at 0, and one that is made of several with values has their companions from 1 on.
pub(crate) struct Pattern {
    pub(crate) tree: Tree,
    /// Made at the first match. From then on the companion holds the program's constants.
    program: Option<Arc<Program>>,
}

impl Object for Pattern {
    fn class() -> Class {
        Class {
            name: "lpeg-pattern",
            methods: api::FUNCTIONS,
            metamethods: api::METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.program.as_ref().map_or(0, |program| program.memory())
    }
}

/// Counts the trees of a state to the plugin's memory.
struct HomeObject(Arc<Home>);

impl Object for HomeObject {
    fn class() -> Class {
        Class {
            name: "lpeg-home",
            methods: &[],
            metamethods: &[],
        }
    }

    fn memory(&self) -> usize {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

/// Makes what the patterns of the state share, once.
pub(crate) fn make_home(call: &mut Call<'_>) -> Result<(), Error> {
    let home = Arc::new(Home::default());
    home.to_number
        .store(keep_to_number(call)?, Ordering::Relaxed);
    call.push_object(HomeObject(home))?;
    call.keep(HOME)
}

/// Keeps the global `tonumber` if it is Lua's own; its address, or 0.
fn keep_to_number(call: &mut Call<'_>) -> Result<usize, Error> {
    let below = call.top();
    call.push_global("tonumber")?;
    let mut address = 0;
    if call.is_native_function(-1) {
        // Whatever does with digits what `tonumber` does may be taken for it.
        call.push_value(-1)?;
        call.push_bytes("8230")?;
        if call.call_protected(1, 1)? && call.number_at(-1) == Some(8230.0) {
            address = call.address(below + 1);
        }
        call.truncate(below + 1);
    }
    call.keep(TO_NUMBER)?;
    Ok(address)
}

/// What the patterns of the state share.
pub(crate) fn home(call: &mut Call<'_>) -> Result<Arc<Home>, Error> {
    call.push_kept(HOME)?;
    let home = call
        .object_at::<HomeObject>(-1)
        .map(|home| Arc::clone(&home.0))
        .expect("made when the module was opened");
    call.pop(1);
    Ok(home)
}

/// A tree and the position of its companion table on the stack.
pub(crate) struct Operand {
    pub(crate) tree: Tree,
    pub(crate) companion: Option<i32>,
}

impl Operand {
    /// A tree without Lua values.
    pub(crate) fn plain(tree: Tree) -> Operand {
        Operand {
            tree,
            companion: None,
        }
    }
}

/// Argument `i` as a pattern; whatever stands for one is turned into one.
pub(crate) fn operand(call: &mut Call<'_>, i: i32) -> Result<Operand, Error> {
    if call.is_object::<Pattern>(i) {
        return pattern_at(call, i);
    }
    let home = home(call)?;
    let maker = Maker(&home);
    let tree = match call.type_of(i) {
        Type::String => maker.literal(call.check_bytes(i)?),
        Type::Number => maker.any(call.check_integer(i)?),
        Type::Boolean => maker.truth(call.is_true(i)),
        Type::Table => return grammar(call, i, &home),
        Type::Function => {
            let (constant, companion) = constant(call, i)?;
            let tree = maker.capture(Capture::Runtime(constant), maker.truth(true));
            return Ok(Operand { tree, companion });
        }
        _ => return Err(call.type_error(i, "lpeg-pattern")),
    };
    Ok(Operand::plain(tree))
}

/// The pattern at `i`, with its companion pushed.
fn pattern_at(call: &mut Call<'_>, i: i32) -> Result<Operand, Error> {
    let i = absolute(call, i);
    let (tree, is_compiled) = call
        .object_at::<Pattern>(i)
        .map(|pattern| (Arc::clone(&pattern.tree), pattern.program.is_some()))
        .expect("the caller has checked it");
    if !tree.info.has_objects {
        return Ok(Operand::plain(tree));
    }
    call.push_companion(i)?;
    if is_compiled {
        call.raw_get_index(-1, BEFORE)?;
    }
    let companion = Some(call.top());
    Ok(Operand { tree, companion })
}

fn absolute(call: &Call<'_>, i: i32) -> i32 {
    if i < 0 { call.top() + 1 + i } else { i }
}

/// The value at `i`, without keeping it alive.
fn value(call: &Call<'_>, i: i32) -> Constant {
    match call.type_of(i) {
        Type::None | Type::Nil => Constant::Nil,
        Type::Boolean => Constant::Boolean(call.is_true(i)),
        Type::Number => Constant::Number(call.number_at(i).unwrap_or_default()),
        Type::String => Constant::Bytes(call.bytes_at(i).unwrap_or_default().into()),
        kind => Constant::Object {
            address: call.address(i),
            kind: kind.name(),
        },
    }
}

/// The value at `i`; if only Lua can hold it, a companion table with it is pushed, and its position comes along.
pub(crate) fn constant(call: &mut Call<'_>, i: i32) -> Result<(Constant, Option<i32>), Error> {
    let i = absolute(call, i);
    let value = value(call, i);
    if !value.is_object() {
        return Ok((value, None));
    }
    call.push_table(0, 1)?;
    call.push_value(i)?;
    call.raw_set_index(-2, OWN)?;
    Ok((value, Some(call.top())))
}

/// Pushes a pattern whose values are kept by these companion tables.
pub(crate) fn push_pattern(
    call: &mut Call<'_>,
    tree: Tree,
    companions: &[Option<i32>],
) -> Result<usize, Error> {
    check(&tree)?;
    let present: Vec<i32> = companions.iter().copied().flatten().collect();
    let companion = match present[..] {
        [] => None,
        [companion] => Some(companion),
        _ => {
            call.push_table(present.len(), 0)?;
            for (n, &companion) in present.iter().enumerate() {
                call.push_value(companion)?;
                call.raw_set_index(-2, n as i64 + 1)?;
            }
            Some(call.top())
        }
    };
    push_with(call, tree, companion)
}

fn check(tree: &Node) -> Result<(), Error> {
    if tree.info.depth > MAX_DEPTH {
        let text = format!("pattern too deep (limit is {MAX_DEPTH})");
        return Err(Error::new(text));
    }
    if tree.info.size > MAX_SIZE {
        return Err(Error::new(format!("pattern too big (limit is {MAX_SIZE})")));
    }
    Ok(())
}

fn push_with(call: &mut Call<'_>, tree: Tree, companion: Option<i32>) -> Result<usize, Error> {
    call.push_object(Pattern {
        tree,
        program: None,
    })?;
    if let Some(companion) = companion {
        call.push_value(companion)?;
        call.set_companion(-2);
    }
    count_trees(call)?;
    Ok(1)
}

/// Counts the state's trees again, after one was made.
fn count_trees(call: &mut Call<'_>) -> Result<(), Error> {
    call.push_kept(HOME)?;
    if call.recount(-1).is_err() {
        // The garbage was collected just now; only this shows what it was worth.
        call.recount(-1)?;
    }
    call.pop(1);
    Ok(())
}

/// The table at `i` as a grammar.
fn grammar(call: &mut Call<'_>, i: i32, home: &Arc<Home>) -> Result<Operand, Error> {
    let i = absolute(call, i);
    call.push_table(0, 0)?;
    let companions = call.top();
    let mut n_companions = 0;
    let initial = push_initial_rule(call, i)?;
    let body = rule_body(call, companions, &mut n_companions)?;
    call.truncate(companions);
    let mut rules = vec![Rule {
        name: initial,
        body,
    }];
    call.for_each(i, |call| {
        call.charge(1)?;
        let name = value(call, -2);
        if name == Constant::Number(1.0) || name == rules[0].name {
            return Ok(());
        }
        if !call.is_object::<Pattern>(-1) {
            return Err(with_name("rule '", &name, "' is not a pattern"));
        }
        let body = rule_body(call, companions, &mut n_companions)?;
        rules.push(Rule { name, body });
        Ok(())
    })?;
    let size = rules.iter().map(|rule| rule.body.info.size as usize).sum();
    allow_compilation(call, size)?;
    let mut charge = |n: usize| call.charge(u32::try_from(n).unwrap_or(u32::MAX));
    let initial = verify::verify(&rules, &mut charge).map_err(|refusal| match refusal {
        Refusal::Undefined(name) => with_name("rule '", &name, "' undefined in given grammar"),
        Refusal::LeftRecursive(name) => with_name("rule '", &name, "' may be left recursive"),
        Refusal::EmptyLoop(name) => with_name("empty loop in rule '", &name, "'"),
        Refusal::Ended(error) => error,
    })?;
    let tree = Maker(home).grammar(rules.into(), initial);
    let companion = tree.info.has_objects.then_some(companions);
    Ok(Operand { tree, companion })
}

/// Pushes the pattern of the initial rule; its name.
fn push_initial_rule(call: &mut Call<'_>, grammar: i32) -> Result<Constant, Error> {
    call.raw_get_index(grammar, 1)?;
    let mut name = Constant::Number(1.0);
    if matches!(call.type_of(-1), Type::String | Type::Number) {
        name = value(call, -1);
        let key = call.top();
        call.get(grammar, key)?;
    }
    if call.is_object::<Pattern>(-1) {
        return Ok(name);
    }
    if call.is_nil(-1) {
        return Err(Error::new("grammar has no initial rule"));
    }
    Err(with_name("initial rule '", &name, "' is not a pattern"))
}

/// The tree of the pattern on top; its companion goes into the table of companions.
fn rule_body(call: &mut Call<'_>, companions: i32, n_companions: &mut i64) -> Result<Tree, Error> {
    let Operand { tree, companion } = pattern_at(call, -1)?;
    if companion.is_some() {
        *n_companions += 1;
        call.push_value(-1)?;
        call.raw_set_index(companions, *n_companions)?;
    }
    check(&tree)?;
    Ok(tree)
}

fn with_name(before: &str, name: &Constant, after: &str) -> Error {
    Error::bytes([before.as_bytes(), &name.rule_name(), after.as_bytes()].concat())
}

/// Asks for the time and the memory to go through a pattern of this size.
fn allow_compilation(call: &mut Call<'_>, size: usize) -> Result<(), Error> {
    call.charge(u32::try_from(size).unwrap_or(u32::MAX))?;
    call.check_memory(size.saturating_mul(BYTES_PER_NODE))
}

/// The program of argument `i` as a pattern, with the table of its constants pushed.
pub(crate) fn program(call: &mut Call<'_>, i: i32) -> Result<Arc<Program>, Error> {
    let compiled = call
        .object_at::<Pattern>(i)
        .map(|pattern| pattern.program.clone());
    let Some(compiled) = compiled else {
        let Operand { tree, companion } = operand(call, i)?;
        return compile(call, &tree, companion);
    };
    if let Some(program) = compiled {
        match program.constants.is_empty() {
            true => call.push_nil()?,
            false => call.push_companion(i)?,
        }
        return Ok(program);
    }
    let Operand { tree, companion } = pattern_at(call, i)?;
    let program = compile(call, &tree, companion)?;
    if let Some(companion) = companion {
        call.push_value(companion)?;
        call.raw_set_index(-2, BEFORE)?;
    }
    if call.type_of(-1) == Type::Table {
        call.push_value(-1)?;
        call.set_companion(i);
    }
    call.check_object_mut::<Pattern>(i)?.program = Some(Arc::clone(&program));
    call.recount(i)?;
    Ok(program)
}

/// Compiles a pattern; the table of its constants is pushed, see [`push_constants`].
fn compile(
    call: &mut Call<'_>,
    tree: &Tree,
    companion: Option<i32>,
) -> Result<Arc<Program>, Error> {
    check(tree)?;
    allow_compilation(call, tree.info.size as usize)?;
    let mut ir = Ir::of(tree).map_err(|error| match error {
        Unresolved::Outside(name) => with_name("rule '", &name, "' used outside a grammar"),
        Unresolved::Undefined(name) => with_name("rule '", &name, "' undefined in given grammar"),
    })?;
    ir.analyse(&mut |n| call.charge(u32::try_from(n).unwrap_or(u32::MAX)))?;
    let program = emit::emit(&ir, tree.home());
    call.check_memory(program.memory())?;
    push_constants(call, &program, companion)?;
    Ok(Arc::new(program))
}

/// Pushes the table of a program's constants; nil if there are none, and no companion that it would take the place of.
fn push_constants(
    call: &mut Call<'_>,
    program: &Program,
    companion: Option<i32>,
) -> Result<(), Error> {
    if program.constants.is_empty() && companion.is_none() {
        return call.push_nil();
    }
    call.push_table(program.constants.len(), 1)?;
    let constants = call.top();
    let mut places = HashMap::new();
    for (n, constant) in program.constants.iter().enumerate() {
        match constant {
            Constant::Nil => continue,
            Constant::Boolean(truth) => call.push_bool(*truth)?,
            Constant::Number(number) => call.push_number(*number)?,
            Constant::Bytes(bytes) => call.push_bytes(bytes)?,
            Constant::Object { address, .. } => {
                places.insert(*address, n as i64 + 1);
                continue;
            }
        }
        call.raw_set_index(constants, n as i64 + 1)?;
    }
    if let Some(companion) = companion {
        gather(call, companion, constants, &places)?;
    }
    Ok(())
}

/// Goes through the companion and those in it, and sets the values in them at their places.
fn gather(
    call: &mut Call<'_>,
    companion: i32,
    constants: i32,
    places: &HashMap<usize, i64>,
) -> Result<(), Error> {
    call.push_table(1, 0)?;
    let waiting = call.top();
    let mut n_waiting = 1;
    let mut seen = HashSet::new();
    call.push_value(companion)?;
    call.raw_set_index(waiting, n_waiting)?;
    while n_waiting > 0 {
        call.charge(1)?;
        call.raw_get_index(waiting, n_waiting)?;
        n_waiting -= 1;
        let table = call.top();
        call.raw_get_index(table, OWN)?;
        if let Some(&place) = places.get(&call.address(-1)) {
            call.raw_set_index(constants, place)?;
        }
        let n = call.raw_len(table) as i64;
        for i in 1..=n {
            call.truncate(table);
            call.raw_get_index(table, i)?;
            if seen.insert(call.address(-1)) {
                n_waiting += 1;
                call.raw_set_index(waiting, n_waiting)?;
            }
        }
        call.truncate(waiting);
    }
    call.truncate(constants);
    Ok(())
}
