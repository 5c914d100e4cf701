//! Coverage-guided fuzzing of the target `library`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (fuzz::targets::by_name("library")
        .expect("the target is in the list")
        .run)(bytes);
});
