//! It waits for the script and makes 1 of every failure, also of "try again later".

#![no_main]

specimens::specimen!(Mail, FlattensScriptStatus);
