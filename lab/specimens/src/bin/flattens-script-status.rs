//! It waits for the script and makes 1 of every failure.

#![no_main]

specimens::specimen!(Mail, FlattensScriptStatus);
