//! It leaves its caller's timer slack.

specimens::specimen!(Mail, LeavesTimerSlack);
