//! Everything that is committed for a fuzz target is tried again, without a fuzzer: readable seeds, what campaigns found
//! worth keeping, and what was once a finding.

use fuzz_checks::TOKENS;
use fuzz_checks::tally::Tally;
use fuzz_checks::targets::{TARGETS, Target};
use lab_invocation::text::{decode, encode};
use lab_invocation::tokens::parse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The directory above this package, which is that of cargo-fuzz.
fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in fuzz/").to_owned()
}

/// Files of a directory; none if it does not exist.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("can be read").path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name != ".gitkeep"));
    paths.sort();
    paths
}

/// Seeds, corpus and regressions of a target.
fn committed(target: &Target) -> [Vec<PathBuf>; 3] {
    let seeds = if target.attempts { "attempts" } else { target.name };
    [Path::new("seeds").join(seeds), Path::new("corpus").join(target.name), Path::new("regressions").join(target.name)]
        .map(|directory| files(&fuzz().join(directory)))
}

#[test]
fn nothing_that_is_committed_is_a_finding_and_every_check_is_exercised() {
    for target in TARGETS {
        let tally = Tally::new();
        let [seeds, corpus, regressions] = committed(&target);
        assert!(!seeds.is_empty() && !corpus.is_empty(), "{} has no seeds or no corpus", target.name);
        for path in seeds.iter().chain(&corpus).chain(&regressions) {
            let data = fs::read(path).expect("can be read");
            if let Err(finding) = (target.check)(&data, &tally) {
                panic!("{} on {}: {finding}", target.name, path.display());
            }
        }
        for count in target.counts {
            assert!(
                tally.of(count) > 0,
                "{}: nothing that is committed exercises {count}; there are {tally}",
                target.name
            );
        }
        println!("{}: {} files; {tally}", target.name, seeds.len() + corpus.len() + regressions.len());
    }
}

#[test]
fn every_committed_attempt_is_readable_and_one_of_a_corpus_canonical() {
    for target in TARGETS.into_iter().filter(|target| target.attempts) {
        let [seeds, corpus, regressions] = committed(&target);
        for path in seeds.iter().chain(&regressions) {
            let text = fs::read(path).expect("can be read");
            let attempt = decode(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let comments: String =
                String::from_utf8_lossy(&text).lines().filter(|line| line.starts_with('#')).collect();
            assert!(!comments.is_empty(), "{} does not say what it is about", path.display());
            assert_eq!(decode(encode(&attempt).as_bytes()), Ok(attempt));
        }
        // What the parser refuses is worth keeping for the codec only, and so are two texts of one attempt.
        for path in corpus.iter().filter(|_| target.name != "invocation_codec") {
            let text = fs::read_to_string(path).expect("can be read");
            assert_eq!(decode(text.as_bytes()).map(|attempt| encode(&attempt)), Ok(text), "{}", path.display());
        }
    }
}

#[test]
fn what_is_committed_stays_small() {
    let corpora: Vec<PathBuf> = TARGETS.iter().flat_map(|target| committed(target)[1].clone()).collect();
    let bytes: u64 = corpora.iter().map(|path| fs::metadata(path).expect("is there").len()).sum();
    assert!(corpora.len() <= 200 && bytes <= 500_000, "{} files of {bytes} bytes: minimise them", corpora.len());
}

#[test]
fn targets_have_one_list() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    let stem = |path: &PathBuf| path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
    let programs: BTreeSet<String> = files(&fuzz().join("fuzz_targets")).iter().map(stem).collect();
    assert_eq!(programs, names, "fuzz_targets/");
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("cargo-fuzz's manifest");
    let named = |line: &str| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned());
    let binaries: BTreeSet<String> = manifest.lines().skip_while(|line| *line != "[[bin]]").filter_map(named).collect();
    assert_eq!(binaries, names, "fuzz/Cargo.toml");
    let page = fs::read_to_string(fuzz().join("README.md")).expect("the page");
    let row = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let listed: BTreeSet<String> = page.lines().filter_map(row).filter(|name| !name.ends_with('/')).collect();
    assert_eq!(listed, names, "fuzz/README.md");
    for directory in ["corpus", "regressions"] {
        let there: BTreeSet<String> = files(&fuzz().join(directory)).iter().map(stem).collect();
        assert!(there.is_subset(&names), "{directory}/ has {there:?}");
    }
}

/// What is fuzzed is linked with the libraries of the programs that are installed.
#[test]
fn the_libraries_are_those_of_the_project() {
    let locked = |path: PathBuf| -> BTreeSet<(String, String)> {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut lines = text.lines();
        let mut packages = BTreeSet::new();
        while let Some(line) = lines.next() {
            if let Some(name) = line.strip_prefix("name = ") {
                packages.insert((name.to_owned(), lines.next().unwrap_or_default().to_owned()));
            }
        }
        packages
    };
    let (ours, projects) = (locked(fuzz().join("Cargo.lock")), locked(fuzz().join("../Cargo.lock")));
    let names: BTreeSet<&String> = projects.iter().map(|(name, _)| name).collect();
    let others: Vec<_> = ours.difference(&projects).filter(|(name, _)| names.contains(name)).collect();
    assert!(others.is_empty(), "fuzz/Cargo.lock has other versions than Cargo.lock, so copy them: {others:?}");
    assert!(ours.intersection(&projects).any(|(name, _)| name == "\"nix\""), "the wrapper's own are among them");
}

#[test]
fn every_dictionary_is_read() {
    let dictionaries = files(&fuzz().join("dict"));
    assert!(!dictionaries.is_empty());
    for path in dictionaries {
        let text = fs::read_to_string(&path).expect("can be read");
        let words = parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len(), "{}: a word twice", path.display());
    }
    assert!(TOKENS.arguments.len() > 20 && TOKENS.variables.len() > 20 && TOKENS.values.len() > 10);
    let keys = fs::read_to_string(fuzz().join("dict/invocation_codec.dict")).expect("can be read");
    for key in lab_invocation::text::KEYS {
        assert!(keys.contains(&format!("\\x0a{key}")), "dict/invocation_codec.dict lacks the key {key}");
    }
}
