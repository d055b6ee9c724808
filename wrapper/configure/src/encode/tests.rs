use super::*;
use rstest::rstest;
use wrapper::policy::{Fault, Policy, Task};

fn mail() -> Values {
    Values {
        kind: Kind::Mail,
        trusted: (8, b"mail".to_vec()),
        own: (38, b"list".to_vec()),
        owner: (39, b"mailman".to_vec()),
        prefix: b"/usr/local/mailman".to_vec(),
        interpreter: Some((b"/usr/bin/python3".to_vec(), vec![b"-S".to_vec(), b"-I".to_vec()])),
        commands: vec![b"post".to_vec(), b"admin".to_vec()],
        cgi_script: None,
        variables: vec![b"LANG".to_vec()],
        refusal: RefusalStyle::Defer,
    }
}

fn cgi() -> Values {
    Values {
        kind: Kind::Cgi,
        interpreter: None,
        commands: Vec::new(),
        cgi_script: Some(b"listinfo".to_vec()),
        refusal: RefusalStyle::Mailman,
        ..mail()
    }
}

/// Values as a decoded policy has them.
fn values(policy: &Policy<'_>) -> Values {
    let owned = |texts: &[&str]| texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    let (commands, cgi_script) = match &policy.task {
        Task::Mail { commands } => (owned(commands), None),
        Task::Cgi { script } => (Vec::new(), Some(script.as_bytes().to_vec())),
    };
    Values {
        kind: policy.task.kind(),
        trusted: (policy.trusted.gid.as_raw(), policy.trusted.name.as_bytes().to_vec()),
        own: (policy.own.gid.as_raw(), policy.own.name.as_bytes().to_vec()),
        owner: (policy.owner.uid, policy.owner.name.as_bytes().to_vec()),
        prefix: policy.prefix.as_bytes().to_vec(),
        interpreter: policy.interpreter.as_ref().map(|i| (i.path.as_bytes().to_vec(), owned(&i.flags))),
        commands,
        cgi_script,
        variables: owned(&policy.variables),
        refusal: policy.refusal,
    }
}

#[rstest]
#[case::mail(mail())]
#[case::cgi(cgi())]
#[case::no_interpreter(Values { interpreter: None, ..mail() })]
#[case::no_flags(Values { interpreter: Some((b"/bin/sh".to_vec(), vec![])), ..mail() })]
#[case::trusted_is_own(Values { trusted: (38, b"list".to_vec()), ..mail() })]
#[case::largest_gid(Values { trusted: (4_294_967_294, b"x".to_vec()), ..mail() })]
#[case::longest_name(Values { own: (1, vec![b'g'; 64]), ..mail() })]
#[case::longest_path(Values { prefix: [b"/".to_vec(), vec![b'p'; 254]].concat(), ..mail() })]
fn the_decoder_of_the_wrappers_reads_what_was_written(#[case] sealed: Values) {
    let section = encode(&sealed).expect("sound values");
    let policy = decode(&section, sealed.kind).expect("a sound policy");
    assert_eq!(values(&policy), sealed);
}

#[rstest]
#[case::name_too_long(Values { own: (1, vec![b'g'; 65]), ..mail() }, "--with-groupname")]
#[case::path_too_long(Values { prefix: [b"/".to_vec(), vec![b'p'; 255]].concat(), ..mail() }, "--prefix")]
#[case::relative_prefix(Values { prefix: b"mailman".to_vec(), ..mail() }, "--prefix")]
#[case::prefix_upwards(Values { prefix: b"/usr/../tmp".to_vec(), ..mail() }, "--prefix")]
#[case::newline_in_prefix(Values { prefix: b"/usr\n".to_vec(), ..mail() }, "--prefix")]
#[case::escape_in_name(Values { trusted: (8, b"ma\x1bil".to_vec()), ..mail() }, "--with-mail-gid")]
#[case::minus_one(Values { trusted: (u32::MAX, b"mail".to_vec()), ..mail() }, "--with-mail-gid")]
#[case::minus_one_for_cgi(Values { trusted: (u32::MAX, b"mail".to_vec()), ..cgi() }, "--with-cgi-gid")]
#[case::nobody_is_minus_one(Values { owner: (u32::MAX, b"list".to_vec()), ..mail() }, "--with-username")]
#[case::relative_interpreter(Values { interpreter: Some((b"python".to_vec(), vec![])), ..mail() }, "--with-python")]
#[case::flag_without_hyphen(
    Values { interpreter: Some((b"/bin/sh".to_vec(), vec![b"S".to_vec()])), ..mail() },
    "--interpreter-flag"
)]
#[case::command_with_slash(Values { commands: vec![b"../sh".to_vec()], ..mail() }, "--command")]
#[case::command_twice(Values { commands: vec![b"post".to_vec(); 2], ..mail() }, "--command")]
#[case::no_command(Values { commands: vec![], ..mail() }, "--command")]
#[case::too_many_commands(Values { commands: (0..17).map(|n| format!("c{n}").into_bytes()).collect(), ..mail() }, "--command")]
#[case::no_cgi_script(Values { cgi_script: None, ..cgi() }, "--cgi-script")]
#[case::forbidden_variable(Values { variables: vec![b"HTTP_PROXY".to_vec()], ..cgi() }, "--keep-environment")]
#[case::cgi_that_defers(Values { refusal: RefusalStyle::Defer, ..cgi() }, "--refusal")]
#[case::mail_with_a_page(Values { cgi_script: Some(b"admin".to_vec()), ..mail() }, "--cgi-script")]
fn refused_with_the_option_that_is_wrong(#[case] wrong: Values, #[case] option: &str) {
    let error = encode(&wrong).expect_err("no policy");
    assert!(matches!(error, NotAPolicy::Refused { .. }), "{error:?}");
    assert!(error.to_string().starts_with(option), "{error}");
}

#[test]
fn the_value_at_fault_is_named_among_those_of_its_option() {
    let variables = vec![b"LANG".to_vec(), b"LD_PRELOAD".to_vec()];
    let error = encode(&Values { variables, ..mail() }).expect_err("no policy").to_string();
    assert!(error.starts_with("--keep-environment=LD_PRELOAD: "), "{error}");
    let commands = vec![b"post".to_vec(), b"\x1b[31m".to_vec()];
    let error = encode(&Values { commands, ..mail() }).expect_err("no policy").to_string();
    assert!(error.starts_with("--command=\\x1b[31m: "), "{error}");
}

#[test]
fn values_which_do_not_fit_together_are_refused_before_anything_is_written() {
    let variables = (0..64).map(|n| format!("{n:A>64}").into_bytes()).collect();
    let error = encode(&Values { variables, ..mail() }).expect_err("too long");
    assert!(matches!(error, NotAPolicy::TooLong { found } if found > BODY_MAX), "{error:?}");
    let huge = Values { prefix: vec![b'/'; 70_000], ..mail() };
    assert!(matches!(encode(&huge), Err(NotAPolicy::TooLong { .. })));
}

#[test]
fn each_field_of_the_policy_is_written_once_more_when_it_changes() {
    // A field which the encoder forgot would leave the section as it was.
    let before = encode(&mail()).expect("sound");
    let changes: [fn(&mut Values); 9] = [
        |v| v.trusted.0 += 1,
        |v| v.trusted.1.push(b'x'),
        |v| v.own.0 += 1,
        |v| v.owner.0 += 1,
        |v| v.prefix.push(b'x'),
        |v| v.interpreter = None,
        |v| v.commands.truncate(1),
        |v| v.variables.clear(),
        |v| v.refusal = RefusalStyle::Mailman,
    ];
    for change in changes {
        let mut changed = mail();
        change(&mut changed);
        assert_ne!(encode(&changed).expect("sound"), before, "{changed:?}");
    }
}

#[test]
fn a_missing_field_is_a_fault_of_the_decoder_with_its_option() {
    let error = NotAPolicy::Refused {
        error: PolicyError::Field { tag: Tag::Prefix, fault: Fault::Missing },
        value: None,
        kind: Kind::Mail,
    };
    assert!(error.to_string().starts_with("--prefix: "), "{error}");
}
