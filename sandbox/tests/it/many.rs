//! Many sandboxes, many threads.

use sandbox::Kind::Analysis;
use sandbox::{Answer, Sandbox};

use crate::common::*;

const COUNTER: &str = "require 'string' n = 0 function process_message() n = n + 1 return -n end";

#[test]
fn a_sandbox_moves_between_threads() {
    fn assert_send<T: Send>() {}
    assert_send::<Sandbox>();
    let (mut sandbox, _) = make(spec(Analysis, COUNTER));
    let message = sample();
    for n in 1..=4 {
        let message = message.clone();
        sandbox = std::thread::spawn(move || {
            let answer = sandbox.process_message(&message, &message, None);
            assert_eq!(
                answer,
                Answer::Status {
                    code: -n,
                    message: None
                }
            );
            sandbox
        })
        .join()
        .expect("no panic");
    }
}

#[test]
fn a_thousand_sandboxes_live_side_by_side() {
    let path = file(COUNTER);
    let mut sandboxes: Vec<Sandbox> = (0..1000)
        .map(|_| {
            let mut spec = spec(Analysis, "");
            let _ = std::fs::remove_file(&spec.source_path);
            spec.source_path.clone_from(&path);
            make(spec).0
        })
        .collect();
    let message = sample();
    for round in 1..=2 {
        for sandbox in &mut sandboxes {
            let answer = sandbox.process_message(&message, &message, None);
            assert_eq!(
                answer,
                Answer::Status {
                    code: -round,
                    message: None
                }
            );
        }
    }
    let most = sandboxes.iter().map(|sandbox| sandbox.stats().memory).max();
    assert!(most < Some(40 * 1024), "{most:?}");
}

#[test]
fn threads_end_their_own_calls_only() {
    watched(|| {
        let threads: Vec<_> = (0..4)
            .map(|i| {
                std::thread::spawn(move || {
                    let message = sample();
                    for _ in 0..5 {
                        let endless = i % 2 == 0;
                        let body = if endless {
                            "while true do end"
                        } else {
                            "for i = 1, 1e7 do end return 0"
                        };
                        let mut spec =
                            spec(Analysis, &format!("function process_message() {body} end"));
                        spec.limits.instructions = if endless { 1000 } else { 100_000_000 };
                        let (mut sandbox, _) = make(spec);
                        let answer = sandbox.process_message(&message, &message, None);
                        match answer {
                            Answer::Terminated(text) if endless => {
                                assert!(text.ends_with("instruction_limit exceeded"), "{text}");
                            }
                            Answer::Status { code: 0, .. } if !endless => {}
                            other => panic!("{other:?}"),
                        }
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().expect("no panic");
        }
    });
}

#[test]
fn one_plugin_sees_nothing_of_another() {
    let (mut first, _) = make(spec(
        Analysis,
        "require 'string' string.upper = nil type = nil x = 1 function process_message() return 0 end",
    ));
    let message = sample();
    first.process_message(&message, &message, None);
    check(
        Analysis,
        "require 'string' assert(string.upper('a') == 'A' and type(1) == 'number' and x == nil)",
    );
}
