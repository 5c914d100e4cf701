//! The segmented, durable log between the stages; it knows bytes and positions, never what a message means.
