//! It compares its own effective gid with the trusted one, not its caller's real gid.

#![no_main]

specimens::specimen!(Mail, ChecksEffectiveGid);
