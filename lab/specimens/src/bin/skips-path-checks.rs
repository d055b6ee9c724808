//! It starts scripts that others can write.

specimens::specimen!(Mail, SkipsPathChecks);
