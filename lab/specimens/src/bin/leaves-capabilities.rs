//! It leaves inheritable and ambient capabilities.

specimens::specimen!(Mail, LeavesCapabilities);
