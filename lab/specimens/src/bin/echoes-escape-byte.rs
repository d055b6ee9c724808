//! It repeats an unknown command, escape bytes and all.

#![no_main]

specimens::specimen!(Mail, EchoesEscapeByte);
