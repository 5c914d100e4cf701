//! Coverage-guided fuzzing of the target `cbuf`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    (fuzz::targets::by_name("cbuf")
        .expect("the target is in the list")
        .run)(bytes);
});
