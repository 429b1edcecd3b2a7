"""The one writer at a time: take over, write a window, compact, merge the ledger, vacuum, tag."""

import collections
import fcntl
import os
import uuid

import crc32c
import numpy as np
import tiledb

from database import CONFIG, ROWS, WINDOW_FRAGMENTS, Database, joined, scan, stamp
from log import Damaged, Fenced, plain_json, sync_folder

MERGE = 2  # more small ledger files of a kind than this are merged


class Refused(Exception):
    """The request cannot be met, and nothing was committed."""


class Holder(Database):
    """The one writer: the lock, its epoch, and the state that it last committed."""

    def acquire(self, force=False):
        """Takes over: lists first, then commits the fence, then removes only what it listed."""
        self.lock, self.pending = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT), []
        if not force:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.ahead = 0 if "clock" in self.off else max(0, self.clock - self.storage)  # measured at a file of its own
        while True:
            before = self.log.load()
            self.steps("take over: state loaded")
            unfinished, unrecorded, folders, ledger = self.unrecorded(before)
            self.steps("take over: listed")
            fence = before.change("fence", self.now())
            fence["epoch"], self.counter = fence["n"], 0
            late = {name for name in unrecorded if stamp(name) <= before.T}  # a snapshot may see these
            fence["segments"]["abandoned"] = [[None, name] for name in sorted(late)]
            unrecorded -= late
            fence["segments"]["hid"] = sorted(folders - late - before.hidden.keys())
            if "fence" in self.off:
                self.state = before
                self.state.epoch = before.n + 1
                break
            try:
                self.state = self.log.create(before, fence)
                break
            except Fenced:
                continue
        self.steps("take over: fenced")
        if "list before fence" in self.off:
            unfinished, unrecorded, _, _ = self.unrecorded(before)
        if "ledger list before fence" in self.off:
            ledger = self.unrecorded(before)[3]
        for path in unfinished:
            path.unlink(missing_ok=True)
        for name in sorted(unrecorded):  # later than every snapshot, so no reader can see it
            if "sweep" not in self.off and not self.unlink(name):
                self.pending.append([None, name])
        for name in sorted(ledger):
            if "ledger sweep" not in self.off:
                self.unlink_ledger(name)
        self.steps("take over: swept")
        return self

    def now(self):
        return super().now() - getattr(self, "ahead", 0)

    def unrecorded(self, state):
        """What `state` does not account for: staged commits, commit files, folders, ledger files."""
        known = state.live.keys() | state.dead.keys()
        ledger = state.ledger.keys() | (set() if "ledger dead" in self.off else state.ledger_dead.keys())
        return self.log.unfinished(), self.listed() - known, self.folders() - known, self.ledger_files() - ledger

    def unlink(self, name):
        """Removes the commit file; what could not be removed is left for a later holder."""
        try:
            self.steps("unlink commit file")
            self.commit_file(name).unlink(missing_ok=True)
            return True
        except OSError:
            return False

    def unlink_ledger(self, name):
        try:
            self.steps("unlink ledger file")
            self.ledger_file(name).unlink(missing_ok=True)
            return True
        except OSError:
            return False

    def replaced(self):
        """Whether another holder has replaced this one: then an error only says that it has removed files that this one uses."""
        state = getattr(self, "state", None)
        return state is not None and self.log.load().epoch != state.epoch

    def next_id(self):
        self.counter += 1
        return self.state.epoch << 32 | self.counter

    # Commits

    def change(self, kind, data=False):
        """A commit after the newest; a data commit gets a T that is later than every snapshot, whatever the clocks say."""
        now = self.now()
        change = self.state.change(kind, now)
        change["segments"]["abandoned"] += self.pending
        if data:
            change["T"] = now if "T after T_c" in self.off else max(now, self.state.T + 1, self.state.at + 1)
            change["at"] = max(change["T"], change["at"])
        return change

    def commit(self, change, note=None):
        if "conditional commit" in self.off:
            change["n"] = max(change["n"], self.log.newest() + 1)
        change["note"] = note
        if "compaction contents" not in self.off:
            self.check(change)
        self.state = self.log.create(self.state, change)
        self.pending = []
        self.steps(f"{change['kind']} committed")

    def check(self, change):
        """Every added fragment has exactly as many rows as `contents` counts for it, and ids are new and of this epoch."""
        counted = collections.Counter()
        for name, kind, rows, size, crc in change["ledger"]["added"]:
            if kind == "contents":
                for fragment, _, n in self.ledger_rows(name, {"bytes": size, "crc": crc}):
                    counted[fragment] += n
        used = {v["id"] for v in (self.state.live | self.state.dead).values()}
        for name, i, rows, _ in change["segments"]["added"]:
            if counted[i] != rows or i in used or i >> 32 != self.state.epoch:
                raise Damaged(f"fragment {name}: {rows} rows, {counted[i]} in the ledger")

    def add(self, change, columns):
        """Writes one fragment at the commit's timestamp and records it in `change`."""
        ids, rows = columns["fragment_id"], len(columns["fragment_id"])
        attempts = collections.Counter(columns["ingest_id"].tolist())
        columns = {k: v for k, v in columns.items()}
        coords = tuple(columns.pop(c) for c in ("latitude", "longitude"))
        with tiledb.open(str(self.root / "segments"), "w", timestamp=change["T"], ctx=self.ctx) as A:
            A[coords] = columns
            name = next(iter(A.last_write_info)).rsplit("/", 1)[-1]
        change["segments"]["added"].append([name, int(ids[0]), rows, self.footer(name)])
        self.steps("fragment written")
        return [[int(ids[0]), attempt, n] for attempt, n in attempts.items()]

    def footer(self, name):
        data = (self.folder(name) / "__fragment_metadata.tdb").read_bytes()
        return [len(data), crc32c.crc32c(data)]

    def add_ledger(self, change, kind, rows, write=True):
        """Writes one ledger file, whole and durable, and records it in `change`."""
        name, data = f"{uuid.uuid4().hex}.json", plain_json(rows)
        change["ledger"]["added"].append([name, kind, len(rows), len(data), crc32c.crc32c(data)])
        if write:
            self.write_ledger(name, data)
        return name, data

    def write_ledger(self, name, data):
        with open(self.ledger_file(name), "xb") as out:
            out.write(data[: len(data) // 2])
            out.flush()
            self.steps("ledger file half written")
            out.write(data[len(data) // 2 :])
            out.flush()
            os.fsync(out.fileno())
        sync_folder(self.root / "ledger")
        self.steps("ledger file written")

    def current(self, extra=None):
        """Rows visible to this holder; nothing else can commit meanwhile without fencing it."""
        condition = self.hidden_by(self.state, self.listed())
        terms = [t for t in (condition, extra) if t]
        with self.open(self.state.T) as A:
            return joined(list(scan(A, " and ".join(terms) or None)))

    # Jobs

    def holders(self, attempt, rows):
        """Ids of the live fragments that hold rows of an attempt, from the ledger's `contents`."""
        live = {v["id"] for v in self.state.live.values()}
        held = [(f, n) for f, i, n in self.ledger(self.state, "contents") if i == attempt and f in live]
        whole = sum(n for _, n in held) == rows or attempt in self.state.reread
        if not whole and "compaction contents" not in self.off:
            raise Damaged(f"attempt {attempt}: {rows} rows in the ledger, {held} in its contents")
        return sorted({f for f, _ in held})

    def ingest(self, window):
        """Writes a window {granule: version}; what the ledger has is left out, unless a repair found it incomplete."""
        have = {}
        for attempt, granule, version, rows in sorted(self.ledger(self.state)):
            if version >= have.get(granule, (-1,))[0]:
                have[granule] = (version, attempt, rows)
        incomplete = {g for g, (_, attempt, _) in have.items() if attempt in self.state.reread}
        todo = {g: v for g, v in window.items() if have.get(g, (-1,))[0] < v or g in incomplete}
        if not todo:
            return
        change = self.change("ingest", data=True)
        for granule in todo:
            if granule in have:
                _, attempt, rows = have[granule]
                change["dead_attempts"].append([attempt, self.holders(attempt, rows)])
        ids = {g: self.next_id() for g in todo}
        rows = [(g, todo[g], s) for g in todo for s in range(ROWS)]
        if "fragments first" in self.off:
            self.commit(change, todo)
        contents = []
        for part in range(WINDOW_FRAGMENTS):
            mine = np.array([r for r in rows if r[2] % WINDOW_FRAGMENTS == part], dtype=np.int64)
            columns = {"latitude": mine[:, 0] + mine[:, 2] / 100, "longitude": mine[:, 2] / 10.0}
            columns |= {"granule": mine[:, 0], "version": mine[:, 1], "segment": mine[:, 2]}
            columns["ingest_id"] = np.array([ids[g] for g in mine[:, 0]], dtype=np.int64)
            columns["fragment_id"] = np.full(len(mine), self.next_id(), dtype=np.int64)
            contents += self.add(change, columns)
        if "fragments first" in self.off:
            return
        files = [self.add_ledger(change, "contents", contents)]
        write = "ledger first" not in self.off
        files.append(self.add_ledger(change, "granules", [[ids[g], g, todo[g], ROWS] for g in todo], write))
        self.commit(change, todo)
        if not write:
            self.write_ledger(*files[1])

    def compact(self, keep=0):
        """Rewrites all fragments but the newest `keep` as one; the inputs are dead from then on. Then merges the ledger."""
        inputs = sorted(self.state.live, key=stamp)
        inputs = inputs[: len(inputs) - keep]
        ids = [self.state.live[name]["id"] for name in inputs]
        if len(ids) >= 2 or (ids and self.state.dead_attempts):
            columns = self.current(f"fragment_id in {ids}")
            change = self.change("compact", data=True)
            change["segments"]["removed"] = ids
            if columns:
                columns["fragment_id"] = np.full(len(columns["granule"]), self.next_id(), dtype=np.int64)
                contents = self.add(change, columns)
                if "compaction contents" not in self.off:
                    self.add_ledger(change, "contents", contents)
            self.commit(change)
        self.merge()
        self.consolidate_footers()

    def merge(self):
        """Rewrites many small ledger files of a kind as one; `contents` of fragments that are not live are left out."""
        live = {v["id"] for v in self.state.live.values()}
        due = {}
        for kind in ("contents", "granules"):
            names = [name for name, file in self.state.ledger.items() if file["kind"] == kind]
            if len(names) > MERGE:
                rows = sorted(self.ledger(self.state, kind))
                due[kind] = names, [r for r in rows if kind == "granules" or r[0] in live]
        if not due:
            return
        change = self.change("merge", data=False) if "merge is data" in self.off else self.change("compact", data=True)
        for kind, (names, rows) in due.items():
            self.add_ledger(change, kind, rows)
            change["ledger"]["removed"] += names
        self.commit(change)

    def consolidate_footers(self):
        """TileDB's own consolidation of fragment metadata: a copy that opens read instead of many footers."""
        for job, key in ((tiledb.consolidate, "sm.consolidation.mode"), (tiledb.vacuum, "sm.vacuum.mode")):
            try:
                config = tiledb.Config({**CONFIG, key: "fragment_meta"})
                job(str(self.root / "segments"), ctx=self.ctx, config=config)
            except tiledb.TileDBError:
                pass  # a vacuum got in between; only an optimisation is lost
            self.steps("footers")

    def tag(self, name, of=None, other=None):
        """Keeps the data of commit `of` (default: newest) or of another tag readable."""
        number = self.state.tags.get(other) if other else of
        state = self.state if number is None else self.log.load(number)
        if self.expired(state, self.state) == "yes" and "tag refusal" not in self.off:
            raise Refused(f"commit {state.n} has expired")
        change = self.change("tag")
        change["tags"][name] = state.n if "tag data" in self.off else state.data
        self.commit(change)

    def untag(self, name):
        if name in self.state.tags:
            change = self.change("tag")
            change["tags"][name] = None
            self.commit(change)

    def kept(self, entry):
        """Whether a tag names a state in which a dead fragment or ledger file was live."""
        born = 0 if "born" in self.off else entry["born"]
        since = float("inf") if "tag since" in self.off else entry["since"]
        return (
            born is not None
            and any(born <= t < since for t in self.state.tags.values())
            and "tag keeps" not in self.off
        )

    def vacuum(self, grace=0):
        """Horizon, commit files, listing, commit; then folders of what has been hidden, and ledger files dead, for `grace`."""
        now = max(self.now(), self.state.at) if "own clock" in self.off else self.now()

        def old(at, grace=grace):  # by this machine's clock alone: late when it is behind, never early
            return max(0, now - at) >= grace

        chosen = {name: v for name, v in self.state.dead.items() if old(v["at"]) and not self.kept(v)}
        files = {
            name: v
            for name, v in self.state.ledger_dead.items()
            if (old(v["at"]) or "ledger grace" in self.off) and ("tag keeps ledger" in self.off or not self.kept(v))
        }
        horizon = max((v["since"] for v in (*chosen.values(), *files.values())), default=0)
        if "ledger horizon" in self.off:
            horizon = max((v["since"] for v in chosen.values()), default=0)
        if horizon > self.state.horizon:
            change = self.change("horizon")
            change["horizon"] = horizon
            if "horizon first" not in self.off:
                self.commit(change)
        for name in sorted(chosen):
            if "commit file first" in self.off:
                self.remove_folder(name)
            self.unlink(name)
        listed = self.listed()
        change = self.change("vacuum")
        if "horizon first" in self.off:
            change["horizon"] = max(horizon, self.state.horizon)
        hid = change["segments"]["hid"] = sorted(chosen.keys() - listed)
        hidden = self.state.hidden | {name: change["at"] for name in hid}
        due = [n for n, at in hidden.items() if (old(at) or "hide" in self.off) and n not in listed]
        if due:
            change["deleting"] = change["n"]
        if due or hid or change["horizon"] != self.state.horizon:
            self.commit(change)
        gone = sorted(name for name in due if self.remove_folder(name))
        gone_ledger = sorted(name for name in files if self.unlink_ledger(name))
        if gone or gone_ledger:
            change = self.change("vacuum")
            change["segments"]["gone"], change["ledger"]["gone"] = gone, gone_ledger
            self.commit(change)

    def remove_folder(self, name):
        """File by file; True when nothing is left."""
        folder = self.folder(name)
        try:
            for path in sorted(folder.iterdir()) if folder.exists() else ():
                self.steps("unlink data file")
                path.unlink(missing_ok=True)
            if folder.exists():
                self.steps("unlink folder")
                folder.rmdir()
            return True
        except OSError:
            return False
