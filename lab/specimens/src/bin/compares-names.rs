//! It compares the names of the groups, as Mailman's own wrapper does, not their numbers.

#![no_main]

specimens::specimen!(Mail, ComparesNames);
