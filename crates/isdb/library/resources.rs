//! Default resources: the processors and the memory that this process may use. The memory limit is the smallest of the machine's
//! memory, the limits of the control groups, and the allocation by Slurm. Reads files only below given roots, so that tests can
//! supply their own.

use std::path::{Path, PathBuf};

use isdb_query::MIN_QUERY_MEMORY;
use isdb_schema::config::{MEMORY, MIN_MEMORY};

/// A control group limit of at least this many bytes means no limit: version 1 writes the largest multiple of the page size.
const UNLIMITED: u64 = 1 << 62;

/// A limit on memory and its source.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    /// Bytes.
    bytes: u64,
    /// The file or the environment variable that sets it.
    source: String,
}

/// The folders in which the kernel publishes limits.
struct Roots<'a> {
    /// `/proc`.
    proc: &'a Path,
    /// `/sys/fs/cgroup`.
    cgroup: &'a Path,
}

impl Roots<'static> {
    /// Returns the folders of a Linux system. They do not exist on other systems.
    fn linux() -> Roots<'static> {
        Roots { proc: Path::new("/proc"), cgroup: Path::new("/sys/fs/cgroup") }
    }
}

/// Returns every limit on the memory of a process that may use `cores` processors; `variable` reads its environment.
fn memory_limits(roots: &Roots<'_>, variable: impl Fn(&str) -> Option<String>, cores: usize) -> Vec<Limit> {
    let physical = physical(&roots.proc.join("meminfo"));
    let slurm = slurm(variable, cores);
    physical.into_iter().chain(group_limits(roots)).chain(slurm).collect()
}

/// Returns the number of processors that this process may use, by its affinity and the quotas of its control groups.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Returns the default memory of queries, in bytes: half of the memory that this process may use.
#[must_use]
pub fn query_memory() -> usize {
    let memory = half(&process_limits()).max(MIN_QUERY_MEMORY);
    tracing::debug!(memory, cores = cores(), "memory of queries");
    memory
}

/// Returns the default memory of an ingest, in bytes: 2 GB, or half of the memory that this process may use if that is less.
#[must_use]
pub fn ingest_memory() -> usize {
    let memory = half(&process_limits()).min(size(MEMORY)).max(size(MIN_MEMORY));
    tracing::debug!(memory, cores = cores(), "memory of the ingest");
    memory
}

/// Returns every limit on the memory of this process.
fn process_limits() -> Vec<Limit> {
    let limits = memory_limits(&Roots::linux(), |name| std::env::var(name).ok(), cores());
    for Limit { bytes, source } in &limits {
        tracing::debug!(bytes, source, "limit on memory");
    }
    limits
}

/// Returns half of the smallest limit; [`MEMORY`] without limits.
fn half(limits: &[Limit]) -> usize {
    limits.iter().map(|limit| limit.bytes).min().map_or(size(MEMORY), |least| size(least / 2))
}

fn size(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// `MemTotal:       24576000 kB`
fn physical(path: &Path) -> Option<Limit> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(Limit { bytes: kibibytes.saturating_mul(1024), source: format!("MemTotal in {}", path.display()) })
}

/// Returns the limits of the control groups of the process and of all their parents. A group that is not visible, as in a
/// container, is left out; in that case the container's limit is at the root.
fn group_limits(roots: &Roots<'_>) -> Vec<Limit> {
    let memberships = std::fs::read_to_string(roots.proc.join("self/cgroup")).unwrap_or_default();
    let mut limits = Vec::new();
    // `0::/path` is version 2, `4:memory:/path` is version 1.
    for membership in memberships.lines() {
        let mut parts = membership.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (mount, file) = match controllers {
            "" if roots.cgroup.join("unified").is_dir() => (roots.cgroup.join("unified"), "memory.max"),
            "" => (roots.cgroup.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|controller| controller == "memory") => {
                (roots.cgroup.join("memory"), "memory.limit_in_bytes")
            }
            _ => continue,
        };
        let groups = Path::new(path).ancestors().map(|group| mount.join(group.strip_prefix("/").unwrap_or(group)));
        limits.extend(groups.filter_map(|group| limit_in(group.join(file))));
    }
    limits
}

/// Returns the limit in a file of a control group; None for `max`.
fn limit_in(path: PathBuf) -> Option<Limit> {
    let bytes: u64 = std::fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    (bytes < UNLIMITED).then(|| Limit { bytes, source: path.display().to_string() })
}

/// Returns the allocation by Slurm on this node: `SLURM_MEM_PER_NODE`, else `SLURM_MEM_PER_CPU` for each core of the job.
fn slurm(variable: impl Fn(&str) -> Option<String>, cores: usize) -> Option<Limit> {
    let size = |name: &str| variable(name).and_then(|text| mebibytes(&text)).filter(|bytes| *bytes > 0);
    if let Some(bytes) = size("SLURM_MEM_PER_NODE") {
        return Some(Limit { bytes, source: "SLURM_MEM_PER_NODE".to_owned() });
    }
    let per_core = size("SLURM_MEM_PER_CPU")?;
    let number = |name: &str| variable(name)?.trim().parse::<u64>().ok().filter(|cores| *cores > 0);
    let cores = number("SLURM_CPUS_ON_NODE").unwrap_or(cores as u64);
    Some(Limit { bytes: per_core.saturating_mul(cores), source: format!("SLURM_MEM_PER_CPU for {cores} cores") })
}

/// Parses a size of Slurm: mebibytes, or a number with the unit K, M, G or T.
fn mebibytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let shift = match text.get(digits.len()..)? {
        "K" | "k" => 10,
        "" | "M" | "m" => 20,
        "G" | "g" => 30,
        "T" | "t" => 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    /// Returns a tree of files as the kernel shows it.
    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn limits(files: &[(&str, &str)], environment: &[(&str, &str)], cores: usize) -> Vec<(u64, String)> {
        let root = tree(files);
        let (proc, cgroup) = (root.path().join("proc"), root.path().join("cgroup"));
        let variable =
            |name: &str| environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let limits = memory_limits(&Roots { proc: &proc, cgroup: &cgroup }, variable, cores);
        let prefix = format!("{}/", root.path().display());
        limits.into_iter().map(|limit| (limit.bytes, limit.source.replace(&prefix, ""))).collect()
    }

    fn with_sources(limits: &[(u64, String)]) -> Vec<(u64, &str)> {
        limits.iter().map(|(bytes, source)| (*bytes, source.as_str())).collect()
    }

    #[test]
    fn the_memory_of_the_machine_is_a_limit() {
        let found = limits(&[("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n")], &[], 4);
        assert_eq!(with_sources(&found), [(8 * GIB, "MemTotal in proc/meminfo")]);
        assert_eq!(limits(&[], &[], 4), []);
    }

    #[test]
    fn a_control_group_and_its_parents_limit_in_version_2() {
        let files = [
            ("proc/self/cgroup", "0::/user.slice/job\n"),
            ("cgroup/memory.max", "max\n"),
            ("cgroup/user.slice/memory.max", "2147483648\n"),
            ("cgroup/user.slice/job/memory.max", "4294967296\n"),
        ];
        let expected = [(4 * GIB, "cgroup/user.slice/job/memory.max"), (2 * GIB, "cgroup/user.slice/memory.max")];
        assert_eq!(with_sources(&limits(&files, &[], 4)), expected);
    }

    #[test]
    fn a_control_group_and_its_parents_limit_in_version_1() {
        let files = [
            ("proc/self/cgroup", "4:memory:/slurm/job_1\n1:cpu,cpuacct:/slurm\n0::/\n"),
            ("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cgroup/memory/slurm/memory.limit_in_bytes", "9223372036854771712\n"),
            ("cgroup/memory/slurm/job_1/memory.limit_in_bytes", "1073741824\n"),
            ("cgroup/unified/cgroup.procs", "1\n"),
        ];
        assert_eq!(with_sources(&limits(&files, &[], 4)), [(GIB, "cgroup/memory/slurm/job_1/memory.limit_in_bytes")]);
    }

    #[test]
    fn in_a_container_the_limit_is_at_the_root() {
        let files = [("proc/self/cgroup", "0::/system.slice/docker-1\n"), ("cgroup/memory.max", "1073741824\n")];
        assert_eq!(with_sources(&limits(&files, &[], 4)), [(GIB, "cgroup/memory.max")]);
        let files =
            [("proc/self/cgroup", "9:memory:/docker/1\n"), ("cgroup/memory/memory.limit_in_bytes", "1073741824\n")];
        assert_eq!(with_sources(&limits(&files, &[], 4)), [(GIB, "cgroup/memory/memory.limit_in_bytes")]);
    }

    #[test]
    fn half_of_the_least_limit_is_used() {
        let limits = [8 * GIB, 2 * GIB, 4 * GIB].map(|bytes| Limit { bytes, source: String::new() });
        assert_eq!(half(&limits), 1 << 30);
        assert_eq!(half(&[]), 2_000_000_000);
    }

    #[test]
    fn slurm_limits_a_job_on_its_node() {
        assert_eq!(with_sources(&limits(&[], &[("SLURM_MEM_PER_NODE", "4096")], 4)), [(4 * GIB, "SLURM_MEM_PER_NODE")]);
        assert_eq!(with_sources(&limits(&[], &[("SLURM_MEM_PER_NODE", "4G")], 4)), [(4 * GIB, "SLURM_MEM_PER_NODE")]);
        let per_cpu = [("SLURM_MEM_PER_CPU", "2048"), ("SLURM_CPUS_ON_NODE", "3")];
        assert_eq!(with_sources(&limits(&[], &per_cpu, 8)), [(6 * GIB, "SLURM_MEM_PER_CPU for 3 cores")]);
        assert_eq!(with_sources(&limits(&[], &per_cpu[..1], 8)), [(16 * GIB, "SLURM_MEM_PER_CPU for 8 cores")]);
        // All of the node, and invalid sizes.
        for text in ["0", "", "lots", "4X"] {
            assert_eq!(limits(&[], &[("SLURM_MEM_PER_NODE", text)], 4), [], "{text:?}");
        }
    }
}
