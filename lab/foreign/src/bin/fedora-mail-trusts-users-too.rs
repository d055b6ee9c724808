//! It trusts a group which its profile does not list.

#![no_main]

foreign_wrappers::program!(mail, FEDORA_MAIL_AND_USERS);
