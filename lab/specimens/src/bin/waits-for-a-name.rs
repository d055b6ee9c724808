//! It never returns from looking up the name of a group that has none.

#![no_main]

specimens::specimen!(Mail, WaitsForAName);
