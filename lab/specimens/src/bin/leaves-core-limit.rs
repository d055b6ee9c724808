//! It leaves its caller's core limit, so that the caller can have the script's memory.

specimens::specimen!(Mail, LeavesCoreLimit);
