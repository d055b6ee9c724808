//! It takes the page from its arguments, which a web client writes as a query.

specimens::specimen!(Cgi, TakesPageFromQuery);
