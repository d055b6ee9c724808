//! It looks at its arguments before it checks its caller.

specimens::specimen!(Mail, ChecksArgumentsFirst);
