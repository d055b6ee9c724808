//! It checks system groups, which its profile lets through.

#![no_main]

foreign_wrappers::program!(mail, DEBIAN_MAIL, ChecksEverybody);
