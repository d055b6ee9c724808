//! It compares the names of the groups, as Mailman's own wrapper does, not their numbers.

specimens::specimen!(Mail, ComparesNames);
