//! It takes every argument for text.

specimens::specimen!(Mail, CrashesOnNonUtf8);
