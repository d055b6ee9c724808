//! It ends every refusal with exit 0.

#![no_main]

specimens::specimen!(Mail, ExitsZeroOnRefusal);
