//! It trusts gid 65534 in a user namespace where every unmapped group looks like that.

#![no_main]

specimens::specimen!(Mail, TrustsOverflowGid);
