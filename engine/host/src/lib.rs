//! The engine itself: configuration, the three stages, checkpoints and the command line.
