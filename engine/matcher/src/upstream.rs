//! How Hindsight binds operators, to say where that is not what is written.
//!
//! Hindsight leaves an open parenthesis on its stack of operators when the closing one comes. Operators behind it are
//! then never compared with those before it: `A && (B) || C` becomes `A && (B || C)`.

use crate::expr::{Test, Tree};
use crate::parse::{Postfix, Symbol};

/// The tree that Hindsight evaluates, if it is not the same as ours.
pub(crate) fn other_meaning(symbols: &[Symbol], tests: &[Test], ours: &Tree) -> Option<Tree> {
    if !symbols.contains(&Symbol::Open) {
        return None;
    }
    let theirs = tree(symbols, tests);
    (theirs.flat_bytes() != ours.flat_bytes()).then_some(theirs)
}

/// Goes over the symbols as Hindsight does.
fn tree(symbols: &[Symbol], tests: &[Test]) -> Tree {
    let mut postfix = Postfix::default();
    let mut waiting: Vec<Symbol> = Vec::new();
    for symbol in symbols {
        match *symbol {
            Symbol::Test(number) => postfix.test(tests[number].clone()),
            Symbol::Open => waiting.push(Symbol::Open),
            Symbol::Close => {
                while let Some(operator) = waiting.pop_if(|top| *top != Symbol::Open) {
                    postfix.operator(operator);
                }
            }
            operator => {
                // One operator at most gives way, and only one that binds as tightly or tighter.
                let gives_way = |top: &mut Symbol| rank(*top) >= rank(operator);
                if let Some(first) = waiting.pop_if(gives_way) {
                    postfix.operator(first);
                }
                waiting.push(operator);
            }
        }
    }
    while let Some(operator) = waiting.pop() {
        postfix.operator(operator);
    }
    postfix.finish()
}

/// How tightly a symbol binds on Hindsight's stack.
fn rank(symbol: Symbol) -> u8 {
    match symbol {
        Symbol::And => 2,
        Symbol::Or => 1,
        Symbol::Test(_) | Symbol::Open | Symbol::Close => 0,
    }
}
