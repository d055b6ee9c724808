//! SIGINT, SIGTERM and SIGHUP: the first ends the run with a report, the second ends the process.

use crate::problem::Problem;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A flag which the signals set.
///
/// # Errors
/// A handler cannot be installed.
pub fn flag() -> Result<Arc<AtomicBool>, Problem> {
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the default acts only if the flag was set before this signal came.
        flag::register_conditional_default(signal, Arc::clone(&interrupted))
            .and_then(|_| flag::register(signal, Arc::clone(&interrupted)))
            .map_err(|error| Problem::internal(format!("no handler for signal {signal}")).found(error))?;
    }
    Ok(interrupted)
}
