//! Memory, instructions, output: what is allowed, what happens beyond, and that the innocent are left alone.

use std::time::{Duration, Instant};

use sandbox::Kind::{Analysis, Input, Output};
use sandbox::{Answer, Checkpoint, CreateError, Kind, Sandbox, Spec};

use crate::common::*;

fn limited(kind: Kind, source: &str, instructions: u64) -> Spec {
    let mut spec = spec(kind, source);
    spec.limits.instructions = instructions;
    spec
}

fn process(sandbox: &mut Sandbox) -> Answer {
    let message = sample();
    sandbox.process_message(&message, &message, None)
}

#[test]
fn compiled_loops_can_be_stopped_here() {
    watched(|| assert!(sandbox::compiler_can_be_stopped()));
}

#[test]
fn an_endless_loop_ends_with_its_place() {
    watched(|| {
        for jit in [true, false] {
            let mut spec = limited(
                Analysis,
                "function process_message()\nlocal i = 0\nwhile true do i = i + 1 end\nend",
                10_000,
            );
            spec.jit = jit;
            let (mut sandbox, _) = make(spec);
            let Answer::Terminated(text) = process(&mut sandbox) else {
                panic!()
            };
            assert!(
                text.starts_with("process_message() ")
                    && text.ends_with(".lua:3: instruction_limit exceeded"),
                "{text}"
            );
            assert!(sandbox.stats().instructions_max > 10_000);
        }
    });
}

#[test]
fn main_chunk_and_timer_are_limited_too() {
    watched(|| {
        let error = try_make(limited(Analysis, "while true do end", 1000))
            .0
            .expect_err("it never ends");
        assert!(
            error
                .to_string()
                .ends_with(".lua:1: instruction_limit exceeded"),
            "{error}"
        );
        let (mut sandbox, _) = make(limited(
            Analysis,
            "function timer_event() repeat until false end",
            1000,
        ));
        let error = sandbox.timer_event(0, false).expect_err("it never ends");
        assert!(
            error.starts_with("timer_event() ") && error.ends_with("instruction_limit exceeded"),
            "{error}"
        );
    });
}

#[test]
fn short_calls_are_never_ended() {
    // Far more instructions than the limit, but over before anyone counts, or counted from then on only.
    let (mut sandbox, _) = make(limited(
        Analysis,
        "function process_message() for i = 1, 1e4 do local x = {i} end return 0 end",
        1_000_000,
    ));
    for _ in 0..2000 {
        assert_eq!(
            process(&mut sandbox),
            Answer::Status {
                code: 0,
                message: None
            }
        );
    }
}

#[test]
fn without_a_limit_a_long_call_may_go_on() {
    watched(|| {
        let (mut sandbox, _) = make(limited(
            Output,
            "require 'os' function process_message() local t = os.clock() while os.clock() - t < 0.2 do end return 0 end",
            0,
        ));
        assert_eq!(
            process(&mut sandbox),
            Answer::Status {
                code: 0,
                message: None
            }
        );
    });
}

#[test]
fn a_sandbox_goes_on_after_an_interrupted_main_loop_of_another() {
    watched(|| {
        let (mut bad, _) = make(limited(
            Analysis,
            "function process_message() while true do end end",
            1000,
        ));
        let (mut good, _) = make(limited(
            Analysis,
            "n = 0 function process_message() n = n + 1 return 0 end",
            1000,
        ));
        for _ in 0..3 {
            assert!(matches!(process(&mut bad), Answer::Terminated(_)));
            for _ in 0..100 {
                assert_eq!(
                    process(&mut good),
                    Answer::Status {
                        code: 0,
                        message: None
                    }
                );
            }
        }
    });
}

#[test]
fn an_interrupt_ends_a_call_cleanly() {
    for (instructions, body) in [
        (0, "while true do end"),
        (
            0,
            "while true do pcall(function() while true do end end) end",
        ),
        (1_000_000_000_000, "while true do end"),
        (0, "while true do string.rep('x', 1000) end"),
    ] {
        watched(move || {
            let source = format!("require 'string' function process_message() {body} end");
            let (mut sandbox, _) = make(limited(Input, &source, instructions));
            let handle = sandbox.handle();
            let caller =
                std::thread::spawn(move || (sandbox.process_input(&Checkpoint::None), sandbox));
            // Seen to run, then interrupted.
            while handle.call_started().is_none() {
                std::thread::yield_now();
            }
            handle.interrupt();
            let (answer, mut sandbox) = caller.join().expect("no panic");
            assert_eq!(answer, Answer::Stopped);
            assert_eq!(handle.call_started(), None);
            assert_eq!(
                sandbox.process_input(&Checkpoint::None),
                Answer::Stopped,
                "for good"
            );
        });
    }
}

#[test]
fn an_interrupt_before_the_call_ends_it_too() {
    let (mut sandbox, _) = make(limited(
        Analysis,
        "function process_message() end function timer_event() error() end",
        0,
    ));
    sandbox.handle().interrupt();
    assert_eq!(process(&mut sandbox), Answer::Stopped);
    assert_eq!(sandbox.timer_event(0, true), Ok(()));
}

#[test]
fn a_lasting_call_is_seen_with_its_beginning() {
    watched(|| {
        let before = Instant::now();
        let (mut sandbox, _) = make(limited(
            Input,
            "function process_message() while is_running() do end return 0 end",
            0,
        ));
        let handle = sandbox.handle();
        let caller = std::thread::spawn(move || sandbox.process_input(&Checkpoint::None));
        let started = loop {
            if let Some(started) = handle.call_started() {
                break started;
            }
            std::thread::yield_now();
        };
        assert!(started + Duration::from_secs(1) >= before && started <= Instant::now());
        handle.stop();
        assert_eq!(
            caller.join().expect("no panic"),
            Answer::Status {
                code: 0,
                message: None
            }
        );
        assert!(handle.stopped());
    });
}

fn memory_limited(kind: Kind, source: &str) -> Spec {
    let mut spec = limited(kind, source, 0);
    spec.limits.memory = 2 * 1024 * 1024;
    spec
}

#[test]
fn memory_is_limited_for_lua_and_for_native_code() {
    let bodies = [
        "local t = {} for i = 1, 1e9 do t[i] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = string.rep('x', 1e5) .. #t end",
        "string.rep('x', 1e9)",
        "string.rep('x', 1e15)",
        "local s = string.rep('x', 1e6) string.gsub(s, 'x', s)",
        "local t = {} for i = 1, 100 do t[i] = string.rep('x', 1e5) end table.concat(t)",
        "local s = string.rep('x', 1e6) string.format('%s%s%s', s, s, s)",
        "local t = {} for i = 1, 1e7 do t[i] = create_stream_reader('x') end",
    ];
    for body in bodies {
        watched(move || {
            let source = format!(
                "require 'string' require 'table' function process_message() {body} return 0 end"
            );
            let (mut sandbox, _) = make(memory_limited(Input, &source));
            let Answer::Terminated(text) = sandbox.process_input(&Checkpoint::None) else {
                panic!("{body} was not limited")
            };
            assert!(
                text.ends_with("not enough memory") || text.contains("too l"),
                "{body}: {text}"
            );
            assert!(
                sandbox.stats().memory_max < 6 * 1024 * 1024,
                "{body}: {:?}",
                sandbox.stats()
            );
        });
    }
}

#[test]
fn a_memory_error_can_be_caught_and_survived() {
    watched(|| {
        let (mut sandbox, _) = make(memory_limited(
            Analysis,
            "require 'string' function process_message()
                local ok, e = pcall(function() local t = {} for i = 1, 1e9 do t[i] = {} end end)
                assert(not ok and e == 'not enough memory', e)
                return 0
            end",
        ));
        for _ in 0..3 {
            assert_eq!(
                process(&mut sandbox),
                Answer::Status {
                    code: 0,
                    message: None
                }
            );
        }
    });
}

#[test]
fn garbage_objects_make_room_for_new_ones() {
    let (mut sandbox, _) = make(memory_limited(
        Input,
        "function process_message() for i = 1, 1000 do create_stream_reader('x') end return 0 end",
    ));
    assert_eq!(
        sandbox.process_input(&Checkpoint::None),
        Answer::Status {
            code: 0,
            message: None
        }
    );
}

#[test]
fn a_stream_reader_counts_what_it_holds_not_what_it_may_hold() {
    let mut spec = memory_limited(
        Input,
        "require 'string'
        local r = create_stream_reader('x')
        function process_message()
            local chunk = '\\30\\5\\8\\128\\128\\128\\2\\31' .. string.rep('x', 5e5)
            assert(not r:find_message(chunk))
            chunk = chunk:sub(9)
            for i = 1, 7 do
                local ok, err = pcall(r.find_message, r, chunk)
                if not ok then return 0, err end
            end
            return 0
        end",
    );
    spec.limits.max_message = 8 * 1024 * 1024;
    let (mut sandbox, _) = make(spec);
    assert!(sandbox.stats().memory < 1024 * 1024);
    let answer = sandbox.process_input(&Checkpoint::None);
    let Answer::Status {
        message: Some(text),
        ..
    } = answer
    else {
        panic!("the memory was not limited: {answer:?}")
    };
    let text = String::from_utf8_lossy(&text);
    assert!(text.ends_with("not enough memory"), "{text}");
    assert!(sandbox.stats().memory > 1024 * 1024, "the buffer counts");
    assert!(sandbox.stats().memory_max < 3 * 1024 * 1024);
}

#[test]
fn the_limit_does_not_hold_while_the_state_is_restored() {
    let mut spec = memory_limited(
        Analysis,
        "function process_message() return 0, tostring(#big) end",
    );
    spec.state = Some(format!("_G[\"big\"] = \"{}\"\n", "x".repeat(3 * 1024 * 1024)).into_bytes());
    let (sandbox, _) = make(spec);
    assert!(sandbox.stats().memory > 3 * 1024 * 1024);
}

#[test]
fn a_state_too_small_for_anything_is_refused_cleanly() {
    let mut spec = spec(Analysis, "local t = {} for i = 1, 1000 do t[i] = {i} end");
    spec.limits.memory = 1;
    assert!(matches!(try_make(spec).0, Err(CreateError::Load(_))));
}

#[test]
fn statistics_are_kept() {
    let (mut sandbox, _) = make(spec(
        Analysis,
        "function process_message() add_to_payload('12345') inject_payload() return -1 end",
    ));
    process(&mut sandbox);
    let stats = sandbox.stats();
    assert_eq!(
        (
            stats.process_messages,
            stats.failures,
            stats.injects,
            stats.output_max
        ),
        (1, 1, 1, 5)
    );
    assert!(stats.memory > 0 && stats.memory_max >= stats.memory && stats.inject_bytes > 20);
}
