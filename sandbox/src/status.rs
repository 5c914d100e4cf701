//! What `process_message` can answer.

/// The message was processed, or delivered.
pub const SENT: i32 = 0;
/// It failed; counted, logged, skipped.
pub const FAIL: i32 = -1;
/// It is none of this plugin's; not counted as a failure.
pub const SKIP: i32 = -2;
/// Outputs: the same message again later.
pub const RETRY: i32 = -3;
/// Outputs: taken into a batch, whose end is told by `update_checkpoint`.
pub const BATCH: i32 = -4;
/// Outputs: on its way, to be acknowledged by `update_checkpoint(sequence_id)`.
pub const ASYNC: i32 = -5;

/// How a call into a plugin ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It returned.
    Status {
        /// See the constants of this module; never above 0.
        code: i32,
        /// What the plugin said with it.
        message: Option<Vec<u8>>,
    },
    /// It failed, and the plugin must not be called again; the text says why.
    Terminated(String),
    /// It was ended by [`Handle::interrupt`](crate::Handle::interrupt): a clean end.
    Stopped,
}
