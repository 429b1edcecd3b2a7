"""Runs roles as separate processes that are killed, stopped or fail at a chosen step, and checks what they read and leave on disk."""

import collections
import json
import os
import pathlib
import shutil
import signal
import tempfile
import traceback

from database import ROWS, Database, Expired, create
from holder import Holder
from log import ARRAYS, Fenced, Log, Steps

WORK = pathlib.Path(tempfile.mkdtemp(prefix="commit-", dir=os.environ.get("COMMIT_BENCH_DIR")))
HOUR = 3_600_000


def reader(db, n=None, force=False):
    out, n = db.snapshot(n)
    tally = collections.Counter(zip(*(out["segments"].get(k, ()) for k in ("granule", "version", "segment"))))
    ledger = collections.Counter(zip(*(out["granules"].get(k, ()) for k in ("granule", "version"))))
    return {"n": n, "rows": plain(tally), "ledger": plain(ledger)}


def plain(counter):
    return sorted([*(int(x) for x in key), count] for key, count in counter.items())


def writer(db, *windows, force=False):
    db.acquire(force)
    for window in windows:
        db.ingest({int(g): v for g, v in window.items()})


def compactor(db, keep=0, force=False):
    db.acquire(force).compact(keep)


def vacuum(db, grace=0, force=False):
    db.acquire(force).vacuum(grace)


class Process:
    """A forked role. `at` and `action` choose the step; the orchestrator itself never opens TileDB."""

    def __init__(self, root, role, *args, at=None, action=None, clock=0, off=(), trace=None, **kwargs):
        self.result, self.state = WORK / f"result-{os.urandom(6).hex()}", None
        self.role = role
        self.pid = os.fork()
        if self.pid:
            return
        try:
            made = (Database if role is reader else Holder)(root, Steps(at, action, trace), clock, off)
            answer = {"outcome": "done", "value": role(made, *args, **kwargs)}
        except (Expired, Fenced) as error:
            answer = {"outcome": type(error).__name__, "why": str(error)}
        except BaseException:
            answer = {"outcome": "error", "why": traceback.format_exc()}
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


def copy(base):
    root = WORK / f"db-{os.urandom(6).hex()}"
    shutil.copytree(base, root)
    return root


def build(*jobs):
    """A database after some undisturbed jobs, each (role, args…)."""
    root = WORK / f"base-{os.urandom(6).hex()}"
    pid = os.fork()
    if not pid:
        create(root)
        os._exit(0)
    os.waitpid(pid, 0)
    for role, *args in jobs:
        answer = run(root, role, *args)
        assert answer["outcome"] == "done", answer
    return root


class Enough(Exception):
    """The first violation, when one is enough."""


class Judge:
    """Counts checks and violations of one scenario."""

    stop_early = False

    def __init__(self, name):
        self.name, self.cases, self.expired, self.faults = name, 0, 0, []

    def fault(self, what, case=""):
        self.faults.append(f"{what} [{case}]")
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

    def read(self, root, answer, case="", may_expire=False):
        """A read must be exactly the contents of the commit it names."""
        self.cases += 1
        if answer in ("killed", "stopped"):
            return self.fault(f"reader {answer}", case)
        if answer["outcome"] == "Expired" and may_expire:
            self.expired += 1
            return None
        if answer["outcome"] != "done":
            return self.fault(f"reader: {answer['outcome']} {answer['why'][-300:]}", case)
        value = answer["value"]
        contents, attempts = self.model(root)
        rows = sorted([g, v, s, 1] for g, v in contents[value["n"]].items() for s in range(ROWS))
        ledger = sorted([g, v, 1] for g, v in attempts[value["n"]])
        if value["rows"] != rows:
            extra, missing = len(value["rows"]) - len(rows), sum(r not in value["rows"] for r in rows)
            self.fault(f"rows of commit {value['n']}: {extra} too many, {missing} missing or doubled", case)
        if value["ledger"] != ledger:
            self.fault(f"ledger of commit {value['n']}", case)
        return None

    def holder(self, answer, case="", allowed=("done",)):
        self.cases += 1
        if answer not in ("killed", "stopped") and answer["outcome"] not in allowed:
            self.fault(f"holder: {answer['outcome']} {answer.get('why', '')[-400:]}", case)

    def contents(self, root, expected, case=""):
        got = self.model(root)[0][-1]
        if got != expected:
            self.fault(f"ends with {got}", case)

    def clean(self, root, expected, case="", off=()):
        """After compact and two vacuums nothing is left but the live fragments, and the rows are those expected."""
        for role in (vacuum, compactor, vacuum, vacuum):
            self.holder(run(root, role, off=off), case)
        self.read(root, run(root, reader, off=off), case)
        self.contents(root, expected, case)
        state = Log(root, Steps()).load()
        for a in ARRAYS:
            live = set(state.live[a])
            if {p.stem for p in (root / a / "__commits").iterdir()} != live:
                self.fault(f"{a}: commit files left over", case)
            if {p.name for p in (root / a / "__fragments").iterdir()} != live:
                self.fault(f"{a}: folders left over", case)
            if state.dead[a] or state.hidden[a] or state.dead_ingests:
                self.fault(f"{a}: lists not empty", case)
        if list((root / "commits").glob(".tmp-*")):
            self.fault("unfinished commit objects left over", case)
        shutil.rmtree(root)
