//! The rules about files below the prefixes: those of Mailman's check_perms, each for one file at a time, and what it
//! never looked at. Pure: a rule sees what stat(2) said, and nothing else.

use super::finding::{Cure, Finding, Row};
use super::installation::Installation;
use super::walk::Node;
use crate::stat::{FileKind, GROUP_EXECUTE, OTHER_WRITE, SET_GROUP_ID, SET_USER_ID};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Files of a list which group members write: check_perms' names, and request.pck, which it forgot.
const LIST_FILES: [&str; 11] = [
    "config.pck",
    "config.pck.last",
    "config.db",
    "config.db.last",
    "next-digest",
    "next-digest-topics",
    "digest.mbox",
    "pending.pck",
    "request.pck",
    "request.db",
    "request.db.tmp",
];
/// Passwords which the site's administrator set.
const PASSWORD_FILES: [&str; 2] = ["adm.pw", "creator.pw"];
/// What Mailman writes for Postfix.
const ALIAS_FILES: [&str; 4] = ["aliases", "virtual-mailman", "aliases.db", "virtual-mailman.db"];

/// Everything the rules find about one file.
pub(crate) fn findings(node: &Node, installation: &Installation) -> Vec<Finding> {
    // A symbolic link has no permissions of its own, and what it leads to is looked at where it lies.
    if node.stat.kind == FileKind::Link {
        return Vec::new();
    }
    let rules: [fn(&Node, &Installation) -> Option<Finding>; 14] = [
        group,
        directory,
        python_file,
        article,
        private_readable,
        private_owner,
        private_searchable,
        private_database,
        private_mailbox,
        list_file,
        password_file,
        alias_file,
        alias_owner,
        world_writable,
    ];
    let mut found: Vec<Finding> = rules.into_iter().filter_map(|rule| rule(node, installation)).collect();
    found.extend(set_user_id(node));
    found.extend(stray_set_group_id(node, installation));
    found
}

fn group(node: &Node, installation: &Installation) -> Option<Finding> {
    let own = &installation.own;
    (node.stat.gid != own.id).then(|| {
        let found = format!("group {}", installation.accounts.groups.describe(node.stat.gid));
        Finding::of(Row::Group, &node.path, &node.stat, found, format!("group {own}"), Cure::Group(own.id))
    })
}

fn directory(node: &Node, installation: &Installation) -> Option<Finding> {
    if node.stat.kind != FileKind::Directory {
        return None;
    }
    let layout = &installation.layout;
    let top = layout.directories().contains(&node.path.as_path()) || node.path == layout.var_prefix.join("logs");
    // What only the group may look into.
    let closed = matches!(
        below(node, &layout.var_prefix).as_slice(),
        [b"qfiles", ..] | [b"archives", b"private"] | [b"archives", b"private", _, b"database"]
    );
    let row = if top { Row::TopDirectory } else { Row::Directory };
    Finding::least(row, &node.path, &node.stat, if closed { 0o2770 } else { 0o2775 })
}

fn python_file(node: &Node, _: &Installation) -> Option<Finding> {
    let is_python = node.path.extension().is_some_and(|extension| ["py", "pyc", "pyo"].iter().any(|e| extension == *e));
    (is_file(node) && is_python).then(|| Finding::least(Row::PythonFile, &node.path, &node.stat, 0o644))?
}

fn article(node: &Node, _: &Installation) -> Option<Finding> {
    let is_article = node.path.file_name().is_some_and(|name| name.as_bytes().ends_with(b"-article"));
    (is_file(node) && is_article).then(|| Finding::least(Row::Article, &node.path, &node.stat, 0o660))?
}

fn is_private_root(node: &Node, installation: &Installation) -> bool {
    node.stat.kind == FileKind::Directory && node.path == installation.layout.var_prefix.join("archives/private")
}

fn private_readable(node: &Node, installation: &Installation) -> Option<Finding> {
    const OTHER_READ: u32 = 0o0004;
    (is_private_root(node, installation) && node.stat.has(OTHER_READ)).then(|| {
        let wanted = "not readable for others: it lists the names of private archives".to_owned();
        Finding::mode(Row::PrivateReadable, &node.path, &node.stat, wanted, Cure::clear(OTHER_READ))
    })
}

/// Where the directory is closed to others, public archives can be read only by its owner: the web server.
fn private_owner(node: &Node, installation: &Installation) -> Option<Finding> {
    let web = installation.web.as_ref()?;
    (is_private_root(node, installation) && node.stat.uid != web.id).then(|| {
        let found = format!("owner {}", installation.accounts.users.describe(node.stat.uid));
        let wanted = format!("owner {web}, the web server's user");
        Finding::of(Row::PrivateOwner, &node.path, &node.stat, found, wanted, Cure::Owner(web.id))
    })
}

fn private_searchable(node: &Node, installation: &Installation) -> Option<Finding> {
    const OTHER_EXECUTE: u32 = 0o0001;
    if !is_private_root(node, installation) || !node.stat.has(OTHER_EXECUTE) {
        return None;
    }
    let cure = match &installation.web {
        Some(web) if web.id == node.stat.uid => Cure::clear(OTHER_EXECUTE),
        Some(_) => Cure::ByHand("first the web server's user must own it".to_owned()),
        None => Cure::ByHand(
            "name the web server's user with --web-user; it must own the directory before others are kept out"
                .to_owned(),
        ),
    };
    let wanted = "not searchable for others: any local user can read private archives through it".to_owned();
    Some(Finding::mode(Row::PrivateSearchable, &node.path, &node.stat, wanted, cure))
}

fn private_database(node: &Node, installation: &Installation) -> Option<Finding> {
    const OTHERS: u32 = 0o0007;
    let is_database =
        matches!(below(node, &installation.layout.var_prefix).as_slice(), [b"archives", b"private", _, b"database"]);
    (node.stat.kind == FileKind::Directory && is_database && node.stat.mode & OTHERS != 0).then(|| {
        let wanted = "nothing for others".to_owned();
        Finding::mode(Row::PrivateDatabase, &node.path, &node.stat, wanted, Cure::clear(OTHERS))
    })
}

fn private_mailbox(node: &Node, installation: &Installation) -> Option<Finding> {
    let is_mailbox = matches!(below(node, &installation.layout.var_prefix).as_slice(),
        [b"archives", b"private", list, file] if list.ends_with(b".mbox") && file.ends_with(b".mbox"));
    (is_file(node) && is_mailbox).then(|| Finding::least(Row::PrivateMailbox, &node.path, &node.stat, 0o660))?
}

fn list_file(node: &Node, installation: &Installation) -> Option<Finding> {
    let is_list_file = matches!(below(node, &installation.layout.var_prefix).as_slice(),
        [b"lists", _, file] if LIST_FILES.iter().any(|name| name.as_bytes() == *file));
    (is_file(node) && is_list_file).then(|| Finding::least(Row::ListFile, &node.path, &node.stat, 0o660))?
}

fn password_file(node: &Node, installation: &Installation) -> Option<Finding> {
    const EXACTLY: u32 = 0o0640;
    if !is_file(node) || !is_data(node, installation, &PASSWORD_FILES) || node.stat.mode == EXACTLY {
        return None;
    }
    let cure = Cure::Mode { set: EXACTLY & !node.stat.mode, clear: node.stat.mode & !EXACTLY };
    Some(Finding::mode(Row::PasswordFile, &node.path, &node.stat, format!("exactly {EXACTLY:05o}"), cure))
}

fn alias_file(node: &Node, installation: &Installation) -> Option<Finding> {
    let fits = is_file(node) && is_data(node, installation, &ALIAS_FILES);
    fits.then(|| Finding::least(Row::AliasFile, &node.path, &node.stat, 0o660))?
}

/// Postfix runs the commands of an alias database as its owner: local(8).
fn alias_owner(node: &Node, installation: &Installation) -> Option<Finding> {
    let is_database = node.path.extension() == Some(OsStr::new("db")) && is_data(node, installation, &ALIAS_FILES);
    (is_file(node) && is_database && node.stat.uid != installation.owner.id).then(|| {
        let found = format!("owner {}", installation.accounts.users.describe(node.stat.uid));
        let wanted = format!("owner {}, whose group Postfix then runs the mail wrapper with", installation.owner);
        Finding::of(Row::AliasOwner, &node.path, &node.stat, found, wanted, Cure::Owner(installation.owner.id))
    })
}

fn world_writable(node: &Node, _: &Installation) -> Option<Finding> {
    node.stat.has(OTHER_WRITE).then(|| {
        let cure = match node.stat.kind {
            FileKind::Other => Cure::ByHand("chmod o-w".to_owned()),
            _ => Cure::clear(OTHER_WRITE),
        };
        Finding::mode(Row::WorldWritable, &node.path, &node.stat, "not writable for others".to_owned(), cure)
    })
}

fn set_user_id(node: &Node) -> Option<Finding> {
    (is_file(node) && node.stat.has(SET_USER_ID)).then(|| {
        let wanted = "not set-user-ID: nothing of Mailman needs it".to_owned();
        Finding::mode(Row::SetUserId, &node.path, &node.stat, wanted, Cure::clear(SET_USER_ID))
    })
}

/// A copy or old version of a wrapper still lets in whom it was once made to trust.
fn stray_set_group_id(node: &Node, installation: &Installation) -> Option<Finding> {
    let layout = &installation.layout;
    let is_page = || node.path.file_name().is_some_and(|name| layout.page(name).is_some());
    let is_wrapper =
        node.path == layout.mail_wrapper() || (node.path.parent() == Some(&layout.cgi_directory()) && is_page());
    (is_file(node) && node.stat.has(SET_GROUP_ID | GROUP_EXECUTE) && !is_wrapper).then(|| {
        let wanted = "not set-group-ID: only mail/mailman and the pages of cgi-bin are".to_owned();
        Finding::mode(Row::StraySetGroupId, &node.path, &node.stat, wanted, Cure::clear(SET_GROUP_ID))
    })
}

fn is_file(node: &Node) -> bool {
    node.stat.kind == FileKind::File
}

/// Whether the node is one of these files of the directory `data`.
fn is_data(node: &Node, installation: &Installation, files: &[&str]) -> bool {
    matches!(below(node, &installation.layout.var_prefix).as_slice(), [b"data", file] if files.iter().any(|name| name.as_bytes() == *file))
}

/// Names on the way from `base` to the node; none where it lies elsewhere.
fn below<'n>(node: &'n Node, base: &Path) -> Vec<&'n [u8]> {
    node.path.strip_prefix(base).map(|below| below.iter().map(OsStrExt::as_bytes).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
