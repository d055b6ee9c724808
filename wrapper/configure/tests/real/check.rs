use crate::sandbox::{HOME, inside, wrappers};
use crate::site::{ACCOUNTS, ALICE, LIST, MAIL, MAILMAN, Site, WWW_DATA, changed, found, text};
use rstest::rstest;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

#[test]
fn an_installation_as_it_should_be_has_no_finding() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let output = site.check_output(&["--prove"]);
    insta::assert_snapshot!("check_clean", text(&output));
    assert_eq!(output.status.code(), Some(0));
    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, changed(&document)), (Some(0), vec![]), "nothing to change in what is right");
}

type Break = fn(&Site);

/// Each rule: what is broken is found and nothing else, `--fix` mends it, and a second `--fix` changes nothing.
#[rstest]
#[case::top_directory("top-directory", "mm/logs", |s: &Site| s.set("mm/logs", 0, LIST, 0o755))]
#[case::directory("directory", "mm/lists/test", |s: &Site| s.set("mm/lists/test", 0, LIST, 0o2755))]
#[case::queue("directory", "mm/qfiles/in", |s: &Site| s.set("mm/qfiles/in", 0, LIST, 0o700))]
#[case::group_of_a_file("group", "mm/lists/test/config.pck", |s: &Site| s.set("mm/lists/test/config.pck", 0, MAIL, 0o660))]
#[case::group_of_a_directory("group", "mm/data", |s: &Site| s.set("mm/data", 0, 4242, 0o2775))]
#[case::python("python-file", "mm/Mailman/Utils.py", |s: &Site| s.set("mm/Mailman/Utils.py", 0, LIST, 0o600))]
#[case::article("article", "mm/archives/private/test/database/2024-article",
    |s: &Site| s.set("mm/archives/private/test/database/2024-article", 0, LIST, 0o640))]
#[case::private_readable("private-archive-readable", "mm/archives/private",
    |s: &Site| s.set("mm/archives/private", WWW_DATA, LIST, 0o2774))]
#[case::private_searchable("private-archive-searchable", "mm/archives/private",
    |s: &Site| s.set("mm/archives/private", WWW_DATA, LIST, 0o2771))]
#[case::private_owner("private-archive-owner", "mm/archives/private",
    |s: &Site| s.set("mm/archives/private", 0, LIST, 0o2770))]
#[case::private_database("private-archive-database", "mm/archives/private/test/database",
    |s: &Site| s.set("mm/archives/private/test/database", 0, LIST, 0o2775))]
#[case::private_mailbox("private-archive-mailbox", "mm/archives/private/test.mbox/test.mbox",
    |s: &Site| s.set("mm/archives/private/test.mbox/test.mbox", 0, LIST, 0o640))]
#[case::cgi_set_group_id("cgi-set-group-id", "mm/cgi-bin/admin", |s: &Site| s.set("mm/cgi-bin/admin", 0, LIST, 0o755))]
#[case::mail_set_group_id("mail-set-group-id", "mm/mail/mailman", |s: &Site| s.set("mm/mail/mailman", 0, LIST, 0o755))]
#[case::list_file("list-file", "mm/lists/test/config.pck", |s: &Site| s.set("mm/lists/test/config.pck", 0, LIST, 0o640))]
#[case::password("password-file", "mm/data/adm.pw", |s: &Site| s.set("mm/data/adm.pw", 0, LIST, 0o644))]
#[case::creator_alone("password-file", "mm/data/creator.pw", |s: &Site| {
    fs::remove_file(s.path("mm/data/adm.pw")).expect("removed");
    s.set("mm/data/creator.pw", 0, LIST, 0o600);
})]
#[case::aliases("alias-file", "mm/data/aliases", |s: &Site| s.set("mm/data/aliases", 0, LIST, 0o644))]
#[case::alias_owner("alias-database-owner", "mm/data/aliases.db", |s: &Site| s.set("mm/data/aliases.db", 0, LIST, 0o660))]
#[case::group_execute("wrapper-execute", "mm/mail/mailman", |s: &Site| s.set("mm/mail/mailman", 0, LIST, 0o2745))]
#[case::other_execute("wrapper-execute", "mm/cgi-bin/admin", |s: &Site| s.set("mm/cgi-bin/admin", 0, LIST, 0o2754))]
#[case::wrapper_writable("wrapper-writable", "mm/cgi-bin/admin", |s: &Site| s.set("mm/cgi-bin/admin", 0, LIST, 0o2775))]
#[case::world_writable_file("world-writable", "mm/data/sitelist.cfg", |s: &Site| s.file("mm/data/sitelist.cfg", 0, LIST, 0o666))]
#[case::world_writable_directory("world-writable", "mm/data", |s: &Site| s.set("mm/data", 0, LIST, 0o2777))]
#[case::set_user_id("set-user-id", "mm/cgi-bin/private", |s: &Site| s.set("mm/cgi-bin/private", 0, LIST, 0o6755))]
#[case::stray("stray-set-group-id", "mm/mail/mailman.old", |s: &Site| {
    fs::copy(s.path("mm/mail/mailman"), s.path("mm/mail/mailman.old")).expect("a copy");
    s.set("mm/mail/mailman.old", 0, LIST, 0o2755);
})]
fn found_and_mended(#[case] row: &str, #[case] path: &str, #[case] spoil: Break) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let only = vec![(row.to_owned(), path.to_owned())];
    let before = site.get(path);

    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document), changed(&document)), (Some(1), only.clone(), vec![]));
    assert_eq!(document["findings"][0]["fixable"], true);
    assert_eq!(site.get(path), before, "without --fix nothing is changed");

    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, found(&document), changed(&document)), (Some(0), vec![], only), "{document:#}");
    let (_, gid, mode) = site.get(path);
    assert!(gid == LIST && mode & 0o002 == 0, "{gid} {mode:o}");

    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, changed(&document)), (Some(0), vec![]), "a second --fix changes nothing");
}

/// What no change of owner, group and mode mends is found, and left alone by `--fix`.
#[rstest]
#[case::no_wrapper("wrapper-file", "mm/mail/mailman", |s: &Site| fs::remove_file(s.path("mm/mail/mailman")).expect("removed"))]
#[case::a_link("wrapper-file", "mm/cgi-bin/admin", |s: &Site| {
    fs::remove_file(s.path("mm/cgi-bin/admin")).expect("removed");
    symlink("roster", s.path("mm/cgi-bin/admin")).expect("a link");
})]
#[case::second_name("wrapper-file", "mm/mail/mailman", |s: &Site| {
    fs::hard_link(s.path("mm/mail/mailman"), s.path("mailman")).expect("a link");
})]
#[case::stranger("wrapper-owner", "mm/cgi-bin/admin", |s: &Site| s.set("mm/cgi-bin/admin", ALICE, LIST, 0o2755))]
#[case::not_sealed("sealed-policy", "mm/cgi-bin/admin", |s: &Site| {
    fs::copy(wrappers().join("cgi-wrapper"), s.path("mm/cgi-bin/admin")).expect("a copy");
    s.set("mm/cgi-bin/admin", 0, LIST, 0o2755);
})]
#[case::another_program("sealed-policy", "mm/cgi-bin/admin", |s: &Site| s.file("mm/cgi-bin/admin", 0, LIST, 0o2755))]
#[case::moved("path", "mm/scripts/post", |s: &Site| s.set("mm/scripts/post", ALICE, LIST, 0o755))]
#[case::above("path", "", |s: &Site| s.set("", ALICE, 0, 0o755))]
fn found_and_left_alone(#[case] row: &str, #[case] path: &str, #[case] spoil: Break) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let accounts = ["--with-username=mailman", "--with-groupname=list"];
    let (status, document) = site.check(&accounts);
    let only = vec![(row.to_owned(), path.to_owned())];
    assert_eq!((status, found(&document)), (Some(1), only.clone()));
    assert_eq!(document["findings"][0]["fixable"], false);
    assert!(document["findings"][0]["by-hand"].as_str().is_some_and(|text| !text.is_empty()));
    let output = site.check_output(&[&["--fix"], &accounts[..]].concat());
    if path.is_empty() {
        insta::assert_snapshot!("check_fix_unsafe_above", text(&output));
        assert_eq!(output.status.code(), Some(2));
    } else {
        let (status, document) = site.check(&[&["--fix"], &accounts[..]].concat());
        assert_eq!((status, found(&document), changed(&document)), (Some(1), only, vec![]));
    }
}

/// Every account that a wrapper is sealed with, renumbered, renamed and removed.
#[rstest]
#[case::trusted_group_is_gone("group", "mail:x:8:\n", "")]
#[case::trusted_group_was_renumbered("group", "mail:x:8:", "mail:x:12:")]
#[case::trusted_group_was_renamed("group", "mail:x:8:", "post:x:8:")]
#[case::user_was_renumbered("passwd", "mailman:x:39:", "mailman:x:40:")]
fn an_account_that_changed_after_sealing(#[case] file: &str, #[case] old: &str, #[case] new: &str) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let content = fs::read_to_string(site.path(file)).expect("the site's");
    fs::write(site.path(file), content.replace(old, new)).expect("written");
    let (status, document) = site.check(&[]);
    let rows = found(&document);
    assert_eq!(status, Some(1));
    assert!(rows.contains(&("sealed-account".to_owned(), "mm/mail/mailman".to_owned())), "{rows:?}");
    assert!(rows.iter().all(|(row, _)| row == "sealed-account"), "{rows:?}");
}

#[test]
fn mount_options_are_found_and_a_run_shows_their_effect() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    for arguments in [&["--bind", "mm", "mm"][..], &["-o", "remount,bind,nosuid", "mm"]] {
        assert!(Command::new("mount").args(arguments).current_dir(HOME).status().expect("mount runs").success());
    }
    let (status, document) = site.check(&["--prove"]);
    let rows = found(&document);
    assert!(status == Some(1) && rows.len() == 12 && rows.iter().all(|(row, _)| row == "mount-options"), "{rows:?}");
    for finding in document["findings"].as_array().expect("a list") {
        assert_eq!(
            (&finding["proof"]["shown"], &finding["proof"]["exit"]),
            (&"bit-lost".into(), &9.into()),
            "{finding}"
        );
    }
}

#[test]
fn a_report_with_every_kind_of_entry() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.set("mm/mail/mailman", 0, LIST, 0o755);
    site.set("mm/cgi-bin/admin", 0, MAIL, 0o2755);
    site.set("mm/cgi-bin/roster", ALICE, LIST, 0o755);
    site.set("mm/archives/private", 0, LIST, 0o2771);
    site.set("mm/data/adm.pw", 0, LIST, 0o666);
    insta::assert_snapshot!("check_findings", text(&site.check_output(&[])));
    insta::assert_snapshot!("check_findings_proven", text(&site.check_output(&["--prove"])));
    insta::assert_snapshot!("check_findings_json", text(&site.check_output(&["--json"])));
    insta::assert_snapshot!("check_fixed", text(&site.check_output(&["--fix", "--prove"])));
}

/// A process that may gain no privileges: the permissions are right, and only a run shows that nothing works.
#[test]
fn what_only_a_run_shows_is_a_finding_too() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let check =
        ["check", "mm", "--group-file=group", "--passwd-file=passwd", "--web-user=www-data", "--json", "--prove"];
    let output = site.run_by(&["setpriv", "--no-new-privs"], &check);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a document");
    let rows = found(&document);
    assert!(
        output.status.code() == Some(1) && rows.len() == 12 && rows.iter().all(|(row, _)| row == "proof"),
        "{rows:?}"
    );
}

/// Others write below the prefix; none of what they put there leads root to a file of somebody else.
#[test]
fn fix_touches_nothing_but_the_file_that_was_judged() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.file("victim", 0, 0, 0o600);
    site.directory("victims", 0, 0, 0o700);
    fs::remove_file(site.path("mm/lists/test/config.pck")).expect("removed");
    symlink("../../../victim", site.path("mm/lists/test/config.pck")).expect("a link");
    symlink("../../victims", site.path("mm/lists/other")).expect("a link");
    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, changed(&document)), (Some(0), vec![]));

    fs::hard_link(site.path("victim"), site.path("mm/data/virtual-mailman")).expect("a second name");
    let (status, document) = site.check(&["--fix"]);
    let rows = found(&document);
    assert_eq!((status, changed(&document)), (Some(1), vec![]), "{document:#}");
    assert!(rows.iter().all(|(_, path)| path == "mm/data/virtual-mailman") && !rows.is_empty(), "{rows:?}");
    let reason = document["findings"][0]["not-fixed"].as_str().expect("a reason");
    assert!(reason.contains("has 2 names"), "{reason}");
    assert_eq!((site.get("victim"), site.get("victims")), ((0, 0, 0o600), (0, 0, 0o700)));
}

/// The set-group-ID bit lends a group, so it is given to nothing but a sealed wrapper of a trusted owner.
#[rstest]
#[case::owner_is_a_stranger(|s: &Site| s.set("mm/cgi-bin/admin", ALICE, LIST, 0o755), "belongs to alice 1000")]
#[case::not_sealed(|s: &Site| {
    fs::copy(wrappers().join("cgi-wrapper"), s.path("mm/cgi-bin/admin")).expect("a copy");
    s.set("mm/cgi-bin/admin", 0, LIST, 0o755);
}, "not sealed")]
#[case::a_script(|s: &Site| s.file("mm/cgi-bin/admin", 0, LIST, 0o755), "not an ELF program")]
#[case::the_other_wrapper(|s: &Site| {
    fs::copy(s.path("mm/mail/mailman"), s.path("mm/cgi-bin/admin")).expect("a copy");
    s.set("mm/cgi-bin/admin", 0, LIST, 0o755);
}, "a mail-wrapper, where a cgi-wrapper is wanted")]
#[case::sealed_for_another_group(|s: &Site| {
    let binary = wrappers().join("cgi-wrapper");
    let sealed = s.run(&["seal", binary.to_str().expect("text"), "--output=mm/cgi-bin/admin", "--cgi-script=admin",
        "--with-groupname=mail", "--with-username=mailman", "--group-file=group", "--passwd-file=passwd",
        "--prefix=/wrapper-configure-tests/mm"]);
    assert!(sealed.status.success(), "{}", text(&sealed));
    s.set("mm/cgi-bin/admin", 0, LIST, 0o755);
}, "sealed for group mail 8")]
#[case::sealed_for_another_prefix(|s: &Site| {
    let binary = wrappers().join("cgi-wrapper");
    let sealed = s.run(&[&["seal", binary.to_str().expect("text"), "--output=mm/cgi-bin/admin", "--cgi-script=admin",
        "--prefix=/elsewhere"], &ACCOUNTS[..]].concat());
    assert!(sealed.status.success(), "{}", text(&sealed));
    s.set("mm/cgi-bin/admin", 0, LIST, 0o755);
}, "sealed for prefix /elsewhere")]
fn no_bit_without_proof(#[case] spoil: Break, #[case] words: &str) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let (status, document) = site.check(&["--fix"]);
    assert_eq!((status, changed(&document)), (Some(1), vec![]), "{document:#}");
    let reasons: Vec<&str> =
        document["findings"].as_array().expect("a list").iter().filter_map(|f| f["not-fixed"].as_str()).collect();
    assert!(matches!(reasons.as_slice(), [reason] if reason.contains(words)), "{reasons:?}");
    assert_eq!(site.get("mm/cgi-bin/admin").2 & 0o2000, 0);
}

/// A wrapper of a stranger says whatever the stranger likes about group and user.
#[test]
fn nothing_is_changed_on_the_word_of_a_stranger() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.set("mm/mail/mailman", MAILMAN, LIST, 0o755);
    let output = site.check_output(&["--fix"]);
    insta::assert_snapshot!("check_fix_unanchored", text(&output));
    assert_eq!((output.status.code(), site.get("mm/mail/mailman")), (Some(2), (MAILMAN, LIST, 0o755)));
    let (status, document) = site.check(&["--fix", "--with-username=mailman", "--with-groupname=list"]);
    assert_eq!(status, Some(0), "{document:#}");
    assert_eq!(site.get("mm/mail/mailman"), (MAILMAN, LIST, 0o2755));
    // Root's, and others may write it.
    site.set("mm/mail/mailman", 0, LIST, 0o2775);
    let (status, _) = site.check(&[]);
    assert_eq!(status, Some(1));
    let output = site.check_output(&["--fix"]);
    assert_eq!((output.status.code(), site.get("mm/mail/mailman").2), (Some(2), 0o2775), "{}", text(&output));
    let (status, document) = site.check(&["--fix", "--with-username=mailman", "--with-groupname=list"]);
    assert_eq!((status, site.get("mm/mail/mailman").2), (Some(0), 0o2755), "{document:#}");
}

#[test]
fn what_is_not_known_or_not_there_is_said() {
    if !inside() {
        return;
    }
    let site = Site::new();
    let databases = ["--group-file=group", "--passwd-file=passwd"];
    let mut texts = String::new();
    for arguments in [
        &["check", "nowhere"][..],
        &["check", "mm"],
        &["check", "mm", "--with-username=mailman", "--with-groupname=nobody-here"],
    ] {
        let output = site.run(&[arguments, &databases[..]].concat());
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        texts += &text(&output);
    }
    insta::assert_snapshot!("check_cannot_look", texts);
}

/// alice cannot look everywhere, and what she may not change she is told about.
#[test]
fn an_ordinary_user_is_told_what_could_not_be_looked_at_and_not_be_mended() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.set("mm/data/aliases", 0, LIST, 0o644);
    let stranger = ["setpriv", "--reuid=1000", "--regid=100", "--clear-groups"];
    let check = ["check", "mm", "--group-file=group", "--passwd-file=passwd", "--web-user=www-data", "--fix"];
    let output = site.run_by(&stranger, &check);
    insta::assert_snapshot!("check_by_a_stranger", text(&output));
    assert_eq!(output.status.code(), Some(2));
}
