//! It does not look at the result of setresgid(2).

#![no_main]

specimens::specimen!(Mail, IgnoresSetresgid);
