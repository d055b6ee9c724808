//! It trusts gid 65534 in a user namespace where every unmapped group looks like that.

specimens::specimen!(Mail, TrustsOverflowGid);
