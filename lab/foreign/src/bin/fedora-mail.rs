//! The mail wrapper of Fedora's package.

#![no_main]

foreign_wrappers::program!(mail, FEDORA_MAIL);
