//! It falls back to built-in values when nobody has sealed it.

#![no_main]

specimens::specimen!(Mail, AcceptsUnsealedPolicy);
