//! The functions and operators of the module, with the names, conversions and error texts of LPeg.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use sandbox::native::{Call, Error, Function, Type, function};

use crate::matching;
use crate::pattern::{Operand, Pattern, constant, home, operand, push_pattern};
use crate::set::ByteSet;
use crate::tree::{Capture, Constant, Maker, Tree};

/// What `version` returns: the LPeg whose functions these are.
const VERSION: &str = "1.0.2";

/// Bytes that a pattern may look behind.
const BEHIND_MAX: u32 = 255;

/// The largest number in `patt / number` and `Carg`.
const NUMBER_MAX: i64 = i16::MAX as i64;

/// The largest backtrack stack that can be asked for.
const STACK_MAX: i64 = i32::MAX as i64;

/// The module's functions, which are the methods of patterns too.
pub(crate) const FUNCTIONS: &[(&str, Function)] = &[
    ("B", function(behind)),
    ("C", function(simple)),
    ("Carg", function(argument)),
    ("Cb", function(back_reference)),
    ("Cc", function(constants)),
    ("Cf", function(fold)),
    ("Cg", function(group)),
    ("Cmt", function(runtime)),
    ("Cp", function(position)),
    ("Cs", function(substitution)),
    ("Ct", function(table)),
    ("P", function(pattern)),
    ("R", function(range)),
    ("S", function(set)),
    ("V", function(rule)),
    ("locale", function(locale)),
    ("match", function(matching::match_pattern)),
    ("setmaxstack", function(set_max_stack)),
    ("type", function(type_of)),
    ("version", function(version)),
];

/// The operators of patterns.
pub(crate) const METAMETHODS: &[(&str, Function)] = &[
    ("__add", function(choice)),
    ("__div", function(divide)),
    ("__len", function(and)),
    ("__mul", function(sequence)),
    ("__pow", function(repeat)),
    ("__sub", function(difference)),
    ("__unm", function(not)),
];

/// A kind of bytes in the C locale, by its name.
type ByteClass = (&'static str, fn(u8) -> bool);

const CLASSES: &[ByteClass] = &[
    ("alnum", |byte| byte.is_ascii_alphanumeric()),
    ("alpha", |byte| byte.is_ascii_alphabetic()),
    ("cntrl", |byte| byte.is_ascii_control()),
    ("digit", |byte| byte.is_ascii_digit()),
    ("graph", |byte| byte.is_ascii_graphic()),
    ("lower", |byte| byte.is_ascii_lowercase()),
    ("print", |byte| byte.is_ascii_graphic() || byte == b' '),
    ("punct", |byte| byte.is_ascii_punctuation()),
    ("space", |byte| {
        byte.is_ascii_whitespace() || byte == b'\x0b'
    }),
    ("upper", |byte| byte.is_ascii_uppercase()),
    ("xdigit", |byte| byte.is_ascii_hexdigit()),
];

/// Pushes a pattern without Lua values.
fn push_plain(call: &mut Call<'_>, make: impl FnOnce(&Maker<'_>) -> Tree) -> Result<usize, Error> {
    let home = home(call)?;
    push_pattern(call, make(&Maker(&home)), &[])
}

/// Pushes what is made of argument 1 as a pattern.
fn push_unary(
    call: &mut Call<'_>,
    make: impl FnOnce(&Maker<'_>, Tree) -> Tree,
) -> Result<usize, Error> {
    let Operand { tree, companion } = operand(call, 1)?;
    let home = Arc::clone(tree.home());
    push_pattern(call, make(&Maker(&home), tree), &[companion])
}

/// Pushes what is made of arguments 1 and 2 as patterns.
fn push_binary(
    call: &mut Call<'_>,
    make: impl FnOnce(&Maker<'_>, Tree, Tree) -> Tree,
) -> Result<usize, Error> {
    let a = operand(call, 1)?;
    let b = operand(call, 2)?;
    let home = Arc::clone(a.tree.home());
    let tree = make(&Maker(&home), a.tree, b.tree);
    // What was simplified away needs no values.
    let kept = tree.info.has_objects;
    let companions = [a.companion.filter(|_| kept), b.companion.filter(|_| kept)];
    push_pattern(call, tree, &companions)
}

/// Pushes a capture of argument 1 as a pattern with the value of argument 2.
fn push_with_value(
    call: &mut Call<'_>,
    make: impl FnOnce(Constant) -> Capture,
) -> Result<usize, Error> {
    let Operand { tree, companion } = operand(call, 1)?;
    let (value, own) = constant(call, 2)?;
    let home = Arc::clone(tree.home());
    let tree = Maker(&home).capture(make(value), tree);
    push_pattern(call, tree, &[own, companion])
}

/// `P(value)`
fn pattern(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_any(1)?;
    if call.is_object::<Pattern>(1) {
        call.push_value(1)?;
        return Ok(1);
    }
    let Operand { tree, companion } = operand(call, 1)?;
    push_pattern(call, tree, &[companion])
}

/// `S(bytes)`
fn set(call: &mut Call<'_>) -> Result<usize, Error> {
    let bytes = call.check_bytes(1)?;
    push_plain(call, |maker| maker.set(ByteSet::of(bytes)))
}

/// `R(range, ...)`
fn range(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut set = ByteSet::EMPTY;
    for i in 1..=call.arg_count() as i32 {
        let &[from, to] = call.check_bytes(i)? else {
            return Err(Error::argument(i, "range must have two characters"));
        };
        set = set.union(&ByteSet::filter(|byte| (from..=to).contains(&byte)));
    }
    push_plain(call, |maker| maker.set(set))
}

/// `V(name)`
fn rule(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.is_none_or_nil(1) {
        return Err(Error::argument(1, "non-nil value expected"));
    }
    let (name, own) = constant(call, 1)?;
    let home = home(call)?;
    push_pattern(call, Maker(&home).call(name), &[own])
}

/// `B(patt)`
fn behind(call: &mut Call<'_>) -> Result<usize, Error> {
    let Operand { tree, companion } = operand(call, 1)?;
    let Some(length) = tree.info.fixed_length else {
        return Err(Error::argument(1, "pattern may not have fixed length"));
    };
    if tree.info.has_captures {
        return Err(Error::argument(1, "pattern have captures"));
    }
    if length > BEHIND_MAX {
        return Err(Error::argument(1, "pattern too long to look behind"));
    }
    let home = Arc::clone(tree.home());
    push_pattern(call, Maker(&home).behind(tree, length), &[companion])
}

/// `a * b`
fn sequence(call: &mut Call<'_>) -> Result<usize, Error> {
    push_binary(call, |maker, a, b| maker.sequence(a, b))
}

/// `a + b`
fn choice(call: &mut Call<'_>) -> Result<usize, Error> {
    push_binary(call, |maker, a, b| maker.choice(a, b))
}

/// `a - b`
fn difference(call: &mut Call<'_>) -> Result<usize, Error> {
    push_binary(call, |maker, a, b| maker.difference(a, b))
}

/// `#patt`
fn and(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unary(call, |maker, tree| maker.and(tree))
}

/// `-patt`
fn not(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unary(call, |maker, tree| maker.not(tree))
}

/// `patt ^ n`
fn repeat(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.check_integer(2)?;
    let Operand { tree, companion } = operand(call, 1)?;
    let home = Arc::clone(tree.home());
    let maker = Maker(&home);
    let times = u32::try_from(n.unsigned_abs()).unwrap_or(u32::MAX);
    let tree = if n < 0 {
        maker.at_most(tree, times)
    } else if tree.info.nullable {
        return Err(Error::new("loop body may accept empty string"));
    } else {
        maker.at_least(tree, times)
    };
    push_pattern(call, tree, &[companion])
}

/// `patt / string`, `/ number`, `/ table`, `/ function`
fn divide(call: &mut Call<'_>) -> Result<usize, Error> {
    match call.type_of(2) {
        Type::Function => push_with_value(call, Capture::Function),
        Type::Table => push_with_value(call, Capture::Query),
        Type::String => {
            let format = call.check_bytes(2)?;
            push_unary(call, |maker, tree| {
                maker.capture(Capture::Format(format.into()), tree)
            })
        }
        Type::Number => {
            let n = call.check_integer(2)?;
            if !(0..=NUMBER_MAX).contains(&n) {
                return Err(Error::argument(1, "invalid number"));
            }
            push_unary(call, |maker, tree| {
                maker.capture(Capture::Select(n as u32), tree)
            })
        }
        _ => Err(Error::argument(2, "invalid replacement value")),
    }
}

/// `C(patt)`
fn simple(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unary(call, |maker, tree| maker.capture(Capture::Simple, tree))
}

/// `Cs(patt)`
fn substitution(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unary(call, |maker, tree| {
        maker.capture(Capture::Substitution, tree)
    })
}

/// `Ct(patt)`
fn table(call: &mut Call<'_>) -> Result<usize, Error> {
    push_unary(call, |maker, tree| maker.capture(Capture::Table, tree))
}

/// `Cg(patt[, name])`
fn group(call: &mut Call<'_>) -> Result<usize, Error> {
    if call.is_none_or_nil(2) {
        return push_unary(call, |maker, tree| {
            maker.capture(Capture::Group(None), tree)
        });
    }
    push_with_value(call, |name| Capture::Group(Some(name)))
}

/// `Cf(patt, function)`
fn fold(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_function(2)?;
    push_with_value(call, Capture::Fold)
}

/// `Cmt(patt, function)`
fn runtime(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_function(2)?;
    push_with_value(call, Capture::Runtime)
}

/// `Cp()`
fn position(call: &mut Call<'_>) -> Result<usize, Error> {
    push_plain(call, |maker| {
        maker.capture(Capture::Position, maker.truth(true))
    })
}

/// `Carg(n)`
fn argument(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.check_integer(1)?;
    if !(1..=NUMBER_MAX).contains(&n) {
        return Err(Error::argument(1, "invalid argument index"));
    }
    push_plain(call, |maker| {
        maker.capture(Capture::Argument(n as u32), maker.truth(true))
    })
}

/// `Cb(name)`
fn back_reference(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_any(1)?;
    let (name, own) = constant(call, 1)?;
    let home = home(call)?;
    let maker = Maker(&home);
    let tree = maker.capture(Capture::BackReference(name), maker.truth(true));
    push_pattern(call, tree, &[own])
}

/// `Cc(value, ...)`
fn constants(call: &mut Call<'_>) -> Result<usize, Error> {
    let home = home(call)?;
    let maker = Maker(&home);
    let n = call.arg_count();
    let mut all = maker.truth(true);
    let mut companions = Vec::new();
    for i in 1..=n as i32 {
        let (value, own) = constant(call, i)?;
        companions.push(own);
        let one = maker.capture(Capture::Constant(value), maker.truth(true));
        all = maker.sequence(all, one);
    }
    if n > 1 {
        all = maker.capture(Capture::Group(None), all);
    }
    push_pattern(call, all, &companions)
}

/// `locale([table])`
fn locale(call: &mut Call<'_>) -> Result<usize, Error> {
    match call.is_none_or_nil(1) {
        true => call.push_table(0, CLASSES.len())?,
        false => {
            call.check_table(1)?;
            call.push_value(1)?;
        }
    }
    let table = call.top();
    for (name, is_in) in CLASSES {
        push_plain(call, |maker| maker.set(ByteSet::filter(is_in)))?;
        call.raw_set_field(table, name)?;
    }
    Ok(1)
}

/// `setmaxstack(n)`
fn set_max_stack(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.check_integer(1)?;
    if !(1..=STACK_MAX).contains(&n) {
        return Err(Error::argument(1, "out of range"));
    }
    home(call)?.max_stack.store(n as u32, Ordering::Relaxed);
    Ok(0)
}

/// `type(value)`
fn type_of(call: &mut Call<'_>) -> Result<usize, Error> {
    match call.is_object::<Pattern>(1) {
        true => call.push_bytes("pattern")?,
        false => call.push_nil()?,
    }
    Ok(1)
}

/// `version()`
fn version(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_bytes(VERSION)?;
    Ok(1)
}
