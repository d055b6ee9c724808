//! It keeps the real gid in 16 bits.

#![no_main]

specimens::specimen!(Mail, CutsGidTo16Bits);
