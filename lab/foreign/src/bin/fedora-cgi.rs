//! The CGI wrapper of Fedora's package.

#![no_main]

foreign_wrappers::program!(cgi, FEDORA_CGI);
