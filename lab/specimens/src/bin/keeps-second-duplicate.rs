//! Of a variable that is there twice it keeps the second.

specimens::specimen!(Cgi, KeepsSecondDuplicate);
