//! It looks the script up in its caller's PATH.

specimens::specimen!(Mail, LooksUpScriptInPath);
