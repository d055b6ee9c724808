//! An installation for tests: user mailman 39, group list 38, web server www-data 33.

use super::installation::{Installation, Named};
use crate::accounts::{Accounts, Table};
use crate::layout::Layout;
use std::path::Path;

/// At this prefix, with the web server's user not known.
pub(crate) fn installation(prefix: &Path) -> Installation {
    let named = |id, name: &str| Named { id, name: name.to_owned() };
    Installation {
        layout: Layout {
            prefix: prefix.to_owned(),
            exec_prefix: prefix.to_owned(),
            var_prefix: prefix.to_owned(),
            cgi_extension: Default::default(),
        },
        own: named(38, "list"),
        owner: named(39, "mailman"),
        web: None,
        trusted_owners: vec![0],
        unanchored: None,
        accounts: Accounts {
            groups: Table::parse(Path::new("/etc/group"), b"root:x:0:\nmail:x:8:\nwww-data:x:33:\nlist:x:38:\n"),
            users: Table::parse(
                Path::new("/etc/passwd"),
                b"root:x:0:0::/:\nwww-data:x:33:33::/:\nmailman:x:39:38::/:\n",
            ),
        },
    }
}
