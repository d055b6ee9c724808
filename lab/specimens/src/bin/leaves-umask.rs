//! It leaves its caller's umask.

specimens::specimen!(Mail, LeavesUmask);
