//! It never returns from looking up the name of a group that has none.

specimens::specimen!(Mail, WaitsForAName);
