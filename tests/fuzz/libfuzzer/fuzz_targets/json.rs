//! Coverage-guided fuzzing of the target `json`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (fuzz::targets::by_name("json")
        .expect("the target is in the list")
        .run)(bytes);
});
