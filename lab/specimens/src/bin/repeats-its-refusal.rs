//! It says why it refuses a thousand times over.

#![no_main]

specimens::specimen!(Mail, RepeatsItsRefusal);
