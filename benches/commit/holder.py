"""The one writer at a time: take over, write a window, compact, vacuum."""

import fcntl
import os
import shutil

import numpy as np
import tiledb
from database import CONFIG, ROWS, WINDOW_FRAGMENTS, Database, scan, stamp
from log import ARRAYS, Fenced


class Holder(Database):
    """The one writer: the lock, its epoch, and the state that it last committed."""

    def acquire(self, force=False):
        """Takes over: lists first, then commits the fence, then removes only what it listed."""
        self.lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT)
        if not force:
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        while True:
            before = self.log.load()
            self.steps("take over: state loaded")
            unfinished, (unrecorded, folders) = self.log.unfinished(), self.unrecorded(before)
            self.steps("take over: listed")
            self.state = before.next("fence", self.now())
            self.state.epoch, self.counter = self.state.n, 0
            for a in ARRAYS:
                visible = {name for name in unrecorded[a] if stamp(name) <= before.T}
                for name in visible:  # a snapshot may see it: give it up like a compacted fragment
                    self.state.dead[a][name] = [None, self.state.n, self.state.at]
                unrecorded[a] -= visible
                for name in folders[a] - visible:
                    self.state.hidden[a].setdefault(name, self.state.at)
            if "fence" in self.off:
                self.state = before
                self.state.epoch, self.counter = before.n + 1, 0
                break
            try:
                self.log.create(before, self.state)
                break
            except Fenced:
                continue
        self.steps("take over: fenced")
        if "list before fence" in self.off:
            unfinished, (unrecorded, _) = self.log.unfinished(), self.unrecorded(before)
        for path in unfinished:
            path.unlink(missing_ok=True)
        for a in ARRAYS:
            for name in sorted(unrecorded[a]):  # later than every snapshot, so no reader can see it
                if "sweep" not in self.off and not self.unlink(a, name):
                    self.state.dead[a][name] = [None, self.state.n + 1, self.state.at]
        self.steps("take over: swept")
        return self

    def unrecorded(self, state):
        """Commit files and folders that `state` does not account for."""
        known = {a: state.live[a].keys() | state.dead[a].keys() for a in ARRAYS}
        return {a: self.listed(a) - known[a] for a in ARRAYS}, {a: self.folders(a) - known[a] for a in ARRAYS}

    def unlink(self, array, name):
        """Removes the commit file; what could not be removed is left for a later holder."""
        try:
            self.steps(f"unlink {array} commit file")
            self.commit_file(array, name).unlink(missing_ok=True)
            return True
        except OSError:
            return False

    def next_id(self):
        self.counter += 1
        return self.state.epoch << 32 | self.counter

    def commit(self, state, note=None):
        if "conditional commit" in self.off:
            state.n = max(state.n, self.log.newest() + 1)
        self.log.create(self.state, state, note)
        self.state = state
        self.steps(f"{state.kind} committed")

    def next_T(self):
        """Later than every snapshot, whatever the clocks say."""
        return self.now() if "T after T_c" in self.off else max(self.now(), self.state.T + 1)

    def add(self, state, array, columns, coords):
        """Writes one fragment at the next commit's timestamp and records it in `state`."""
        rows = len(columns["fragment_id"])
        with tiledb.open(str(self.root / array), "w", timestamp=state.T, ctx=self.ctx) as A:
            A[tuple(columns.pop(c) for c in coords)] = columns
            name = next(iter(A.last_write_info)).rsplit("/", 1)[-1]
        state.live[array][name] = {"id": int(columns["fragment_id"][0]), "rows": rows}
        self.steps(f"{array} fragment written")

    def current(self, array, extra=None):
        """Rows visible to this holder; nothing else can commit meanwhile without fencing it."""
        head = self.state.head()
        condition, _ = self.hidden_by(array, head, self.listed(array))
        terms = [t for t in (condition, extra) if t]
        with self.open(array, self.state.T) as A:
            parts = list(scan(A, " and ".join(terms) or None))
        return {k: np.concatenate([p[k] for p in parts]) for k in parts[0]} if parts else {}

    # Jobs

    def ingest(self, window):
        """Writes a window {granule: version}; what the ledger already has is left out."""
        ledger = self.current("granules")
        have = {}
        for granule, version, ingest in zip(*(ledger.get(k, ()) for k in ("granule", "version", "ingest_id"))):
            if version >= have.get(granule, (-1, 0))[0]:
                have[int(granule)] = (int(version), int(ingest))
        todo = {g: v for g, v in window.items() if have.get(g, (-1, 0))[0] < v}
        if not todo:
            return
        state = self.state.next("ingest", self.now())
        state.T = self.next_T()
        for granule in todo:
            if granule in have:
                ingest = have[granule][1]
                holders = self.current("segments", f"ingest_id == {ingest}")
                fragments = sorted({int(i) for i in holders.get("fragment_id", ())})
                state.dead_ingests[ingest] = [state.n, fragments]
        ids = {g: self.next_id() for g in todo}
        rows = [(g, todo[g], s) for g in todo for s in range(ROWS)]
        if "fragments first" in self.off:
            self.commit(state, todo)
        for part in range(WINDOW_FRAGMENTS):
            mine = np.array([r for r in rows if r[2] % WINDOW_FRAGMENTS == part], dtype=np.int64)
            columns = {"latitude": mine[:, 0] + mine[:, 2] / 100, "longitude": mine[:, 2] / 10.0}
            columns |= {"granule": mine[:, 0], "version": mine[:, 1], "segment": mine[:, 2]}
            columns["ingest_id"] = np.array([ids[g] for g in mine[:, 0]], dtype=np.int64)
            columns["fragment_id"] = np.full(len(mine), self.next_id(), dtype=np.int64)
            self.add(state, "segments", columns, ("latitude", "longitude"))
        columns = {"ingest_id": np.array(list(ids.values()), dtype=np.int64)}
        columns |= {"granule": np.array(list(todo)), "version": np.array(list(todo.values()))}
        columns["fragment_id"] = np.full(len(ids), self.next_id(), dtype=np.int64)
        self.add(state, "granules", columns, ("ingest_id",))
        if "fragments first" not in self.off:
            self.commit(state, todo)

    def compact(self, keep=0):
        """Rewrites all fragments of each array but the newest `keep` as one; the inputs are dead from then on."""
        for array in ARRAYS:
            inputs = sorted(self.state.live[array], key=stamp)
            inputs = inputs[: len(inputs) - keep]
            ids = [self.state.live[array][name]["id"] for name in inputs]
            if len(ids) < 2 and not (ids and self.state.dead_ingests):
                continue
            columns = self.current(array, f"fragment_id in {ids}")
            state = self.state.next("compact", self.now())
            state.T = self.next_T()
            for name in inputs:
                state.dead[array][name] = [state.live[array].pop(name)["id"], state.n, state.at]
            if columns:
                columns["fragment_id"] = np.full(len(columns["granule"]), self.next_id(), dtype=np.int64)
                self.add(state, array, columns, ("latitude", "longitude") if array == "segments" else ("ingest_id",))
            self.commit(state)

        self.consolidate_footers()

    def consolidate_footers(self):
        """TileDB's own consolidation of fragment metadata: a copy that opens read instead of many footers."""
        for array in ARRAYS:
            for job, key in ((tiledb.consolidate, "sm.consolidation.mode"), (tiledb.vacuum, "sm.vacuum.mode")):
                try:
                    job(str(self.root / array), ctx=self.ctx, config=tiledb.Config({**CONFIG, key: "fragment_meta"}))
                except tiledb.TileDBError:
                    pass  # a vacuum got in between; only an optimisation is lost
                self.steps("footers")

    def vacuum(self, grace=0):
        """Horizon, commit files, listing, commit; folders of what has been hidden longer than `grace`."""
        now, chosen = max(self.now(), self.state.at), []  # ages by the log's own time: it never goes back
        for a in ARRAYS:
            chosen += [(a, name, since) for name, (_, since, at) in self.state.dead[a].items() if now - at >= grace]
        horizon = max((since for *_, since in chosen), default=0)
        if horizon > self.state.horizon:
            state = self.state.next("horizon", now)
            state.horizon = horizon
            if "horizon first" not in self.off:
                self.commit(state)
        for a, name, _ in sorted(chosen):
            if "commit file first" in self.off:
                shutil.rmtree(self.folder(a, name), ignore_errors=True)
                self.steps("folder removed")
            self.unlink(a, name)
        listed = {a: self.listed(a) for a in ARRAYS}
        state = self.state.next("vacuum", now)
        if "horizon first" in self.off:
            state.horizon = max(horizon, state.horizon)
        for a in ARRAYS:
            for name in [name for name in state.dead[a] if name not in listed[a]]:
                state.dead[a].pop(name)
                state.hidden[a][name] = state.at
        there = {v["id"] for v in state.live["segments"].values()} | {r[0] for r in state.dead["segments"].values()}
        for ingest in [i for i, (_, held) in state.dead_ingests.items() if not there & set(held)]:
            state.dead_ingests.pop(ingest)
        due = [
            (a, name)
            for a in ARRAYS
            for name, at in state.hidden[a].items()
            if (state.at - at >= grace or "hide" in self.off) and name not in listed[a]
        ]
        if due:
            state.deleting = state.n
        if due or state.dead != self.state.dead or state.horizon != self.state.horizon:
            self.commit(state)
        gone = [(a, name) for a, name in due if self.remove_folder(a, name)]
        if gone:
            state = self.state.next("vacuum", self.now())
            for a, name in gone:
                state.hidden[a].pop(name)
            self.commit(state)

    def remove_folder(self, array, name):
        """File by file; True when nothing is left."""
        folder = self.folder(array, name)
        try:
            for path in sorted(folder.iterdir()) if folder.exists() else ():
                self.steps(f"unlink {array} data file")
                path.unlink(missing_ok=True)
            if folder.exists():
                self.steps(f"unlink {array} folder")
                folder.rmdir()
            return True
        except OSError:
            return False
