//! It waits for the script and says 0, however that ended.

#![no_main]

specimens::specimen!(Mail, HidesScriptStatus);
