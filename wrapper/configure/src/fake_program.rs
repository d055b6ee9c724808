//! ELF files made by hand for tests: one thing about each can be wrong.

use crate::encode::{Values, encode};
use crate::mailman::COMMANDS;
use wrapper::policy::{Kind, RefusalStyle, SECTION_NAME, SECTION_SIZE, unsealed};

/// Where the policy section begins in every fake.
pub(crate) const SECTION_AT: usize = 4096;

/// What a mail wrapper below `/mm` is sealed with: trusts mail 8, is set-group-ID list 38, scripts of mailman 39.
pub(crate) fn mail_values() -> Values {
    Values {
        kind: Kind::Mail,
        trusted: (8, b"mail".to_vec()),
        own: (38, b"list".to_vec()),
        owner: (39, b"mailman".to_vec()),
        prefix: b"/mm".to_vec(),
        interpreter: None,
        commands: COMMANDS.iter().map(|command| command.as_bytes().to_vec()).collect(),
        cgi_script: None,
        variables: Vec::new(),
        refusal: RefusalStyle::Mailman,
    }
}

/// A sound program, sealed.
pub(crate) fn sealed(values: &Values) -> Vec<u8> {
    let mut program = Fake::new(values.kind).build();
    let section = encode(values).expect("sound values");
    program[SECTION_AT..SECTION_AT + SECTION_SIZE].copy_from_slice(&section);
    program
}

/// A 64-bit little-endian program with a header, segments and sections, and no code.
pub(crate) struct Fake {
    pub(crate) kind: Kind,
    pub(crate) section_name: &'static str,
    pub(crate) section_size: usize,
    pub(crate) section_type: u32,
    pub(crate) copies: usize,
    /// `p_flags` of the segment that holds the section: 4 read, 6 read and write.
    pub(crate) segment_flags: u32,
    /// Whether the segment holds the section.
    pub(crate) loaded: bool,
    /// Address of the section, less its place in the file.
    pub(crate) shifted: u64,
    pub(crate) interpreter: Option<&'static [u8]>,
    pub(crate) needs_library: bool,
    /// `e_type`: 1 object file, 2 program, 3 program that can be anywhere, 4 core.
    pub(crate) file_type: u16,
}

impl Fake {
    /// A sound one.
    pub(crate) const fn new(kind: Kind) -> Self {
        Self {
            kind,
            section_name: SECTION_NAME,
            section_size: SECTION_SIZE,
            section_type: 1,
            copies: 1,
            segment_flags: 4,
            loaded: true,
            shifted: 0,
            interpreter: None,
            needs_library: false,
            file_type: 3,
        }
    }

    /// Its bytes.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut sections = unsealed(self.kind).to_vec();
        sections.resize(self.section_size, 0);
        let sections = sections.repeat(self.copies);
        let names = [b"\0", self.section_name.as_bytes(), b"\0.shstrtab\0"].concat();
        let dynamic: Vec<u8> = [u64::from(self.needs_library), 1, 0, 0].iter().flat_map(|n| n.to_le_bytes()).collect();
        let interpreter = self.interpreter.unwrap_or_default();

        let interpreter_at = SECTION_AT + sections.len();
        let dynamic_at = (interpreter_at + interpreter.len()).next_multiple_of(8);
        let names_at = dynamic_at + dynamic.len();
        let headers_at = (names_at + names.len()).next_multiple_of(8);

        let end = if self.loaded { interpreter_at } else { SECTION_AT };
        let mut segments = vec![segment(1, self.segment_flags, 0, end), segment(2, 4, dynamic_at, dynamic.len())];
        if self.interpreter.is_some() {
            segments.push(segment(3, 4, interpreter_at, interpreter.len()));
        }
        let mut headers = vec![section(0, 0, 0, 0, 0)];
        for copy in 0..self.copies {
            let at = SECTION_AT + copy * self.section_size;
            headers.push(section(1, self.section_type, at as u64 + self.shifted, at, self.section_size));
        }
        let names_index = headers.len();
        headers.push(section(self.section_name.len() + 2, 3, 0, names_at, names.len()));

        let mut file = file_header(self.file_type, segments.len(), headers_at, headers.len(), names_index);
        file.extend(segments.concat());
        for (at, part) in [
            (SECTION_AT, sections.as_slice()),
            (interpreter_at, interpreter),
            (dynamic_at, &dynamic),
            (names_at, &names),
            (headers_at, &headers.concat()),
        ] {
            assert!(file.len() <= at, "parts of a fake overlap");
            file.resize(at, 0);
            file.extend(part);
        }
        file
    }
}

fn file_header(file_type: u16, segments: usize, headers_at: usize, headers: usize, names: usize) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x01".to_vec();
    header.resize(16, 0);
    header.extend(file_type.to_le_bytes());
    header.extend(62_u16.to_le_bytes()); // x86-64
    header.extend(1_u32.to_le_bytes());
    for word in [0, 64, headers_at as u64] {
        header.extend(word.to_le_bytes());
    }
    header.extend(0_u32.to_le_bytes());
    for half in [64, 56, small(segments), 64, small(headers), small(names)] {
        header.extend(half.to_le_bytes());
    }
    header
}

fn segment(kind: u32, flags: u32, at: usize, size: usize) -> Vec<u8> {
    let (at, size) = (at as u64, size as u64);
    let mut header = [kind.to_le_bytes(), flags.to_le_bytes()].concat();
    header.extend([at, at, at, size, size, 1].iter().flat_map(|word| word.to_le_bytes()));
    header
}

fn section(name: usize, kind: u32, address: u64, at: usize, size: usize) -> Vec<u8> {
    let mut header = [u32::from(small(name)).to_le_bytes(), kind.to_le_bytes()].concat();
    header.extend([2, address, at as u64, size as u64].iter().flat_map(|word| word.to_le_bytes()));
    header.extend([0_u64, 1, 0].iter().flat_map(|word| word.to_le_bytes()));
    header
}

fn small(number: usize) -> u16 {
    u16::try_from(number).expect("counts in a fake are small")
}
