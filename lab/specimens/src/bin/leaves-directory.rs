//! It stays in its caller's working directory.

#![no_main]

specimens::specimen!(Mail, LeavesDirectory);
