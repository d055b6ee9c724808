//! Every way in which a section can be wrong, and that a sound one says what was sealed.

use super::{
    BODY_MAX, BODY_OFFSET, CHECKSUM_OFFSET, COMMANDS_MAX, FLAG_MAX, FLAGS_MAX, Fault, Group, KIND_OFFSET, Kind,
    LENGTH_OFFSET, MAGIC, NAME_MAX, Owner, PATH_MAX, PolicyError, RefusalStyle, SCRIPT_NAME_MAX, SECTION_SIZE, Tag,
    Task, VARIABLE_MAX, VARIABLES_MAX, VERSION_OFFSET, checksum, decode, kind_of, unsealed, value,
};
use crate::credentials::Gid;
use crate::seal::{COMMANDS, Records, VARIABLES, body, cgi, mail, record, section, with};
use rstest::rstest;
use std::fmt::Write;

fn error(kind: Kind, records: &Records) -> PolicyError {
    decode(&section(kind, &body(records)), kind).expect_err("must be refused")
}

#[test]
fn a_sound_mail_policy_says_what_was_sealed() {
    let records = with(mail(), Tag::Interpreter, &[b"/usr/bin/python3"]);
    let records = with(records, Tag::InterpreterFlag, &[b"-S", b"-I"]);
    let records = with(records, Tag::Variable, &[b"LANG"]);
    let records = with(records, Tag::Refusal, &[&[RefusalStyle::Defer.as_raw()]]);
    let section = section(Kind::Mail, &body(&records));
    let policy = decode(&section, Kind::Mail).expect("sound");
    assert_eq!(policy.trusted, Group { gid: Gid::new(8).expect("a gid"), name: "mail" });
    assert_eq!(policy.own, Group { gid: Gid::new(38).expect("a gid"), name: "list" });
    assert_eq!(policy.owner, Owner { uid: 38, name: "list" });
    assert_eq!(policy.prefix, "/usr/local/mailman");
    let interpreter = policy.interpreter.expect("sealed");
    assert_eq!((interpreter.path, interpreter.flags.as_slice()), ("/usr/bin/python3", &["-S", "-I"][..]));
    assert!(matches!(policy.task, Task::Mail { commands } if *commands == COMMANDS));
    assert_eq!(*policy.variables, ["LANG"]);
    assert_eq!(policy.refusal, RefusalStyle::Defer);
}

#[test]
fn a_sound_cgi_policy_says_what_was_sealed() {
    let section = section(Kind::Cgi, &body(&cgi()));
    let policy = decode(&section, Kind::Cgi).expect("sound");
    assert_eq!(policy.task, Task::Cgi { script: "listinfo" });
    assert_eq!(policy.interpreter, None);
    assert_eq!(*policy.variables, VARIABLES);
    assert_eq!(policy.refusal, RefusalStyle::Mailman);
}

#[rstest]
#[case::mail(Kind::Mail, &mail())]
#[case::cgi(Kind::Cgi, &cgi())]
fn no_single_changed_bit_goes_unnoticed(#[case] kind: Kind, #[case] records: &Records) {
    let sound = section(kind, &body(records));
    for at in 0..SECTION_SIZE {
        for bit in 0..8 {
            let mut damaged = sound;
            damaged[at] ^= 1 << bit;
            assert!(decode(&damaged, kind).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[rstest]
#[case::mail(Kind::Mail, &mail())]
#[case::cgi(Kind::Cgi, &cgi())]
fn no_beginning_of_a_body_is_a_policy(#[case] kind: Kind, #[case] records: &Records) {
    let whole = body(records);
    for length in 0..whole.len() {
        assert!(decode(&section(kind, &whole[..length]), kind).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn any_byte_anywhere_in_a_body_with_its_checksum_is_decoded_or_refused() {
    let whole = body(&with(mail(), Tag::Command, &[b"post"]));
    for at in 0..whole.len() {
        for byte in 0..=u8::MAX {
            let mut changed = whole.clone();
            changed[at] = byte;
            // Never a panic, and never a policy whose parts would contradict the limits that refusals are built on.
            if let Ok(policy) = decode(&section(Kind::Mail, &changed), Kind::Mail) {
                assert!(policy.prefix.starts_with('/') && !policy.prefix.contains("//"));
                assert!(policy.trusted.name.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}

fn damaged(damage: impl FnOnce(&mut [u8; SECTION_SIZE])) -> PolicyError {
    let mut section = section(Kind::Mail, &body(&mail()));
    damage(&mut section);
    decode(&section, Kind::Mail).expect_err("must be refused")
}

#[test]
fn the_header_is_checked_field_by_field() {
    let length = u32::try_from(BODY_MAX + 1).expect("small");
    assert_eq!(damaged(|s| s[0] = b'S'), PolicyError::Magic);
    assert_eq!(damaged(|s| s[MAGIC.len() - 1] = 0), PolicyError::Magic);
    assert_eq!(damaged(|s| s[VERSION_OFFSET] = 9), PolicyError::Version { found: 9 });
    assert_eq!(damaged(|s| s[VERSION_OFFSET + 1] = 1), PolicyError::Version { found: 257 });
    assert_eq!(damaged(|s| s[KIND_OFFSET] = 2), PolicyError::Kind { found: 2, wanted: Some(Kind::Mail) });
    assert_eq!(damaged(|s| s[KIND_OFFSET + 1] = 1), PolicyError::Kind { found: 257, wanted: Some(Kind::Mail) });
    assert_eq!(damaged(|s| s[LENGTH_OFFSET..CHECKSUM_OFFSET].fill(0)), PolicyError::Unsealed);
    assert_eq!(
        damaged(|s| s[LENGTH_OFFSET..CHECKSUM_OFFSET].copy_from_slice(&length.to_le_bytes())),
        PolicyError::TooLong { found: length }
    );
    assert_eq!(
        damaged(|s| s[LENGTH_OFFSET..CHECKSUM_OFFSET].copy_from_slice(&[0xff, 0xff, 0, 0])),
        PolicyError::TooLong { found: 0xffff }
    );
    assert_eq!(damaged(|s| s[LENGTH_OFFSET + 3] = 0xff), PolicyError::TooLong { found: 0xff00_00a1 });
    assert_eq!(damaged(|s| s[CHECKSUM_OFFSET] ^= 1), PolicyError::Checksum);
    assert_eq!(damaged(|s| s[BODY_OFFSET] ^= 1), PolicyError::Checksum);
    assert_eq!(damaged(|s| s[SECTION_SIZE / 2..].fill(1)), PolicyError::Padding);
    assert_eq!(damaged(|s| s[SECTION_SIZE - 1] = 1), PolicyError::Padding);
}

#[test]
fn a_body_may_fill_the_section() {
    // The last record, of an unknown kind, shows that the whole of it was read.
    let mut whole = body(&mail());
    let rest = BODY_MAX - whole.len() - 3;
    whole.extend(record(99, &vec![0; rest]));
    assert_eq!(whole.len(), BODY_MAX);
    assert_eq!(decode(&section(Kind::Mail, &whole), Kind::Mail), Err(PolicyError::Record { at: BODY_MAX - 3 - rest }));
}

#[test]
fn what_is_wrong_first_is_said_first() {
    let everything = |from: usize| {
        let mut section = section(Kind::Mail, &body(&mail()));
        section[SECTION_SIZE - 1] = 1;
        section[BODY_OFFSET] ^= 1;
        section[from..BODY_OFFSET].fill(0xff);
        decode(&section, Kind::Mail).expect_err("must be refused")
    };
    assert_eq!(everything(0), PolicyError::Magic);
    assert_eq!(everything(VERSION_OFFSET), PolicyError::Version { found: 0xffff });
    assert_eq!(everything(KIND_OFFSET), PolicyError::Kind { found: 0xffff, wanted: Some(Kind::Mail) });
    assert_eq!(everything(LENGTH_OFFSET), PolicyError::TooLong { found: u32::MAX });
    assert_eq!(everything(CHECKSUM_OFFSET), PolicyError::Checksum);
}

#[rstest]
#[case::no_length(&[Tag::TrustedGid.as_raw()], PolicyError::Record { at: 0 })]
#[case::half_a_length(&[Tag::TrustedGid.as_raw(), 4], PolicyError::Record { at: 0 })]
#[case::value_too_short(&[Tag::TrustedGid.as_raw(), 4, 0, 1, 2, 3], PolicyError::Record { at: 0 })]
#[case::second_record(&[Tag::TrustedGid.as_raw(), 1, 0, 1, Tag::OwnGid.as_raw()], PolicyError::Record { at: 4 })]
#[case::tag_zero(&[0, 0, 0], PolicyError::Record { at: 0 })]
#[case::tag_after_the_last(&[21, 0, 0], PolicyError::Record { at: 0 })]
#[case::descending(&[2, 0, 0, 1, 0, 0], PolicyError::Record { at: 3 })]
fn records_are_whole_known_and_in_order(#[case] body: &[u8], #[case] expected: PolicyError) {
    assert_eq!(decode(&section(Kind::Mail, body), Kind::Mail), Err(expected));
}

#[rstest]
fn each_field_must_be_there_once(
    #[values(
        Tag::TrustedGid,
        Tag::TrustedName,
        Tag::OwnGid,
        Tag::OwnName,
        Tag::OwnerUid,
        Tag::OwnerName,
        Tag::Prefix,
        Tag::Refusal
    )]
    tag: Tag,
) {
    let wrong = |fault| PolicyError::Field { tag, fault };
    assert_eq!(error(Kind::Mail, &with(mail(), tag, &[])), wrong(Fault::Missing));
    let (_, value) = mail().into_iter().find(|(found, _)| *found == tag).expect("there");
    assert_eq!(error(Kind::Mail, &with(mail(), tag, &[&value, &value])), wrong(Fault::TooMany { limit: 1 }));
    assert!(decode(&section(Kind::Mail, &body(&with(mail(), tag, &[&value]))), Kind::Mail).is_ok());
}

#[rstest]
#[case::no_command(Kind::Mail, with(mail(), Tag::Command, &[]), Tag::Command, Fault::Missing)]
#[case::no_page(Kind::Cgi, with(cgi(), Tag::CgiScript, &[]), Tag::CgiScript, Fault::Missing)]
#[case::two_pages(Kind::Cgi, with(cgi(), Tag::CgiScript, &[b"a", b"b"]), Tag::CgiScript, Fault::TooMany { limit: 1 })]
#[case::command_twice(Kind::Mail, with(mail(), Tag::Command, &[b"post", b"x", b"post"]), Tag::Command, Fault::Twice)]
#[case::variable_twice(Kind::Cgi, with(cgi(), Tag::Variable, &[b"A", b"A"]), Tag::Variable, Fault::Twice)]
#[case::bad_gid(Kind::Mail, with(mail(), Tag::OwnGid, &[&[0xff; 4]]), Tag::OwnGid, Fault::Value)]
#[case::bad_uid(Kind::Mail, with(mail(), Tag::OwnerUid, &[&[0xff; 4]]), Tag::OwnerUid, Fault::Value)]
#[case::bad_name(Kind::Mail, with(mail(), Tag::OwnerName, &[b""]), Tag::OwnerName, Fault::Value)]
#[case::bad_prefix(Kind::Mail, with(mail(), Tag::Prefix, &[b"usr"]), Tag::Prefix, Fault::Value)]
#[case::bad_interpreter(Kind::Mail, with(mail(), Tag::Interpreter, &[b"python3"]), Tag::Interpreter, Fault::Value)]
#[case::bad_flag(Kind::Mail, with(mail(), Tag::InterpreterFlag, &[b"S"]), Tag::InterpreterFlag, Fault::Value)]
#[case::bad_style(Kind::Mail, with(mail(), Tag::Refusal, &[b"\x03"]), Tag::Refusal, Fault::Value)]
fn a_field_that_is_wrong_is_named(
    #[case] kind: Kind,
    #[case] records: Records,
    #[case] tag: Tag,
    #[case] fault: Fault,
) {
    assert_eq!(error(kind, &records), PolicyError::Field { tag, fault });
}

#[rstest]
#[case::commands(Tag::Command, COMMANDS_MAX)]
#[case::flags(Tag::InterpreterFlag, FLAGS_MAX)]
#[case::variables(Tag::Variable, VARIABLES_MAX)]
fn repeatable_fields_have_a_limit(#[case] tag: Tag, #[case] limit: usize) {
    let values: Vec<Vec<u8>> = (0..=limit)
        .map(|n| format!("{}{n}", if tag == Tag::InterpreterFlag { "-" } else { "x" }).into_bytes())
        .collect();
    let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
    let records = |count: usize| with(with(mail(), Tag::Interpreter, &[b"/bin/sh"]), tag, &values[..count]);
    assert!(decode(&section(Kind::Mail, &body(&records(limit))), Kind::Mail).is_ok());
    assert_eq!(error(Kind::Mail, &records(limit + 1)), PolicyError::Field { tag, fault: Fault::TooMany { limit } });
}

#[rstest]
#[case::mail_with_page(Kind::Mail, with(mail(), Tag::CgiScript, &[b"listinfo"]), Tag::CgiScript)]
#[case::cgi_with_commands(Kind::Cgi, with(cgi(), Tag::Command, &[b"post"]), Tag::Command)]
#[case::cgi_defers(Kind::Cgi, with(cgi(), Tag::Refusal, &[b"\x02"]), Tag::Refusal)]
#[case::flags_alone(Kind::Mail, with(mail(), Tag::InterpreterFlag, &[b"-S"]), Tag::InterpreterFlag)]
fn fields_that_do_not_go_together_are_refused(#[case] kind: Kind, #[case] records: Records, #[case] tag: Tag) {
    assert_eq!(error(kind, &records), PolicyError::Field { tag, fault: Fault::OutOfPlace });
}

#[rstest]
#[case::gid(value::gid(&[1, 2, 0, 0]).map(Gid::as_raw), Some(513))]
#[case::gid_almost_minus_one(value::gid(&[0xfe, 0xff, 0xff, 0xff]).map(Gid::as_raw), Some(u32::MAX - 1))]
#[case::gid_minus_one(value::gid(&[0xff; 4]).map(Gid::as_raw), None)]
#[case::gid_short(value::gid(&[0; 3]).map(Gid::as_raw), None)]
#[case::gid_long(value::gid(&[0; 5]).map(Gid::as_raw), None)]
#[case::uid(value::uid(&[38, 0, 0, 0]), Some(38))]
#[case::uid_minus_one(value::uid(&[0xff; 4]), None)]
#[case::uid_empty(value::uid(&[]), None)]
fn numbers(#[case] found: Option<u32>, #[case] expected: Option<u32>) {
    assert_eq!(found, expected);
}

#[rstest]
#[case::name(value::name, "domain users", true)]
#[case::name_64(value::name, &"n".repeat(64), true)]
#[case::name_65(value::name, &"n".repeat(65), false)]
#[case::name_empty(value::name, "", false)]
#[case::name_colon(value::name, "a:b", false)]
#[case::name_newline(value::name, "a\nb", false)]
#[case::name_nul(value::name, "a\0", false)]
#[case::name_delete(value::name, "a\x7f", false)]
#[case::name_not_ascii(value::name, "\u{e9}", false)]
#[case::path(value::path, "/usr/local/mailman", true)]
#[case::path_of_one(value::path, "/m", true)]
#[case::path_dots_in_name(value::path, "/a/..b/c..", true)]
#[case::path_colon(value::path, "/a:b", true)]
#[case::path_255(value::path, &format!("/{}", "p".repeat(254)), true)]
#[case::path_256(value::path, &format!("/{}", "p".repeat(255)), false)]
#[case::path_empty(value::path, "", false)]
#[case::path_relative(value::path, "usr/local", false)]
#[case::path_root(value::path, "/", false)]
#[case::path_slash_at_end(value::path, "/usr/", false)]
#[case::path_two_slashes(value::path, "/usr//local", false)]
#[case::path_dot(value::path, "/usr/./local", false)]
#[case::path_dot_dot(value::path, "/usr/../etc", false)]
#[case::path_nul(value::path, "/usr\0", false)]
#[case::script(value::script_name, "post", true)]
#[case::script_all_characters(value::script_name, "0a.Z_-", true)]
#[case::script_32(value::script_name, &"s".repeat(32), true)]
#[case::script_33(value::script_name, &"s".repeat(33), false)]
#[case::script_empty(value::script_name, "", false)]
#[case::script_slash(value::script_name, "a/b", false)]
#[case::script_dot_dot(value::script_name, "..", false)]
#[case::script_hyphen(value::script_name, "-c", false)]
#[case::script_blank(value::script_name, "a b", false)]
#[case::flag(value::flag, "-S", true)]
#[case::flag_with_value(value::flag, "-Wignore::UserWarning", true)]
#[case::flag_64(value::flag, &format!("-{}", "f".repeat(63)), true)]
#[case::flag_65(value::flag, &format!("-{}", "f".repeat(64)), false)]
#[case::flag_hyphen_alone(value::flag, "-", false)]
#[case::flag_no_hyphen(value::flag, "Sx", false)]
#[case::flag_empty(value::flag, "", false)]
#[case::flag_escape(value::flag, "-\x1b", false)]
#[case::variable(value::variable, "HTTP_COOKIE", true)]
#[case::variable_digits(value::variable, "_a1", true)]
#[case::variable_64(value::variable, &"V".repeat(64), true)]
#[case::variable_65(value::variable, &"V".repeat(65), false)]
#[case::variable_empty(value::variable, "", false)]
#[case::variable_digit_first(value::variable, "1A", false)]
#[case::variable_equals(value::variable, "A=B", false)]
#[case::variable_path(value::variable, "PATH", false)]
#[case::variable_path_info(value::variable, "PATH_INFO", true)]
#[case::variable_proxy(value::variable, "HTTP_PROXY", false)]
#[case::variable_loader(value::variable, "LD_PRELOAD", false)]
#[case::variable_python(value::variable, "PYTHONPATH", false)]
fn texts(#[case] check: fn(&[u8]) -> Option<&str>, #[case] text: &str, #[case] sound: bool) {
    assert_eq!(check(text.as_bytes()), sound.then_some(text));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    assert_eq!(value::name(b"\xff"), None);
}

#[rstest]
#[case::mailman(&[1], Some(RefusalStyle::Mailman))]
#[case::defer(&[2], Some(RefusalStyle::Defer))]
#[case::unknown(&[0], None)]
#[case::empty(&[], None)]
#[case::two_bytes(&[1, 0], None)]
fn styles(#[case] bytes: &[u8], #[case] expected: Option<RefusalStyle>) {
    assert_eq!(value::refusal(bytes), expected);
}

#[test]
fn a_section_tells_its_kind_sealed_or_not() {
    for kind in [Kind::Mail, Kind::Cgi, Kind::Queue] {
        assert_eq!(kind_of(&unsealed(kind)), Ok(kind));
        assert_eq!(decode(&unsealed(kind), kind), Err(PolicyError::Unsealed));
        assert_eq!(Kind::from_raw(kind.as_raw()), Some(kind));
    }
    let mut other = unsealed(Kind::Cgi);
    other[KIND_OFFSET] = 4;
    assert_eq!(kind_of(&other), Err(PolicyError::Kind { found: 4, wanted: None }));
    other[VERSION_OFFSET] = 0;
    assert_eq!(kind_of(&other), Err(PolicyError::Version { found: 0 }));
    other[0] = 0;
    assert_eq!(kind_of(&other), Err(PolicyError::Magic));
    assert_eq!(kind_of(&section(Kind::Cgi, &body(&cgi()))), Ok(Kind::Cgi));
}

#[test]
fn tags_are_numbered_in_the_order_of_the_body() {
    for (tag, number) in Tag::ALL.into_iter().zip(1..) {
        assert_eq!((tag.as_raw(), Tag::from_raw(number)), (number, Some(tag)));
    }
    assert_eq!(Tag::from_raw(0), None);
}

/// Test vectors of the draft that the checksum follows, appendix C.
#[rstest]
#[case(b"", 0xcbf2_9ce4_8422_2325)]
#[case(b"a", 0xaf63_dc4c_8601_ec8c)]
#[case(b"foobar", 0x8594_4171_f739_67e8)]
fn the_checksum_is_fnv_1a(#[case] bytes: &[u8], #[case] expected: u64) {
    assert_eq!(checksum(bytes), expected);
}

#[test]
fn every_defect_in_words() {
    let field = |tag, fault| PolicyError::Field { tag, fault };
    let mut faults = vec![
        PolicyError::Magic,
        PolicyError::Version { found: 9 },
        PolicyError::Kind { found: 2, wanted: Some(Kind::Mail) },
        PolicyError::Kind { found: 1, wanted: Some(Kind::Cgi) },
        PolicyError::Kind { found: 4, wanted: None },
        PolicyError::Unsealed,
        PolicyError::TooLong { found: 0xffff },
        PolicyError::Checksum,
        PolicyError::Padding,
        PolicyError::Record { at: 17 },
        field(Tag::Command, Fault::Twice),
        field(Tag::Variable, Fault::TooMany { limit: 64 }),
        field(Tag::CgiScript, Fault::OutOfPlace),
    ];
    faults.extend(Tag::ALL.map(|tag| field(tag, Fault::Missing)));
    faults.extend(Tag::ALL.map(|tag| field(tag, Fault::Value)));
    let text = faults.into_iter().fold(String::new(), |mut text, fault| {
        writeln!(text, "{fault}").expect("never fails");
        text
    });
    insta::assert_snapshot!("every_defect_of_a_policy", text);
}

#[test]
fn a_rule_in_words_has_the_numbers_of_the_code() {
    let limits = [
        (Tag::TrustedName, NAME_MAX),
        (Tag::Prefix, PATH_MAX),
        (Tag::InterpreterFlag, FLAG_MAX),
        (Tag::Command, SCRIPT_NAME_MAX),
        (Tag::Variable, VARIABLE_MAX),
    ];
    for (tag, limit) in limits {
        assert!(tag.rule().contains(&format!(" {limit} ")), "{}", tag.rule());
    }
}
