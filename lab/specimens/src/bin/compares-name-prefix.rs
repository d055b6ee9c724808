//! It admits groups whose name begins with the trusted name.

#![no_main]

specimens::specimen!(Mail, ComparesNamePrefix);
