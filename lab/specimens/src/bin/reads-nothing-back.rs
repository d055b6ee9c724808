//! It believes setresgid(2), and does not read the ids back.

#![no_main]

specimens::specimen!(Mail, ReadsNothingBack);
