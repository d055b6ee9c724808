//! Whose container it is. A container ends with the lab that started it, as soon as the agent in it is connected. What was
//! about to be made when a lab was killed is removed by a watcher, a process that outlives it; what a power cut or a
//! killed engine left, by the next lab. Both know a container by its labels, and remove it if the lab they name is gone.

use super::engine::Engine;
use crate::backend::BackendError;
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
};

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

/// How long a watcher looks for containers of its lab once that is gone: the engine may still be making one.
const WATCH: Duration = Duration::from_secs(10);
/// It ends earlier if it has found nothing for so long.
const QUIET: Duration = Duration::from_secs(3);
/// How often it looks.
const STEP: Duration = Duration::from_millis(200);

/// A process that outlives this lab; its standard input ends with the lab, and then it removes what is left. The
/// signals of the lab's terminal do not reach it.
///
/// # Errors
/// It cannot be started.
pub(super) fn start_watcher(lab: &Path) -> Result<Child, BackendError> {
    let mut command = Command::new(lab);
    command.args(["clean", "--when-gone"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.process_group(0).spawn().map_err(|error| BackendError {
        step: "start the watcher of the containers".to_owned(),
        found: format!("{}: {error}", lab.display()),
        cure: None,
    })
}

/// The life of a watcher: waits for the end of `life`, then sweeps until nothing comes any more.
///
/// # Errors
/// There is no engine, or it refuses.
pub fn watch(life: &mut dyn Read) -> Result<(), BackendError> {
    // Nobody writes; an error is an end as well.
    let _ = std::io::copy(life, &mut std::io::sink());
    let engine = Engine::connect()?;
    let (begun, mut last) = (Instant::now(), Instant::now());
    while begun.elapsed() < WATCH && last.elapsed() < QUIET {
        if !sweep_with(&engine)?.is_empty() {
            last = Instant::now();
        }
        engine.runtime.block_on(tokio::time::sleep(STEP));
    }
    Ok(())
}

pub(super) fn sweep_with(engine: &Engine) -> Result<Vec<String>, BackendError> {
    engine.wait("remove containers and images whose lab is gone", async {
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
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        // An engine fails over an image that goes while it lists them; what then stays, the next lab finds.
        for image in engine.api.list_images(Some(options)).await.unwrap_or_default() {
            if !lives(&image.labels) {
                let options = RemoveImageOptionsBuilder::default().force(true).build();
                // Likewise; and what is made of it goes with it.
                let _ = engine.api.remove_image(&image.id, Some(options), None).await;
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

/// When a process was started: field 22 of /proc/PID/stat, whose second may hold spaces and parentheses. `None` if it has
/// ended, also if nobody has asked how. See proc(5).
fn start_of(pid: u32) -> Option<String> {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    fields.nth(18).filter(|_| !matches!(state, "Z" | "X")).map(str::to_owned)
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
