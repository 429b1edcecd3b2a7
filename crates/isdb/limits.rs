//! How much memory this process may use: the least of what the machine has, what its control groups grant, and what Slurm has
//! allotted. Reads files below given roots only, so that tests can bring their own.

use std::path::{Path, PathBuf};

use isdb_query::MIN_QUERY_MEMORY;
use isdb_schema::config::{LEAST_MEMORY, MEMORY};

/// Limits of control groups that are as large mean none: version 1 writes the largest multiple of a page.
const UNLIMITED: u64 = 1 << 62;

/// A limit, and what sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Bytes.
    pub(crate) bytes: u64,
    /// The file or the variable that says so.
    pub(crate) source: String,
}

/// Where the kernel tells of limits.
pub(crate) struct Roots<'a> {
    /// `/proc`.
    pub(crate) proc: &'a Path,
    /// `/sys/fs/cgroup`.
    pub(crate) cgroup: &'a Path,
}

impl Roots<'static> {
    /// Those of a Linux system; elsewhere there is nothing below them.
    pub(crate) fn of_system() -> Roots<'static> {
        Roots { proc: Path::new("/proc"), cgroup: Path::new("/sys/fs/cgroup") }
    }
}

/// Every limit on the memory of this process. `variable` reads the environment, `cores` is how many cores the process may use.
pub(crate) fn memory_limits(roots: &Roots<'_>, variable: impl Fn(&str) -> Option<String>, cores: usize) -> Vec<Limit> {
    let physical = physical(&roots.proc.join("meminfo"));
    let slurm = slurm(variable, cores);
    physical.into_iter().chain(of_groups(roots)).chain(slurm).collect()
}

/// How many cores this process may use, by its affinity and the quotas of its control groups.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Half of what this process may use.
pub(crate) fn memory_of_query() -> usize {
    let memory = half(&of_process()).max(MIN_QUERY_MEMORY);
    tracing::debug!(memory, cores = cores(), "memory of queries");
    memory
}

/// [`MEMORY`], or half of what this process may use if that is less.
pub(crate) fn memory_of_ingest() -> usize {
    let memory = half(&of_process()).min(size(MEMORY)).max(size(LEAST_MEMORY));
    tracing::debug!(memory, cores = cores(), "memory of the ingest");
    memory
}

/// Every limit on the memory of this process.
fn of_process() -> Vec<Limit> {
    let limits = memory_limits(&Roots::of_system(), |name| std::env::var(name).ok(), cores());
    for Limit { bytes, source } in &limits {
        tracing::debug!(bytes, source, "limit on memory");
    }
    limits
}

/// Half of the least limit; [`MEMORY`] where no limit is known.
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

/// The limits of the control groups that the process is in and of all their parents. A group that cannot be seen, as in a container,
/// is left out; what limits the container is at the root then.
fn of_groups(roots: &Roots<'_>) -> Vec<Limit> {
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

/// The limit in a file of a control group; None for `max`.
fn limit_in(path: PathBuf) -> Option<Limit> {
    let bytes: u64 = std::fs::read_to_string(&path).ok()?.trim().parse().ok()?;
    (bytes < UNLIMITED).then(|| Limit { bytes, source: path.display().to_string() })
}

/// What Slurm has allotted on this node: `SLURM_MEM_PER_NODE`, else `SLURM_MEM_PER_CPU` for each core of the job.
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

/// Slurm writes mebibytes, and takes the units K, M, G and T.
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

    /// A tree of files as the kernel shows it.
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

    fn named(limits: &[(u64, String)]) -> Vec<(u64, &str)> {
        limits.iter().map(|(bytes, source)| (*bytes, source.as_str())).collect()
    }

    #[test]
    fn the_memory_of_the_machine_is_a_limit() {
        let found = limits(&[("proc/meminfo", "MemTotal:       8388608 kB\nMemFree: 1 kB\n")], &[], 4);
        assert_eq!(named(&found), [(8 * GIB, "MemTotal in proc/meminfo")]);
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
        assert_eq!(named(&limits(&files, &[], 4)), expected);
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
        assert_eq!(named(&limits(&files, &[], 4)), [(GIB, "cgroup/memory/slurm/job_1/memory.limit_in_bytes")]);
    }

    #[test]
    fn in_a_container_the_limit_is_at_the_root() {
        let files = [("proc/self/cgroup", "0::/system.slice/docker-1\n"), ("cgroup/memory.max", "1073741824\n")];
        assert_eq!(named(&limits(&files, &[], 4)), [(GIB, "cgroup/memory.max")]);
        let files =
            [("proc/self/cgroup", "9:memory:/docker/1\n"), ("cgroup/memory/memory.limit_in_bytes", "1073741824\n")];
        assert_eq!(named(&limits(&files, &[], 4)), [(GIB, "cgroup/memory/memory.limit_in_bytes")]);
    }

    #[test]
    fn half_of_the_least_limit_is_used() {
        let limits = [8 * GIB, 2 * GIB, 4 * GIB].map(|bytes| Limit { bytes, source: String::new() });
        assert_eq!(half(&limits), 1 << 30);
        assert_eq!(half(&[]), 2_000_000_000);
    }

    #[test]
    fn slurm_limits_a_job_on_its_node() {
        assert_eq!(named(&limits(&[], &[("SLURM_MEM_PER_NODE", "4096")], 4)), [(4 * GIB, "SLURM_MEM_PER_NODE")]);
        assert_eq!(named(&limits(&[], &[("SLURM_MEM_PER_NODE", "4G")], 4)), [(4 * GIB, "SLURM_MEM_PER_NODE")]);
        let per_cpu = [("SLURM_MEM_PER_CPU", "2048"), ("SLURM_CPUS_ON_NODE", "3")];
        assert_eq!(named(&limits(&[], &per_cpu, 8)), [(6 * GIB, "SLURM_MEM_PER_CPU for 3 cores")]);
        assert_eq!(named(&limits(&[], &per_cpu[..1], 8)), [(16 * GIB, "SLURM_MEM_PER_CPU for 8 cores")]);
        // All of the node, and what nobody understands.
        for text in ["0", "", "lots", "4X"] {
            assert_eq!(limits(&[], &[("SLURM_MEM_PER_NODE", text)], 4), [], "{text:?}");
        }
    }
}
