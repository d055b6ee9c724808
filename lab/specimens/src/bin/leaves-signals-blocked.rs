//! It leaves blocked what its caller had blocked.

#![no_main]

specimens::specimen!(Mail, LeavesSignalsBlocked);
