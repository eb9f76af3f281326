//! Tells a running job to stop.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Tells a running job to stop, from any thread.
#[derive(Debug, Default)]
pub struct Control {
    is_stopping: Mutex<bool>,
    changed: Condvar,
}

impl Control {
    /// A job that goes on.
    pub fn new() -> Self {
        Control::default()
    }

    /// Lets the job take a last checkpoint and return.
    pub fn stop(&self) {
        *self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether the job was told to stop.
    pub fn is_stopping(&self) -> bool {
        *self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until the job is told to stop. Whether it was.
    pub(crate) fn wait(&self, pause: Duration) -> bool {
        let is_stopping = self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_stopping, pause, |is_stopping| !*is_stopping);
        let (is_stopping, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *is_stopping
    }
}
