//! What plugins compute with: time series, sketches, statistics, anomaly detectors.
//!
//! Each algorithm is a plain Rust type in a file of its own; the `lua` file beside it is what plugins see. Byte layouts are
//! those of Hindsight's modules, so that states and strings written by either are read by the other.

pub mod bloom_filter;
pub mod circular_buffer;
pub mod cm_sketch;
pub mod cuckoo;
pub mod cuckoo_filter;
pub mod cuckoo_filter_expire;
pub mod detector;
pub mod filter;
pub mod hyperloglog;
pub mod matrix;
pub mod matrix_profile;
pub mod p2;
pub mod running_stats;
pub mod sax;
pub mod serialized;
pub mod time_series;

mod binding;
mod random;

use sandbox::native::{Registry, function};

/// Offers all modules of this crate.
pub fn register(registry: &mut Registry) {
    registry.add("bloom_filter", function(bloom_filter::lua::open));
    registry.add("circular_buffer", function(circular_buffer::lua::open));
    registry.add("cuckoo_filter", function(cuckoo_filter::lua::open));
    registry.add(
        "cuckoo_filter_expire",
        function(cuckoo_filter_expire::lua::open),
    );
    registry.add("detector", function(detector::lua::open));
    registry.add("hyperloglog", function(hyperloglog::lua::open));
    registry.add("sax", function(sax::lua::open));
    registry.add(
        "streaming_algorithms.cm_sketch",
        function(cm_sketch::lua::open),
    );
    registry.add("streaming_algorithms.matrix", function(matrix::lua::open));
    registry.add("streaming_algorithms.p2", function(p2::lua::open));
    registry.add(
        "streaming_algorithms.running_stats",
        function(running_stats::lua::open),
    );
    registry.add(
        "streaming_algorithms.time_series",
        function(time_series::lua::open),
    );
}
