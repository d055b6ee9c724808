//! Id maps for an ordinary user: his own uid and gid become 0 inside, his subordinate ids (subuid(5)) become 1 to 65535.
//! Only newuidmap(1) and newgidmap(1) may write such maps for him.

use super::Unable;
use crate::cure::UNEXPECTED;
use rustix::process::Pid;
use std::process::{Command, Stdio};

/// How many subordinate ids are mapped, from number 1 on.
const COUNT: u32 = 65_535;

/// Maps the ids of the user namespace that process `pid` has just made.
pub(super) fn map_ids(pid: Pid) -> Result<(), Unable> {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let name = user_name(uid);
    let first_uid = range("/etc/subuid", uid, name.as_deref())?;
    let first_gid = range("/etc/subgid", uid, name.as_deref())?;
    run("newuidmap", pid, uid, first_uid)?;
    run("newgidmap", pid, gid, first_gid)
}

/// The first subordinate id of the first line of `file` that gives this user enough of them.
fn range(file: &str, uid: u32, name: Option<&str>) -> Result<u32, Unable> {
    let who = name.map_or_else(|| uid.to_string(), str::to_owned);
    let cure = format!(
        "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {who}; or run the lab as root"
    );
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            let errno = error.raw_os_error().unwrap_or(0);
            return Err(Unable { step: format!("read {file}"), errno, cure });
        }
    };
    match find(&text, uid, name) {
        Some((first, count)) if count >= COUNT => Ok(first),
        Some((_, count)) => Err(Unable {
            step: format!("{file} gives {who} {count} subordinate ids, {COUNT} are needed"),
            errno: 0,
            cure,
        }),
        None => Err(Unable { step: format!("{file} has no line for {who}"), errno: 0, cure }),
    }
}

/// The longest range of a user, by name or number: first id and count.
fn find(text: &str, uid: u32, name: Option<&str>) -> Option<(u32, u32)> {
    let ranges = text.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let owner = fields.next()?;
        let ours = Some(owner) == name || owner.parse() == Ok(uid);
        let first = fields.next()?.parse::<u32>().ok()?;
        let count = fields.next()?.trim().parse::<u32>().ok()?;
        ours.then_some((first, count))
    });
    ranges.max_by_key(|&(_, count)| count)
}

/// The user's name in /etc/passwd, if he is there.
fn user_name(uid: u32) -> Option<String> {
    let text = std::fs::read("/etc/passwd").ok()?;
    String::from_utf8_lossy(&text).lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

fn run(program: &str, pid: Pid, own: u32, first: u32) -> Result<(), Unable> {
    let step = format!("{program} {} 0 {own} 1 1 {first} {COUNT}", pid.as_raw_nonzero());
    let numbers = [
        pid.as_raw_nonzero().to_string(),
        "0".into(),
        own.to_string(),
        "1".into(),
        "1".into(),
        first.to_string(),
        COUNT.to_string(),
    ];
    let output = Command::new(program).args(numbers).stdin(Stdio::null()).stdout(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(Unable {
                step: format!("{step}: {}", said.trim()),
                errno: 0,
                cure: format!(
                    "{program} must be set-user-ID root or have file capabilities (reinstall package uidmap), and /etc/subuid \
                     and /etc/subgid must give this user the range named above"
                ),
            })
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Unable {
            step: format!("{program} was not found"),
            errno: error.raw_os_error().unwrap_or(0),
            cure: "install package uidmap (Debian, Ubuntu) or shadow-utils (Fedora), or run the lab as root".to_owned(),
        }),
        Err(error) => Err(Unable { step, errno: error.raw_os_error().unwrap_or(0), cure: UNEXPECTED.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_longest_range_of_the_right_user_is_found() {
        let text = "root:1:65536\nalice:100000:10\n1000:200000:65536\nbob:300000:65536\nnonsense\nalice:x:y\n";
        assert_eq!(find(text, 1000, Some("alice")), Some((200_000, 65_536)), "by number");
        assert_eq!(find(text, 1001, Some("bob")), Some((300_000, 65_536)), "by name");
        assert_eq!(find(text, 7, Some("carol")), None);
        assert_eq!(find(text, 8, None), None, "a user without a name has no line");
    }
}
