//! Files and programs for input and output plugins, buffered so that what was written is known to have reached the kernel.
