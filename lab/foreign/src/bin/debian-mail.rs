//! The mail wrapper of Debian's package.

#![no_main]

foreign_wrappers::program!(mail, DEBIAN_MAIL);
