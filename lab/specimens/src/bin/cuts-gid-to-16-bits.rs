//! It keeps the real gid in 16 bits.

specimens::specimen!(Mail, CutsGidTo16Bits);
