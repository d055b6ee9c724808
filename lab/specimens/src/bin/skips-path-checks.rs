//! It starts scripts that others can write.

#![no_main]

specimens::specimen!(Mail, SkipsPathChecks);
