//! It leaves the real gid as it is.

#![no_main]

foreign_wrappers::program!(cgi, DEBIAN_CGI, StaysHalfPrivileged);
