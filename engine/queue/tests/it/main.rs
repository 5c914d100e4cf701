//! The queue from outside: what it promises, on a faulty disk and on a real one.

mod backpressure;
mod basics;
mod concurrency;
mod corruption;
mod failpoints;
mod model;
mod retention;
mod support;
