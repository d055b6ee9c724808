//! What an administrator can do where the kernel refuses a sandbox. The refusal itself is found by doing; settings are
//! read afterwards, only to word the advice.

use crate::host;
use rustix::io::Errno;

/// For errors of the kernel which have no better one.
pub(crate) const UNEXPECTED: &str =
    "this is unexpected on a Linux kernel from 5.12 on; please report it with the output of `uname -r`";

const CONTAINER: &str = "in a container: docker run --cap-add SYS_ADMIN --security-opt seccomp=unconfined \
     --security-opt apparmor=unconfined";

/// Whether AppArmor restricts what an ordinary user may do in a user namespace that he has made.
pub(crate) fn apparmor_restricts() -> bool {
    host::sysctl("kernel.apparmor_restrict_unprivileged_userns").as_deref() == Some("1")
}

/// clone(2) refused the namespaces.
pub(crate) fn of_namespaces(errno: Errno, as_root: bool, apparmor: bool) -> String {
    match errno {
        Errno::PERM if as_root => format!("this root lacks CAP_SYS_ADMIN, or a filter forbids new namespaces; {CONTAINER}"),
        Errno::PERM | Errno::ACCESS if apparmor => of_apparmor(),
        Errno::PERM => "unprivileged user namespaces are switched off: run the lab as root, or sysctl \
             kernel.unprivileged_userns_clone=1 (Debian), or in a container: docker run --security-opt seccomp=unconfined"
            .to_owned(),
        Errno::NOSPC | Errno::USERS => {
            let kinds = ["user", "mnt", "pid", "net", "ipc", "uts"];
            let settings: String = kinds.iter().map(|kind| format!(" user.max_{kind}_namespaces=10000")).collect();
            format!("raise the limits: sysctl{settings}")
        }
        Errno::INVAL => "this kernel lacks one of: user, mount, process, network, ipc, uts namespaces".to_owned(),
        _ => UNEXPECTED.to_owned(),
    }
}

/// Something inside the namespaces was refused: a mount, or a change of ids.
pub(crate) fn of_refusal_inside(errno: i32, as_root: bool, apparmor: bool) -> String {
    match (errno, as_root) {
        (libc::EPERM | libc::EACCES, true) => format!("something forbids mounts to this root; {CONTAINER}"),
        (libc::EPERM | libc::EACCES, false) if apparmor => of_apparmor(),
        _ => UNEXPECTED.to_owned(),
    }
}

fn of_apparmor() -> String {
    "AppArmor restricts unprivileged user namespaces here (Ubuntu 23.10 and later): run the lab as root, or sysctl \
     kernel.apparmor_restrict_unprivileged_userns=0, or install an AppArmor profile with `userns,` for lab-agent"
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::{UNEXPECTED, of_namespaces, of_refusal_inside};
    use rustix::io::Errno;

    #[test]
    fn apparmor_is_named_to_an_ordinary_user_wherever_it_bites_and_never_to_root() {
        for cure in [of_namespaces(Errno::PERM, false, true), of_refusal_inside(libc::EACCES, false, true)] {
            assert!(cure.contains("AppArmor") && cure.contains("apparmor_restrict_unprivileged_userns=0"), "{cure}");
        }
        assert!(!of_namespaces(Errno::PERM, false, false).contains("AppArmor"));
        for cure in [of_namespaces(Errno::PERM, true, true), of_refusal_inside(libc::EPERM, true, true)] {
            assert!(cure.contains("--cap-add SYS_ADMIN"), "{cure}");
        }
    }

    #[test]
    fn limits_are_named_and_the_rest_is_to_be_reported() {
        assert!(of_namespaces(Errno::NOSPC, false, false).contains("user.max_user_namespaces=10000"));
        assert_eq!(of_namespaces(Errno::NOMEM, true, false), UNEXPECTED);
        assert_eq!(of_refusal_inside(libc::EIO, false, true), UNEXPECTED);
    }
}
