//! It leaves inheritable and ambient capabilities.

#![no_main]

specimens::specimen!(Mail, LeavesCapabilities);
