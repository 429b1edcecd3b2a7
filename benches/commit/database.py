"""Reading: a snapshot of one TileDB array and of the ledger's files, as of a commit, a tag or the newest state.

Every rule that a mutation can switch off is named in `rules_off`; an empty set is the protocol itself.
"""

import json
import pathlib

import crc32c
import numpy as np
import tiledb

from log import Damaged, Log, State, Steps, wall_ms

ROWS, WINDOW_FRAGMENTS = 30, 2
COLUMNS = ("fragment_id", "ingest_id", "granule", "version", "segment")
CONFIG = {
    "sm.compute_concurrency_level": "1",
    "sm.io_concurrency_level": "1",
    "sm.enable_signal_handlers": "false",
    "py.init_buffer_bytes": "1024",
}


class Expired(Exception):
    """The snapshot's files have been given up by a vacuum."""


class UnknownTag(Exception):
    """No tag of this name."""


def create(root):
    """An empty database; commit 0 makes it one."""
    root = pathlib.Path(root)
    for folder in ("commits", "checkpoints", "ledger"):
        (root / folder).mkdir(parents=True)
    ctx = tiledb.Ctx(CONFIG)
    lat = tiledb.Dim("latitude", domain=(-90, 90), dtype=np.float64, ctx=ctx)
    lon = tiledb.Dim("longitude", domain=(-180, 180), dtype=np.float64, ctx=ctx)
    schema = tiledb.ArraySchema(
        domain=tiledb.Domain(lat, lon, ctx=ctx),
        attrs=[tiledb.Attr(a, dtype=np.int64, ctx=ctx) for a in COLUMNS],
        sparse=True,
        allows_duplicates=True,
        cell_order="hilbert",
        capacity=20,
        ctx=ctx,
    )
    tiledb.Array.create(str(root / "segments"), schema, ctx=ctx)
    Log(root, Steps()).create(State(), State().change("create", wall_ms()))


class Database:
    """One process's view of a database. `clock` and `storage` shift the clocks of the machine and of the storage in
    milliseconds; without `storage` the two are the same, so a wrong clock goes unnoticed."""

    def __init__(self, root, steps=None, clock=0, rules_off=(), storage=None):
        self.root, self.steps, self.off = pathlib.Path(root), steps or Steps(), set(rules_off)
        self.clock, self.storage = clock, clock if storage is None else storage
        self.ctx = tiledb.Ctx(CONFIG)
        self.log = Log(root, self.steps, self.off)

    def now(self):
        return wall_ms() + self.clock

    # Listings

    def commit_file(self, name):
        return self.root / "segments" / "__commits" / f"{name}.wrt"

    def folder(self, name):
        return self.root / "segments" / "__fragments" / name

    def ledger_file(self, name):
        return self.root / "ledger" / name

    def listed(self):
        """Names with a commit file: what an open sees, whatever its folder holds."""
        return {p.stem for p in (self.root / "segments" / "__commits").iterdir() if p.suffix == ".wrt"}

    def folders(self):
        return {p.name for p in (self.root / "segments" / "__fragments").iterdir()}

    def ledger_files(self):
        return {p.name for p in (self.root / "ledger").iterdir()}

    # Reading

    def open(self, T):
        at = None if "explicit T" in self.off else T
        if at is None and self.clock:  # "now" of a machine whose clock is wrong
            at = self.now()
        return tiledb.open(str(self.root / "segments"), timestamp=at, ctx=self.ctx)

    def hidden_by(self, state, listed, tag_only=False):
        """The condition a read at `state` must add, from the fragments listed after opening."""
        if "dead list" in self.off:
            return None
        seen = {name for name in listed if stamp(name) <= state.T}
        missing, unknown = state.live.keys() - seen, seen - state.live.keys() - state.dead.keys()
        if "names" in self.off:  # mutation: format 2 counted
            more = len(seen - state.dead.keys()) - len(state.live)
            missing, unknown = (missing if more < 0 else ()), (unknown if more > 0 else ())
        if missing and "missing" not in self.off:
            raise Damaged(f"live fragments are missing: {sorted(missing)}")
        dead = state.dead
        if "dead listed" in self.off:  # mutation: only those that are still listed
            dead = {name: v for name, v in dead.items() if name in listed}
        nameless = [name for name, v in dead.items() if v["id"] is None]
        if "dead without id" in self.off:  # mutation: looked for only when still listed
            nameless = [name for name in nameless if name in listed]
        strays = (unknown and "strays hidden" not in self.off) or (tag_only and "tag reads live" not in self.off)
        if strays or nameless:
            ids = sorted(v["id"] for v in state.live.values())
            terms = [f"fragment_id in {ids}"] if ids else ["fragment_id == -1"]
        else:
            ids = sorted(v["id"] for v in dead.values() if v["id"] is not None)
            terms = [f"fragment_id not in {ids}"] if ids else []
        if state.dead_attempts:
            terms.append(f"ingest_id not in {sorted(state.dead_attempts)}")
        return " and ".join(terms) or None

    def expired(self, state, newest):
        """ "no", "tag" when only a tag keeps the state readable, or "yes"."""
        if state.n >= newest.horizon:
            return "no"
        return "tag" if state.data in newest.tags.values() and "tag exempts" not in self.off else "yes"

    def snapshot(self, n=None, tag=None, ledger="last", retry=True):
        """Rows of the segments and of the ledger as of commit `n` or of a tag (default: newest), and the commit's number."""
        newest = self.log.load()
        if tag is not None:
            if tag not in newest.tags:
                raise UnknownTag(tag)
            n, again = newest.tags[tag], True
        else:
            again = n is None
        state, given = (newest if n is None else self.log.load(n)), False
        self.steps("reader: state read")
        try:
            with self.open(state.T) as array:
                self.steps("reader: opened")
                listed = self.listed()
                self.steps("reader: listed")
                newest = self.log.follow(newest)
                expired = self.expired(state, newest)
                if expired == "yes" and "horizon" not in self.off:
                    raise Expired(f"snapshot {state.n}")
                self.steps("reader: horizon checked")
                condition = self.hidden_by(state, listed, expired == "tag")
                granules = None
                parts = []
                for batch in scan(array, condition):
                    given = True
                    parts.append(batch)
                    self.steps("reader: batch")
                rows = joined(parts)
                if ledger == "last":
                    self.steps("reader: segments read")
                    granules = self.ledger(state)
                return rows, granules, state.n
        except (tiledb.TileDBError, Expired, Damaged) as error:
            newest = self.log.follow(newest)
            vacuumed = isinstance(error, Expired) or max(newest.horizon, newest.deleting) > state.n
            if isinstance(error, Damaged) and self.expired(state, newest) != "yes":
                vacuumed = False  # no vacuum removes a file that this state needs
            if not vacuumed and not (again and newest.n > state.n and tag is None):
                raise
            if again and retry and not given:
                return self.snapshot(None, tag, ledger, retry=False)
            if not vacuumed:
                raise
            raise Expired(str(error)) from error

    # The ledger

    def ledger_rows(self, name, file):
        """The rows of a ledger file, compared with what its commit says."""
        try:
            data = self.ledger_file(name).read_bytes()
        except OSError as error:
            raise Damaged(f"ledger file {name}: {error}") from None
        if len(data) != file["bytes"] or crc32c.crc32c(data) != file["crc"]:
            raise Damaged(f"ledger file {name} differs from its CRC")
        return json.loads(data)

    def ledger(self, state, kind="granules"):
        files = [(name, file) for name, file in state.ledger.items() if file["kind"] == kind]
        return [row for name, file in files for row in self.ledger_rows(name, file)]


def joined(parts):
    return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}


def scan(array, condition):
    """Batches of every column; several even for small arrays."""
    query = array.query(cond=condition, dims=True, return_incomplete=True)
    for batch in query.multi_index[:]:
        yield {k: np.array(v) for k, v in batch.items()}


def stamp(name):
    """The timestamp in a fragment's name, `__T_T_<uuid>_<version>`."""
    return int(name.split("_")[3])
