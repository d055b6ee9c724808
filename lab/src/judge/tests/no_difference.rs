//! What looks like a difference and is none, beside what is one.

use super::{ADMITTED, REFUSED, capture, case, differences, sound};
use lab_invocation::Bytes;
use lab_invocation::invocation::Descriptor;

#[test]
fn the_last_line_end_is_no_echo_of_a_word_that_the_caller_ended_so_too() {
    let mut case = case(REFUSED);
    case.invocation.argv.push("unsubscribe\n".into());
    let mut evidence = sound(&case);
    evidence.stderr.bytes.0.extend_from_slice(b", unsubscribe\n");
    evidence.stderr.total = evidence.stderr.bytes.0.len() as u64;
    assert_eq!(differences(&case, &evidence), [""; 0]);
    evidence.stderr.bytes.0.extend_from_slice(b"more\n");
    evidence.stderr.total = evidence.stderr.bytes.0.len() as u64;
    assert_eq!(differences(&case, &evidence), ["no-raw-control-bytes"]);
}

#[test]
fn what_is_opened_as_descriptor_0_is_not_the_pipe_with_the_stated_bytes() {
    let mut case = case(ADMITTED);
    case.outcome.script.as_mut().expect("it is admitted").stdin = None;
    let mut evidence = sound(&case);
    evidence.witness[0].stdin = capture(b"of another file");
    assert_eq!(differences(&case, &evidence), ["script.stdin"]);
    case.invocation.descriptors.push((0, Descriptor::Memory));
    assert_eq!(differences(&case, &evidence), [""; 0]);
}

#[test]
fn a_line_end_is_everybodys() {
    let mut case = case(REFUSED);
    case.invocation.env.push("HOST=\r\n".into());
    let mut evidence = sound(&case);
    evidence.stdout = capture(b"Status: 403\r\n\r\nno\r\n");
    assert_eq!(differences(&case, &evidence), [""; 0]);
    evidence.stdout = capture(b"Status: 403\r\nHost=\r\nHOST=\r\n\r\n");
    assert_eq!(differences(&case, &evidence), ["no-raw-control-bytes"]);
}

#[test]
fn a_letter_before_a_line_end_is_everybodys_and_a_word_is_not() {
    let mut case = case(REFUSED);
    case.invocation.argv = ["mailman\r", "n\r"].map(Bytes::from).into();
    let mut evidence = sound(&case);
    evidence.stdout = capture(b"Status: 403 Forbidden\r\nContent-Language: en\r\n\r\nan\r\n");
    assert_eq!(differences(&case, &evidence), [""; 0]);
    evidence.stdout = capture(b"Status: 403 mailman\r\n");
    assert_eq!(differences(&case, &evidence), ["no-raw-control-bytes"]);
}
