//! It leaves its caller's core limit, so that the caller can have the script's memory.

#![no_main]

specimens::specimen!(Mail, LeavesCoreLimit);
