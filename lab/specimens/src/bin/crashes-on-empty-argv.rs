//! It reads the first byte of its name without looking whether there is one.

#![no_main]

specimens::specimen!(Mail, CrashesOnEmptyArgv);
