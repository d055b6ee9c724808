//! It believes setresgid(2), and does not read the ids back.

specimens::specimen!(Mail, ReadsNothingBack);
