//! It accepts a command with a slash, and so with `../`.

#![no_main]

specimens::specimen!(Mail, AcceptsDotDot);
