//! What a plugin may ask of the operating system: the time, and for inputs and outputs also files and programs.
