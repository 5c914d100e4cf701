//! Small helpers that several crates need: clock, files, backoff, sizes, statistics, patterns.
