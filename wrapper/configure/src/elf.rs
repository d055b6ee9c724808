//! Finds the policy section of a program, and makes sure that the program is one which can be trusted with it.

use object::elf::{DT_NEEDED, ET_DYN, ET_EXEC, PF_W, PT_INTERP, PT_LOAD, SHT_PROGBITS};
use object::read::elf::{Dyn, ElfFile, FileHeader, ProgramHeader, SectionHeader};
use object::{Endianness, FileKind, Object, ObjectSection};
use std::fmt;
use std::ops::Range;
use wrapper::policy::{SECTION_NAME, SECTION_SIZE};

/// A program that cannot hold a policy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// No ELF file, or a broken one.
    NotElf(String),
    /// ELF, but no program: an object file, a core.
    NotAProgram,
    /// It wants a loader, and so listens to its environment before `main`.
    Dynamic(String),
    /// No such section.
    NoSection,
    /// More than one.
    SeveralSections(usize),
    /// The section is not the shape of a policy.
    SectionShape(String),
    /// What is in the file is not what the program reads.
    NotLoaded,
    /// The running program could change it.
    Writable,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotElf(error) => write!(f, "not an ELF program ({error})"),
            Self::NotAProgram => write!(f, "an ELF file, but not a program"),
            Self::Dynamic(what) => write!(
                f,
                "dynamically linked ({what}): a loader reads the caller's environment before the program can; \
                 build the wrapper for a static target such as x86_64-unknown-linux-musl"
            ),
            Self::NoSection => write!(
                f,
                "no section {SECTION_NAME}: not one of these wrappers, or stripped of it (strip keeps it, sstrip does not)"
            ),
            Self::SeveralSections(count) => write!(f, "{count} sections {SECTION_NAME}, where there must be one"),
            Self::SectionShape(what) => {
                write!(f, "section {SECTION_NAME} is {what}, where {SECTION_SIZE} bytes are wanted")
            }
            Self::NotLoaded => write!(f, "section {SECTION_NAME} is not part of what the kernel loads"),
            Self::Writable => {
                write!(f, "section {SECTION_NAME} is loaded writable: the program could change its own policy")
            }
        }
    }
}

impl std::error::Error for Unusable {}

/// Where the policy section lies in the file.
///
/// # Errors
/// The file is no static ELF program with exactly one read-only section of that name and size.
pub(crate) fn locate(program: &[u8]) -> Result<Range<usize>, Unusable> {
    let not_elf = |error: object::Error| Unusable::NotElf(error.to_string());
    match FileKind::parse(program).map_err(not_elf)? {
        FileKind::Elf32 => {
            locate_in(&ElfFile::<object::elf::FileHeader32<Endianness>>::parse(program).map_err(not_elf)?)
        }
        FileKind::Elf64 => {
            locate_in(&ElfFile::<object::elf::FileHeader64<Endianness>>::parse(program).map_err(not_elf)?)
        }
        other => Err(Unusable::NotElf(format!("{other:?}"))),
    }
}

fn locate_in<Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, Elf>) -> Result<Range<usize>, Unusable> {
    let endian = file.endian();
    if !matches!(file.elf_header().e_type(endian), ET_EXEC | ET_DYN) {
        return Err(Unusable::NotAProgram);
    }
    let mut named = file.sections().filter(|section| section.name_bytes() == Ok(SECTION_NAME.as_bytes()));
    let Some(section) = named.next() else { return Err(Unusable::NoSection) };
    refuse_dynamic(file)?;
    let more = named.count();
    if more > 0 {
        return Err(Unusable::SeveralSections(more + 1));
    }
    if section.elf_section_header().sh_type(endian) != SHT_PROGBITS {
        return Err(Unusable::SectionShape("without content".to_owned()));
    }
    let (offset, size) = section.file_range().unwrap_or_default();
    if size != SECTION_SIZE as u64 {
        return Err(Unusable::SectionShape(format!("{size} bytes long")));
    }
    let end = offset.checked_add(size).ok_or_else(|| Unusable::SectionShape("beyond any file".to_owned()))?;
    // The address counts, not only the place in the file: the running program reads what is mapped there.
    let loads = |header: &&Elf::ProgramHeader| {
        let (from, length) = header.file_range(endian);
        header.p_type(endian) == PT_LOAD
            && from <= offset
            && end <= from.saturating_add(length)
            && section.address().wrapping_sub(header.p_vaddr(endian).into()) == offset - from
    };
    let Some(segment) = file.elf_program_headers().iter().find(loads) else { return Err(Unusable::NotLoaded) };
    if segment.p_flags(endian) & PF_W != 0 {
        return Err(Unusable::Writable);
    }
    let index = |number: u64| usize::try_from(number).map_err(|_| Unusable::NotLoaded);
    Ok(index(offset)?..index(end)?)
}

/// Static-pie programs have a dynamic section too; what they lack is a loader and libraries.
fn refuse_dynamic<Elf: FileHeader<Endian = Endianness>>(file: &ElfFile<'_, Elf>) -> Result<(), Unusable> {
    let (endian, data) = (file.endian(), file.data());
    for header in file.elf_program_headers() {
        let broken = |error: object::Error| Unusable::NotElf(error.to_string());
        if header.p_type(endian) == PT_INTERP {
            let loader = header.interpreter(endian, data).map_err(broken)?.unwrap_or_default();
            return Err(Unusable::Dynamic(format!("loader {}", loader.escape_ascii())));
        }
        let entries = header.dynamic(endian, data).map_err(broken)?.unwrap_or_default();
        if entries.iter().any(|entry| entry.tag32(endian) == Some(DT_NEEDED)) {
            return Err(Unusable::Dynamic("it needs a shared library".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_program::{Fake, SECTION_AT};
    use rstest::rstest;
    use wrapper::policy::Kind;

    const SOUND: Fake = Fake::new(Kind::Mail);

    #[test]
    fn the_section_is_found() {
        assert_eq!(locate(&SOUND.build()), Ok(SECTION_AT..SECTION_AT + SECTION_SIZE));
        assert_eq!(locate(&Fake { file_type: 2, ..SOUND }.build()), Ok(SECTION_AT..SECTION_AT + SECTION_SIZE));
    }

    #[rstest]
    #[case::other_name(Fake { section_name: ".wrapper.polic", ..SOUND }, "no section .wrapper.policy")]
    #[case::name_with_more(Fake { section_name: ".wrapper.policy2", ..SOUND }, "no section .wrapper.policy")]
    #[case::two(Fake { copies: 2, ..SOUND }, "2 sections")]
    #[case::too_small(Fake { section_size: SECTION_SIZE - 1, ..SOUND }, "4095 bytes long")]
    #[case::too_large(Fake { section_size: SECTION_SIZE + 1, ..SOUND }, "4097 bytes long")]
    #[case::nothing_in_the_file(Fake { section_type: 8, ..SOUND }, "without content")]
    #[case::not_loaded(Fake { loaded: false, ..SOUND }, "not part of what the kernel loads")]
    #[case::read_elsewhere(Fake { shifted: 16, ..SOUND }, "not part of what the kernel loads")]
    #[case::writable(Fake { segment_flags: 6, ..SOUND }, "loaded writable")]
    #[case::loader(Fake { interpreter: Some(b"/lib/ld.so\0"), ..SOUND }, "dynamically linked (loader /lib/ld.so)")]
    #[case::library(Fake { needs_library: true, ..SOUND }, "shared library")]
    #[case::object_file(Fake { file_type: 1, ..SOUND }, "not a program")]
    #[case::core(Fake { file_type: 4, ..SOUND }, "not a program")]
    fn refused(#[case] fake: Fake, #[case] reason: &str) {
        let error = locate(&fake.build()).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
    }

    #[test]
    fn a_file_cut_anywhere_is_refused_without_a_panic() {
        let whole = SOUND.build();
        for length in (0..whole.len()).step_by(7) {
            assert!(locate(&whole[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn no_changed_byte_of_the_headers_makes_it_panic_or_leave_the_file() {
        let whole = SOUND.build();
        let headers = (0..256).chain(SECTION_AT + SECTION_SIZE..whole.len());
        for at in headers {
            let mut changed = whole.clone();
            changed[at] ^= 0xff;
            if let Ok(section) = locate(&changed) {
                assert!(section.end <= changed.len() && section.len() == SECTION_SIZE, "byte {at}");
            }
        }
    }
}
