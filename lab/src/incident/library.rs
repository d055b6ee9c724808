//! The library of wordings: what programs print, where that was read, what it means. Data, in `patterns/`.

use super::wording::Wording;
use crate::problem::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The files, with their names for messages.
pub(super) const FILES: [(&str, &str); 8] = [
    ("causes.toml", include_str!("patterns/causes.toml")),
    ("servers.toml", include_str!("patterns/servers.toml")),
    ("mailman.toml", include_str!("patterns/mailman.toml")),
    ("ours.toml", include_str!("patterns/ours.toml")),
    ("submission.toml", include_str!("patterns/submission.toml")),
    ("delivery.toml", include_str!("patterns/delivery.toml")),
    ("queue.toml", include_str!("patterns/queue.toml")),
    ("others.toml", include_str!("patterns/others.toml")),
];

/// Everything that is known.
#[derive(Debug, Default)]
pub(super) struct Library {
    /// By id.
    pub(super) causes: BTreeMap<String, Cause>,
    /// In the order of the file; a server's bit is its place.
    pub(super) servers: Vec<Server>,
    /// In the order of the files.
    pub(super) patterns: Vec<Pattern>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    cause: Vec<Cause>,
    #[serde(default)]
    server: Vec<Server>,
    #[serde(default)]
    pattern: Vec<Pattern>,
}

/// Why something happens.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Cause {
    /// Stable name.
    pub(super) id: String,
    /// What kind of cause it is.
    pub(super) class: Class,
    /// As the end of "because …".
    pub(super) what: String,
    /// What can be done.
    #[serde(default)]
    pub(super) remedy: Vec<Step>,
    /// Scenarios that reproduce it, as `lab run` takes them.
    pub(super) lab: Option<String>,
}

/// Kinds of causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The caller's real group is not the trusted one.
    GroupMismatch,
    /// A group has no row in the database, or the database cannot be asked.
    UnknownGroup,
    /// A set-id bit is missing, or it is there and does not act.
    BitNotActing,
    /// Owner, group or mode of a queue's directories or programs.
    QueuePermissions,
    /// Owner, group or mode of another file.
    FilePermissions,
    /// No space, or mounted read-only.
    FileSystem,
    /// The mail system is not running.
    NotRunning,
    /// A rule of the server forbids what was asked: smrsh, suexec, `restrictqrun`.
    PolicyRefused,
    /// The command could not be started.
    CannotExecute,
    /// The command ran, and ended with a failure of its own.
    ProgramFailed,
    /// The wrapper admitted its caller; the script behind it failed.
    ScriptFailed,
    /// The wrong one of several programs or queues was asked.
    WrongProgram,
    /// The wrapper was started with arguments that it does not take.
    WrongArguments,
    /// Settings of the server contradict each other.
    ServerSettings,
    /// The wrapper's own settings are missing or unsound.
    WrapperSettings,
    /// Something around the process keeps it from becoming safe.
    UnsafeProcess,
}

/// A remedy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Step {
    pub(super) what: String,
    #[serde(default)]
    pub(super) how: Vec<String>,
    pub(super) price: String,
    /// Only for this kind of wrapper.
    pub(super) side: Option<Side>,
}

/// Which of the two wrappers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// That of mail servers.
    Mail,
    /// That of web servers.
    Web,
}

impl Side {
    /// The option that names the trusted group.
    pub(super) fn option(self) -> &'static str {
        match self {
            Self::Mail => "--with-mail-gid",
            Self::Web => "--with-cgi-gid",
        }
    }
}

/// A mail or web server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) side: Side,
    /// Wordings of its own, each with the place where it was read.
    #[serde(rename = "mark")]
    pub(super) marks: Vec<Mark>,
    /// How to make it start a wrapper as another group.
    pub(super) remedy: Vec<Step>,
    /// Scenarios that play its identities.
    pub(super) lab: String,
    /// Where more is to be found.
    pub(super) look: String,
    /// Its units, by the names that distributions use.
    pub(super) units: Vec<String>,
}

/// Something that gives a server away.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Mark {
    pub(super) says: String,
    pub(super) source: String,
    /// Counts only in front of a message, where a log puts names.
    #[serde(default)]
    pub(super) envelope: bool,
}

/// What a program prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Pattern {
    /// Stable name.
    pub(super) id: String,
    /// Program, version, file or document where the wording was read.
    pub(super) source: String,
    /// The wording, in each of its forms.
    pub(super) says: Vec<Wording>,
    /// What happened, with the holes of the wording.
    pub(super) happened: String,
    /// Every cause that produces this text. With one the text says it; with several it cannot be told.
    pub(super) cause: Vec<Candidate>,
    /// The one command that tells the causes apart, or confirms the only one.
    pub(super) tell: Option<String>,
    /// What looks like it and is not, or what it must not be taken for.
    pub(super) beware: Option<String>,
    /// The server whose own wording it is.
    pub(super) server: Option<String>,
    /// The wrapper that it is about, where the wording has no hole `wrapper`.
    pub(super) side: Option<Side>,
    /// What a hole must hold.
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<Condition>,
    /// Says only how something ended: gives way to whatever says why.
    #[serde(default)]
    pub(super) weak: bool,
    /// Patterns that say less of the same event.
    #[serde(default)]
    pub(super) absorbs: Vec<String>,
    /// Remedies of this pattern alone, after those of the server and before those of the cause.
    #[serde(default)]
    pub(super) remedy: Vec<Step>,
    /// Files whose owner, mode and mount tell more.
    #[serde(default)]
    pub(super) files: Vec<String>,
    /// Texts that it must recognise.
    pub(super) examples: Vec<String>,
}

/// One cause of several.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Candidate {
    pub(super) is: String,
    /// What the command shows if this is it.
    pub(super) shows: Option<String>,
    /// Possible, but far less usual than the others.
    #[serde(default)]
    pub(super) rare: bool,
}

/// What a hole must hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Condition {
    pub(super) hole: String,
    /// One of these, exactly.
    #[serde(default)]
    pub(super) is: Vec<String>,
    /// One of these, anywhere in it.
    #[serde(default)]
    pub(super) has: Vec<String>,
    /// None of these, exactly.
    #[serde(default)]
    pub(super) not: Vec<String>,
}

impl Condition {
    /// Whether a value fits.
    pub(super) fn admits(&self, value: &str) -> bool {
        (self.is.is_empty() || self.is.iter().any(|is| is == value))
            && (self.has.is_empty() || self.has.iter().any(|has| value.contains(has.as_str())))
            && !self.not.iter().any(|not| not == value)
    }
}

/// The library, which is part of the program.
///
/// # Errors
/// It cannot be read: a defect, which a test of this project would have found.
pub(super) fn library() -> Result<&'static Library, Problem> {
    static LIBRARY: OnceLock<Result<Library, String>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| read(&FILES));
    library.as_ref().map_err(|error| Problem::internal("the library of wordings cannot be read").found(error))
}

/// Reads files.
pub(super) fn read(files: &[(&str, &str)]) -> Result<Library, String> {
    let mut library = Library::default();
    for (name, text) in files {
        let file: File = toml::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        for cause in file.cause {
            let id = cause.id.clone();
            if library.causes.insert(id.clone(), cause).is_some() {
                return Err(format!("{name}: cause {id} is there twice"));
            }
        }
        library.servers.extend(file.server);
        for pattern in file.pattern {
            let faults = pattern.faults(&library);
            if let Some(fault) = faults.first() {
                return Err(format!("{name}: pattern {}: {fault}", pattern.id));
            }
            library.patterns.push(pattern);
        }
    }
    Ok(library)
}

impl Pattern {
    /// What is wrong with it, given what was read before it.
    fn faults(&self, library: &Library) -> Vec<String> {
        let mut faults = Vec::new();
        if library.patterns.iter().any(|other| other.id == self.id) {
            faults.push("it is there twice".to_owned());
        }
        if self.says.is_empty() || self.examples.is_empty() || self.cause.is_empty() || self.source.is_empty() {
            faults.push("it needs a source, a wording, an example and a cause".to_owned());
        }
        if self.cause.len() > 1 && self.tell.is_none() {
            faults.push("nothing tells its causes apart".to_owned());
        }
        for candidate in self.cause.iter().filter(|candidate| !library.causes.contains_key(&candidate.is)) {
            faults.push(format!("there is no cause {}", candidate.is));
        }
        for id in self.server.iter().filter(|&id| library.servers.iter().all(|server| server.id != *id)) {
            faults.push(format!("there is no server {id}"));
        }
        // What a sentence or a condition asks for must be in every form of the wording.
        let named = self.happened.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        for name in named.chain(self.conditions.iter().map(|condition| condition.hole.as_str())) {
            if !self.says.iter().all(|says| says.holes().any(|hole| hole == name)) {
                faults.push(format!("a form of its wording has no hole {name}"));
            }
        }
        faults
    }
}
