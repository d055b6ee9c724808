//! It does not look at the result of setresgid(2).

specimens::specimen!(Mail, IgnoresSetresgid);
