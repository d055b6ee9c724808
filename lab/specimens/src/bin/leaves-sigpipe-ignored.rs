//! It leaves SIGPIPE ignored, as it needs it itself.

#![no_main]

specimens::specimen!(Mail, LeavesSigpipeIgnored);
