"""The commit protocol over two TileDB arrays: take over, write, compact, vacuum, read.

Every rule that a mutation can switch off is named in `rules_off`; an empty set is the protocol itself.
"""

import contextlib
import pathlib

import numpy as np
import tiledb
from log import ARRAYS, Log, State, Steps, wall_ms

ROWS, WINDOW_FRAGMENTS = 30, 2
CONFIG = {
    "sm.compute_concurrency_level": "1",
    "sm.io_concurrency_level": "1",
    "sm.enable_signal_handlers": "false",
    "py.init_buffer_bytes": "1024",
}


class Expired(Exception):
    """The snapshot's files have been given up by a vacuum."""


class Damaged(Exception):
    """Files are missing or extra that the log does not explain."""


def create(root):
    """An empty database; commit 0 makes it one."""
    root = pathlib.Path(root)
    for folder in ("commits", "checkpoints"):
        (root / folder).mkdir(parents=True)
    ctx = tiledb.Ctx(CONFIG)
    lat = tiledb.Dim("latitude", domain=(-90, 90), dtype=np.float64, ctx=ctx)
    lon = tiledb.Dim("longitude", domain=(-180, 180), dtype=np.float64, ctx=ctx)
    names = ("fragment_id", "ingest_id", "granule", "version", "segment")
    key = tiledb.Dim("ingest_id", domain=(0, 2**62), tile=2**20, dtype=np.int64, ctx=ctx)
    for array, dims, attrs in (("segments", (lat, lon), names), ("granules", (key,), names[:1] + names[2:4])):
        schema = tiledb.ArraySchema(
            domain=tiledb.Domain(*dims, ctx=ctx),
            attrs=[tiledb.Attr(a, dtype=np.int64, ctx=ctx) for a in attrs],
            sparse=True,
            allows_duplicates=True,
            cell_order="hilbert" if array == "segments" else "row-major",
            capacity=20,
            ctx=ctx,
        )
        tiledb.Array.create(str(root / array), schema, ctx=ctx)
    Log(root, Steps()).create(State(), State().next("create", wall_ms()))


class Database:
    """One process's view of a database. `clock` shifts its wall clock in milliseconds."""

    def __init__(self, root, steps=None, clock=0, rules_off=()):
        self.root, self.steps, self.clock, self.off = pathlib.Path(root), steps or Steps(), clock, set(rules_off)
        self.ctx = tiledb.Ctx(CONFIG)
        self.log = Log(root, self.steps)

    def now(self):
        return wall_ms() + self.clock

    # Listings

    def commit_file(self, array, name):
        return self.root / array / "__commits" / f"{name}.wrt"

    def folder(self, array, name):
        return self.root / array / "__fragments" / name

    def listed(self, array):
        """Names with a commit file: what an open sees, whatever its folder holds."""
        return {p.stem for p in (self.root / array / "__commits").iterdir() if p.suffix == ".wrt"}

    def folders(self, array):
        return {p.name for p in (self.root / array / "__fragments").iterdir()}

    # Reading

    def open(self, array, T):
        at = None if "explicit T" in self.off else T
        if at is None and self.clock:  # "now" of a machine whose clock is wrong
            at = self.now()
        return tiledb.open(str(self.root / array), timestamp=at, ctx=self.ctx)

    def hidden_by(self, array, commit, listed):
        """The condition a read at `commit` must add, from the fragments listed after opening."""
        dead = {name: rest[0] for name, *rest in commit[array]["dead"]}
        seen = {name for name in listed if stamp(name) <= commit["T"]} - dead.keys()
        if "dead list" in self.off:
            return None, 0
        strays = len(seen) - commit[array]["live"]
        if strays < 0 and "count" not in self.off:
            raise Damaged(f"{array}: {-strays} live fragments are missing")
        nameless = [name for name, i in dead.items() if i is None]
        if "dead without id" in self.off:  # looked for only when still listed
            nameless = [name for name in nameless if name in listed]
        if (strays > 0 and "strays hidden" not in self.off) or nameless:
            ids = sorted(v["id"] for v in self.log.load(commit["n"]).live[array].values())
            terms = [f"fragment_id in {ids}"] if ids else ["fragment_id == -1"]
        else:
            ids = sorted(i for i in dead.values() if i is not None)
            terms = [f"fragment_id not in {ids}"] if ids else []
        if array == "segments" and commit["dead_ingests"]:
            terms.append(f"ingest_id not in {sorted(i for i, *_ in commit['dead_ingests'])}")
        return " and ".join(terms) or None, strays

    def snapshot(self, n=None, retry=True):
        """Rows of both arrays as of commit `n` (default newest): ({array: columns}, n). Once more if disturbed."""
        commit, given = (self.log.newest_commit() if n is None else self.log.read(n)), False
        self.steps("reader: commit read")
        try:
            with contextlib.ExitStack() as stack:
                arrays = {a: stack.enter_context(self.open(a, commit["T"])) for a in ARRAYS}
                self.steps("reader: opened")
                listed = {a: self.listed(a) for a in ARRAYS}
                self.steps("reader: listed")
                if commit["n"] < self.log.newest_commit()["horizon"] and "horizon" not in self.off:
                    raise Expired(f"snapshot {commit['n']}")
                self.steps("reader: horizon checked")
                out = {}
                for a, array in arrays.items():
                    condition, _ = self.hidden_by(a, commit, listed[a])
                    parts = []
                    for batch in scan(array, condition):
                        given = True
                        parts.append(batch)
                        self.steps("reader: batch")
                    out[a] = {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}
                return out, commit["n"]
        except (tiledb.TileDBError, Expired, Damaged) as error:
            newest = self.log.newest_commit()
            if not isinstance(error, Expired) and max(newest["horizon"], newest["deleting"]) <= commit["n"]:
                raise
            if n is None and retry and not given:
                return self.snapshot(retry=False)
            raise Expired(str(error)) from error


def scan(array, condition):
    """Batches of every column; several per array even for small ones."""
    if array.schema.nattr == 0:
        return
    query = array.query(cond=condition, dims=True, return_incomplete=True)
    for batch in query.multi_index[:]:
        yield {k: np.array(v) for k, v in batch.items()}


def stamp(name):
    """The timestamp in a fragment's name, `__T_T_<uuid>_<version>`."""
    return int(name.split("_")[3])
