//! Native modules, as other crates write them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sandbox::Kind::{Analysis, Input};
use sandbox::native::{Call, Class, Error, Function, Item, Object, Registry, Scope, function};
use sandbox::{Answer, Kind};

use crate::common::*;

static ALIVE: AtomicUsize = AtomicUsize::new(0);

/// An object of a module: a text that grows.
struct Text(Vec<u8>);

impl Text {
    fn new(text: &[u8]) -> Text {
        ALIVE.fetch_add(1, Ordering::Relaxed);
        Text(text.to_vec())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        ALIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

const METHODS: &[(&str, Function)] = &[
    ("add", function(add)),
    ("get", function(get)),
    ("both", function(both)),
    ("with", function(with)),
];
const METAMETHODS: &[(&str, Function)] = &[("__len", function(len)), ("__call", function(get))];

impl Object for Text {
    fn class() -> Class {
        Class {
            name: "text",
            methods: METHODS,
            metamethods: METAMETHODS,
        }
    }

    fn memory(&self) -> usize {
        self.0.capacity()
    }

    fn output(&self, _: &Scope<'_>, out: &mut Vec<u8>) -> Option<Result<(), String>> {
        if self.0 == b"broken" {
            return Some(Err("it is broken".into()));
        }
        out.extend_from_slice(&self.0);
        Some(Ok(()))
    }

    fn preserve(&self, key: &[u8], out: &mut Vec<u8>) -> Option<Result<(), String>> {
        out.extend_from_slice(b"if ");
        out.extend_from_slice(key);
        out.extend_from_slice(b" == nil then ");
        out.extend_from_slice(key);
        out.extend_from_slice(b" = text.new(\"");
        out.extend_from_slice(&self.0);
        out.extend_from_slice(b"\") end\n");
        Some(Ok(()))
    }
}

fn new(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_bytes(1)?;
    call.push_object(Text::new(text))?;
    Ok(1)
}

fn add(call: &mut Call<'_>) -> Result<usize, Error> {
    let more = call.check_bytes(2)?;
    call.check_object_mut::<Text>(1)?.0.extend_from_slice(more);
    call.recount(1)?;
    Ok(0)
}

fn get(call: &mut Call<'_>) -> Result<usize, Error> {
    let text = call.check_object::<Text>(1)?;
    call.push_bytes(&text.0)?;
    Ok(1)
}

fn len(call: &mut Call<'_>) -> Result<usize, Error> {
    let n = call.check_object::<Text>(1)?.0.len();
    call.push_number(n as f64)?;
    Ok(1)
}

/// Borrows two arguments for writing, which may be the same.
fn both(call: &mut Call<'_>) -> Result<usize, Error> {
    let mut a = call.check_object_mut::<Text>(1)?;
    let b = call.check_object_mut::<Text>(2)?;
    a.0.extend_from_slice(&b.0);
    Ok(0)
}

/// Calls a function while the object is borrowed.
fn with(call: &mut Call<'_>) -> Result<usize, Error> {
    let _text = call.check_object_mut::<Text>(1)?;
    call.push_value(2)?;
    call.call(0, 1)?;
    Ok(1)
}

fn panics(_: &mut Call<'_>) -> Result<usize, Error> {
    panic!("on purpose")
}

fn promises_too_much(_: &mut Call<'_>) -> Result<usize, Error> {
    Ok(3)
}

fn fails_with_a_vec(call: &mut Call<'_>) -> Result<usize, Error> {
    let kept = Text::new(b"dropped before the error is raised");
    let text = call.check_bytes(1)?.to_vec();
    call.push_value(2)?;
    call.call(0, 0)?;
    drop(kept);
    Err(Error::bytes(text))
}

fn pushes_without_end(call: &mut Call<'_>) -> Result<usize, Error> {
    loop {
        call.push_number(1.0)?;
    }
}

fn counter(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_number(0.0)?;
    call.push_closure(function(count), 1)?;
    Ok(1)
}

fn count(call: &mut Call<'_>) -> Result<usize, Error> {
    call.push_upvalue(1)?;
    let n = call.number_at(-1).unwrap_or_default() + 1.0;
    call.push_number(n)?;
    call.set_upvalue(1);
    call.push_number(n)?;
    Ok(1)
}

/// Clears a table while it is walked.
fn walk(call: &mut Call<'_>) -> Result<usize, Error> {
    call.check_table(1)?;
    let mut n = 0;
    call.for_each(1, |call| {
        n += 1;
        call.push_value(2)?;
        call.push_value(-3)?;
        call.call(1, 0)
    })?;
    call.push_number(f64::from(n))?;
    Ok(1)
}

/// What lies in the table at 1 under the string that lies at 1 in the table at 2, and at the number at 3: kinds of values, and
/// `ask` where it cannot be told. What can be told is what Lua gets.
fn peek(call: &mut Call<'_>) -> Result<usize, Error> {
    let kind = |item: Option<Item<'_>>| item.map_or("ask", |item| item.kind().name());
    let i = call.check_integer(3)?;
    let field = kind(call.field_item(1, 2, 1));
    let item = kind(call.array_item(1, i as usize));
    for (seen, is_field) in [(field, true), (item, false)] {
        call.raw_get_index(2, 1)?;
        match is_field {
            true => call.get(1, -1)?,
            false => call.raw_get_index(1, i)?,
        }
        assert!(seen == "ask" || seen == call.type_name(-1));
        assert_eq!(call.item(-1).kind().name(), call.type_name(-1));
    }
    call.push_bytes(format!("{field} {item}"))?;
    Ok(1)
}

const FUNCTIONS: &[(&str, Function)] = &[
    ("new", function(new)),
    ("panics", function(panics)),
    ("promises", function(promises_too_much)),
    ("fails", function(fails_with_a_vec)),
    ("pushes", function(pushes_without_end)),
    ("counter", function(counter)),
    ("walk", function(walk)),
    ("peek", function(peek)),
];

fn open(call: &mut Call<'_>) -> Result<usize, Error> {
    assert_eq!(call.check_bytes(1)?, b"text");
    call.push_library(FUNCTIONS)?;
    Ok(1)
}

fn with_module(kind: Kind, source: &str) -> sandbox::Spec {
    let mut registry = Registry::new();
    registry.add("text", function(open));
    registry.add_io("io_text", function(open));
    let mut spec = spec(kind, &format!("require 'text' {source}"));
    spec.modules = Arc::new(registry);
    spec
}

#[track_caller]
fn check_module(kind: Kind, source: &str) {
    if let Err(error) = try_make(with_module(kind, source)).0 {
        panic!("{error}");
    }
}

#[test]
fn a_module_is_a_library_with_objects() {
    check_module(
        Analysis,
        "local t = text.new('a') t:add('b') assert(t:get() == 'ab' and t() == 'ab')
        assert(next(getmetatable(text)) == nil and require 'text' == text)
        local c = text.counter() assert(c() == 1 and c() == 2 and text.counter()() == 1)
        local _, e = pcall(function() t.get({}) end)
        assert(e:sub(-53) == \"bad argument #1 to 'get' (text expected, got table)\" or e:find('text expected, got table'), e)
        local _, e = pcall(function() t:add() end)
        assert(e:find(\"bad argument #1 to 'add' (string expected, got no value)\", 1, true), e)"
            .replace("local t", "require 'string' local t")
            .as_str(),
    );
}

#[test]
fn objects_are_borrow_checked() {
    check_module(
        Analysis,
        "require 'string' local t, u = text.new('a'), text.new('b')
        t:both(u) assert(t:get() == 'ab')
        local ok, e = pcall(t.both, t, t) assert(not ok and e:find('object is in use'), e)
        local ok, e = pcall(t.with, t, function() return t:get() end) assert(not ok and e:find('object is in use'), e)
        assert(t:get() == 'ab')
        assert(t:with(function() return 5 end) == 5)",
    );
}

#[test]
fn faults_of_native_code_stay_errors() {
    check_module(
        Analysis,
        "require 'string'
        local ok, e = pcall(text.panics) assert(not ok and e == 'internal error: on purpose', e)
        local ok, e = pcall(text.promises) assert(not ok and e == 'internal error: results are missing', e)
        local ok, e = pcall(text.pushes) assert(not ok and e == 'stack overflow', e)
        local ok, e = pcall(text.fails, 'a\\0b', function() end) assert(e == 'a\\0b')
        local ok, e = pcall(text.fails, 'x', function() error('inner', 0) end) assert(e == 'inner', e)
        local ok, e = pcall(text.fails, 'x', function() error({code = 1}) end) assert(e.code == 1)",
    );
}

#[test]
fn a_full_stack_is_an_error_wherever_it_fills_up() {
    let mut spec = with_module(
        Analysis,
        "local function deep(n, f) if n == 0 then return f() end return 1 + deep(n - 1, f) end
        local overflows = 0
        for n = 1, 40000, 37 do
            for _, f in ipairs {text.pushes, text.counter, text.new, pcall, tostring} do
                if not pcall(deep, n, f) then overflows = overflows + 1 end
            end
        end
        assert(overflows > 100)",
    );
    spec.limits.instructions = 0;
    make(spec);
}

#[test]
fn a_walk_survives_changes() {
    check_module(
        Analysis,
        "local t = {} for i = 1, 100 do t['k' .. i] = i end
        assert(text.walk(t, function(k) t[k] = nil end) == 100 and next(t) == nil)
        local t = {a = 1, b = 2} pcall(text.walk, t, function(k) t[k] = nil for i = 1, 100 do t[i] = i end collect = {} end)
        assert(text.walk({}, error) == 0)",
    );
}

#[test]
fn values_are_seen_in_their_tables() {
    check_module(
        Analysis,
        "local keys = {'k'}
        local function sees(t, expected, i)
            local seen = text.peek(t, keys, i or 1)
            assert(seen == expected, seen)
        end
        sees({k = 'text', 1.5}, 'string number')
        sees({k = 2, 'text'}, 'number string')
        sees({k = false, true}, 'boolean boolean')
        sees({k = {}, {}}, 'table table')
        sees({k = print, print}, 'ask ask')
        sees({k = text.new('a')}, 'ask ask')
        sees({1, 2, nil, 4}, 'nil nil', 3)
        sees({}, 'nil ask')
        sees({[1e6] = 1}, 'nil ask', 1e6)
        sees(setmetatable({k = 1}, {__index = function() return 'text' end}), 'number ask')
        sees(setmetatable({}, {__index = {k = 'text'}}), 'ask ask')
        sees(keys, 'nil string')
        keys = {}
        sees({k = 1}, 'ask ask')
        keys = {1}
        sees({k = 1}, 'ask ask')",
    );
}

#[test]
fn objects_go_into_payloads_and_fields() {
    let source = "function process_message()
        local t = text.new('abc') add_to_payload(t, 1) inject_payload()
        inject_message {Fields = {f = t, g = {value = t, representation = 'r'}}}
        local ok, e = pcall(add_to_payload, text.new('broken')) assert(e == \"bad argument #1 to '?' (it is broken)\", e)
        local ok, e = pcall(inject_message, {Fields = {f = text.new('broken')}})
        assert(e == 'inject_message() failed: userdata output callback failed: it is broken', e)
        return 0
    end";
    let (answer, notes) = run_spec(with_module(Analysis, source));
    assert_eq!(
        answer,
        Answer::Status {
            code: 0,
            message: None
        }
    );
    let seen = notes.lock().expect("held");
    let messages: Vec<_> = seen
        .injected
        .iter()
        .map(|(bytes, _)| schemas::message::Message::decode(bytes).expect("valid"))
        .collect();
    assert_eq!(messages[0].payload.as_deref(), Some(&b"abc1"[..]));
    for field in &messages[1].fields {
        assert_eq!(
            field.value,
            schemas::message::FieldValue::Bytes(vec![b"abc".to_vec()])
        );
    }
}

#[test]
fn objects_are_dropped_and_counted() {
    let before = ALIVE.load(Ordering::Relaxed);
    {
        let (sandbox, _) = make(with_module(
            Input,
            "keep = text.new('x') for i = 1, 1000 do text.new('y') end collectgarbage() collectgarbage()",
        ));
        assert!(ALIVE.load(Ordering::Relaxed) > before);
        drop(sandbox);
    }
    let mut spec = with_module(
        Input,
        "require 'string' local t = text.new('') while true do t:add(string.rep('x', 10000)) end",
    );
    spec.limits.memory = 1024 * 1024;
    let error = try_make(spec)
        .0
        .expect_err("it grows beyond the limit")
        .to_string();
    assert!(error.ends_with("not enough memory"), "{error}");
}

#[test]
fn objects_are_preserved_by_their_own_statements() {
    let (mut sandbox, _) = make(with_module(Analysis, "state = text.new('kept')"));
    let saved = sandbox.preserve("").expect("it can be preserved");
    let saved = String::from_utf8(saved).expect("text");
    assert!(
        saved.contains("_G[\"state\"] = text.new(\"kept\")"),
        "{saved}"
    );
}

#[test]
fn some_modules_are_for_inputs_and_outputs_only() {
    let mut registry = Registry::new();
    registry.add_io("text", function(open));
    let registry = Arc::new(registry);
    for (kind, allowed) in [(Analysis, false), (Input, true)] {
        let mut spec = spec(kind, "require 'text'");
        spec.modules = Arc::clone(&registry);
        assert_eq!(try_make(spec).0.is_ok(), allowed);
    }
    assert_eq!(registry.names().collect::<Vec<_>>(), ["text"]);
}
