//! It falls back to built-in values when nobody has sealed it.

specimens::specimen!(Mail, AcceptsUnsealedPolicy);
