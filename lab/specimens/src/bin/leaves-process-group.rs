//! It makes a session of its own, out of reach of whoever ends a delivery that takes too long.

#![no_main]

specimens::specimen!(Mail, LeavesProcessGroup);
