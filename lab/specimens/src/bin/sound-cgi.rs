//! Nothing is wrong with it either, as a CGI wrapper.

#![no_main]

specimens::specimen!(Cgi, None);
