//! Stand-ins for wrappers which are not of this project, so that the lab's profiles are tried on what they describe.
//!
//! GNU Mailman 2.1's mail and CGI wrapper, as its authors and three distributions ship them, made anew from their
//! documented behaviour: whom they compare, in which order they look, what they start, how they end. Each has its profile
//! in `scenarios/profiles`. They have Mailman's weaknesses on purpose, and are never installed.
//!
//! A [`Departure`] is one rule that is not as the profile says: the lab must notice it.
//!
//! | module | what it does |
//! |---|---|
//! | `rules` | what is compiled in, by distribution |
//! | `caller` | whom the check lets through |
//! | `say` | messages: standard error, the system log, a page |
//! | `start` | the order of everything; what is executed |

#![deny(unsafe_code)]

mod caller;
pub mod rules;
mod say;
mod start;
pub mod sys;

pub use start::{cgi, mail};

/// The one rule in which a program departs from its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Departure {
    /// None: the profile describes it.
    None,
    /// It compares numbers where the profile says names.
    ComparesNumbers,
    /// It compares names where the profile says numbers.
    ComparesNames,
    /// It checks every caller, where the profile lets some groups through unasked.
    ChecksEverybody,
    /// It looks at the caller before arguments, where the profile has arguments first.
    ChecksCallerFirst,
    /// It hands on every variable but two of Python's and PATH, where the profile lists what is kept.
    KeepsEnvironment,
    /// It does not take on the group of its file, where the profile says that it does.
    StaysHalfPrivileged,
}

/// A program: `program!(mail, UPSTREAM_MAIL)`, or `program!(mail, UPSTREAM_MAIL, ComparesNumbers)`.
#[macro_export]
macro_rules! program {
    ($kind:ident, $rules:ident) => {
        $crate::program!($kind, $rules, None);
    };
    ($kind:ident, $rules:ident, $departure:ident) => {
        #[expect(unsafe_code, reason = "the C runtime calls this name, and calls it once")]
        #[unsafe(no_mangle)]
        extern "C" fn main(_: std::ffi::c_int, argv: *const *const std::ffi::c_char) -> std::ffi::c_int {
            // SAFETY: this is `main`, so `argv` is what the kernel has laid down: C strings, then a null pointer.
            let arguments = unsafe { $crate::sys::strings(argv) };
            $crate::$kind(&$crate::rules::$rules, $crate::Departure::$departure, &arguments)
        }
    };
}
