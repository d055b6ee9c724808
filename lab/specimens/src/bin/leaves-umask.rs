//! It leaves its caller's umask.

#![no_main]

specimens::specimen!(Mail, LeavesUmask);
