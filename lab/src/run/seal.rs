//! Sealing the subjects: `wrapper-configure seal` once for each distinct policy, and what it made kept by the hashes of
//! both programs and the policy. Only the section is kept; the rest of the file is the same for every policy.

mod configure;

use crate::backend::Blob;
use crate::case::{Kind, Policy, Sealing, Subject, TOOL};
use crate::problem::Problem;
use crate::run::programs::Programs;
use crate::run::section::{self, SIZE};
use configure::{arguments, group_file, passwd_file, run_configure};
use lab_invocation::Bytes;
use lab_invocation::layout::Digest;
use lab_invocation::protocol::Patch;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A program before it is sealed.
#[derive(Debug)]
struct Program {
    path: PathBuf,
    bytes: Arc<Bytes>,
    digest: [u8; 32],
    /// Where its section is; `None` for a foreign program, which is taken as it is.
    section: Option<Range<usize>>,
}

/// A file that can be installed: a program and its section.
#[derive(Clone, Debug)]
struct Sealed {
    name: String,
    program: Arc<Bytes>,
    program_digest: [u8; 32],
    section: Option<(usize, Box<[u8; SIZE]>)>,
}

impl Sealed {
    /// SHA-256 of the file.
    fn digest(&self) -> Digest {
        let program = self.program.as_slice();
        let Some((at, section)) = &self.section else { return Digest(self.program_digest) };
        let mut hash = Sha256::new();
        hash.update(program.get(..*at).unwrap_or_default());
        hash.update(section.as_slice());
        hash.update(program.get(*at + SIZE..).unwrap_or_default());
        Digest(hash.finalize().into())
    }

    fn blob(&self) -> Blob {
        let patch = |(at, section): &(usize, Box<[u8; SIZE]>)| Patch {
            at: u64::try_from(*at).unwrap_or(u64::MAX),
            bytes: section.as_slice().into(),
        };
        Blob {
            program: Digest(self.program_digest),
            bytes: Arc::clone(&self.program),
            patch: self.section.as_ref().map(patch),
        }
    }
}

/// Seals subjects and keeps what it sealed.
#[derive(Debug)]
pub struct Sealer {
    configure: PathBuf,
    configure_digest: [u8; 32],
    cache: Option<PathBuf>,
    programs: BTreeMap<String, Program>,
    sound: BTreeMap<[u8; 32], Box<[u8; SIZE]>>,
    sealed: BTreeMap<Digest, Sealed>,
    by_subject: BTreeMap<[u8; 32], Digest>,
}

impl Sealer {
    /// For these programs.
    ///
    /// # Errors
    /// `wrapper-configure` is not there.
    pub fn new(programs: &Programs) -> Result<Self, Problem> {
        let configure = programs.path("wrapper-configure")?.to_owned();
        let configure_digest = Sha256::digest(read(&configure)?).into();
        Ok(Self {
            configure,
            configure_digest,
            cache: programs.cache.as_ref().map(|dir| dir.join("sealed")),
            programs: BTreeMap::new(),
            sound: BTreeMap::new(),
            sealed: BTreeMap::new(),
            by_subject: BTreeMap::new(),
        })
    }

    /// Of no programs.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self {
            configure: PathBuf::new(),
            configure_digest: [0; 32],
            cache: None,
            programs: BTreeMap::new(),
            sound: BTreeMap::new(),
            sealed: BTreeMap::new(),
            by_subject: BTreeMap::new(),
        }
    }

    /// Reads a program. With `foreign` it is never sealed.
    ///
    /// # Errors
    /// It cannot be read, or it should have a section and has none.
    pub fn add(&mut self, name: &str, path: &Path, foreign: bool) -> Result<[u8; 32], Problem> {
        if let Some(program) = self.programs.get(name) {
            return Ok(program.digest);
        }
        let bytes = read(path)?;
        let digest = Sha256::digest(&bytes).into();
        // The tool has no section: it writes those of others.
        let section = match (foreign || name == TOOL, section::find(&bytes)) {
            (true, _) => None,
            (false, Ok(section)) => {
                if let Some(loader) = crate::backend::libraries::interpreter(&bytes) {
                    return Err(Problem::usage(format!("{}: cannot be sealed", path.display()))
                        .found(format!(
                            "it is dynamically linked: {} would read the caller's environment before it",
                            loader.display()
                        ))
                        .cure(format!(
                            "build it for a static target, such as {}-unknown-linux-musl",
                            std::env::consts::ARCH
                        )));
                }
                Some(section)
            }
            (false, Err(found)) => {
                return Err(Problem::usage(format!("{}: cannot be sealed", path.display())).found(found).cure(
                    "a wrapper which was not built from this project is described by a profile: --profile FILE",
                ));
            }
        };
        self.programs
            .insert(name.to_owned(), Program { path: path.to_owned(), bytes: Arc::new(Bytes(bytes)), digest, section });
        Ok(digest)
    }

    /// Seals a subject. `other_kind` names the program whose section is transplanted for the condition "wrong kind".
    ///
    /// # Errors
    /// `wrapper-configure` refuses the policy.
    pub fn seal(&mut self, subject: &Subject) -> Result<Digest, Problem> {
        let program = self.program(&subject.program)?;
        let Some(place) = program.section.clone() else {
            return self.unsealed(&subject.program);
        };
        let (bytes, program_digest) = (program.bytes.clone(), program.digest);
        let key = key(&[&program.digest, format!("{:?}", subject.policy).as_bytes()]);
        if let Some(digest) = self.by_subject.get(&key) {
            return Ok(*digest);
        }
        let mut unsealed = Box::new([0; SIZE]);
        unsealed.copy_from_slice(&bytes.as_slice()[place.clone()]);
        let mut made = self.sound(&subject.program, &subject.policy)?;
        let other = match subject.policy.condition {
            Sealing::WrongKind => Some(self.other_kind(&subject.policy)?),
            _ => None,
        };
        section::bring_into(subject.policy.condition, &mut made, &unsealed, other.as_deref());
        let section = Some((place.start, made));
        let sealed = Sealed { name: subject.program.clone(), program: bytes, program_digest, section };
        let digest = sealed.digest();
        self.sealed.insert(digest, sealed);
        self.by_subject.insert(key, digest);
        Ok(digest)
    }

    /// A program as it was built.
    ///
    /// # Errors
    /// It was not added.
    pub fn unsealed(&mut self, name: &str) -> Result<Digest, Problem> {
        let program = self.program(name)?;
        let (bytes, program_digest) = (program.bytes.clone(), program.digest);
        let sealed = Sealed { name: name.to_owned(), program: bytes, program_digest, section: None };
        let digest = sealed.digest();
        self.sealed.insert(digest, sealed);
        Ok(digest)
    }

    /// The file of a digest.
    pub fn blob(&self, digest: Digest) -> Option<Blob> {
        self.sealed.get(&digest).map(Sealed::blob)
    }

    /// Takes a file that was sealed before.
    pub fn adopt(&mut self, digest: Digest, name: &str, bytes: Bytes) {
        let sealed =
            Sealed { name: name.to_owned(), program: Arc::new(bytes), program_digest: digest.0, section: None };
        self.sealed.insert(digest, sealed);
    }

    /// SHA-256 of a program before it is sealed, hexadecimal.
    pub fn program_digest(&self, name: &str) -> Option<String> {
        self.programs.get(name).map(|program| super::tree::hex(&program.digest))
    }

    /// The programs before they are sealed, by name.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.programs.iter().map(|(name, program)| (name.as_str(), program.bytes.as_slice()))
    }

    /// What was sealed: digest of the file, name of the program, place and content of its section. The section of a
    /// program that is not sealed is empty.
    pub fn sections(&self) -> impl Iterator<Item = (Digest, &str, usize, &[u8])> {
        self.sealed.iter().map(|(digest, sealed)| match &sealed.section {
            Some((at, section)) => (*digest, sealed.name.as_str(), *at, section.as_slice()),
            None => (*digest, sealed.name.as_str(), 0, [].as_slice()),
        })
    }

    fn program(&self, name: &str) -> Result<&Program, Problem> {
        self.programs.get(name).ok_or_else(|| Problem::internal(format!("{name} was not read before it was sealed")))
    }

    fn other_kind(&mut self, policy: &Policy) -> Result<Box<[u8; SIZE]>, Problem> {
        let (kind, name, script) = match policy.kind {
            Kind::Mail => (Kind::Cgi, "cgi-wrapper", Some("listinfo".into())),
            Kind::Cgi => (Kind::Mail, "mail-wrapper", None),
        };
        let beside = self.configure.with_file_name(name);
        self.add(name, &beside, false)?;
        self.sound(name, &Policy { kind, script, keep: None, condition: Sealing::Sound, ..policy.clone() })
    }

    fn sound(&mut self, name: &str, policy: &Policy) -> Result<Box<[u8; SIZE]>, Problem> {
        let program = self.program(name)?;
        let arguments = arguments(policy);
        let groups = group_file(policy);
        let users = passwd_file(policy);
        let mut parts: Vec<&[u8]> = vec![&self.configure_digest, &program.digest, groups.as_bytes(), users.as_bytes()];
        parts.extend(arguments.iter().map(|argument| argument.as_bytes()));
        let key = key(&parts);
        if let Some(section) = self.sound.get(&key) {
            return Ok(section.clone());
        }
        let kept = self.cache.as_ref().map(|dir| dir.join(super::tree::hex(&key)));
        if let Some(section) = kept.as_ref().and_then(|path| fs::read(path).ok()).and_then(|bytes| boxed(&bytes)) {
            self.sound.insert(key, section.clone());
            return Ok(section);
        }
        let section = run_configure(&self.configure, program, &arguments, &groups, &users)?;
        if let Some(path) = kept {
            keep(&path, section.as_slice());
        }
        self.sound.insert(key, section.clone());
        Ok(section)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(|error| Problem::usage(format!("{}: cannot be read", path.display())).found(error))
}

fn boxed(bytes: &[u8]) -> Option<Box<[u8; SIZE]>> {
    <[u8; SIZE]>::try_from(bytes).ok().map(Box::new)
}

fn key(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Keeps a section for later runs. Losing it costs some milliseconds, so that failing is no error.
fn keep(path: &Path, section: &[u8]) {
    let Some(dir) = path.parent() else { return };
    drop(fs::create_dir_all(dir));
    // Two labs at once may write the same file: each writes its own and renames it.
    if let Ok(mut file) = tempfile::NamedTempFile::new_in(dir)
        && file.write_all(section).is_ok()
    {
        drop(file.persist(path));
    }
}
