"""The commit log: state of the database, commit objects, and the step points at which a harness may stop a process.

A commit object contains everything that a reader needs in full and the rest as a delta; checkpoints are derived from it.
"""

import copy
import dataclasses
import json
import os
import pathlib
import signal
import time
import uuid

ARRAYS = ("segments", "granules")
CHECKPOINT_EVERY = 4


class Fenced(Exception):
    """Another holder has committed, so this one must stop."""


class Steps:
    """Counts named points; at the chosen one the process kills or stops itself, or the action fails."""

    def __init__(self, at=None, action=None, trace=None):
        self.at, self.action, self.trace, self.count = at, action, trace, 0

    def __call__(self, name):
        here, self.count = self.count, self.count + 1
        if self.trace is not None:
            with open(self.trace, "a") as out:
                out.write(name + "\n")
        if self.action == "every":
            os.kill(os.getpid(), signal.SIGSTOP)
        if self.at is None or here != self.at:
            return
        if self.action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.action == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self.action == "fail" and name.startswith("unlink"):
            raise OSError(f"injected failure at {name}")
        elif self.action == "lost" and name.startswith("commit"):
            raise TimeoutError(name)


@dataclasses.dataclass
class State:
    """The whole database as of one commit. Names are TileDB fragment names."""

    n: int = -1
    T: int = 0  # open both arrays at this timestamp
    epoch: int = 0
    at: int = 0
    kind: str = "new"
    uuid: str = ""
    horizon: int = 0  # snapshots before this commit can no longer be opened
    deleting: int = 0  # newest commit after which folders may have been removed
    dead_ingests: dict = dataclasses.field(default_factory=dict)  # id -> [since, [fragment ids]]
    live: dict = dataclasses.field(default_factory=lambda: {a: {} for a in ARRAYS})  # name -> {id, rows}
    dead: dict = dataclasses.field(default_factory=lambda: {a: {} for a in ARRAYS})  # name -> [id or None, since, at]
    hidden: dict = dataclasses.field(default_factory=lambda: {a: {} for a in ARRAYS})  # name -> at

    def next(self, kind, now):
        state = copy.deepcopy(self)
        state.n, state.kind, state.at, state.uuid = self.n + 1, kind, max(now, self.at), uuid.uuid4().hex
        return state

    def head(self):
        """What a reader needs: one object, no history."""
        head = {k: getattr(self, k) for k in ("n", "T", "epoch", "at", "kind", "uuid", "horizon", "deleting")}
        head["dead_ingests"] = [[i, *rest] for i, rest in self.dead_ingests.items()]
        for a in ARRAYS:
            head[a] = {"live": len(self.live[a]), "dead": [[name, *rest] for name, rest in self.dead[a].items()]}
        return head

    def delta(self, before):
        out = {}
        for a in ARRAYS:
            old, new, was, now = before.live[a], self.live[a], before.hidden[a], self.hidden[a]
            out[a] = {
                "added": [[name, v["id"], v["rows"]] for name, v in new.items() if name not in old],
                "removed": [name for name in old if name not in new],
                "hid": [[name, at] for name, at in now.items() if name not in was],
                "gone": [name for name in was if name not in now],
            }
        return out

    def apply(self, commit):
        for k in ("n", "T", "epoch", "at", "kind", "uuid", "horizon", "deleting"):
            setattr(self, k, commit[k])
        self.dead_ingests = {i: rest for i, *rest in commit["dead_ingests"]}
        for a in ARRAYS:
            d = commit["delta"][a]
            for name in d["removed"]:
                self.live[a].pop(name)
            self.live[a].update({name: {"id": i, "rows": rows} for name, i, rows in d["added"]})
            for name in d["gone"]:
                self.hidden[a].pop(name)
            self.hidden[a].update({name: at for name, at in d["hid"]})
            self.dead[a] = {name: rest for name, *rest in commit[a]["dead"]}
        return self


class Log:
    """`commits/<n>` on a local disk, each created only if absent."""

    def __init__(self, root, steps):
        self.root, self.steps = pathlib.Path(root), steps

    def newest(self):
        numbers = [int(p.name) for p in (self.root / "commits").iterdir() if p.name.isdigit()]
        return max(numbers, default=-1)

    def read(self, n):
        return json.loads((self.root / "commits" / f"{n:020}").read_bytes())

    def newest_commit(self):
        return self.read(self.newest())

    def unfinished(self):
        """Commit objects that a dead process wrote and did not link."""
        return [p for p in (self.root / "commits").iterdir() if p.name.startswith(".tmp-")]

    def load(self, upto=None):
        """The full state: newest usable checkpoint, then the deltas after it."""
        upto = self.newest() if upto is None else upto
        points = [int(p.name) for p in (self.root / "checkpoints").iterdir() if p.name.isdigit()]
        state = State()
        for point in sorted((p for p in points if p <= upto), reverse=True):
            state = State(**json.loads((self.root / "checkpoints" / f"{point:020}").read_bytes()))
            state.dead_ingests = {int(i): rest for i, rest in state.dead_ingests.items()}
            break
        for n in range(state.n + 1, upto + 1):
            state.apply(self.read(n))
        return state

    def create(self, before, state, note=None):
        """Commits `state`, or raises `Fenced`. A create whose answer was lost is read back and compared."""
        commit = state.head() | {"delta": state.delta(before), "note": note}
        path = self.root / "commits" / f"{state.n:020}"
        try:
            put_if_absent(path, json.dumps(commit, separators=(",", ":")).encode(), self.steps)
        except (FileExistsError, FileNotFoundError, TimeoutError):  # there, swept, or unanswered
            if not path.exists() or self.read(state.n)["uuid"] != state.uuid:
                raise Fenced(f"commit {state.n} is another's") from None
        if state.n % CHECKPOINT_EVERY == 0:
            self.steps("checkpoint")
            data = json.dumps(dataclasses.asdict(state), separators=(",", ":")).encode()
            try:
                put_if_absent(self.root / "checkpoints" / f"{state.n:020}", data, lambda name: None)
            except FileExistsError:
                pass


def put_if_absent(path, data, steps):
    """A durable file that appears whole, or `FileExistsError`."""
    temp = path.parent / f".tmp-{uuid.uuid4().hex}"
    with open(temp, "xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    try:
        steps("commit written, not linked")
        os.link(temp, path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        steps("commit created")
    finally:
        temp.unlink(missing_ok=True)


def wall_ms():
    return time.time_ns() // 1_000_000
