//! A wrapper that trusts the group which the server has, and refuses all the same, for a reason that no group mends.

use super::{Bench, Proof, Scene, explained, refused};
use crate::case::Style;
use crate::problem::Problem;
use crate::scenario::deploy::{Case, Mismatch, RefusedAnew, Starts};

impl<S: Scene> Bench<'_, S> {
    /// Fix B where it is none: the message is lost as before, and the log says why.
    pub(super) fn refused_anew(
        &mut self,
        case: &Case,
        mismatch: &Mismatch,
        anew: &RefusedAnew,
        differences: &mut Vec<String>,
    ) -> Result<Proof, Problem> {
        let Starts::Program(program) = &case.starts else {
            return Err(Problem::internal("a wrapper of a case that starts nothing"));
        };
        self.install(program, &program.group, Style::Mailman)?;
        let before = self.scene.log()?.len();
        let delivered = self.scene.deliver(case)?;
        let all = self.scene.log()?.split_off(before);
        let mut found = refused(&delivered, mismatch.fate, &mismatch.says);
        let missing = anew.logs.iter().filter(|words| !all.contains(words.as_str()));
        found.extend(missing.map(|words| format!("log: `{words}` is not in\n{all}")));
        found.extend(explained::cause(&all, self.server, &anew.cause)?);
        differences.extend(found.into_iter().map(|difference| format!("sealed for {}: {difference}", program.group)));
        Ok(Proof { what: format!("not possible: {}", anew.why), possible: false, missing: Vec::new() })
    }
}
