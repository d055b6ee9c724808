//! The CGI wrapper of SUSE's package.

#![no_main]

foreign_wrappers::program!(cgi, SUSE_CGI);
