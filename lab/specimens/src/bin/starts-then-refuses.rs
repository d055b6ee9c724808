//! It starts the script in a child first, and checks its caller afterwards.

#![no_main]

specimens::specimen!(Mail, StartsThenRefuses);
