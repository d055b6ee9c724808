//! It hands on variables which its profile drops.

#![no_main]

foreign_wrappers::program!(mail, UPSTREAM_MAIL, KeepsEnvironment);
