//! Messages: the system log always; standard error for mail, a page for CGI. Nothing is escaped.

use crate::sys;
use std::ffi::{CStr, CString};
use std::io::Write;

/// Longest message, in bytes.
const LONGEST: usize = 1023;

/// Why a caller is sent away.
pub(crate) struct Refusal {
    /// The exit status.
    pub(crate) status: u8,
    message: Vec<u8>,
}

impl Refusal {
    /// With this exit status and this message, cut at the length of the buffer.
    pub(crate) fn new(status: u8, message: impl Into<Vec<u8>>) -> Self {
        let mut message = message.into();
        message.truncate(LONGEST);
        Self { status, message }
    }
}

/// Says it, under this name in the log.
pub(crate) fn say(refusal: &Refusal, name: &CStr, cgi: bool) {
    let line = [refusal.message.as_slice(), b"\n"].concat();
    if let Ok(text) = CString::new(line.clone()) {
        sys::log(name, &text);
    }
    // Nobody is left to tell if these fail.
    if cgi {
        let head = b"Content-type: text/html\n\n<head>\n<title>CGI error</title>\n</head><body>\n<pre>\n";
        let _ = std::io::stdout().write_all(&[head.as_slice(), &line, b"</pre>\n"].concat());
        let _ = std::io::stdout().flush();
    } else {
        let _ = std::io::stderr().write_all(&line);
    }
}
