"""Runs a command and measures its wall time, CPU time and peak memory, children included."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Seconds between two readings of the memory. For a single process the peak is exact, because the kernel records it.
INTERVAL = 0.02


@dataclass
class Measured:
    """The cost of a run (seconds, CPU seconds, peak bytes) and its standard output."""

    wall: float
    cpu: float
    peak: int
    output: str


def measured(command: list, log: Path, **options) -> Measured:
    """Runs `command` with its standard error in `log`; a failure ends the benchmark with the last lines of the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "w") as errors:
        begin = time.monotonic()
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=errors, text=True, **options)
        peak, ended = [0], threading.Event()
        watcher = threading.Thread(target=watch, args=(child.pid, peak, ended))
        watcher.start()
        output = child.stdout.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        ended.set()
        watcher.join()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        last = "\n".join(log.read_text().splitlines()[-20:])
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {child.returncode}\n{last}")
    return Measured(wall, usage.ru_utime + usage.ru_stime, max(peak[0], usage.ru_maxrss * 1024), output)


def watch(pid: int, peak: list[int], ended: threading.Event) -> None:
    """Records the largest sum of resident memory of the process and its descendants."""
    root = psutil.Process(pid)
    while not ended.wait(INTERVAL):
        total = 0
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.Error:
            return
        for process in family:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                pass
        peak[0] = max(peak[0], total)


def bytes_under(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
