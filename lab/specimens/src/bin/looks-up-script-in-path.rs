//! It looks the script up in its caller's PATH.

#![no_main]

specimens::specimen!(Mail, LooksUpScriptInPath);
