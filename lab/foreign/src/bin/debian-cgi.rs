//! The CGI wrapper of Debian's package.

#![no_main]

foreign_wrappers::program!(cgi, DEBIAN_CGI);
