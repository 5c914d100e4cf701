//! Coverage-guided fuzzing of the target `analysis`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (fuzz::targets::by_name("analysis")
        .expect("the target is in the list")
        .run)(bytes);
});
