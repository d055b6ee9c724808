//! What a dynamically linked subject needs besides its own file: the program interpreter and the libraries, bound from
//! the host, read-only, at the paths which the host has them at.

use super::BackendError;
use lab_invocation::layout::{Content, Mount, MountFlags, MountKind, Node, NodeKind, Order};
use lab_invocation::{Bytes, Gid, Layout, Uid};
use object::Endianness;
use object::elf::{FileHeader64, PT_INTERP};
use object::read::elf::{FileHeader, ProgramHeader};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Adds everything that the host's program file `program` needs to run to a layout; nothing if it is statically linked or
/// no ELF program of 64 bits.
///
/// # Errors
/// The file cannot be read, or the host's loader does not find a library.
pub fn provide(layout: &mut Layout, program: &Path) -> Result<(), BackendError> {
    for path in needed(program)? {
        bind(layout, &path);
    }
    Ok(())
}

/// Binds one file, or one directory with everything in it, of the host into a layout, read-only, at the same path.
pub fn bind(layout: &mut Layout, path: &Path) {
    let mut parents: Vec<&Path> = path.ancestors().skip(1).filter(|parent| *parent != Path::new("/")).collect();
    parents.reverse();
    for parent in parents {
        add(layout, parent, 0o755, NodeKind::Directory);
    }
    let place = if path.is_dir() { NodeKind::Directory } else { NodeKind::File(Content::Inline(Bytes::default())) };
    if add(layout, path, if path.is_dir() { 0o755 } else { 0o644 }, place) {
        let at = bytes(path);
        layout.mounts.push(Mount { at: at.clone(), kind: MountKind::Host(at), flags: MountFlags::default() });
    }
}

/// Interpreter and libraries of a program, as absolute paths; none if it is statically linked or no ELF program of 64 bits.
///
/// # Errors
/// The file cannot be read, or the host's loader does not find a library.
pub fn needed(program: &Path) -> Result<BTreeSet<PathBuf>, BackendError> {
    let failed = |found: String| BackendError {
        step: format!("find the libraries of {}", program.display()),
        found,
        cure: Some("link it statically, or install what is missing on this machine".to_owned()),
    };
    let data = std::fs::read(program).map_err(|error| failed(error.to_string()))?;
    let Some(interpreter) = interpreter(&data) else { return Ok(BTreeSet::new()) };
    // The loader knows best where it finds things; with --list it starts nothing.
    let output = Command::new(&interpreter)
        .arg("--list")
        .arg(program)
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(format!("its interpreter {}: {error}", interpreter.display())))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(failed(format!("its interpreter {} says: {}", interpreter.display(), said.trim())));
    }
    let mut paths = listed(&output.stdout).map_err(failed)?;
    paths.insert(interpreter);
    Ok(paths)
}

/// PT_INTERP of an ELF file: the loader that starts before it. `None` for a static program, or none at all. See elf(5).
pub fn interpreter(data: &[u8]) -> Option<PathBuf> {
    let header = FileHeader64::<Endianness>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    let segment = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
    let path = segment.data(endian, data).ok()?;
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(path)))
}

/// The paths in a loader's list: `name => /path (0x…)`, or `/path (0x…)`.
fn listed(list: &[u8]) -> Result<BTreeSet<PathBuf>, String> {
    let mut paths = BTreeSet::new();
    for line in list.split(|&byte| byte == b'\n') {
        let line = line.trim_ascii();
        let arrow = line.windows(4).position(|window| window == b" => ");
        let place = arrow.map_or(line, |at| &line[at + 4..]);
        if place.starts_with(b"not found") {
            return Err(format!("a library is missing: {}", String::from_utf8_lossy(line)));
        }
        let end = place.windows(2).rposition(|window| window == b" (").unwrap_or(place.len());
        if place.starts_with(b"/") {
            paths.insert(PathBuf::from(std::ffi::OsStr::from_bytes(&place[..end])));
        }
    }
    Ok(paths)
}

/// Adds a node unless there is one of that path; whether it was added.
fn add(layout: &mut Layout, path: &Path, mode: u32, kind: NodeKind) -> bool {
    let path = bytes(path);
    let new = layout.nodes.iter().all(|node| node.path != path);
    if new {
        layout.nodes.push(Node { path, owner: Uid::ROOT, group: Gid::ROOT, mode, kind, order: Order::default() });
    }
    new
}

fn bytes(path: &Path) -> Bytes {
    path.as_os_str().as_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{Layout, bind, listed};
    use std::path::{Path, PathBuf};

    #[test]
    fn both_forms_of_a_list_are_read_and_the_vdso_is_not_a_file() {
        let list = b"\tlinux-vdso.so.1 (0x1)\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\t/lib64/ld.so (0x3)\n";
        let paths: Vec<PathBuf> = listed(list).expect("a sound list").into_iter().collect();
        assert_eq!(paths, [PathBuf::from("/lib/libc.so.6"), PathBuf::from("/lib64/ld.so")]);
        assert!(listed(b"\tlibx.so => not found\n").is_err());
    }

    #[test]
    fn parents_come_first_and_nothing_twice() {
        let mut layout = Layout::default();
        bind(&mut layout, Path::new("/lib/a/x.so"));
        bind(&mut layout, Path::new("/lib/a/y.so"));
        bind(&mut layout, Path::new("/lib/a/x.so"));
        let paths: Vec<String> = layout.nodes.iter().map(|node| node.path.to_text()).collect();
        assert_eq!(paths, ["/lib", "/lib/a", "/lib/a/x.so", "/lib/a/y.so"]);
        assert_eq!(layout.mounts.len(), 2);
    }
}
