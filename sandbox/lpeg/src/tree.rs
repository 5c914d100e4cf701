//! Patterns as trees: what `lpeg.P` and its kin make, shared between the patterns that are built of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use crate::set::ByteSet;

/// Levels of different patterns within each other; sequences and choices count once however long they are. Analysis and
/// code generation recurse that deep.
pub(crate) const MAX_DEPTH: u32 = 1_000;

/// Nodes that a pattern may come to, with what it shares counted as often as it occurs; its code may be as long.
pub(crate) const MAX_SIZE: u32 = 1 << 24;

/// Entries of the backtrack stack unless `setmaxstack` says otherwise.
const DEFAULT_MAX_STACK: u32 = 400;

/// What all patterns of one Lua state share.
#[derive(Debug)]
pub(crate) struct Home {
    /// Bytes that the trees of the state take.
    pub(crate) bytes: AtomicUsize,
    /// Entries that the backtrack stack may have.
    pub(crate) max_stack: AtomicU32,
    /// The address of Lua's own `tonumber`, which the state keeps; 0 if it is not known.
    pub(crate) to_number: AtomicUsize,
}

impl Default for Home {
    fn default() -> Home {
        Home {
            bytes: AtomicUsize::new(0),
            max_stack: AtomicU32::new(DEFAULT_MAX_STACK),
            to_number: AtomicUsize::new(0),
        }
    }
}

/// A Lua value in a pattern.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Constant {
    Nil,
    Boolean(bool),
    Number(f64),
    Bytes(Arc<[u8]>),
    /// Anything else, kept alive by the companion table of the pattern and known by its address.
    Object {
        /// The address, which tells objects apart.
        address: usize,
        /// Lua's name of its type.
        kind: &'static str,
    },
}

impl Constant {
    /// As it stands in an error text about rules.
    pub(crate) fn rule_name(&self) -> Vec<u8> {
        match self {
            Constant::Bytes(bytes) => bytes.to_vec(),
            Constant::Number(number) => number.to_string().into_bytes(),
            Constant::Nil => b"(a nil)".to_vec(),
            Constant::Boolean(_) => b"(a boolean)".to_vec(),
            Constant::Object { kind, .. } => format!("(a {kind})").into_bytes(),
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        matches!(self, Constant::Object { .. })
    }
}

/// What a capture makes of its match.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Capture {
    /// `Cp`
    Position,
    /// `Cc`
    Constant(Constant),
    /// `Carg`
    Argument(u32),
    /// `C`
    Simple,
    /// `Cg`, named or not.
    Group(Option<Constant>),
    /// `Cb`
    BackReference(Constant),
    /// `Ct`
    Table,
    /// `Cs`
    Substitution,
    /// `Cf`
    Fold(Constant),
    /// `patt / string`
    Format(Arc<[u8]>),
    /// `patt / number`
    Select(u32),
    /// `patt / table`
    Query(Constant),
    /// `patt / function`
    Function(Constant),
    /// `Cmt`
    Runtime(Constant),
}

impl Capture {
    fn constant(&self) -> Option<&Constant> {
        match self {
            Capture::Constant(value)
            | Capture::Group(Some(value))
            | Capture::BackReference(value)
            | Capture::Fold(value)
            | Capture::Query(value)
            | Capture::Function(value)
            | Capture::Runtime(value) => Some(value),
            _ => None,
        }
    }
}

/// The kinds of patterns.
#[derive(Debug)]
pub(crate) enum Shape {
    /// One byte of a set.
    Set(ByteSet),
    /// So many bytes, any.
    Any(u32),
    /// Just these bytes, one at least.
    Literal(Box<[u8]>),
    True,
    False,
    Sequence(Tree, Tree),
    Choice(Tree, Tree),
    /// So many times or more.
    AtLeast(Tree, u32),
    /// So many times at most.
    AtMost(Tree, u32),
    Not(Tree),
    And(Tree),
    /// Matches what ends here and has this length.
    Behind(Tree, u32),
    /// A rule of the grammar around it.
    Call(Constant),
    Grammar(Box<[Rule]>),
    Capture(Capture, Tree),
}

/// A rule of a grammar; the first is the initial one.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) name: Constant,
    pub(crate) body: Tree,
}

/// What is known of a pattern whatever grammar it will stand in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Info {
    /// Nodes, shared ones counted each time; saturating.
    pub(crate) size: u32,
    pub(crate) depth: u32,
    /// May match without taking a byte; a call of a rule is taken not to.
    pub(crate) nullable: bool,
    /// Matches every subject.
    pub(crate) cannot_fail: bool,
    /// The length of every match, if it is always the same.
    pub(crate) fixed_length: Option<u32>,
    pub(crate) has_captures: bool,
    /// Calls a rule that no grammar within it has.
    pub(crate) is_open: bool,
    /// Holds values that only Lua can hold, so that there is a companion table.
    pub(crate) has_objects: bool,
}

impl Info {
    const LEAF: Info = Info {
        size: 1,
        depth: 1,
        nullable: false,
        cannot_fail: false,
        fixed_length: None,
        has_captures: false,
        is_open: false,
        has_objects: false,
    };
}

/// A pattern's root.
pub(crate) type Tree = Arc<Node>;

/// One node; never changes.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    pub(crate) info: Info,
    home: Arc<Home>,
}

impl Node {
    fn new(home: &Arc<Home>, shape: Shape, info: Info) -> Tree {
        home.bytes.fetch_add(bytes(&shape), Ordering::Relaxed);
        Arc::new(Node {
            shape,
            info,
            home: Arc::clone(home),
        })
    }

    /// What the state's patterns share.
    pub(crate) fn home(&self) -> &Arc<Home> {
        &self.home
    }

    /// The set, if the pattern is one byte of a set.
    pub(crate) fn as_set(&self) -> Option<ByteSet> {
        match &self.shape {
            Shape::Set(set) => Some(*set),
            Shape::Any(1) => Some(ByteSet::FULL),
            Shape::Literal(bytes) if bytes.len() == 1 => Some(ByteSet::of(bytes)),
            Shape::False => Some(ByteSet::EMPTY),
            _ => None,
        }
    }

    /// Takes the children out of a node that nobody else has.
    fn take_children(&mut self, children: &mut Vec<Tree>) {
        match std::mem::replace(&mut self.shape, Shape::True) {
            Shape::Sequence(a, b) | Shape::Choice(a, b) => children.extend([a, b]),
            Shape::AtLeast(a, _)
            | Shape::AtMost(a, _)
            | Shape::Not(a)
            | Shape::And(a)
            | Shape::Behind(a, _)
            | Shape::Capture(_, a) => children.push(a),
            Shape::Grammar(rules) => children.extend(rules.into_iter().map(|rule| rule.body)),
            _ => {}
        }
    }
}

impl Drop for Node {
    /// Frees long chains without recursion.
    fn drop(&mut self) {
        self.home
            .bytes
            .fetch_sub(bytes(&self.shape), Ordering::Relaxed);
        let mut children = Vec::new();
        self.take_children(&mut children);
        while let Some(child) = children.pop() {
            if let Some(mut node) = Arc::into_inner(child) {
                // Counted here; the shape that is left behind counts as nothing more than a node.
                let taken = bytes(&node.shape) - bytes(&Shape::True);
                node.home.bytes.fetch_sub(taken, Ordering::Relaxed);
                node.take_children(&mut children);
            }
        }
    }
}

/// What a node takes.
fn bytes(shape: &Shape) -> usize {
    // Beside the node the two counts of its `Arc`.
    let node = size_of::<Node>() + 2 * size_of::<usize>();
    node + match shape {
        Shape::Literal(bytes) => bytes.len(),
        Shape::Grammar(rules) => rules.len() * size_of::<Rule>(),
        _ => 0,
    }
}

/// Makes the nodes of one state.
pub(crate) struct Maker<'h>(pub(crate) &'h Arc<Home>);

impl Maker<'_> {
    fn node(&self, shape: Shape, info: Info) -> Tree {
        Node::new(self.0, shape, info)
    }

    pub(crate) fn truth(&self, truth: bool) -> Tree {
        let (shape, fixed_length) = if truth {
            (Shape::True, Some(0))
        } else {
            (Shape::False, Some(0))
        };
        let info = Info {
            nullable: truth,
            cannot_fail: truth,
            fixed_length,
            ..Info::LEAF
        };
        self.node(shape, info)
    }

    pub(crate) fn set(&self, set: ByteSet) -> Tree {
        let info = Info {
            fixed_length: Some(1),
            ..Info::LEAF
        };
        self.node(Shape::Set(set), info)
    }

    /// Exactly `n` bytes, or with a negative number fewer than that.
    pub(crate) fn any(&self, n: i64) -> Tree {
        if n == 0 {
            return self.truth(true);
        }
        let length = u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX);
        let info = Info {
            fixed_length: Some(length),
            ..Info::LEAF
        };
        let any = self.node(Shape::Any(length), info);
        if n < 0 { self.not(any) } else { any }
    }

    pub(crate) fn literal(&self, bytes: &[u8]) -> Tree {
        if bytes.is_empty() {
            return self.truth(true);
        }
        let info = Info {
            fixed_length: u32::try_from(bytes.len()).ok(),
            ..Info::LEAF
        };
        self.node(Shape::Literal(bytes.into()), info)
    }

    pub(crate) fn sequence(&self, a: Tree, b: Tree) -> Tree {
        match (&a.shape, &b.shape) {
            (Shape::False, _) | (_, Shape::True) => return a,
            (Shape::True, _) => return b,
            _ => {}
        }
        let length = |a: u32, b: u32| a.checked_add(b);
        let info = Info {
            size: size_of_both(&a, &b),
            depth: depth(&a, is_sequence).max(depth(&b, is_sequence)),
            nullable: a.info.nullable && b.info.nullable,
            cannot_fail: a.info.cannot_fail && b.info.cannot_fail,
            fixed_length: a
                .info
                .fixed_length
                .zip(b.info.fixed_length)
                .and_then(|(a, b)| length(a, b)),
            ..either(&a, &b)
        };
        self.node(Shape::Sequence(a, b), info)
    }

    pub(crate) fn choice(&self, a: Tree, b: Tree) -> Tree {
        if let (Some(a), Some(b)) = (a.as_set(), b.as_set()) {
            return self.set(a.union(&b));
        }
        if a.info.cannot_fail || matches!(b.shape, Shape::False) {
            return a;
        }
        if matches!(a.shape, Shape::False) {
            return b;
        }
        let same = a.info.fixed_length == b.info.fixed_length;
        let info = Info {
            size: size_of_both(&a, &b),
            depth: depth(&a, is_choice).max(depth(&b, is_choice)),
            nullable: a.info.nullable || b.info.nullable,
            cannot_fail: a.info.cannot_fail || b.info.cannot_fail,
            fixed_length: a.info.fixed_length.filter(|_| same),
            ..either(&a, &b)
        };
        self.node(Shape::Choice(a, b), info)
    }

    /// What matches `a` where `b` does not match.
    pub(crate) fn difference(&self, a: Tree, b: Tree) -> Tree {
        match (a.as_set(), b.as_set()) {
            (Some(a), Some(b)) => self.set(a.minus(&b)),
            _ => self.sequence(self.not(b), a),
        }
    }

    /// `n` times or more. The pattern must not be nullable.
    pub(crate) fn at_least(&self, tree: Tree, n: u32) -> Tree {
        let info = Info {
            size: times(tree.info.size, n.saturating_add(1)),
            nullable: n == 0,
            cannot_fail: n == 0,
            fixed_length: None,
            ..above(&tree)
        };
        self.node(Shape::AtLeast(tree, n), info)
    }

    /// `n` times at most.
    pub(crate) fn at_most(&self, tree: Tree, n: u32) -> Tree {
        if n == 0 {
            return self.truth(true);
        }
        let info = Info {
            size: times(tree.info.size, n),
            nullable: true,
            cannot_fail: true,
            fixed_length: tree.info.fixed_length.filter(|&length| length == 0),
            ..above(&tree)
        };
        self.node(Shape::AtMost(tree, n), info)
    }

    pub(crate) fn not(&self, tree: Tree) -> Tree {
        let info = Info {
            nullable: true,
            cannot_fail: false,
            fixed_length: Some(0),
            ..above(&tree)
        };
        self.node(Shape::Not(tree), info)
    }

    pub(crate) fn and(&self, tree: Tree) -> Tree {
        let info = Info {
            nullable: true,
            fixed_length: Some(0),
            ..above(&tree)
        };
        self.node(Shape::And(tree), info)
    }

    /// The pattern has this length and no captures.
    pub(crate) fn behind(&self, tree: Tree, length: u32) -> Tree {
        let info = Info {
            nullable: true,
            cannot_fail: false,
            fixed_length: Some(0),
            ..above(&tree)
        };
        self.node(Shape::Behind(tree, length), info)
    }

    pub(crate) fn call(&self, rule: Constant) -> Tree {
        let info = Info {
            is_open: true,
            has_objects: rule.is_object(),
            ..Info::LEAF
        };
        self.node(Shape::Call(rule), info)
    }

    pub(crate) fn capture(&self, capture: Capture, tree: Tree) -> Tree {
        let is_runtime = matches!(capture, Capture::Runtime(_));
        let below = above(&tree);
        let has_own = capture.constant().is_some_and(Constant::is_object);
        let info = Info {
            has_captures: true,
            has_objects: below.has_objects || has_own,
            cannot_fail: below.cannot_fail && !is_runtime,
            fixed_length: below.fixed_length.filter(|_| !is_runtime),
            ..below
        };
        self.node(Shape::Capture(capture, tree), info)
    }

    /// A grammar that was verified; `nullable`, `fixed_length` and `has_captures` are those of its initial rule.
    pub(crate) fn grammar(&self, rules: Box<[Rule]>, initial: Initial) -> Tree {
        let sizes = rules.iter().map(|rule| rule.body.info.size);
        let info = Info {
            size: sizes.fold(1, u32::saturating_add),
            depth: 1 + rules
                .iter()
                .map(|rule| rule.body.info.depth)
                .max()
                .unwrap_or(0),
            nullable: initial.nullable,
            cannot_fail: initial.cannot_fail,
            fixed_length: initial.fixed_length,
            has_captures: initial.has_captures,
            is_open: false,
            has_objects: rules.iter().any(|rule| rule.body.info.has_objects),
        };
        self.node(Shape::Grammar(rules), info)
    }
}

/// What verification found out about the initial rule of a grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Initial {
    pub(crate) nullable: bool,
    pub(crate) cannot_fail: bool,
    pub(crate) fixed_length: Option<u32>,
    pub(crate) has_captures: bool,
}

pub(crate) fn is_sequence(shape: &Shape) -> bool {
    matches!(shape, Shape::Sequence(..))
}

pub(crate) fn is_choice(shape: &Shape) -> bool {
    matches!(shape, Shape::Choice(..))
}

/// The depth that a child brings to its parent: chains of the same kind are one level.
fn depth(child: &Tree, same_kind: fn(&Shape) -> bool) -> u32 {
    child.info.depth + u32::from(!same_kind(&child.shape))
}

fn size_of_both(a: &Tree, b: &Tree) -> u32 {
    a.info.size.saturating_add(b.info.size).saturating_add(1)
}

fn times(size: u32, n: u32) -> u32 {
    size.saturating_mul(n).saturating_add(1)
}

/// What a node with two children has if one of them has it.
fn either(a: &Tree, b: &Tree) -> Info {
    Info {
        has_captures: a.info.has_captures || b.info.has_captures,
        is_open: a.info.is_open || b.info.is_open,
        has_objects: a.info.has_objects || b.info.has_objects,
        ..Info::LEAF
    }
}

/// What a node with one child takes from it.
fn above(child: &Tree) -> Info {
    Info {
        size: child.info.size.saturating_add(1),
        depth: child.info.depth + 1,
        ..child.info
    }
}
