//! It keeps its caller's gid as the saved one, to go back to it.

#![no_main]

specimens::specimen!(Mail, KeepsSavedGid);
