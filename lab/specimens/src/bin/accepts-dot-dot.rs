//! It accepts a command with a slash, and so with `../`.

specimens::specimen!(Mail, AcceptsDotDot);
