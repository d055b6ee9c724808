//! `seal`: a copy of a wrapper with a policy in it. Needs no privilege, and gives none: owner, group and the
//! set-group-ID bit come with `install`.

use crate::accounts::Accounts;
use crate::cli;
use crate::encode::encode;
use crate::place::Unplaced;
use crate::program::Program;
use crate::queue;
use crate::settings;
use crate::shown::shown;
use std::error::Error;
use std::io::Write;
use std::path::Path;
use wrapper::policy::{Kind, SECTION_SIZE, decode_queue};

/// Mode of a sealed program which is not installed.
const MODE: u32 = 0o755;

/// Runs `seal`.
///
/// # Errors
/// The program cannot hold a policy, the settings make none, or the output cannot be written.
pub(crate) fn run(arguments: &cli::Seal, out: &mut dyn Write, notes: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let program = Program::read(&arguments.binary)?;
    settings::refuse_foreign(&arguments.settings)?;
    settings::refuse_other_kind(&arguments.settings, program.kind())?;
    if program.kind() != Kind::Queue {
        queue::refuse_for(program.kind(), &arguments.queue)?;
    }
    if program.kind() == Kind::Mail && arguments.cgi_script.is_some() {
        return Err("--cgi-script has no meaning for a mail-wrapper; name its commands with --command".into());
    }
    if program.kind() == Kind::Queue && arguments.cgi_script.is_some() {
        return Err("--cgi-script has no meaning for a queue-writer; it starts nothing".into());
    }
    let databases = &arguments.settings.databases;
    let accounts = Accounts::read(&databases.group_file, &databases.passwd_file)?;
    if program.kind() == Kind::Queue {
        let section = queue::seal(&arguments.settings, &arguments.queue, &accounts)?;
        let policy = decode_queue(&section)?;
        let own = format!("{} {}", policy.own.name, policy.own.gid);
        let does = format!("writes into {} and is to be set-group-ID {own}", shown(policy.directory));
        return write(arguments, &program, &section, &does, out);
    }
    let (values, remarks) =
        settings::resolve(&arguments.settings, program.kind(), arguments.cgi_script.as_deref(), &accounts)?;
    let section = encode(&values)?;
    for remark in remarks {
        writeln!(notes, "note: {remark}")?;
    }
    let does = format!(
        "trusts {} {} and is to be set-group-ID {} {}",
        values.trusted.1.escape_ascii(),
        values.trusted.0,
        values.own.1.escape_ascii(),
        values.own.0,
    );
    write(arguments, &program, &section, &does, out)
}

/// Writes the sealed program, and says what it does.
fn write(
    arguments: &cli::Seal,
    program: &Program,
    section: &[u8; SECTION_SIZE],
    does: &str,
    out: &mut dyn Write,
) -> Result<(), Box<dyn Error>> {
    let sealed = program.with_section(section);
    if arguments.output == Path::new("-") {
        return Ok(out.write_all(&sealed)?);
    }
    let file = Unplaced::write(&arguments.output, &sealed)?;
    file.set_mode(MODE)?;
    file.place()?;
    writeln!(out, "sealed {}: a {} which {does}", shown(&arguments.output), program.kind().program())?;
    Ok(())
}
