//! Nothing is wrong with it: it must pass every case, or the others are failed for the wrong reason.

#![no_main]

specimens::specimen!(Mail, None);
