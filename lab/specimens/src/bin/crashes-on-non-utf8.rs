//! It takes every argument for text.

#![no_main]

specimens::specimen!(Mail, CrashesOnNonUtf8);
