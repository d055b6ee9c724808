//! Puts a policy into a built program.

use std::path::Path;
use wrapper::policy::{Kind, SECTION_SIZE, unsealed};

/// The program with this section in the place of its unsealed one.
pub(crate) fn sealed(program: &Path, kind: Kind, section: &[u8; SECTION_SIZE]) -> Vec<u8> {
    let mut bytes = std::fs::read(program).expect("a built program");
    let old = unsealed(kind);
    // By its first bytes, which are compared quickly, and then whole.
    let begins = |at: &usize| bytes[*at] == old[0] && bytes[*at..].starts_with(&old);
    let mut found = (0..bytes.len()).filter(begins);
    let at = found.next().expect("the program has an unsealed section");
    assert_eq!(found.next(), None, "the program has one section only");
    bytes[at..at + SECTION_SIZE].copy_from_slice(section);
    bytes
}
