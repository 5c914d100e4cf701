//! A plugin's globals, to disk and back.
