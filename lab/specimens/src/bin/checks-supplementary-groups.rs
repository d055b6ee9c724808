//! It admits members of the trusted group too.

#![no_main]

specimens::specimen!(Mail, ChecksSupplementaryGroups);
