//! It looks at its arguments before it checks its caller.

#![no_main]

specimens::specimen!(Mail, ChecksArgumentsFirst);
