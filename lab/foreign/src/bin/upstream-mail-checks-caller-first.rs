//! It looks at the caller before arguments.

#![no_main]

foreign_wrappers::program!(mail, UPSTREAM_MAIL, ChecksCallerFirst);
