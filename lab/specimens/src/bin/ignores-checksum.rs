//! It does not look at the checksum of its policy.

#![no_main]

specimens::specimen!(Mail, IgnoresChecksum);
