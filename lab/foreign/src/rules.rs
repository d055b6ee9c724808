//! What is compiled into each wrapper.

use std::ffi::CStr;
use std::ops::RangeInclusive;

/// What is compiled into one wrapper.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Directory whose name ends in `/scripts/`.
    pub scripts: &'static CStr,
    /// Variable that is added to the script's environment.
    pub adds: &'static CStr,
    /// Whom it trusts.
    pub trusted: Trusted,
    /// Callers with these real gids are not looked at.
    pub unasked: &'static [RangeInclusive<u32>],
}

/// Whom a wrapper trusts.
#[derive(Clone, Copy, Debug)]
pub enum Trusted {
    /// Groups of these names.
    Names(&'static [&'static CStr]),
    /// The group whose number stands in this file.
    NumberIn(&'static CStr),
}

/// What every wrapper executes.
pub(crate) const PYTHON: &CStr = c"/usr/bin/python";

/// Commands of the mail wrapper.
pub(crate) const COMMANDS: [&CStr; 10] =
    [c"admin", c"bounces", c"confirm", c"join", c"leave", c"owner", c"post", c"request", c"subscribe", c"unsubscribe"];

/// Variables that are handed on, since 2.1.26.
pub(crate) const KEPT: [&CStr; 22] = [
    c"CONTENT_LENGTH",
    c"CONTENT_TYPE",
    c"DOCUMENT_ROOT",
    c"HOST",
    c"HTTPS",
    c"HTTP_COOKIE",
    c"HTTP_FORWARDED_FOR",
    c"HTTP_HOST",
    c"HTTP_X_FORWARDED_FOR",
    c"LOGNAME",
    c"PATH_INFO",
    c"QUERY_STRING",
    c"REMOTE_ADDR",
    c"REMOTE_PORT",
    c"REQUEST_METHOD",
    c"REQUEST_SCHEME",
    c"REQUEST_URI",
    c"SCRIPT_NAME",
    c"SERVER_NAME",
    c"SERVER_PORT",
    c"SERVER_PROTOCOL",
    c"USER",
];

/// The mail wrapper as Mailman's authors ship it, built with `--with-mail-gid=mail`.
pub const UPSTREAM_MAIL: Rules = Rules {
    scripts: c"/usr/local/mailman/scripts/",
    adds: c"PYTHONPATH=/usr/local/mailman",
    trusted: Trusted::Names(&[c"mail"]),
    unasked: &[],
};

/// Their CGI wrapper, built with `--with-cgi-gid=www-data`.
pub const UPSTREAM_CGI: Rules = Rules { trusted: Trusted::Names(&[c"www-data"]), ..UPSTREAM_MAIL };

/// Debian's mail wrapper: system groups and nogroup are let through.
pub const DEBIAN_MAIL: Rules = Rules {
    scripts: c"/var/lib/mailman/scripts/",
    adds: c"PYTHONPATH=/var/lib/mailman",
    trusted: Trusted::Names(&[c"daemon"]),
    unasked: &[0..=99, 65534..=65534],
};

/// Debian's CGI wrapper.
pub const DEBIAN_CGI: Rules = Rules { trusted: Trusted::Names(&[c"www-data"]), ..DEBIAN_MAIL };

/// Fedora's and Red Hat's mail wrapper: a list of names.
pub const FEDORA_MAIL: Rules = Rules {
    scripts: c"/usr/lib/mailman/scripts/",
    adds: c"PYTHONPATH=/usr/lib/mailman",
    trusted: Trusted::Names(&[c"mail", c"postfix", c"mailman", c"nobody", c"daemon"]),
    unasked: &[],
};

/// Fedora's and Red Hat's CGI wrapper.
pub const FEDORA_CGI: Rules = Rules { trusted: Trusted::Names(&[c"apache"]), ..FEDORA_MAIL };

/// Fedora's mail wrapper, with one group more than its profile lists.
pub const FEDORA_MAIL_AND_USERS: Rules = Rules {
    trusted: Trusted::Names(&[c"mail", c"postfix", c"mailman", c"nobody", c"daemon", c"users"]),
    ..FEDORA_MAIL
};

/// SUSE's mail wrapper: a number in a file.
pub const SUSE_MAIL: Rules = Rules {
    scripts: c"/usr/lib/mailman/scripts/",
    adds: c"PYTHONPATH=/usr/lib/mailman",
    trusted: Trusted::NumberIn(c"/etc/mailman/mailman.mail-gid"),
    unasked: &[],
};

/// SUSE's CGI wrapper.
pub const SUSE_CGI: Rules = Rules { trusted: Trusted::NumberIn(c"/etc/mailman/mailman.cgi-gid"), ..SUSE_MAIL };
