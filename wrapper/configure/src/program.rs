//! A wrapper as a file: its bytes, and where its policy lies in them.

use crate::elf::{self, Unusable};
use crate::opened::Opened;
use crate::shown::shown;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use wrapper::policy::{self, Kind, Policy, PolicyError, QueuePolicy, SECTION_SIZE};

/// Larger than any debug build of a wrapper; a bound because anything can be named on the command line.
const LARGEST_PROGRAM: u64 = 256 << 20;

/// A program with a policy section, sealed or not.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Where it was read from, for messages.
    path: PathBuf,
    content: Vec<u8>,
    section: Range<usize>,
    kind: Kind,
}

/// A file that is not such a program.
#[derive(Debug)]
pub(crate) struct NotAWrapper {
    path: PathBuf,
    because: Because,
}

#[derive(Debug)]
enum Because {
    Unreadable(io::Error),
    NotAFile,
    TooLarge,
    Elf(Unusable),
    /// The section is there, but its head is none that this version knows.
    Head(PolicyError),
}

impl fmt::Display for NotAWrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", shown(&self.path), self.reason())
    }
}

impl std::error::Error for NotAWrapper {}

impl NotAWrapper {
    /// A file that could not be opened.
    pub(crate) fn unreadable(path: &Path, errno: nix::errno::Errno) -> Self {
        Self { path: path.to_owned(), because: Because::Unreadable(errno.into()) }
    }

    /// The reason without the path.
    pub(crate) fn reason(&self) -> String {
        match &self.because {
            Because::Unreadable(error) => format!("cannot be read: {error}"),
            Because::NotAFile => "not a regular file, so not a program".to_owned(),
            Because::TooLarge => format!("larger than {} MiB, so not one of these wrappers", LARGEST_PROGRAM >> 20),
            Because::Elf(error) => error.to_string(),
            Because::Head(error) => format!("its policy section belongs to another version of these wrappers: {error}"),
        }
    }
}

impl Program {
    /// Reads a program that the user of this program has named, and finds its policy section.
    ///
    /// # Errors
    /// It cannot be read, or is not one of these wrappers.
    pub(crate) fn read(path: &Path) -> Result<Self, NotAWrapper> {
        match Opened::named(path) {
            Ok(opened) => Self::read_open(path, &opened),
            Err(errno) => Err(NotAWrapper::unreadable(path, errno)),
        }
    }

    /// The same for an open file; `path` is only for messages.
    ///
    /// # Errors
    /// It cannot be read, or is not one of these wrappers.
    pub(crate) fn read_open(path: &Path, opened: &Opened) -> Result<Self, NotAWrapper> {
        let content = content(opened).map_err(|because| NotAWrapper { path: path.to_owned(), because })?;
        Self::parse(path, content)
    }

    /// Finds the policy section of a program that has been read.
    ///
    /// # Errors
    /// It is not one of these wrappers.
    pub(crate) fn parse(path: &Path, content: Vec<u8>) -> Result<Self, NotAWrapper> {
        let fail = |because| NotAWrapper { path: path.to_owned(), because };
        let section = elf::locate(&content).map_err(|error| fail(Because::Elf(error)))?;
        let kind = policy::kind_of(array(&content, &section)).map_err(|error| fail(Because::Head(error)))?;
        Ok(Self { path: path.to_owned(), content, section, kind })
    }

    /// Where it was read from.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What it is for.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// Its policy, as the program itself will read it.
    ///
    /// # Errors
    /// It is not sealed, or damaged: then it refuses everybody.
    pub(crate) fn policy(&self) -> Result<Policy<'_>, PolicyError> {
        policy::decode(array(&self.content, &self.section), self.kind)
    }

    /// The policy of a queue writer, as the program itself will read it.
    ///
    /// # Errors
    /// It is not sealed, or damaged, or the program is a wrapper.
    pub(crate) fn queue_policy(&self) -> Result<QueuePolicy<'_>, PolicyError> {
        policy::decode_queue(array(&self.content, &self.section))
    }

    /// The same program with another policy section.
    pub(crate) fn with_section(&self, section: &[u8; SECTION_SIZE]) -> Vec<u8> {
        let mut content = self.content.clone();
        content[self.section.clone()].copy_from_slice(section);
        content
    }
}

/// `elf::locate` returns ranges of exactly this size inside the file.
fn array<'a>(content: &'a [u8], section: &Range<usize>) -> &'a [u8; SECTION_SIZE] {
    content[section.clone()].first_chunk().expect("the section has the size that elf::locate has checked")
}

fn content(opened: &Opened) -> Result<Vec<u8>, Because> {
    if !opened.is_file() {
        return Err(Because::NotAFile);
    }
    let mut content = Vec::new();
    (&opened.file).take(LARGEST_PROGRAM + 1).read_to_end(&mut content).map_err(Because::Unreadable)?;
    if content.len() as u64 > LARGEST_PROGRAM {
        return Err(Because::TooLarge);
    }
    Ok(content)
}
