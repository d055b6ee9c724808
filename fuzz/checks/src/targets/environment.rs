//! The cleaning of the environment alone, whoever the caller is.

use crate::properties::{self, Outcome};
use crate::subject::Case;
use crate::tally::Tally;
use crate::{Finding, seal};
use lab_invocation::text;
use std::ffi::CString;
use wrapper::environment;

pub(super) fn check(data: &[u8], tally: &Tally) -> Result<bool, Finding> {
    let Ok(attempt) = text::decode(data) else { return Ok(false) };
    let Some(section) = seal::section_of(&attempt.sealed) else { return Ok(false) };
    let Some(case) = Case::new(&attempt, &section) else { return Ok(false) };
    let given = case.env.iter().map(CString::as_c_str);
    let kept = environment::for_script(given, &case.policy.variables);
    let mut kept: Vec<Vec<u8>> = kept.into_iter().map(|entry| entry.to_bytes().to_vec()).collect();
    if let Outcome::Broken(what) = properties::environment(&attempt, &kept) {
        return Err(Finding { check: "P03", what });
    }
    tally.count("P03");
    let raw = |list: &[lab_invocation::Bytes]| list.iter().map(|bytes| bytes.0.clone()).collect::<Vec<_>>();
    let mut wanted = lab_model::environment::allowed(&raw(&attempt.invocation.env), &raw(&attempt.sealed.keep));
    kept.sort();
    wanted.sort();
    if kept != wanted {
        return Err(Finding { check: "P11", what: format!("kept are {kept:?}, and by the model {wanted:?}") });
    }
    tally.count("P11");
    Ok(true)
}
