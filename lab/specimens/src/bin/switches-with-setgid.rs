//! It switches with setgid(2), which leaves its caller's real gid, and does not read back.

#![no_main]

specimens::specimen!(Mail, SwitchesWithSetgid);
