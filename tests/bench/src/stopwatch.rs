//! How long something takes.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// What something took.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Took {
    /// By the clock on the wall.
    pub wall: Duration,
    /// Of the processor, in this thread.
    pub cpu: Duration,
}

/// Runs something, and says how long it took.
///
/// It is never inlined, so that `tests/bench/count` can count what is done here and nothing else.
#[inline(never)]
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (wall, cpu) = (now(), thread_cpu());
    let done = work();
    (done, Took { cpu: thread_cpu() - cpu, wall: wall.elapsed() })
}

/// The time on the wall.
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
pub fn now() -> Instant {
    Instant::now()
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

impl std::ops::AddAssign for Took {
    fn add_assign(&mut self, other: Took) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}
