//! It admits members of the trusted group too.

specimens::specimen!(Mail, ChecksSupplementaryGroups);
