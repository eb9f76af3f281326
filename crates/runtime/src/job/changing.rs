//! Takes up a checkpoint with patterns that may have changed since.

use std::sync::Arc;

use ensue_engine::{Change, Changed, Config, Fate, Snapshot};
use ensue_model::Tables;
use tracing::{info, warn};

use crate::event::Numbered;
use crate::job::checkpoint::Checkpoint;
use crate::job::plan::Plan;
use crate::job::renewal::Renewal;
use crate::job::{JobError, OnChange};

/// A plan that is to take over.
pub(crate) struct Changing<'p> {
    pub(crate) plan: &'p Plan,
    pub(crate) config: &'p Config,
    pub(crate) on_change: OnChange,
}

impl Changing<'_> {
    /// What a checkpoint knew, for these patterns. What their change means for open runs is said in the log.
    ///
    /// # Errors
    /// If runs would be lost, and that is not wanted; if the checkpoint is not whole.
    pub(crate) fn restore(&self, saved: &Checkpoint) -> Result<Snapshot<Numbered>, JobError> {
        // Older checkpoints do not say it.
        let before = saved.layout.as_ref().unwrap_or(&self.plan.layout);
        self.change(Snapshot::of_any(&saved.engine)?, &mut Renewal::new(before, self.plan))
    }

    /// A snapshot for these patterns, with its rows as they would be decoded now.
    ///
    /// # Errors
    /// If runs would be lost, and that is not wanted.
    pub(crate) fn change(
        &self,
        snapshot: Snapshot<Numbered>,
        renewal: &mut Renewal<'_>,
    ) -> Result<Snapshot<Numbered>, JobError> {
        let Plan { patterns, tables: rows, .. } = self.plan;
        if renewal.is_idle() && snapshot.stranger(patterns).is_none() {
            return Ok(snapshot);
        }
        let on_change = match self.on_change {
            OnChange::Keep | OnChange::Stop => ensue_engine::OnChange::Keep,
            OnChange::Drop => ensue_engine::OnChange::Drop,
        };
        let tables = Tables::of(&patterns.tables, rows);
        let renew = |event: &Arc<Numbered>| renewal.of_shared(event);
        let changed = snapshot.change(patterns, self.config, &tables, on_change, renew)?;
        let Changed { snapshot, changes, unreadable } = changed;
        let is_loss = unreadable > 0 || changes.iter().any(|change| change.fate.dropped() > 0);
        if is_loss && self.on_change == OnChange::Stop {
            return Err(JobError::config(loss(&changes, unreadable)));
        }
        changes.iter().for_each(tell);
        if unreadable > 0 {
            warn!(events = unreadable, "{UNREADABLE}");
        }
        Ok(snapshot)
    }
}

/// What is said of events that wait and cannot be read any more.
const UNREADABLE: &str = "events that waited for time to come to them cannot be read as the patterns see them now";

/// Says in the log what a change means.
fn tell(Change { pattern, fate }: &Change) {
    match fate {
        Fate::New => info!(pattern, "is new: it begins with the events that come from now on"),
        Fate::Gone { dropped: 0 } => info!(pattern, "is gone; it had no open runs"),
        Fate::Gone { dropped } => warn!(pattern, dropped, "is gone, and its open runs with it"),
        Fate::Changed { kept, dropped: 0, .. } => info!(pattern, kept, "has changed; its open runs go on"),
        Fate::Changed { kept, dropped, reason } => {
            let reason = reason.as_deref().unwrap_or_default();
            warn!(pattern, kept, dropped, reason, "has changed, and open runs are dropped");
        }
    }
}

/// What would be lost, and what to do.
fn loss(changes: &[Change], unreadable: u64) -> String {
    let mut text = String::from("the patterns have changed, and open runs would be lost:");
    for Change { pattern, fate } in changes {
        match fate {
            Fate::Gone { dropped } if *dropped > 0 => {
                text += &format!("\n  `{pattern}`: all {dropped}, since the pattern is gone");
            }
            Fate::Changed { kept, dropped, reason: Some(reason) } => {
                text += &format!("\n  `{pattern}`: {dropped} of {}: {reason}", kept + dropped);
            }
            Fate::New | Fate::Gone { .. } | Fate::Changed { .. } => {}
        }
    }
    if unreadable > 0 {
        text += &format!("\n  {unreadable} {UNREADABLE}");
    }
    text + "\n`--on-change keep` goes on without these, `--on-change drop` without any run of what has changed"
}
