//! It keeps its caller's gid as the saved one, to go back to it.

specimens::specimen!(Mail, KeepsSavedGid);
