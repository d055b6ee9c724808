//! Any bytes, in time that grows as they do.

use lab::incident::{Reader, explain};
use lab_invocation::random::Random;
use rstest::rstest;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// A window of the reader, so that what is done again for each window shows.
const SMALL: usize = 256 << 10;
const LARGE: usize = 4 * SMALL;

/// Bytes that look like nothing, the same every time.
fn noise(length: usize) -> Vec<u8> {
    let mut chance = Random::new(1);
    (0..length / 8 + 1).flat_map(|_| chance.next().to_le_bytes()).take(length).collect()
}

fn repeated(text: &str, length: usize) -> Vec<u8> {
    text.bytes().cycle().take(length).collect()
}

/// Processor time of this thread, which others on the machine do not lengthen much.
fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).expect("below a second"))
}

/// The shortest of some tries.
fn costs(text: &[u8], tries: usize) -> Duration {
    let once = || {
        let before = processor_time();
        explain(text).expect("the library can be read");
        processor_time() - before
    };
    (0..tries).map(|_| once()).min().expect("at least one")
}

#[rstest]
#[case::noise(None)]
#[case::one_word(Some("a"))]
#[case::one_line(Some("a word "))]
#[case::lines(Some("\n"))]
#[case::blanks(Some(" "))]
#[case::tags_that_are_none(Some("<"))]
#[case::brackets_that_are_none(Some("[:"))]
#[case::entities_that_are_none(Some("&#"))]
#[case::beginnings_of_a_wording(Some(
    "Group mismatch error. Mailman expected the mail wrapper script to be executed as group "
))]
#[case::beginnings_with_a_long_hole(Some("SYSERR(root): "))]
#[case::whole_wordings(Some("bad group (has: root, expected mailman)\n"))]
#[case::records(Some("Jan 1 h a[1]: x\nJan 1 h b[2]: x\n"))]
#[case::an_envelope_that_does_not_end(Some("courierlocal: "))]
#[case::qmail(Some("delivery 1: deferral: a_b/"))]
fn time_grows_as_the_text_does(#[case] text: Option<&str>) {
    let made = |length| text.map_or_else(|| noise(length), |text| repeated(text, length));
    let (small, large) = (made(SMALL), made(LARGE));
    // Four times the text: four times the work, and room for a busy machine. Were it quadratic, it would be sixteen.
    let grows = |tries| costs(&large, tries).as_secs_f64() / costs(&small, tries).as_secs_f64().max(0.001);
    let first = grows(1);
    let ratio = if first < 8.0 { first } else { first.min(grows(3)) };
    assert!(ratio < 8.0, "{LARGE} bytes take {ratio:.1} times as long as {SMALL}");
}

#[test]
fn what_is_in_it_is_found_wherever_it_stands() {
    let wording = "bad group (has: root, expected mailman)";
    // Around the end of a window, and of the pieces in which it is read.
    for before in [0, 65_536, 253_900, 253_952, 262_100, 262_144, 262_200] {
        for filler in ["a\n", "ab"] {
            let mut text = repeated(filler, before);
            text.extend_from_slice(format!(" {wording} ").as_bytes());
            text.extend(repeated(filler, 20_000));
            let answer = explain(&text).expect("the library can be read");
            let found: Vec<&str> = answer.readings.iter().map(|reading| reading.pattern.as_str()).collect();
            assert_eq!(found, ["mailman-check-perms-group"], "behind {before} bytes of {filler:?}");
            assert_eq!(answer.bytes, text.len() as u64);
        }
    }
}

#[test]
fn pieces_of_any_size_say_the_same() {
    let text =
        b"h postfix/local[1]: status=bounced (Command died with status 2: \"x\". Command output: Group mismatch \
                 error.  Mailman expected the mail wrapper script to be executed as group \"a\", but the system's mail \
                 server executed the mail script as group \"b\".  Try tweaking the mail server\xff\xfe\0";
    let whole = explain(text).expect("the library can be read");
    assert_eq!(whole.readings.len(), 1, "{whole:?}");
    for size in [1, 2, 3, 100] {
        let mut reader = Reader::new().expect("the library can be read");
        text.chunks(size).for_each(|piece| reader.push(piece));
        assert_eq!(reader.finish().expect("the library can be read"), whole, "in pieces of {size}");
    }
}

#[test]
fn a_log_of_many_events_has_a_short_answer() {
    let log: String = (0..5000).map(|number| format!("bad group (has: g{number}, expected mailman)\n")).collect();
    let answer = explain(log.as_bytes()).expect("the library can be read");
    assert!(
        answer.readings.len() < 20 && answer.notes.iter().any(|note| note.contains("left out")),
        "{:?}",
        answer.notes
    );
    let log = "mail_queue_enter: create file maildrop/1.2: Permission denied\n".repeat(5000);
    let answer = explain(log.as_bytes()).expect("the library can be read");
    assert_eq!(answer.readings.iter().map(|reading| reading.times).collect::<Vec<_>>(), [5000]);
}
