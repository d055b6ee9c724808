//! It leaves SIGPIPE ignored, as the runtime of Rust sets it.

specimens::specimen!(Mail, LeavesSigpipeIgnored);
