//! The progress bar of the process.

use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

const TICK: Duration = Duration::from_millis(200);

/// The bar on the terminal, so that lines of other modules can go above it.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Draws a bar of `length` in the style `template` if standard error is a terminal; a hidden bar otherwise.
pub(super) fn draw(template: &str, length: Option<u64>) -> ProgressBar {
    // A template that cannot be parsed would show the default bar.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden().with_style(style);
    }
    let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style);
    bar.enable_steady_tick(TICK);
    *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
    bar
}

/// Writes to the terminal above the bar, if one is drawn.
pub(crate) fn above_bar<T>(write: impl FnOnce() -> T) -> T {
    let drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match drawn {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}
