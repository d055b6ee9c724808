//! The options of the mount that a file is on.

use super::below;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Options and type of the mount of `path`, which is resolved.
pub(super) fn options(root: &Path, path: &Path) -> Result<String, String> {
    let file = below(root, Path::new("/proc/self/mountinfo"));
    let text = fs::read(file).map_err(|error| error.to_string())?;
    // Later lines cover earlier ones on the same point.
    let mount = text
        .split(|&byte| byte == b'\n')
        .filter_map(Mount::read)
        .filter(|mount| path.starts_with(OsStr::from_bytes(&mount.point)))
        .fold(None, |best: Option<Mount>, mount| match best {
            Some(best) if best.point.len() > mount.point.len() => Some(best),
            _ => Some(mount),
        })
        .ok_or("no mount was found")?;
    let at = String::from_utf8_lossy(&mount.point);
    let nosuid = mount.options.split(',').any(|option| option == "nosuid");
    let set_id = if nosuid { "set-id bits are ignored there" } else { "no nosuid" };
    Ok(format!("on {at} ({}: {}), {set_id}", mount.kind, mount.options))
}

struct Mount {
    point: Vec<u8>,
    options: String,
    kind: String,
}

impl Mount {
    /// proc_pid_mountinfo(5): the fifth field, the sixth, and the one behind the hyphen.
    fn read(line: &[u8]) -> Option<Self> {
        let mut fields = line.split(|&byte| byte == b' ');
        let point = unescaped(fields.nth(4)?);
        let options = String::from_utf8_lossy(fields.next()?).into_owned();
        let kind = String::from_utf8_lossy(fields.skip_while(|field| *field != b"-").nth(1)?).into_owned();
        Some(Self { point, options, kind })
    }
}

/// `\040` is a blank, and so on.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut at = 0;
    while let Some(&byte) = field.get(at) {
        let digits = field.get(at + 1..at + 4).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| byte == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
            Some(escaped) => {
                out.push(escaped);
                at += 4;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}
