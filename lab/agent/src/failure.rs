//! A step that failed, in words.

use rustix::io::Errno;

/// What was being done, and the error number (0 where no system call failed).
#[derive(Debug)]
pub(crate) struct Failure {
    /// In words, naming the path or number concerned.
    pub(crate) step: String,
    /// Error number.
    pub(crate) errno: i32,
}

impl Failure {
    /// A request that makes no sense, or that cannot be met whatever the kernel says.
    pub(crate) fn refused(step: impl Into<String>) -> Self {
        Self { step: step.into(), errno: 0 }
    }
}

/// Names the step in which a system call failed.
pub(crate) trait During<T> {
    /// `what` is called only on failure.
    fn during<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T, Failure>;
}

impl<T> During<T> for Result<T, Errno> {
    fn during<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T, Failure> {
        self.map_err(|errno| Failure { step: what().into(), errno: errno.raw_os_error() })
    }
}
