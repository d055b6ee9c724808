//! Of a variable that is there twice it keeps the second.

#![no_main]

specimens::specimen!(Cgi, KeepsSecondDuplicate);
