//! Everything that needs `unsafe`, and nothing else.

#![expect(unsafe_code, reason = "the one module for it")]

use crate::policy::SECTION_SIZE;

/// Puts the policy section into a program, unsealed, and reads what it holds when the program runs.
///
/// To be used once, in the program itself: a section in a library would come with every program that links it.
#[macro_export]
macro_rules! sealed_policy {
    ($kind:expr) => {{
        #[expect(
            unsafe_code,
            reason = "no other item has this section, so that nothing else is overwritten by sealing"
        )]
        #[unsafe(link_section = ".wrapper.policy")]
        #[used]
        static SECTION: [u8; $crate::policy::SECTION_SIZE] = $crate::policy::unsealed($kind);
        $crate::sys::read_section(&SECTION)
    }};
}

/// The section as it is in the running program.
///
/// The compiler knows what the static was built with and would put that, the unsealed value, in place of any plain
/// read; a volatile one it has to perform.
#[must_use]
pub fn read_section(section: &'static [u8; SECTION_SIZE]) -> [u8; SECTION_SIZE] {
    // SAFETY: the pointer comes from a reference, so it is valid, aligned and initialised; a `[u8; N]` may be copied.
    unsafe { std::ptr::from_ref(section).read_volatile() }
}
