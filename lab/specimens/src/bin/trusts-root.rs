//! It starts the script for root, which can take any group back.

#![no_main]

specimens::specimen!(Mail, TrustsRoot);
