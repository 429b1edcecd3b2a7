"""The commit log: commits as changes, the state that they add up to, and the step points at which a harness may stop a process.

A commit is two lines, a header with the CRC32C of the second line, and its changes. A checkpoint is a state, derived from the commits.
"""

import copy
import dataclasses
import json
import os
import pathlib
import signal
import time
import uuid

import crc32c

CHECKPOINT_EVERY = 4
DATA = ("ingest", "compact", "repair")  # commits that change what a snapshot contains


class Fenced(Exception):
    """Another holder has committed, so this one must stop."""


class Damaged(Exception):
    """Files are missing, broken or extra, and the log does not explain it."""


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
    """The whole database as of one commit: the sum of all changes. Names are those of TileDB fragments and ledger files."""

    n: int = -1
    T: int = 0  # open the array at this timestamp
    epoch: int = 0
    at: int = 0
    kind: str = "new"
    uuid: str = ""
    horizon: int = 0  # snapshots before this commit can no longer be opened
    deleting: int = 0  # newest commit after which folders may have been removed
    data: int = 0  # newest commit that changed what a snapshot contains
    live: dict = dataclasses.field(default_factory=dict)  # fragment -> {id, rows, footer, born}
    dead: dict = dataclasses.field(
        default_factory=dict
    )  # fragment -> {id or None, footer or None, born or None, since, at}
    hidden: dict = dataclasses.field(default_factory=dict)  # folder -> at
    ledger: dict = dataclasses.field(default_factory=dict)  # file -> {kind, rows, bytes, crc, born}
    ledger_dead: dict = dataclasses.field(default_factory=dict)  # file -> the same with since, at
    dead_attempts: dict = dataclasses.field(default_factory=dict)  # id -> ids of live fragments that hold its rows
    reread: list = dataclasses.field(default_factory=list)  # attempts that a repair found incomplete
    tags: dict = dataclasses.field(default_factory=dict)  # name -> data commit

    def change(self, kind, now):
        """A commit after this one that changes nothing yet."""
        head = {k: getattr(self, k) for k in ("T", "epoch", "horizon", "deleting")}
        head |= {"n": self.n + 1, "kind": kind, "at": max(now, self.at), "uuid": uuid.uuid4().hex, "note": None}
        head["segments"] = {"added": [], "removed": [], "abandoned": [], "hid": [], "gone": []}
        head["ledger"] = {"added": [], "removed": [], "gone": []}
        return head | {"dead_attempts": [], "tags": {}, "reread": []}

    def apply(self, commit, off=()):
        """The state after `commit`. `off` is for mutations."""
        new = copy.copy(self)
        for name in ("live", "dead", "hidden", "ledger", "ledger_dead", "dead_attempts", "reread", "tags"):
            setattr(new, name, copy.copy(getattr(self, name)))
        for k in ("n", "T", "epoch", "at", "kind", "uuid", "horizon", "deleting"):
            setattr(new, k, commit[k])
        since, files, ledger = {"since": new.n, "at": new.at}, commit["segments"], commit["ledger"]
        names = {v["id"]: name for name, v in new.live.items()}
        for i in files["removed"]:
            new.dead[names[i]] = new.live.pop(names[i]) | since
        for i, name in files["abandoned"]:
            new.dead[name] = {"id": i, "rows": None, "footer": None, "born": None} | since
        for name in files["hid"]:
            new.dead.pop(name, None)
            new.hidden[name] = new.at
        for name in files["gone"]:
            new.hidden.pop(name)
        for name, i, rows, footer in files["added"]:
            new.live[name] = {"id": i, "rows": rows, "footer": footer, "born": new.n}
        for name in ledger["removed"]:
            new.ledger_dead[name] = new.ledger.pop(name) | since
        for name in ledger["gone"]:
            new.ledger_dead.pop(name)
        for name, *rest in ledger["added"]:
            new.ledger[name] = dict(zip(("kind", "rows", "bytes", "crc"), rest)) | {"born": new.n}
        new.dead_attempts |= {i: fragments for i, fragments in commit["dead_attempts"]}
        new.reread = sorted({*new.reread, *commit["reread"]} - new.dead_attempts.keys())
        there, gone = {v["id"] for v in new.live.values()}, set(files["removed"])
        for attempt, held in list(new.dead_attempts.items()):
            left = [i for i in held if i in there]
            if "forget late" in off:  # mutation: a dead attempt leaves with the first of its fragments
                left = [] if gone & set(held) else left
            if left or "forget" in off:
                new.dead_attempts[attempt] = left
            else:
                new.dead_attempts.pop(attempt)
        for name, number in commit["tags"].items():
            new.tags.pop(name, None)
            if number is not None:
                new.tags[name] = number
        if commit["kind"] in DATA and not ("repair is data" in off and commit["kind"] == "repair"):
            new.data = new.n
        return new


def sealed(text, **header):
    """`text` with a header line that has its CRC32C."""
    head = {"format": 4, "crc32c": f"{crc32c.crc32c(text):08x}"} | header
    return json.dumps(head, separators=(",", ":")).encode() + b"\n" + text


def unsealed(data, what, check=True):
    """The text after the header line. The format is checked first, then the CRC, and only then is anything parsed."""
    line, _, text = data.partition(b"\n")
    try:
        head = json.loads(line)
        right = (
            head["format"] == 4 and set(head) == {"format", "crc32c"} and head["crc32c"] == f"{crc32c.crc32c(text):08x}"
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Damaged(f"header of {what}: {error}") from None
    if check and not right:
        raise Damaged(f"{what} differs from its CRC")
    return text


def plain_json(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Log:
    """`commits/<n>` on a local disk, each created only if absent."""

    def __init__(self, root, steps, off=()):
        self.root, self.steps, self.off = pathlib.Path(root), steps, set(off)

    def numbers(self, folder):
        return [int(p.name) for p in (self.root / folder).iterdir() if p.name.isdigit()]

    def newest(self):
        return max(self.numbers("commits"), default=-1)

    def read(self, n):
        what = f"commit {n}"
        try:
            return json.loads(unsealed((self.root / "commits" / f"{n:020}").read_bytes(), what, "crc" not in self.off))
        except (FileNotFoundError, ValueError) as error:
            raise Damaged(f"{what}: {error}") from None

    def unfinished(self):
        """Commit objects that a dead process wrote and did not link."""
        return [p for p in (self.root / "commits").iterdir() if p.name.startswith(".tmp-")]

    def follow(self, state, upto=None):
        """`state` with all later commits. Every number is read: a listing may lack one and show the next."""
        for n in range(state.n + 1, (self.newest() if upto is None else upto) + 1):
            state = state.apply(self.read(n), self.off)
        return state

    def load(self, upto=None):
        """The full state: newest usable checkpoint, then the commits after it."""
        upto = self.newest() if upto is None else upto
        state = State()
        for point in sorted((p for p in self.numbers("checkpoints") if p <= upto), reverse=True):
            try:
                state = self.checkpoint(point)
                break
            except Damaged:
                continue
        return self.follow(state, upto)

    def checkpoint(self, n):
        try:
            data = (self.root / "checkpoints" / f"{n:020}").read_bytes()
            head, live = unsealed(data, f"checkpoint {n}", "checkpoint crc" not in self.off).split(b"\n")
            state = State(**json.loads(head), live=json.loads(live))
        except (ValueError, TypeError, OSError) as error:
            raise Damaged(f"checkpoint {n}: {error}") from None
        state.dead_attempts = {int(i): held for i, held in state.dead_attempts.items()}
        return state

    def create(self, before, commit):
        """Commits and returns the new state, or raises `Fenced`. A create whose answer was lost is read back and compared."""
        n, path = commit["n"], self.root / "commits" / f"{commit['n']:020}"
        try:
            put_if_absent(path, sealed(plain_json(commit)), self.steps)
        except (FileExistsError, FileNotFoundError, TimeoutError):  # there, swept, or unanswered
            if not path.exists() or self.read(n)["uuid"] != commit["uuid"]:
                raise Fenced(f"commit {n} is another's") from None
        state = before.apply(commit, self.off)
        if n % CHECKPOINT_EVERY == 0:
            self.steps("checkpoint")
            body = dataclasses.asdict(state)
            live = body.pop("live")
            try:
                text = plain_json(body) + b"\n" + plain_json(live)
                put_if_absent(self.root / "checkpoints" / f"{n:020}", sealed(text), lambda name: None)
            except FileExistsError:
                pass
        return state


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
        sync_folder(path.parent)
        steps("commit created")
    finally:
        temp.unlink(missing_ok=True)


def sync_folder(path):
    folder = os.open(path, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def wall_ms():
    return time.time_ns() // 1_000_000
