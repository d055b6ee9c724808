//! The mail wrapper of SUSE's package.

#![no_main]

foreign_wrappers::program!(mail, SUSE_MAIL);
