//! What the wrappers start: `check` finds what the wrapper itself would refuse, and what it cannot see.

use crate::sandbox::{HOME, inside, wrappers};
use crate::site::{ALICE, LIST, MAIL, MAILMAN, Site, found, text};
use rstest::rstest;
use std::fs;
use std::process::{Command, Output};

type Spoil = fn(&Site);

/// The mail wrapper, started by its trusted group.
fn admitted() -> Output {
    let wrapper = format!("{HOME}/mm/mail/mailman");
    Command::new("setpriv")
        .args(["--reuid=1000", "--regid=8", "--clear-groups", &wrapper, "post", "test"])
        .output()
        .expect("it runs")
}

#[test]
fn what_is_sound_is_started() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    assert_eq!(site.check(&[]).0, Some(0));
    // Its interpreter is no real program, so the kernel refuses it; the wrapper has not.
    let output = admitted();
    assert!(text(&output).contains("cannot be executed"), "{}", text(&output));
}

/// Where `check` is content the wrapper must be, and the other way round.
#[rstest]
#[case::directory_above_of_group_root("path", "", |s: &Site| s.set("", 0, 0, 0o775))]
#[case::sticky_directory_above("path", "", |s: &Site| s.set("", 0, 0, 0o1777))]
#[case::scripts_of_another_group("path", "mm/scripts", |s: &Site| s.set("mm/scripts", 0, MAIL, 0o2775))]
#[case::owner_of_the_script("path", "mm/scripts/post", |s: &Site| s.set("mm/scripts/post", ALICE, LIST, 0o755))]
#[case::no_scripts("script-file", "mm/scripts", |s: &Site| fs::remove_dir_all(s.path("mm/scripts")).expect("removed"))]
#[case::no_script("script-file", "mm/scripts/post", |s: &Site| fs::remove_file(s.path("mm/scripts/post")).expect("removed"))]
#[case::a_directory("script-file", "mm/scripts/post", |s: &Site| {
    fs::remove_file(s.path("mm/scripts/post")).expect("removed");
    s.directory("mm/scripts/post", 0, LIST, 0o2775);
})]
fn what_the_wrapper_refuses_is_found(#[case] row: &str, #[case] path: &str, #[case] spoil: Spoil) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let output = admitted();
    assert_eq!(output.status.code(), Some(4), "{}", text(&output));
    assert!(text(&output).contains("cannot start the script"), "{}", text(&output));
    let (status, document) = site.check(&[]);
    let rows = found(&document);
    assert!(status == Some(1) && rows.contains(&(row.to_owned(), path.to_owned())), "{document:#}");
    let finding = document["findings"].as_array().expect("a list").iter().find(|f| f["row"] == row).expect("found");
    assert_eq!(finding["fixable"], false);
}

/// The page of a CGI wrapper is an argument of one script.
#[test]
fn the_driver_of_the_pages_must_be_there() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    fs::remove_file(site.path("mm/scripts/driver")).expect("removed");
    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document)), (Some(1), vec![("script-file".to_owned(), "mm/scripts/driver".to_owned())]));
}

/// A sealed interpreter is one more file of which everything depends.
#[rstest]
#[case::not_there("script-file", |_: &Site| {})]
#[case::everybody_may_write_it("path", |s: &Site| s.file("python", 0, 0, 0o777))]
fn the_sealed_interpreter(#[case] row: &str, #[case] spoil: Spoil) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let output = site.install_by(&[], &["--only=mail", "--with-python=/wrapper-configure-tests/python"]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(admitted().status.code(), Some(4));
    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document)), (Some(1), vec![(row.to_owned(), "python".to_owned())]), "{document:#}");
}

/// Without a sealed interpreter the kernel takes the one in the first line of a script, which no wrapper looks at.
#[rstest]
#[case::a_stranger_owns_it("path", "mm/bin/python", |s: &Site| s.set("mm/bin/python", ALICE, LIST, 0o755))]
#[case::not_there("script-file", "mm/bin/python", |s: &Site| fs::remove_file(s.path("mm/bin/python")).expect("removed"))]
fn the_interpreter_in_the_first_line(#[case] row: &str, #[case] path: &str, #[case] spoil: Spoil) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    spoil(&site);
    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document)), (Some(1), vec![(row.to_owned(), path.to_owned())]), "{document:#}");
}

#[rstest]
#[case::outside_the_prefix("#!/wrapper-configure-tests/python -S\n", "python", "writable for everybody")]
#[case::relative("#! python\n", "mm/scripts/post", "not an absolute path")]
#[case::nothing_that_runs("import sys\n", "mm/scripts/post", "neither a program nor begins with #!")]
fn first_lines(#[case] line: &str, #[case] path: &str, #[case] words: &str) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.file("python", 0, 0, 0o757);
    fs::write(site.path("python"), b"\x7fELF").expect("what looks like a program");
    fs::write(site.path("mm/scripts/post"), line).expect("written");
    let (status, document) = site.check(&[]);
    let findings = document["findings"].as_array().expect("a list");
    assert!(
        status == Some(1) && found(&document).iter().all(|(_, at)| at == path) && findings.len() == 1,
        "{document:#}"
    );
    assert!(findings[0]["found"].as_str().is_some_and(|found| found.contains(words)), "{document:#}");
}

/// One page under the name of another, old copies, and hidden ones: a web server runs them all.
#[rstest]
#[case::copy_of_another_page("listinfo", "admin", &["cgi-page"])]
#[case::old_copy("admin.old", "admin", &["stray-set-group-id", "cgi-page"])]
#[case::hidden(".x", "admin", &["stray-set-group-id", "cgi-page"])]
#[case::no_extension_was_named("admin.cgi", "admin", &["stray-set-group-id", "cgi-page"])]
fn names_in_cgi_bin(#[case] name: &str, #[case] page: &str, #[case] rows: &[&str]) {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let below = format!("mm/cgi-bin/{name}");
    fs::copy(site.path(&format!("mm/cgi-bin/{page}")), site.path(&below)).expect("a copy");
    site.set(&below, 0, LIST, 0o2755);
    let (status, document) = site.check(&[]);
    let wanted: Vec<_> = rows.iter().map(|row| ((*row).to_owned(), below.clone())).collect();
    assert_eq!((status, found(&document)), (Some(1), wanted));
    // The bit of what has no place there goes; what remains is for a person.
    let (_, document) = site.check(&["--fix"]);
    assert_eq!(found(&document), vec![("cgi-page".to_owned(), below.clone())]);
    assert_eq!(site.get(&below).2 & 0o2000 == 0, rows.len() == 2);
}

#[test]
fn pages_that_trust_different_groups() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    let binary = wrappers().join("cgi-wrapper");
    let arguments = ["seal", binary.to_str().expect("text"), "--output=mm/cgi-bin/roster", "--cgi-script=roster"];
    let more = ["--with-cgi-gid=mail", "--prefix=/wrapper-configure-tests/mm"];
    let output = site.run(&[&arguments[..], &more, &crate::site::ACCOUNTS].concat());
    assert!(output.status.success(), "{}", text(&output));
    site.set("mm/cgi-bin/roster", 0, LIST, 0o2755);
    let (status, document) = site.check(&[]);
    let wanted = vec![("cgi-trusted-group".to_owned(), "mm/cgi-bin/roster".to_owned())];
    assert_eq!((status, found(&document)), (Some(1), wanted));
    assert_eq!(document["findings"][0]["found"], "trusts mail 8");
}

#[test]
fn pages_with_an_extension() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    fs::remove_dir_all(site.path("mm/cgi-bin")).expect("removed");
    let output = site.install_by(&[], &["--only=cgi", "--with-cgi-ext=.cgi"]);
    assert!(output.status.success(), "{}", text(&output));
    let (status, document) = site.check(&["--with-cgi-ext=.cgi"]);
    assert_eq!((status, found(&document)), (Some(0), vec![]));
    let (status, document) = site.check(&[]);
    assert_eq!((status, found(&document).len()), (Some(1), 22));
    let findings = document["findings"].as_array().expect("a list");
    let page = findings.iter().find(|finding| finding["row"] == "cgi-page").expect("found");
    let by_hand = page["by-hand"].as_str().expect("a cure");
    assert!(by_hand.contains("--with-cgi-ext=.cgi"), "{by_hand}");
}

/// Group and user come from the wrapper; who does not own it cannot say them.
#[test]
fn a_fix_wants_an_installation() {
    if !inside() {
        return;
    }
    let site = Site::installed();
    site.directory("etc", 0, 0, 0o755);
    site.file("etc/shadow", 0, 42, 0o640);
    let accounts = ["--with-groupname=list", "--with-username=mailman", "--group-file=group", "--passwd-file=passwd"];
    let fix = |more: &[&str]| site.run(&[&["check", "--fix"], more, &accounts[..]].concat());
    for (more, spoil) in [
        (&["etc"][..], (|_: &Site| {}) as Spoil),
        // A wrapper of another prefix.
        (&["etc"], |s: &Site| {
            s.directory("etc/mail", 0, 0, 0o755);
            fs::copy(s.path("mm/mail/mailman"), s.path("etc/mail/mailman")).expect("a copy");
        }),
        // A sound installation says nothing of a directory that its policy does not name.
        (&["mm", "--with-var-prefix=etc"], |_: &Site| {}),
    ] {
        spoil(&site);
        let output = fix(more);
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("nothing was changed"), "{}", text(&output));
        assert_eq!(site.get("etc/shadow"), (0, 42, 0o640));
    }
    // What others can have written is not root's word, although the file is root's and sound pages are there.
    fs::copy(site.path("mm/mail/mailman"), site.path("honest")).expect("a copy");
    let forged = ["seal", "--output=mm/mail/mailman", "--with-groupname=users", "--with-username=mailman", "honest"];
    let databases = ["--group-file=group", "--passwd-file=passwd", "--prefix=/wrapper-configure-tests/mm"];
    let output = site.run(&[&forged[..], &databases].concat());
    assert!(output.status.success(), "{}", text(&output));
    for mode in [0o2757, 0o2775, 0o2777] {
        site.set("mm/mail/mailman", 0, 100, mode);
        let output = site.run(&["check", "mm", "--fix", "--group-file=group", "--passwd-file=passwd"]);
        assert_eq!(output.status.code(), Some(2), "{mode:o}: {}", text(&output));
        assert!(text(&output).contains("nothing was changed: group and user are known only from"), "{}", text(&output));
        assert_eq!(site.get("mm/data/aliases"), (0, LIST, 0o660));
    }
    // Nor do sound pages speak for a group that they do not name.
    let group = ["--with-groupname=users", "--with-username=mailman", "--group-file=group", "--passwd-file=passwd"];
    let output = site.run(&[&["check", "mm", "--fix"], &group[..]].concat());
    assert_eq!((output.status.code(), site.get("mm/data/aliases")), (Some(2), (0, LIST, 0o660)), "{}", text(&output));
    fs::rename(site.path("honest"), site.path("mm/mail/mailman")).expect("replaced");
    site.set("mm/mail/mailman", 0, LIST, 0o2755);
    // A stranger's wrapper is no word either, whatever it says.
    let mm = site.path("mm/mail/mailman");
    for entry in fs::read_dir(site.path("mm/cgi-bin")).expect("it is there") {
        fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
    std::os::unix::fs::chown(mm, Some(ALICE), Some(LIST)).expect("root may");
    site.set("mm/data/aliases", MAILMAN, LIST, 0o600);
    let output = fix(&["mm"]);
    assert_eq!((output.status.code(), site.get("mm/data/aliases").2), (Some(2), 0o600), "{}", text(&output));
}
