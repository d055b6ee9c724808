//! Facts of the host that change what a run proves: a planted link that does no harm here may do harm where the kernel
//! protects less. They are recorded with every run.

use std::collections::BTreeMap;

/// Files below /proc/sys, by the name that sysctl(8) gives them.
const SYSCTLS: &[&str] = &[
    "dev.tty.legacy_tiocsti",
    "fs.protected_fifos",
    "fs.protected_hardlinks",
    "fs.protected_regular",
    "fs.protected_symlinks",
    "fs.suid_dumpable",
    "kernel.apparmor_restrict_unprivileged_userns",
    "kernel.core_pattern",
    "kernel.osrelease",
    "kernel.overflowgid",
    "kernel.overflowuid",
    "kernel.unprivileged_userns_clone",
    "kernel.yama.ptrace_scope",
    "user.max_user_namespaces",
];

/// The facts; `absent` where this kernel has no such setting. To be read before the host's /proc is left behind.
pub(crate) fn facts() -> BTreeMap<String, String> {
    let mut facts: BTreeMap<String, String> =
        SYSCTLS.iter().map(|&name| (name.to_owned(), sysctl(name).unwrap_or_else(|| "absent".to_owned()))).collect();
    let bounding = status_line("CapBnd:").unwrap_or_else(|| "unreadable".to_owned());
    facts.insert("capability bounding set".to_owned(), bounding);
    facts
}

/// One setting by its sysctl(8) name, without the final newline.
pub(crate) fn sysctl(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok()?;
    Some(text.trim_end().to_owned())
}

/// The value of one line of /proc/self/status.
fn status_line(key: &str) -> Option<String> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    text.lines().find_map(|line| line.strip_prefix(key)).map(|value| value.trim().to_owned())
}
