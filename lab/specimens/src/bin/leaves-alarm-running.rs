//! It leaves its caller's alarm running.

specimens::specimen!(Mail, LeavesAlarmRunning);
