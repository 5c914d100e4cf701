//! Gives a target its inputs and then mutations of them, so that every run can be had again from its seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use anyhow::Result;
use stdx::seed::Random;

use crate::corpus;
use crate::mutate::mutated;
use crate::targets::Target;

/// An input that takes longer is reported, though it may be the machine's fault: no input of some kilobytes should.
const SLOW: Duration = Duration::from_secs(2);

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After so many mutated inputs.
    Count(u64),
    /// At this time.
    Time(Instant),
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Inputs tried.
    pub n_tried: u64,
    /// The inputs on which the target panicked, with its words; the run ends at the first.
    pub failure: Option<Failure>,
    /// The slowest input and how long it took, if that was suspicious.
    pub slow: Option<(Vec<u8>, Duration)>,
}

/// An input on which a target panicked.
#[derive(Debug)]
pub struct Failure {
    /// The bytes.
    pub input: Vec<u8>,
    /// What the target said.
    pub words: String,
}

/// Runs the target from `seed` on.
pub fn run(target: &Target, seed: u64, until: Until) -> Result<Outcome> {
    let inputs = corpus::inputs(target)?;
    let mut random = Random::from_seed(seed);
    let mut outcome = Outcome::default();
    for input in &inputs {
        if !outcome.attempt(target, input) {
            return Ok(outcome);
        }
    }
    let n_inputs = outcome.n_tried;
    while !is_over(until, outcome.n_tried - n_inputs) {
        let input = mutated(&inputs, target.words, &mut random);
        if !outcome.attempt(target, &input) {
            break;
        }
    }
    Ok(outcome)
}

fn is_over(until: Until, n_mutated: u64) -> bool {
    match until {
        Until::Count(count) => n_mutated >= count,
        Until::Time(end) => Instant::now() >= end,
    }
}

impl Outcome {
    /// Whether the run may go on.
    fn attempt(&mut self, target: &Target, input: &[u8]) -> bool {
        self.n_tried += 1;
        let start = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
        self.note_time(input, start.elapsed());
        if let Err(panic) = result {
            self.failure = Some(Failure {
                input: input.to_vec(),
                words: words(&*panic),
            });
        }
        self.failure.is_none()
    }

    fn note_time(&mut self, input: &[u8], took: Duration) {
        let slowest = self.slow.as_ref().map_or(SLOW, |(_, slowest)| *slowest);
        if took > slowest {
            self.slow = Some((input.to_vec(), took));
        }
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no words")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAGILE: Target = Target {
        name: "fragile",
        about: "breaks at a certain byte",
        run: |bytes| assert!(!bytes.contains(&0xff), "met 255"),
        seeds: || vec![b"abc".to_vec()],
        words: &[b"\xff"],
        n_smoke: 1,
    };

    #[test]
    fn finds_a_failure_and_finds_it_again() {
        let first = run(&FRAGILE, 7, Until::Count(1000)).unwrap();
        let again = run(&FRAGILE, 7, Until::Count(1000)).unwrap();
        let (first, again) = (
            first.failure.expect("it breaks"),
            again.failure.expect("it breaks"),
        );
        assert_eq!(first.input, again.input);
        assert_eq!(first.words, "met 255");
    }
}
