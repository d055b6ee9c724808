//! GNU Mailman 2.1's mail wrapper, as its authors ship it.

#![no_main]

foreign_wrappers::program!(mail, UPSTREAM_MAIL);
