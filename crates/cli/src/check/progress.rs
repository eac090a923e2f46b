//! A bar on standard error, for what takes longer than a blink.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Until then there is no bar.
const BLINK: Duration = Duration::from_millis(300);

/// How far the work is.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    count: u64,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(count: usize) -> Self {
        Self { started: Instant::now(), count: count as u64, done: 0, bar: None }
    }

    /// The next result; `None` where no more come.
    pub(crate) fn wait<T>(&mut self, results: &Receiver<T>) -> Option<T> {
        loop {
            match results.recv_timeout(BLINK) {
                Ok(result) => {
                    self.done += 1;
                    self.show();
                    return Some(result);
                }
                Err(RecvTimeoutError::Timeout) => self.show(),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Does what writes to the terminal, with the bar out of the way.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn show(&mut self) {
        if self.bar.is_none() && self.started.elapsed() >= BLINK && self.done < self.count {
            // The bar draws nothing where standard error is no terminal.
            let bar = ProgressBar::new(self.count).with_elapsed(self.started.elapsed());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} verified, {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(BLINK);
            self.bar = Some(bar);
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
