//! The message_matcher language, and an index over many matchers.
