//! Whose container it is. A container ends with the lab that started it; what a power cut or a killed engine left is
//! found by its labels, and removed once the lab they name is gone.

use super::engine::Engine;
use crate::backend::BackendError;
use std::collections::{BTreeMap, HashMap};
use testcontainers::bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};

/// Label: name of the run.
pub(super) const RUN: &str = "lab.run";
/// Label: process number of the lab.
const PID: &str = "lab.owner.pid";
/// Label: when that process was started, as /proc/PID/stat has it; numbers are used again.
const START: &str = "lab.owner.start";
/// Label: the boot in which it was.
const BOOT: &str = "lab.owner.boot";
/// Label: the machine, since an engine may serve several.
const HOST: &str = "lab.owner.host";

/// The labels of a container that this process starts.
pub(super) fn labels(run: &str) -> BTreeMap<String, String> {
    let pid = std::process::id();
    let labels = [
        (RUN, run.to_owned()),
        (PID, pid.to_string()),
        (START, start_of(pid).unwrap_or_default()),
        (BOOT, boot()),
        (HOST, host()),
    ];
    labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Removes the containers of labs that are gone, and returns the names of their runs.
///
/// # Errors
/// There is no engine, or it refuses.
pub fn sweep() -> Result<Vec<String>, BackendError> {
    sweep_with(&Engine::connect()?)
}

pub(super) fn sweep_with(engine: &Engine) -> Result<Vec<String>, BackendError> {
    engine.wait("remove containers whose lab is gone", async {
        let filters = HashMap::from([("label", vec![PID])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let mut removed = Vec::new();
        for container in engine.api.list_containers(Some(options)).await? {
            let labels = container.labels.unwrap_or_default();
            if lives(&labels) {
                continue;
            }
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            // Somebody else may be removing it: another lab, or the engine itself.
            if engine.api.remove_container(&container.id.unwrap_or_default(), Some(options)).await.is_ok() {
                removed.push(labels.get(RUN).cloned().unwrap_or_default());
            }
        }
        Ok(removed)
    })
}

/// Whether the lab of these labels may still be there; of another machine nobody here knows.
fn lives(labels: &HashMap<String, String>) -> bool {
    let is = |key: &str, value: &str| labels.get(key).is_some_and(|label| label == value);
    if !is(HOST, &host()) {
        return true;
    }
    let pid = labels.get(PID).and_then(|pid| pid.parse().ok());
    let start = pid.and_then(start_of);
    is(BOOT, &boot()) && start.is_some_and(|start| is(START, &start))
}

/// When a process was started: field 22 of /proc/PID/stat, whose second may hold spaces and parentheses. See proc(5).
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

fn boot() -> String {
    kernel("random/boot_id")
}

fn host() -> String {
    kernel("hostname")
}

/// One value of the kernel; empty where there is none.
fn kernel(name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/sys/kernel/{name}"));
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{BOOT, HOST, PID, START, labels, lives};
    use std::collections::HashMap;

    #[test]
    fn a_lab_lives_until_its_number_is_somebody_elses_or_its_boot_is_over() {
        let ours: HashMap<String, String> = labels("a-run").into_iter().collect();
        let with = |key: &str, value: &str| {
            let mut labels = ours.clone();
            labels.insert(key.to_owned(), value.to_owned());
            labels
        };
        assert!(lives(&ours));
        assert!(!lives(&with(START, "1")), "the number was used again");
        assert!(!lives(&with(PID, "4294967295")), "no such process");
        assert!(!lives(&with(PID, "nonsense")));
        assert!(!lives(&with(BOOT, "another")), "the machine was started again");
        assert!(lives(&with(HOST, "another-machine")), "nobody here knows");
    }
}
