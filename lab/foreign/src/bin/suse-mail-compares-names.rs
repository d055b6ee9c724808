//! It compares names where its profile says numbers.

#![no_main]

foreign_wrappers::program!(mail, SUSE_MAIL, ComparesNames);
