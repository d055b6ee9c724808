//! It does not look at the checksum of its policy.

specimens::specimen!(Mail, IgnoresChecksum);
