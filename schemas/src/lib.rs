//! What a message is: its bytes, a view on them, a builder for them, and the frames around them.
