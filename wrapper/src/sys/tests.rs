//! What can be tried in a process that goes on; the rest is tried by `tests/installed.rs`, in processes of its own.

use super::{Arguments, CapabilityWord, capabilities, environment, has_access_list, set_capabilities};
use nix::errno::Errno;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::null;

#[test]
fn arguments_end_at_the_null_pointer() {
    let array = [c"mail-wrapper".as_ptr(), c"".as_ptr(), c"\xff".as_ptr(), null(), c"beyond".as_ptr()];
    // SAFETY: the array holds C strings and, after them, the null pointer; it outlives the use of the arguments.
    let arguments = unsafe { Arguments::new(array.as_ptr()) };
    assert_eq!(arguments.to_vec(), [c"mail-wrapper", c"", c"\xff"]);
    // SAFETY: the array holds no string and the null pointer.
    assert!(unsafe { Arguments::new([null()].as_ptr()) }.to_vec().is_empty());
    // SAFETY: there is no array, as POSIX allows for `environ`.
    assert!(unsafe { Arguments::new(null()) }.to_vec().is_empty());
}

#[test]
fn the_environment_is_that_of_the_process() {
    let raw = std::fs::read("/proc/self/environ").expect("/proc is mounted");
    let entries: Vec<&CStr> =
        raw.split_inclusive(|byte| *byte == 0).filter_map(|entry| CStr::from_bytes_with_nul(entry).ok()).collect();
    assert!(!entries.is_empty());
    assert_eq!(environment(), entries);
}

#[test]
fn capabilities_are_those_of_the_process() {
    let words = capabilities().expect("readable");
    let status = std::fs::read_to_string("/proc/thread-self/status").expect("/proc is mounted");
    let set = |name: &str, part: fn(&CapabilityWord) -> u32| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of it");
        let expected = u64::from_str_radix(line.trim(), 16).expect("a number");
        assert_eq!(u64::from(part(&words[0])) | u64::from(part(&words[1])) << 32, expected, "{name}");
    };
    set("CapEff:", |word| word.effective);
    set("CapPrm:", |word| word.permitted);
    set("CapInh:", |word| word.inheritable);
    set_capabilities(&words).expect("those that it has, it may have");
    let more = words.map(|word| CapabilityWord { effective: u32::MAX, ..word });
    assert_eq!(set_capabilities(&more), Err(Errno::EPERM), "nobody has them all");
}

/// A file that is removed with the value.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("wrapper-{name}-{}", std::process::id()));
        std::fs::write(&path, b"").expect("written");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The list `u::rw-,u:1:rw-,g::r--,m::rw-,o::r--` in the form of linux/posix_acl_xattr.h: version, then tag, permissions
/// and id of each entry.
const LIST: &[u8] = b"\x02\0\0\0\
    \x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\x01\0\0\0\x04\0\x04\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\x04\0\xff\xff\xff\xff";

#[test]
fn an_access_list_is_seen() {
    let file = Scratch::new("acl");
    assert_eq!(has_access_list(&file.0), Ok(false));
    let path = CString::new(file.0.as_os_str().as_bytes()).expect("no NUL");
    // SAFETY: the names are C strings and the value has the stated length; all outlive the call.
    let set = unsafe {
        libc::lsetxattr(path.as_ptr(), c"system.posix_acl_access".as_ptr(), LIST.as_ptr().cast(), LIST.len(), 0)
    };
    match Errno::result(set) {
        Ok(_) => assert_eq!(has_access_list(&file.0), Ok(true)),
        // A file system without lists has none to see.
        Err(Errno::EOPNOTSUPP) => assert_eq!(has_access_list(&file.0), Ok(false)),
        Err(errno) => panic!("cannot set an access list: {errno}"),
    }
    assert_eq!(has_access_list(Path::new("/proc/self/nowhere")), Err(Errno::ENOENT));
}
