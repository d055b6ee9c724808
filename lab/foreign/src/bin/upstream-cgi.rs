//! GNU Mailman 2.1's CGI wrapper, as its authors ship it.

#![no_main]

foreign_wrappers::program!(cgi, UPSTREAM_CGI);
