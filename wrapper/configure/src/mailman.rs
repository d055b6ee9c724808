//! What Mailman 2.1's own wrappers have compiled in, for who does not say otherwise.

/// The commands of Mailman 2.1's mail wrapper.
pub(crate) const COMMANDS: [&str; 10] =
    ["admin", "bounces", "confirm", "join", "leave", "owner", "post", "request", "subscribe", "unsubscribe"];

/// The environment variables which the CGI wrapper of Mailman 2.1.39 keeps.
pub(crate) const CGI_VARIABLES: [&str; 22] = [
    "CONTENT_LENGTH",
    "CONTENT_TYPE",
    "DOCUMENT_ROOT",
    "HOST",
    "HTTPS",
    "HTTP_COOKIE",
    "HTTP_FORWARDED_FOR",
    "HTTP_HOST",
    "HTTP_X_FORWARDED_FOR",
    "LOGNAME",
    "PATH_INFO",
    "QUERY_STRING",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "REQUEST_METHOD",
    "REQUEST_SCHEME",
    "REQUEST_URI",
    "SCRIPT_NAME",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "USER",
];
