//! It admits its own group beside the trusted one.

#![no_main]

specimens::specimen!(Mail, AdmitsOwnGroup);
