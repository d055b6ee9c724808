//! What a run is going to do: the selected cases, each with its sealed subject in its layout. Cases with equal layouts
//! share a setting, so that a worker prepares it once.

use crate::case::{Case, Link, Subject};
use crate::problem::Problem;
use crate::run::event::Setting;
use crate::run::seal::Sealer;
use lab_invocation::layout::{Content, Digest, Node, NodeKind};
use lab_invocation::{Bytes, Layout};
use std::collections::HashMap;
use std::sync::Arc;

/// Cases which are ready to run.
#[derive(Debug)]
pub struct Plan {
    /// In the order of the suite.
    pub cases: Vec<Planned>,
    /// By number.
    pub settings: Vec<Arc<Setting>>,
    /// The sealed subjects.
    pub subjects: Sealer,
}

/// One case which is ready to run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// Its sealed subject.
    pub sealed: Digest,
    /// Number of its setting.
    pub setting: u32,
}

impl Plan {
    /// Seals the subjects and completes the layouts.
    ///
    /// # Errors
    /// A subject cannot be sealed.
    pub fn new(cases: impl IntoIterator<Item = Arc<Case>>, mut subjects: Sealer) -> Result<Self, Problem> {
        let mut planned = Vec::new();
        let mut settings: Vec<Arc<Setting>> = Vec::new();
        let mut numbers = HashMap::new();
        for case in cases {
            let sealed = subjects
                .seal(&case.subject)
                .map_err(|problem| Problem { what: format!("{}: {}", case.id, problem.what), ..problem })?;
            let layout = with_subject(&case.layout, &case.subject, sealed);
            let next = u32::try_from(settings.len()).map_err(|error| Problem::internal(error.to_string()))?;
            let setting = *numbers.entry((layout.clone(), case.names.clone())).or_insert_with(|| {
                settings.push(Arc::new(Setting { setting: next, layout, names: case.names.clone() }));
                next
            });
            planned.push(Planned { case, sealed, setting });
        }
        Ok(Self { cases: planned, settings, subjects })
    }

    /// Setting of a case.
    pub fn setting(&self, planned: &Planned) -> &Arc<Setting> {
        &self.settings[planned.setting as usize]
    }
}

/// The layout of a case with the subject's file and its further names.
fn with_subject(layout: &Layout, subject: &Subject, sealed: Digest) -> Layout {
    let node = |path: &Bytes, kind: NodeKind| Node {
        path: path.clone(),
        owner: subject.owner,
        group: subject.group,
        mode: subject.mode,
        kind,
        order: subject.order,
    };
    let mut layout = layout.clone();
    layout.nodes.push(node(&subject.path, NodeKind::File(Content::Blob(sealed))));
    layout.nodes.extend(subject.links.iter().map(|(path, link)| {
        let target = subject.path.clone();
        node(
            path,
            match link {
                Link::Symbolic => NodeKind::Symlink(target),
                Link::Hard => NodeKind::HardLink(target),
            },
        )
    }));
    layout
}
