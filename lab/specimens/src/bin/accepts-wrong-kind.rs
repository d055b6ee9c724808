//! It accepts a policy for the other kind of wrapper.

#![no_main]

specimens::specimen!(Mail, AcceptsWrongKind);
