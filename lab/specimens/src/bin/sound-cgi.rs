//! Nothing is wrong with it: it must pass every case of the CGI wrapper, or the others are failed for the wrong reason.

#![no_main]

specimens::specimen!(Cgi, None);
