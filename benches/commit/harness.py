"""Runs roles as separate processes that are killed, stopped or fail at a chosen step, and checks what they read and leave on disk."""

import collections
import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import traceback

from database import ROWS, Database, Expired, UnknownTag, create
from holder import Refused
from log import Damaged, Fenced, Log, State, Steps
from mender import Mender

WORK = pathlib.Path(tempfile.mkdtemp(prefix="commit-", dir=os.environ.get("COMMIT_BENCH_DIR")))
EVERY = int(os.environ.get("COMMIT_BENCH_EVERY", "1"))  # stop at every k-th step only
HOUR = 3_600_000
DAY = 24 * HOUR


def reader(db, n=None, tag=None, ledger="last", force=False):
    out, ledger, n = db.snapshot(n, tag, ledger)
    tally = collections.Counter(zip(*(out.get(k, ()) for k in ("granule", "version", "segment"))))
    if ledger is not None:
        ledger = plain(collections.Counter((granule, version) for _, granule, version, _ in ledger))
    return {"n": n, "rows": plain(tally), "ledger": ledger}


def plain(counter):
    return sorted([*(int(x) for x in key), count] for key, count in counter.items())


def writer(db, *windows, force=False, grace=None):
    db.acquire(force)
    if grace is not None:  # a run begins with a vacuum
        db.vacuum(grace)
    for window in windows:
        db.ingest({int(g): v for g, v in window.items()})


def compactor(db, keep=0, force=False):
    db.acquire(force).compact(keep)


def merger(db, force=False):
    db.acquire(force).merge()


def vacuum(db, grace=0, force=False):
    db.acquire(force).vacuum(grace)


def tag(db, name, of=None, other=None, force=False):
    db.acquire(force).tag(name, of, other)


def untag(db, name, force=False):
    db.acquire(force).untag(name)


def repair(db, force=False):
    db.acquire(force).repair()


def rows_of(db, ids):
    """Visible rows of some fragments."""
    db.state = db.log.load()
    out = db.current(f"fragment_id in {ids}")
    return plain(collections.Counter(zip(*(out.get(k, ()) for k in ("granule", "version", "segment")))))


class Process:
    """A forked role. `at` and `action` choose the step; the orchestrator itself never opens TileDB."""

    def __init__(self, root, role, *args, at=None, action=None, clock=0, storage=None, off=(), trace=None, **kwargs):
        self.result, self.state = WORK / f"result-{os.urandom(6).hex()}", None
        self.role, self.args = role, args
        self.pid = os.fork()
        if self.pid:
            return
        try:
            made = (Database if role is reader else Mender)(root, Steps(at, action, trace), clock, off, storage)
            answer = {"outcome": "done", "value": role(made, *args, **kwargs)}
        except (Expired, Fenced, Damaged, Refused, UnknownTag) as error:
            answer = {"outcome": type(error).__name__, "why": str(error)}
        except BaseException:
            answer = {"outcome": "error", "why": traceback.format_exc()}
        if role is not reader and answer["outcome"] in ("error", "Damaged") and made.replaced():
            answer["outcome"] = "Fenced"
        self.result.write_text(json.dumps(answer))
        os._exit(0)

    def wait(self):
        """Runs on until the process stops or ends: "stopped", "killed", or its answer."""
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            self.state = "stopped"
        elif os.WIFSIGNALED(status):
            self.state = "killed"
        else:
            self.state = json.loads(self.result.read_text())
            self.result.unlink()
        return self.state

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)
        return self.wait()

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()


def run(root, role, *args, **kwargs):
    return Process(root, role, *args, **kwargs).wait()


def steps_of(base, role, *args, **kwargs):
    """Names of the steps that a role passes on a copy of `base`."""
    trace = WORK / "trace"
    trace.write_text("")
    root = copy(base)
    answer = run(root, role, *args, trace=trace, **kwargs)
    assert answer["outcome"] == "done", answer
    shutil.rmtree(root)
    return trace.read_text().splitlines()


def sample(names, turn=itertools.count()):
    """Steps with their numbers; with COMMIT_BENCH_EVERY=k every k-th, beginning with another one at each call."""
    first = next(turn) % EVERY
    return list(enumerate(names))[first::EVERY] or list(enumerate(names))[:1]


def copy(base):
    root = WORK / f"db-{os.urandom(6).hex()}"
    shutil.copytree(base, root)
    return root


def build(*jobs, off=()):
    """A database after some undisturbed jobs, each (role, args…)."""
    root = WORK / f"base-{os.urandom(6).hex()}"
    pid = os.fork()
    if not pid:
        create(root)
        os._exit(0)
    os.waitpid(pid, 0)
    for role, *args in jobs:
        answer = run(root, role, *args, off=off)
        assert answer["outcome"] == "done", answer
    return root


def load(root, n=None, off=()):
    return Log(root, Steps(), off).load(n)


class Enough(Exception):
    """The first violation, when one is enough."""


class Judge:
    """Counts checks and violations of one scenario."""

    stop_early = False

    def __init__(self, name):
        self.name, self.cases, self.refused, self.faults = name, 0, 0, []

    def fault(self, what, case=""):
        self.faults.append(f"{what} [{case}]")
        if not self.stop_early:
            print(f"{self.name}: {self.faults[-1]}", file=sys.stderr, flush=True)
        if self.stop_early:
            raise Enough(self)

    def model(self, root):
        """Contents at every commit, from which jobs were committed: [{granule: version}], [attempts]."""
        log, contents, attempts = Log(root, Steps()), [], []
        for n in range(log.newest() + 1):
            note = {int(g): v for g, v in (log.read(n)["note"] or {}).items()}
            contents.append((contents[-1] if contents else {}) | note)
            attempts.append((attempts[-1] if attempts else []) + list(note.items()))
        return contents, attempts

    def read(self, root, answer, case="", allowed=(), expect=None, may_expire=False):
        """A read must be exactly the contents of the commit it names (or the rows given); refusals only if allowed."""
        self.cases += 1
        allowed = {*allowed, *(["Expired"] if may_expire else [])}
        if answer in ("killed", "stopped"):
            return self.fault(f"reader {answer}", case)
        if answer["outcome"] in allowed:
            self.refused += 1
            return None
        if answer["outcome"] != "done":
            return self.fault(f"reader: {answer['outcome']} {answer['why'][-300:]}", case)
        value = answer["value"]
        contents, attempts = self.model(root)
        rows = sorted([g, v, s, 1] for g, v in contents[value["n"]].items() for s in range(ROWS))
        if expect is not None:
            rows = expect
        if value["rows"] != rows:
            extra, missing = len(value["rows"]) - len(rows), sum(r not in value["rows"] for r in rows)
            self.fault(f"rows of commit {value['n']}: {extra} too many, {missing} missing or doubled", case)
        if expect is None and value["ledger"] not in (None, plain(collections.Counter(attempts[value["n"]]))):
            self.fault(f"ledger of commit {value['n']}", case)
        return None

    def holder(self, answer, case="", allowed=("done",)):
        self.cases += 1
        if answer not in ("killed", "stopped") and answer["outcome"] not in allowed:
            self.fault(f"holder: {answer['outcome']} {answer.get('why', '')[-400:]}", case)

    def true(self, condition, what, case=""):
        self.cases += 1
        if not condition:
            self.fault(what, case)

    def contents(self, root, expected, case=""):
        got = self.model(root)[0][-1]
        if got != expected:
            self.fault(f"ends with {got}", case)

    def files(self, root, case="", off=()):
        """On disk are the live files of the newest state and of the tagged ones, and nothing else."""
        state = load(root, off=off)
        kept = [load(root, t) for t in state.tags.values()]
        segments, ledger = (set().union(s, *k) for s, k in (
            (state.live, [t.live for t in kept]), (state.ledger, [t.ledger for t in kept])))  # fmt: skip
        if {p.stem for p in (root / "segments" / "__commits").iterdir()} != segments:
            self.fault("commit files left over or missing", case)
        if {p.name for p in (root / "segments" / "__fragments").iterdir()} != segments:
            self.fault("folders left over or missing", case)
        if {p.name for p in (root / "ledger").iterdir()} != ledger:
            self.fault("ledger files left over or missing", case)
        dead = state.dead.keys() | state.live.keys(), state.ledger_dead.keys() | state.ledger.keys()
        if dead != (segments, ledger) or state.hidden:
            self.fault("lists of the dead and the hidden are not what tags keep", case)
        if list((root / "commits").glob(".tmp-*")):
            self.fault("unfinished commit objects left over", case)
        whole = Log(root, Steps(), off).follow(State())
        if dataclasses.asdict(whole) != dataclasses.asdict(state):
            self.fault("checkpoint and commits differ", case)
        return state

    def clean(self, root, expected, case="", off=()):
        """After compact and two vacuums nothing is left but what is live or tagged, and the rows are those expected."""
        for role in (vacuum, compactor, vacuum, vacuum):
            self.holder(run(root, role, off=off), case)
        self.read(root, run(root, reader, off=off), case)
        self.contents(root, expected, case)
        for name in load(root).tags:
            self.read(root, run(root, reader, None, name, off=off), f"tag {name}, {case}")
        state = self.files(root, case, off)
        if state.dead_attempts or state.reread:
            self.fault("lists of attempts not empty", case)
        shutil.rmtree(root)
