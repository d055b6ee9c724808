//! It compares numbers where its profile says names.

#![no_main]

foreign_wrappers::program!(mail, UPSTREAM_MAIL, ComparesNumbers);
