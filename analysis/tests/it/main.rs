//! Every algorithm against known results, exact computations and random data.

mod circular_buffer;
mod filters;
mod quantiles;
mod series;
mod sketches;
mod words;
