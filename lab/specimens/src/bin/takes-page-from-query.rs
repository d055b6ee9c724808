//! It takes the page from its arguments, which a web client writes as a query.

#![no_main]

specimens::specimen!(Cgi, TakesPageFromQuery);
