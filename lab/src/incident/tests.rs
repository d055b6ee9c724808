use super::library::{FILES, library, read};
use super::{Answer, explain};
use std::collections::BTreeSet;

fn answer(text: &str) -> Answer {
    explain(text.as_bytes()).expect("the library can be read")
}

#[test]
fn every_pattern_recognises_its_examples_and_no_other_claims_them() {
    let library = library().expect("the library can be read");
    let mut faults = Vec::new();
    for pattern in &library.patterns {
        for example in &pattern.examples {
            let claimed: Vec<String> = answer(example).readings.into_iter().map(|reading| reading.pattern).collect();
            if claimed != [pattern.id.clone()] {
                faults.push(format!("{}: {example:?} is claimed by {claimed:?}", pattern.id));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_in_the_library_is_without_use() {
    let library = library().expect("the library can be read");
    let used: BTreeSet<&str> =
        library.patterns.iter().flat_map(|pattern| &pattern.cause).map(|candidate| candidate.is.as_str()).collect();
    let known: BTreeSet<&str> = library.causes.keys().map(String::as_str).collect();
    assert_eq!(used, known, "causes that no pattern has");
    for pattern in &library.patterns {
        for absorbed in &pattern.absorbs {
            let there = library.patterns.iter().any(|other| other.id == *absorbed);
            assert!(there && *absorbed != pattern.id, "{}: absorbs {absorbed}", pattern.id);
        }
    }
    assert!(library.servers.len() <= 16, "servers are bits of sixteen");
}

#[test]
fn a_fault_in_the_library_is_found() {
    let sound = "[[pattern]]\nid = 'a'\nsource = 'x'\nsays = ['long enough']\nhappened = 'x'\n\
                 cause = [{ is = 'mode-bit' }]\nexamples = ['an example']";
    let faults = [
        ("[[pattern]]\nid = 'a'\nsays = ['long enough']\nsoruce = 'x'", "soruce"),
        ("[[cause]]\nid = 'a'\nclass = 'no-such-class'\nwhat = 'x'", "no-such-class"),
        ("[[cause]]\nid = 'mode-bit'\nclass = 'bit-not-acting'\nwhat = 'x'", "there twice"),
        ("[[pattern]]\nid = 'a'\nsource = 'x'\nsays = ['tiny {a:word}']", "begin with"),
        (&sound.replace("'mode-bit'", "'no-such-cause'"), "no-such-cause"),
        (&sound.replace("happened = 'x'", "happened = 'x {hole}'"), "no hole hole"),
        (&sound.replace("happened = 'x'", "happened = 'x'\nserver = 'no-such-server'"), "no-such-server"),
        (&sound.replace("'a'", "'sudo-mode'"), "there twice"),
        (&sound.replace("['an example']", "[]"), "an example"),
        (&sound.replace("}]", "}, { is = 'traced' }]"), "apart"),
    ];
    let with = |text| read(&FILES.into_iter().chain([("more.toml", text)]).collect::<Vec<_>>());
    with(sound).expect("it is sound without a fault");
    for (text, says) in faults {
        let error = with(text).expect_err("a fault");
        assert!(error.contains("more.toml") && error.contains(says), "{error}");
    }
}
