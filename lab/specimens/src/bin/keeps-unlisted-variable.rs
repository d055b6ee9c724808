//! It hands on PYTHONPATH, which is not on its list.

specimens::specimen!(Mail, KeepsUnlistedVariable);
