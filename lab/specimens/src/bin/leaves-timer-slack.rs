//! It leaves its caller's timer slack.

#![no_main]

specimens::specimen!(Mail, LeavesTimerSlack);
