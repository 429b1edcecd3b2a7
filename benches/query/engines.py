"""The processes that run statements, and what each costs. Linux only: CPU time and peak memory come from the kernel."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from data import HERE, PEER, Data


@dataclass
class Engine:
    """An engine on one form of the data."""

    name: str
    # The engine's column in the table; the better of several engines with the same title is shown there.
    title: str
    command: list[str]
    table: str = "segments"
    takes_selections: bool = False
    # Whether its array has the rows of icesat2db.
    has_kept_rows: bool = False

    def statements(self, group) -> list[str]:
        if self.takes_selections:
            return group.selections
        return [statement.format(table=self.table) for statement in group.statements]

    def kept(self, group) -> list[str]:
        """The statements over the rows that icesat2db has."""
        return [statement.format(table=self.table) for statement in group.kept]


def engines(binaries: Path, data: Data) -> list[Engine]:
    """All engines. isdb comes first, so that the others are compared with it."""
    speed = str(binaries / "examples" / "query_speed")
    python = lambda script, *arguments: [sys.executable, str(HERE / script), *map(str, arguments)]  # noqa: E731
    found = [
        Engine("isdb", "isdb", [speed, "isdb", str(data.database)], "atl08"),
        Engine("isdb segments", "isdb, table segments", [speed, "isdb", str(data.database)]),
    ]
    for form, path in (("plain", data.plain), ("split", data.split)):
        for way in ((), ("relation",)):
            found.append(Engine(" ".join(("DuckDB", form, *way)), f"DuckDB {form}", python("duck.py", path, *way)))
    for form, path in (("plain", data.plain), ("split", data.split)):
        for way in ((), ("pushdown",)):
            found.append(Engine(" ".join(("DataFusion", form, *way)), f"DataFusion {form}", [speed, "parquet", str(path), *way]))
    found.append(Engine("libtiledb", "libtiledb, tuned", [speed, "library", str(data.database)]))
    found.append(Engine("TileDB-Py", "TileDB-Py", python("peer.py", data.database), takes_selections=True))
    found.append(Engine(PEER, PEER, python("icesat2.py", data.peer), takes_selections=True, has_kept_rows=True))
    return found


class Process:
    """A running engine: requests go to its standard input, replies come from its standard output."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.child = subprocess.Popen(engine.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.opened = self.reply()["micros"][0]

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_) -> None:
        self.child.stdin.close()
        self.child.wait()

    def request(self, statements: list[str], answers: bool = False) -> dict:
        """Runs the statements; the reply has their `micros`, and `answers` if wanted."""
        self.child.stdin.write(json.dumps({"statements": statements, "answers": answers}) + "\n")
        self.child.stdin.flush()
        return self.reply()

    def reply(self) -> dict:
        line = self.child.stdout.readline()
        if not line:
            raise SystemExit(f"{self.engine.name}: ended with {self.child.wait()}")
        return json.loads(line)

    def cpu(self) -> float:
        """CPU seconds of the process so far, from its CPU clock."""
        return time.clock_gettime((~self.child.pid << 3) | 2)

    def forget_peak(self) -> None:
        """Lets the peak memory begin again from what is resident now."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def peak(self) -> int:
        """Bytes that were resident at most."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM:")).split()[1]) * 1024
