//! # NAME
//!
//! cgi-wrapper - start a page of a mailing list manager for a web server, with the group of the mailing list manager
//!
//! # SYNOPSIS
//!
//! **cgi-wrapper** \[*argument*\]...
//!
//! # DESCRIPTION
//!
//! A web server runs cgi-wrapper as a CGI/1.1 program (RFC 3875), installed under the name of the page, such as
//! `cgi-bin/listinfo`. cgi-wrapper is set-group-ID to the group of the mailing list manager. It starts `scripts/driver`
//! below its prefix with that group and the name of its one page as the only argument, if the real gid of its caller is the
//! one gid that it trusts.
//!
//! Whom it trusts and which page it starts is sealed into the binary by wrapper-configure(8). There is no configuration file
//! and no option; a binary that has not been sealed refuses everybody. The page is never taken from the name under which the
//! program was started, from PATH_INFO or from the query, and every *argument* is ignored: web servers make them from the
//! query.
//!
//! It asks these questions in this order, and the first that is answered with no ends it:
//!
//! 1. Can the process be put into a known state?
//! 2. Is the sealed policy sound?
//! 3. Did the set-group-ID bit act: is the effective gid the wrapper's own group?
//! 4. Is the real gid the trusted gid? Only the number counts. Being a member of the trusted group, or having it as
//!    effective gid, is not enough.
//! 5. Can the caller give a group up? root and processes with CAP_SETGID cannot.
//! 6. Can the process switch its real, effective and saved gid to the wrapper's own group, for good?
//! 7. Can nobody but root, the sealed owner and the wrapper's own group change what is executed?
//!
//! Then it executes the sealed interpreter with its flags and `scripts/driver`, or that script itself if no interpreter is
//! sealed. The first argument of what is executed is its own path. The trusted group may be the wrapper's own.
//!
//! The script starts with the standard descriptors of the caller and no others, every signal at its default and none
//! blocked, no timer, timer slack 50 microseconds, umask 022, working directory `/`, no core dumps (RLIMIT_CORE 0), and
//! neither inheritable nor ambient capabilities.
//!
//! # LIMITS
//!
//! An inherited soft limit below the following is raised to it; a hard limit below it ends cgi-wrapper. Other limits are
//! left as they are.
//!
//! | limit         | least    | unit        |
//! |---------------|----------|-------------|
//! | RLIMIT_FSIZE  | 1048576  | bytes       |
//! | RLIMIT_NOFILE | 20       | descriptors |
//! | RLIMIT_AS     | 67108864 | bytes       |
//! | RLIMIT_DATA   | 33554432 | bytes       |
//! | RLIMIT_STACK  | 262144   | bytes       |
//!
//! To refuse takes less: RLIMIT_NOFILE 3, RLIMIT_DATA 32768 and, each with as many bytes more as arguments and environment
//! have, RLIMIT_STACK 32768 and RLIMIT_AS 1048576. Below those the kernel or the C library may end the process by a signal
//! before it comes to refuse.
//!
//! # EXIT STATUS
//!
//! If the script is started the exit status is the script's. Otherwise it is one of the following. Web servers ignore it:
//! they go by the status of the page.
//!
//! | status | meaning                                                                        |
//! |--------|--------------------------------------------------------------------------------|
//! | 2      | group mismatch: the real gid is not the trusted one                            |
//! | 3      | the group ids could not be switched for good, or the caller could undo it      |
//! | 4      | the script could not be started, or somebody untrusted could change it         |
//! | 8      | the real gid is not the trusted one, and no name for it could be found         |
//! | 9      | not running set-group-ID: the bit did not act                                  |
//! | 10     | no sound policy is sealed into the binary                                      |
//! | 11     | the process could not be made safe, or a hard limit is too small               |
//!
//! # DIAGNOSTICS
//!
//! A refusal is one line of printable ASCII, of at most 900 bytes with its line feed. It says what was found, what was
//! wanted and what to do, and contains nothing that the caller wrote. It goes to syslog with facility mail and severity
//! error, and to standard output, if that can be written within a second, as a page with the status 403 Forbidden.
//!
//! # ENVIRONMENT
//!
//! The script gets `PATH=/usr/bin:/bin` and the variables whose names are sealed: those of Mailman 2.1.39, unless
//! wrapper-configure(8) was told otherwise, and never `HTTP_PROXY`, which is a header of the request in disguise. Of a
//! variable that is there twice the first counts. No variable has an effect on cgi-wrapper itself.
//!
//! # FILES
//!
//! | file                    | use                                                          |
//! |-------------------------|--------------------------------------------------------------|
//! | *prefix*/scripts/driver | the script                                                   |
//! | /etc/group              | read only to say in a refusal what a group is called           |
//! | /etc/passwd             | likewise a user                                               |
//! | /proc/self/gid_map      | read only if the trusted gid is 65534                        |
//! | /dev/log                | where refusals are logged                                    |
//!
//! # SECURITY
//!
//! cgi-wrapper runs with the wrapper's own group on behalf of whoever starts it. Supplementary groups cannot be given up
//! without privilege: the script has the caller's. The script's uid is the caller's too, which may send it any signal. Root,
//! the sealed owner and the members of the wrapper's own group can change a script between check and execution. A script
//! that names its interpreter in its first line has that interpreter unchecked: seal the interpreter instead.
//!
//! # SEE ALSO
//!
//! mail-wrapper(8), wrapper-configure(8), credentials(7), execve(2)

#![no_main]
#![deny(unsafe_code)]

wrapper::program!(wrapper::policy::Kind::Cgi);
