//! It writes its refusal to a pipe that nobody reads, for as long as it takes.

#![no_main]

specimens::specimen!(Mail, BlocksOnFullPipe);
