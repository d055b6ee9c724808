//! It takes its caller's group from the user database, not from the kernel.

#![no_main]

specimens::specimen!(Mail, AsksUserDatabase);
