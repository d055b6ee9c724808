//! It compares commands without regard to the case of letters.

specimens::specimen!(Mail, AcceptsAnyCase);
