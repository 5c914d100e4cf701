//! Asks the processor for bytes that will be read soon, so that nobody waits for the memory then.
#![allow(unsafe_code)]

/// What the processor fetches at a time, in bytes.
const LINE: usize = 64;

/// Lines asked for at most: of longer pieces the processor sees by itself that they are read in order.
const LINES_MAX: usize = 8;

/// Asks for the beginning of `bytes`. A hint only: on processors other than x86-64 nothing happens.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(LINE).take(LINES_MAX) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 processor knows the instruction, and it changes nothing that a program can see.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast());
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = line;
    }
}
