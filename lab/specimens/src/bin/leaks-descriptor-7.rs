//! It leaves descriptor 7 open for the script.

#![no_main]

specimens::specimen!(Mail, LeaksDescriptor7);
