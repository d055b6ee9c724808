//! It repeats an unknown command, escape bytes and all.

specimens::specimen!(Mail, EchoesEscapeByte);
