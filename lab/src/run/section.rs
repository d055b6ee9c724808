//! The sealed section of a wrapper, as far as damaging it needs: where it is, and where its fields are. What the fields
//! mean is the business of `wrapper-configure`; the lab has neither encoder nor decoder.

use crate::case::Sealing;
use object::{Object, ObjectSection};
use std::ops::Range;

/// Name of the section.
pub const NAME: &str = ".wrapper.policy";

/// Size of the section in bytes.
pub const SIZE: usize = 4096;

const VERSION: Range<usize> = 16..18;
const BODY_LENGTH: Range<usize> = 20..24;
const BODY: usize = 32;

/// Where the section lies in a file.
///
/// # Errors
/// The file is no ELF file, or has no such section of the right size, in words.
pub fn find(program: &[u8]) -> Result<Range<usize>, String> {
    let file = object::File::parse(program).map_err(|error| format!("not an ELF file: {error}"))?;
    let section = file.section_by_name(NAME).ok_or_else(|| format!("it has no section {NAME}"))?;
    let (start, size) = section.file_range().ok_or_else(|| format!("its section {NAME} takes no room in the file"))?;
    let start = usize::try_from(start).map_err(|error| error.to_string())?;
    if size != SIZE as u64 {
        return Err(format!("its section {NAME} has {size} bytes instead of {SIZE}"));
    }
    let range = start..start + SIZE;
    if program.len() < range.end {
        return Err(format!("its section {NAME} lies behind the end of the file"));
    }
    Ok(range)
}

/// Brings a sound section into a condition. `unsealed` is the section as it comes from the compiler, `other_kind` a sound
/// section of the other kind of wrapper.
pub fn bring_into(
    condition: Sealing,
    section: &mut [u8; SIZE],
    unsealed: &[u8; SIZE],
    other_kind: Option<&[u8; SIZE]>,
) {
    let body = usize::try_from(u32::from_le_bytes([section[20], section[21], section[22], section[23]]))
        .map_or(SIZE - BODY, |length| length.min(SIZE - BODY));
    match condition {
        Sealing::Sound => {}
        Sealing::Unsealed => *section = *unsealed,
        Sealing::Damaged => section[BODY + body / 2] ^= 0x01,
        // Half of the section itself would mostly be padding: cut what is used.
        Sealing::Truncated => section[BODY + body / 2..].fill(0),
        Sealing::WrongKind => {
            if let Some(other) = other_kind {
                *section = *other;
            }
        }
        Sealing::WrongVersion => section[VERSION].copy_from_slice(&9u16.to_le_bytes()),
        Sealing::OverLong => section[BODY_LENGTH].copy_from_slice(&0xffffu32.to_le_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::{BODY, SIZE, bring_into};
    use crate::case::Sealing;
    use rstest::rstest;

    fn sound() -> [u8; SIZE] {
        let mut section = [0; SIZE];
        section[16] = 1;
        section[20] = 100;
        section[BODY..BODY + 100].fill(7);
        section
    }

    #[rstest]
    #[case(Sealing::Sound, 0..0)]
    #[case(Sealing::Damaged, BODY..BODY + 100)]
    #[case(Sealing::Truncated, BODY + 50..BODY + 100)]
    #[case(Sealing::WrongVersion, 16..18)]
    #[case(Sealing::OverLong, 20..24)]
    fn one_thing_at_a_time(#[case] condition: Sealing, #[case] may_differ: std::ops::Range<usize>) {
        let mut section = sound();
        bring_into(condition, &mut section, &[0; SIZE], None);
        let differs: Vec<usize> = (0..SIZE).filter(|&at| section[at] != sound()[at]).collect();
        assert_eq!(differs.is_empty(), condition == Sealing::Sound);
        assert!(differs.iter().all(|at| may_differ.contains(at)), "{condition:?} changes {differs:?}");
    }

    #[test]
    fn unsealed_and_wrong_kind_are_whole_sections() {
        let mut section = sound();
        bring_into(Sealing::WrongKind, &mut section, &[0; SIZE], Some(&[3; SIZE]));
        assert_eq!(section, [3; SIZE]);
        bring_into(Sealing::Unsealed, &mut section, &[5; SIZE], None);
        assert_eq!(section, [5; SIZE]);
    }
}
