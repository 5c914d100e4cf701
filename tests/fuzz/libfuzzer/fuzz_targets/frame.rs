//! Coverage-guided fuzzing of the target `frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (fuzz::targets::by_name("frame")
        .expect("the target is in the list")
        .run)(bytes);
});
