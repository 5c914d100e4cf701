//! Every fuzz target for a bounded number of inputs from a fixed seed; the driver finds more in longer runs.

use fuzz::drive::{Until, run};
use fuzz::targets::{TARGETS, by_name};

/// Fixed, so that a failure here can be had again; the driver chooses others.
const SEED: u64 = 20_260_101;

fn smoke(name: &str) {
    let target = by_name(name).expect("the target is in the list");
    let outcome = run(target, SEED, Until::Count(target.n_smoke)).expect("the corpus can be read");
    if let Some(failure) = outcome.failure {
        panic!(
            "{name}: {}: input {}",
            failure.words,
            failure.input.escape_ascii()
        );
    }
}

macro_rules! smoke {
    ($($name:ident)*) => {
        $(#[test] fn $name() { smoke(stringify!($name)); })*

        /// Whoever adds a target adds its smoke test.
        #[test]
        fn no_target_is_left_out() {
            let listed: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(listed, [$(stringify!($name)),*]);
        }
    };
}

smoke!(frame message matcher pattern config state queue checkpoints library analysis cbuf json spool derive);
