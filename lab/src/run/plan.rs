//! What a run is going to do: the selected cases, each with its sealed subject in its layout. Cases with equal layouts
//! share a setting, so that a worker prepares it once.

use crate::case::{Case, Link, Subject, WRAPPERS};
use crate::problem::Problem;
use crate::run::event::Setting;
use crate::run::seal::Sealer;
use lab_invocation::layout::{Content, Digest, Node, NodeKind};
use lab_invocation::{Bytes, Layout};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
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

/// A case that was selected.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The case; with a profile, as that makes it.
    pub case: Arc<Case>,
    /// Why it cannot be asked of this subject.
    pub unsupported: Option<String>,
}

/// One case which is ready to run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The case.
    pub case: Arc<Case>,
    /// Its sealed subject; `None` if it is not going to run.
    pub sealed: Option<Digest>,
    /// Number of its setting.
    pub setting: u32,
    /// Why it cannot be asked of this subject.
    pub unsupported: Option<String>,
}

impl Plan {
    /// Seals the subjects and completes the layouts. `libraries` are the files of the host which each program needs.
    ///
    /// # Errors
    /// A subject cannot be sealed.
    pub fn new(
        cases: impl IntoIterator<Item = Asked>,
        mut subjects: Sealer,
        libraries: &BTreeMap<String, BTreeSet<PathBuf>>,
    ) -> Result<Self, Problem> {
        let mut planned = Vec::new();
        let mut settings: Vec<Arc<Setting>> = Vec::new();
        let mut numbers = HashMap::new();
        for asked in cases {
            let Asked { case, unsupported } = asked;
            let mut layout = case.layout.clone();
            let mut sealed = None;
            if unsupported.is_none() {
                let digest = subjects
                    .seal(&case.subject)
                    .map_err(|problem| Problem { what: format!("{}: {}", case.id, problem.what), ..problem })?;
                sealed = Some(digest);
                install(&mut layout, &case.subject, digest);
                if case.subject.is_tool() {
                    beside(&mut layout, &case.subject, &mut subjects)?;
                }
                for path in libraries.get(&case.subject.program).into_iter().flatten() {
                    crate::backend::libraries::bind(&mut layout, path);
                }
            }
            let next = u32::try_from(settings.len()).map_err(|error| Problem::internal(error.to_string()))?;
            let setting = *numbers.entry((layout.clone(), case.names.clone())).or_insert_with(|| {
                settings.push(Arc::new(Setting { setting: next, layout, names: case.names.clone() }));
                next
            });
            planned.push(Planned { case, sealed, setting, unsupported });
        }
        Ok(Self { cases: planned, settings, subjects })
    }

    /// Setting of a case.
    pub fn setting(&self, planned: &Planned) -> &Arc<Setting> {
        &self.settings[planned.setting as usize]
    }
}

/// Adds the wrappers which the tool is to seal, as they were built, in its directory.
fn beside(layout: &mut Layout, tool: &Subject, subjects: &mut Sealer) -> Result<(), Problem> {
    let directory = tool.path.0.iter().rposition(|&byte| byte == b'/').map_or(&[][..], |at| &tool.path.0[..=at]);
    for name in WRAPPERS {
        let wrapper = subjects.unsealed(name)?;
        let path = Bytes([directory, name.as_bytes()].concat());
        install(layout, &Subject { path, links: Vec::new(), ..tool.clone() }, wrapper);
    }
    Ok(())
}

/// Adds the subject's file and its further names.
fn install(layout: &mut Layout, subject: &Subject, sealed: Digest) {
    let node = |path: &Bytes, kind: NodeKind| Node {
        path: path.clone(),
        owner: subject.owner,
        group: subject.group,
        mode: subject.mode,
        kind,
        order: subject.order,
    };
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
}
