//! It leaves its caller's alarm running.

#![no_main]

specimens::specimen!(Mail, LeavesAlarmRunning);
