//! What must not be in a grammar: unknown rules, rules that call themselves before they take a byte, loops over nothing.

use std::collections::HashSet;

use crate::ir::{Charge, Id, Ir, Item, Unresolved};
use crate::tree::{Constant, Initial, Rule};

/// Rules on the way down at which LPeg gives up; the one it names in its error is the last of so many.
const LPEG_RULES_MAX: usize = 1_000;

/// Why a grammar is refused.
#[derive(Debug)]
pub(crate) enum Refusal<E> {
    Undefined(Constant),
    LeftRecursive(Constant),
    EmptyLoop(Constant),
    /// The budget is used up.
    Ended(E),
}

/// Checks the rules of a grammar, the initial one first.
pub(crate) fn verify<E>(rules: &[Rule], charge: &mut Charge<'_, E>) -> Result<Initial, Refusal<E>> {
    let mut ir = Ir::of_rules(rules).map_err(|error| match error {
        Unresolved::Undefined(name) | Unresolved::Outside(name) => Refusal::Undefined(name),
    })?;
    ir.analyse(charge).map_err(Refusal::Ended)?;
    if let Some(rule) = left_recursive(&ir) {
        return Err(Refusal::LeftRecursive(ir.rules[rule].name.clone()));
    }
    let loops_on_nothing =
        |item: &Item<'_>| matches!(item, Item::AtLeast(body, _) if ir.fact(*body).nullable);
    let looping = ir
        .rules
        .iter()
        .find(|rule| ir.items[rule.items.clone()].iter().any(loops_on_nothing));
    if let Some(rule) = looping {
        return Err(Refusal::EmptyLoop(rule.name.clone()));
    }
    let facts = ir.fact(ir.root);
    Ok(Initial {
        nullable: facts.nullable,
        cannot_fail: facts.cannot_fail,
        fixed_length: facts.length.fixed(),
        has_captures: facts.has_captures,
    })
}

/// A rule that can be reached from itself without taking a byte, if there is one; of those that do so together the one
/// that LPeg names.
fn left_recursive(ir: &Ir<'_>) -> Option<usize> {
    let mut done = vec![false; ir.rules.len()];
    let mut place = vec![None; ir.rules.len()];
    for start in 0..ir.rules.len() {
        // The rules on the way down, each with its left calls and how many of them were followed.
        let mut path: Vec<(usize, Vec<usize>, usize)> = Vec::new();
        let mut next = (!done[start]).then_some(start);
        loop {
            if let Some(rule) = next.take() {
                if let Some(from) = place[rule] {
                    return Some(named(&path, from));
                }
                if !done[rule] {
                    place[rule] = Some(path.len());
                    path.push((rule, left_calls(ir, ir.rules[rule].body), 0));
                }
            }
            let Some((rule, calls, followed)) = path.last_mut() else {
                break;
            };
            next = calls.get(*followed).copied();
            *followed += 1;
            if next.is_none() {
                done[*rule] = true;
                place[*rule] = None;
                path.pop();
            }
        }
    }
    None
}

/// LPeg goes around the cycle until its list of rules is full; the list begins after the rule it started from.
fn named(path: &[(usize, Vec<usize>, usize)], from: usize) -> usize {
    let length = path.len() - from;
    let last = LPEG_RULES_MAX;
    let index = if last < from {
        last
    } else {
        from + (last - from) % length
    };
    path[index].0
}

/// The rules that are called before a byte is taken, in order.
fn left_calls(ir: &Ir<'_>, body: Id) -> Vec<usize> {
    let mut calls = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting = vec![body];
    while let Some(id) = waiting.pop() {
        if !seen.insert(id) {
            continue;
        }
        match ir.item(id) {
            Item::Call(rule) => calls.push(*rule),
            Item::Sequence(parts) => {
                let blocking = parts.iter().position(|&part| !ir.fact(part).nullable);
                let reached = blocking.map_or(parts.len(), |n| n + 1);
                waiting.extend(parts[..reached].iter().rev());
            }
            Item::Choice(parts) => waiting.extend(parts.iter().rev()),
            Item::AtLeast(body, _)
            | Item::AtMost(body, _)
            | Item::Not(body)
            | Item::And(body)
            | Item::Behind(body, _)
            | Item::Capture(_, body) => waiting.push(*body),
            _ => {}
        }
    }
    calls
}
