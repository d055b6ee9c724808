//! It reads the first byte of its name without looking whether there is one.

specimens::specimen!(Mail, CrashesOnEmptyArgv);
