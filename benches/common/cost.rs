//! The cost of work.

use std::error::Error;
use std::time::{Duration, Instant};

/// Mean wall and CPU time of a round.
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Cost {
    /// The mean of `rounds` rounds of `work`, after one that is not counted. Linux counts CPU time in steps of 10 ms.
    pub(crate) fn measure(
        rounds: u32,
        mut work: impl FnMut() -> Result<(), Box<dyn Error>>,
    ) -> Result<Self, Box<dyn Error>> {
        work()?;
        let (start, cpu) = (Instant::now(), cpu_time()?);
        for _ in 0..rounds {
            work()?;
        }
        Ok(Self { wall: start.elapsed() / rounds, cpu: cpu_time()?.saturating_sub(cpu) / rounds })
    }

    /// Prints the cost of work on this many rows and bytes.
    pub(crate) fn print(&self, what: &str, rows: usize, bytes: u64) {
        let seconds = self.wall.as_secs_f64();
        println!(
            "{what:52} {:8.1} ms {:8.1} ms CPU {:8.1} M rows/s {:8.0} MB/s",
            seconds * 1e3,
            self.cpu.as_secs_f64() * 1e3,
            rows as f64 / seconds / 1e6,
            bytes as f64 / seconds / 1e6
        );
    }
}

/// The CPU time of this process.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// The number of rounds on the command line, to which cargo adds `--bench`; else `default`.
pub(crate) fn rounds(default: u32) -> Result<u32, Box<dyn Error>> {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    Ok(given.map_or(Ok(default), |rounds| rounds.parse())?.max(1))
}
