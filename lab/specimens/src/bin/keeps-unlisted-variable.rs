//! It hands on PYTHONPATH, which is not on its list.

#![no_main]

specimens::specimen!(Mail, KeepsUnlistedVariable);
