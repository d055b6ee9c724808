//! It does not notice that the set-group-ID bit did not act, and goes on with its caller's group.

#![no_main]

specimens::specimen!(Mail, IgnoresLostBit);
