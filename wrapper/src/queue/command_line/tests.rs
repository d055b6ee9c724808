//! Command lines as they are typed, and as programs type them.

use super::{AddressFault, Notify, Request, UsageFault, parse};
use rstest::rstest;
use std::ffi::CString;

fn parsed(arguments: &[&str]) -> Result<Request, UsageFault> {
    let argv: Vec<CString> = std::iter::once(&"sendmail").chain(arguments).map(|one| c(one)).collect();
    parse(argv.iter().map(CString::as_c_str), 5)
}

fn c(text: &str) -> CString {
    CString::new(text).expect("no NUL")
}

/// What a request says, a word each.
fn words(request: &Request) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut words = Vec::new();
    words.extend(request.from_header.then(|| "header".to_owned()));
    words.extend(request.ignore_dots.then(|| "dots".to_owned()));
    words.extend(
        request
            .sender
            .as_ref()
            .map(|sender| format!("from={}", sender.as_ref().map_or("<>".into(), |address| text(address.as_bytes())))),
    );
    words.extend(request.full_name.as_ref().map(|name| format!("name={}", text(name))));
    words.extend(request.body.map(|body| format!("{body:?}")));
    words.extend(request.notify.map(|Notify { success, failure, delay }| format!("{success} {failure} {delay}")));
    words.extend(request.returned.map(|returned| format!("{returned:?}")));
    words.extend(request.envelope_id.as_ref().map(|id| format!("id={}", text(id))));
    words.extend(request.recipients.iter().map(|address| format!("to={}", text(address.as_bytes()))));
    words.join(" ")
}

/// Literal command lines of programs that send mail.
#[rstest]
#[case::debian_cron("-i -FCronDaemon -B8BITMIME -oem alice", "dots name=CronDaemon EightBitMime to=alice")]
#[case::vixie_cron("-FCronDaemon -i -odi -oem -oi -t", "header dots name=CronDaemon")]
#[case::cronie("-FCronDaemon -i -odi -oem -oi -t -f root", "header dots from=root name=CronDaemon")]
#[case::bsd_mailx("-i -m -v alice bob@example.org", "dots to=alice to=bob@example.org")]
#[case::s_nail("-i -r alice@example.org -- bob@example.org", "dots from=alice@example.org to=bob@example.org")]
#[case::mutt("-oem -oi -f alice@example.org -- bob@example.org", "dots from=alice@example.org to=bob@example.org")]
#[case::mutt_with_dsn(
    "-oem -oi -B8BITMIME -N failure,delay -R hdrs -- bob@example.org",
    "dots EightBitMime false true true Header to=bob@example.org"
)]
#[case::php("-t -i", "header dots")]
#[case::php_with_parameters("-t -i -fwww@example.org", "header dots from=www@example.org")]
#[case::php_of_many_sites("-ti", "header dots")]
#[case::git_send_email("-i bob@example.org carol@example.org", "dots to=bob@example.org to=carol@example.org")]
#[case::git_send_email_with_sender(
    "-f alice@example.org -i bob@example.org",
    "dots from=alice@example.org to=bob@example.org"
)]
fn command_lines_of_programs(#[case] line: &str, #[case] expected: &str) {
    let arguments: Vec<&str> = line.split(' ').collect();
    assert_eq!(parsed(&arguments).map(|request| words(&request)).as_deref(), Ok(expected));
}

#[rstest]
#[case::recipients_of_one_argument(&["a@x, B <b@x>"], "to=a@x to=b@x")]
#[case::null_sender(&["-f", "<>", "a"], "from=<> to=a")]
#[case::empty_sender(&["-f", "", "a"], "from=<> to=a")]
#[case::value_in_the_next_argument(&["-o", "i", "-b", "m", "-A", "c", "-L", "tag", "a"], "dots to=a")]
#[case::after_two_hyphens(&["--", "-f", "--"], "to=-f to=--")]
#[case::both_sources(&["-t", "a"], "header to=a")]
#[case::ignored(&["-odq", "-odb", "-oeq", "-oee", "-oep", "-oew", "-om", "-bm", "-Ac", "-v", "a"], "to=a")]
#[case::everything_of_dsn(&["-Nsuccess,FAILURE", "-RFULL", "-Va+2Bb", "-B7bit", "a"], "SevenBit true true false Full id=a+2Bb to=a")]
#[case::never(&["-N", "never", "a"], "false false false to=a")]
fn other_command_lines(#[case] arguments: &[&str], #[case] expected: &str) {
    assert_eq!(parsed(arguments).map(|request| words(&request)).as_deref(), Ok(expected));
}

#[rstest]
#[case::mode(&["-bd"], "-bd")]
#[case::mode_of_another_letter(&["-bD"], "-bd")]
#[case::listing(&["-bp"], "-bp")]
#[case::smtp(&["-bs"], "-bs")]
#[case::verification(&["-bv", "a"], "-bv")]
#[case::testing(&["-bt"], "-bt")]
#[case::aliases(&["-bi"], "-bi")]
#[case::server(&["-Am", "a"], "-Am")]
#[case::run(&["-q15m"], "-q")]
#[case::run_behind_another(&["-vq"], "-q")]
fn what_another_program_does(#[case] arguments: &[&str], #[case] expected: &str) {
    let found = parsed(arguments);
    assert!(matches!(found, Err(UsageFault::Elsewhere { option, .. }) if option == expected), "{found:?}");
}

#[rstest]
#[case::configuration(&["-C/etc/passwd", "a"], b"C ")]
#[case::log_file(&["-X", "/tmp/x", "a"], b"X ")]
#[case::debugging(&["-d0.1", "a"], b"d ")]
#[case::long_option(&["-OQueueDirectory=/tmp", "a"], b"O ")]
#[case::queue_directory(&["-oQ/tmp", "a"], b"oQ")]
#[case::other_old_option(&["-odd", "a"], b"od")]
#[case::macros(&["-Mr", "a"], b"M ")]
#[case::protocol(&["-phttp:x", "a"], b"p ")]
#[case::other_mode(&["-bh"], b"bh")]
#[case::other_file(&["-Ax", "a"], b"Ax")]
#[case::word(&["--help"], b"- ")]
#[case::hyphen(&["-", "a"], b"  ")]
fn options_that_it_does_not_have(#[case] arguments: &[&str], #[case] option: &[u8; 2]) {
    assert_eq!(parsed(arguments), Err(UsageFault::Unknown(*option)));
}

/// Q9: whatever the first argument is, and where there is none.
#[test]
fn without_arguments_nobody_gets_mail() {
    for argv in [&[][..], &[c""], &[c"mailq"], &[c"-bd"], &[c"newaliases"]] {
        assert_eq!(parse(argv.iter().copied(), 5), Err(UsageFault::NoRecipient));
    }
    assert!(parse([c"mailq", c"a"].into_iter(), 5).is_ok(), "no mode is chosen by the name");
}

#[rstest]
#[case::no_value(&["-f"], UsageFault::NoValue(b'f'))]
#[case::late(&["a", "-f", "b"], UsageFault::Late)]
#[case::too_many(&["a", "b,c", "d", "e,f"], UsageFault::TooMany)]
#[case::no_recipient(&["--"], UsageFault::NoRecipient)]
#[case::line_feed(&["a", "b\nRPFD:eve"], UsageFault::Address { sender: false, number: 2, fault: AddressFault::Byte })]
#[case::empty_recipient(&[""], UsageFault::Address { sender: false, number: 1, fault: AddressFault::Empty })]
#[case::sender(&["-f", "a\nRPFD:eve", "b"], UsageFault::Address { sender: true, number: 1, fault: AddressFault::Byte })]
#[case::two_senders(&["-fa,b", "b"], UsageFault::Address { sender: true, number: 1, fault: AddressFault::Blank })]
fn faults(#[case] arguments: &[&str], #[case] fault: UsageFault) {
    assert_eq!(parsed(arguments), Err(fault));
}

/// Q10, for what is no address.
#[rstest]
#[case::full_name(&["-F", "a\nRPFD:eve", "b"], b'F')]
#[case::long_full_name(&["-F", &"a".repeat(401), "b"], b'F')]
#[case::envelope_id(&["-V", "a\nb", "b"], b'V')]
#[case::envelope_id_that_is_no_xtext(&["-V", "a+2", "b"], b'V')]
#[case::envelope_id_with_an_equals_sign(&["-V", "a=b", "b"], b'V')]
#[case::empty_envelope_id(&["-V", "", "b"], b'V')]
#[case::body(&["-B", "BAD", "b"], b'B')]
#[case::notify(&["-N", "success,never", "b"], b'N')]
#[case::returned(&["-R", "half", "b"], b'R')]
fn values_that_are_none(#[case] arguments: &[&str], #[case] letter: u8) {
    let found = parsed(arguments);
    assert!(matches!(found, Err(UsageFault::Value { option, .. }) if option == letter), "{found:?}");
}
