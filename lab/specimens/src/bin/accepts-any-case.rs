//! It compares commands without regard to the case of letters.

#![no_main]

specimens::specimen!(Mail, AcceptsAnyCase);
