//! A new scenario file, and one to start from, which passes `lab check` as it is.

use super::Report;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What a new file begins as.
pub const TEXT: &str = r#"# Read a row across: one invoker, and what the wrapper must do with it.

title  = "Say here, in one line, what the wrapper must do"
why    = """
Say here why anybody should care: what goes wrong where it does something else.
"""
source = ["execve(2)"]          # where the rule is written

[subject]
program = "mail-wrapper"
install = { owner = "root", group = "list", mode = "2755" }
trusts  = "mail"
args    = ["post", "announce"]

[invoker]
exim-pipe = { user = "Debian-exim", group = "mail" }

[[case]]
name    = "control: nothing is changed"
control = true                  # if this one fails, the others prove nothing
outcome = "admitted"

[[case]]
name    = "what is different, in words"
given   = { mount = ["nosuid"] }
outcome = "not-privileged"

[outcome.admitted]
exit   = 0
script = { started = true, effective-gid = "{own}" }

[outcome.not-privileged]
exit   = 9
stderr = ["not running set-group-ID"]
script = { started = false }
"#;

/// Makes a new file `ID.toml` with this text in the scenarios directory. An existing one is left alone.
///
/// # Errors
/// The name is no id of a scenario, the file exists, or it cannot be written.
pub fn create(directory: &Path, id: &str, text: &str) -> Result<PathBuf, Box<Report>> {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let parts: Vec<&str> = id.split('/').collect();
    if parts.len() != 2
        || !parts.iter().all(|name| part(name))
        || [super::PROFILES, super::DEPLOY, super::DOCKER].contains(&parts[0])
    {
        let title = format!("\"{id}\" is not the name of a scenario");
        let help = "write FOLDER/NAME in small letters, digits and hyphens: install/nosuid-mount";
        return Err(Box::new(Report::of_file(id, title).help(help)));
    }
    let path = directory.join(format!("{id}.toml"));
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::File::create_new(&path)?.write_all(text.as_bytes())
    };
    match write() {
        Ok(()) => Ok(path),
        Err(error) => {
            Err(Box::new(Report::of_file(path.display().to_string(), format!("cannot make the file: {error}"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TEXT, create};
    use std::path::Path;

    #[test]
    fn a_new_file_passes_the_check_and_is_never_overwritten() {
        let project = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios"));
        let directory = tempfile::tempdir().expect("a directory for the test");
        std::fs::copy(project.join("identities.toml"), directory.path().join("identities.toml")).expect("it is there");
        let path = create(directory.path(), "install/question", TEXT).expect("the name is good");
        let suite = crate::scenario::load(directory.path()).expect("the new file loads");
        assert_eq!(suite.cases.len(), 2);
        assert_eq!(crate::predict::check(&suite), []);
        std::fs::write(&path, "mine").expect("it can be written");
        assert!(create(directory.path(), "install/question", TEXT).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "mine");
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_directory() {
        for id in ["", "question", "../x/y", "install/", "/etc/x", "install/Über", "a/b/c/d/e", "profiles/x"] {
            assert!(
                create(Path::new("/nonexistent"), id, TEXT).is_err_and(|report| report.title.contains("not the name")),
                "{id}"
            );
        }
    }
}
