//! It admits groups whose name begins with the trusted name.

specimens::specimen!(Mail, ComparesNamePrefix);
