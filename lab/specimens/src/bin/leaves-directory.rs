//! It stays in its caller's working directory.

specimens::specimen!(Mail, LeavesDirectory);
