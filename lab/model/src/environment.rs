//! Which environment entries reach the script. See environ(7).

use crate::Bytes;

/// The PATH that our wrappers give.
pub const PATH: &[u8] = b"PATH=/usr/bin:/bin";

/// What Mailman 2.1.39's CGI wrapper hands on: `src/common.c` of that release, the same 22 names for mail and CGI.
pub const MAILMAN_NAMES: [&str; 22] = [
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

/// What glibc removes from the environment of a program in secure mode: ld.so(8), "Secure-execution mode", with
/// `sysdeps/generic/unsecvars.h` (2.36, where a test of the sandbox sees each of them go). musl removes nothing.
pub const GLIBC_UNSECURE: [&str; 23] = [
    "GCONV_PATH",
    "GETCONF_DIR",
    "HOSTALIASES",
    "LD_AUDIT",
    "LD_DEBUG",
    "LD_DEBUG_OUTPUT",
    "LD_DYNAMIC_WEAK",
    "LD_HWCAP_MASK",
    "LD_LIBRARY_PATH",
    "LD_ORIGIN_PATH",
    "LD_PRELOAD",
    "LD_PROFILE",
    "LD_SHOW_AUXV",
    "LOCALDOMAIN",
    "LOCPATH",
    "MALLOC_CHECK_",
    "MALLOC_TRACE",
    "NIS_PATH",
    "NLSPATH",
    "RESOLV_HOST_CONF",
    "RES_OPTIONS",
    "TMPDIR",
    "TZDIR",
];

/// Name of a well-formed entry: what stands before the first `=`, if that is at least one byte.
pub fn name(entry: &[u8]) -> Option<&[u8]> {
    let at = entry.iter().position(|&byte| byte == b'=')?;
    entry.get(..at).filter(|name| !name.is_empty())
}

/// What our wrappers hand on: the listed names only, the first entry of each name, nothing malformed, HTTP_PROXY never
/// (a request header can set it), and a PATH of their own.
pub fn allowed(env: &[Bytes], keep: &[Bytes]) -> Vec<Bytes> {
    let mut kept: Vec<Bytes> = vec![PATH.to_vec()];
    for entry in env {
        let Some(entry_name) = name(entry) else { continue };
        let listed = keep.iter().any(|kept| kept == entry_name) && entry_name != b"HTTP_PROXY";
        let first = !kept.iter().any(|earlier| name(earlier) == Some(entry_name));
        if listed && first {
            kept.push(entry.clone());
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{Bytes, allowed, name};
    use rstest::rstest;

    fn bytes(entries: &[&str]) -> Vec<Bytes> {
        entries.iter().map(|entry| entry.as_bytes().to_vec()).collect()
    }

    #[rstest]
    #[case::nothing_listed(&["HOME=/x", "LANG=C"], &[], &[])]
    #[case::listed(&["HOST=a", "LANG=C"], &["HOST"], &["HOST=a"])]
    #[case::first_of_two(&["HOST=a", "HOST=b"], &["HOST"], &["HOST=a"])]
    #[case::empty_value(&["HOST="], &["HOST"], &["HOST="])]
    #[case::malformed(&["HOST", "=HOST", ""], &["HOST", ""], &[])]
    #[case::a_longer_name(&["HOSTNAME=a"], &["HOST"], &[])]
    #[case::a_value_with_equals_signs(&["HOST=a=b"], &["HOST"], &["HOST=a=b"])]
    #[case::never_this_one(&["HTTP_PROXY=http://evil"], &["HTTP_PROXY"], &[])]
    #[case::path_is_ours(&["PATH=/tmp"], &["PATH"], &[])]
    fn allow_list(#[case] env: &[&str], #[case] keep: &[&str], #[case] kept: &[&str]) {
        let wanted = [&["PATH=/usr/bin:/bin"], kept].concat();
        assert_eq!(allowed(&bytes(env), &bytes(keep)), bytes(&wanted));
    }

    #[test]
    fn a_name_ends_at_the_first_equals_sign() {
        assert_eq!(name(b"a=b=c"), Some(&b"a"[..]));
        assert_eq!(name(b"=a"), None);
        assert_eq!(name(b"a"), None);
    }
}
