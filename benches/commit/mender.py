"""Repair of a damaged database."""

import collections

from database import joined, scan
from holder import Holder
from log import Damaged


class Mender(Holder):
    """A writer that drops what cannot be read."""

    def repair(self):
        """Commits until nothing is broken: drops what cannot be read, marks incomplete attempts, unblocks opens."""
        while True:
            listed = self.listed()
            broken = {name for name in listed | self.state.live.keys() if not self.readable(name, listed)}
            lost = broken & self.state.live.keys()
            bad = [name for name, file in self.state.ledger.items() if not self.whole(name, file)]
            blocked = broken & listed
            change = self.change("repair", data="repair is data" not in self.off)
            change["segments"]["removed"] = [self.state.live[name]["id"] for name in lost]
            self.repair_ledger(change, lost, bad, blocked)
            # A late fragment has no id that a reader could exclude: who may have it open has to notice
            late = [
                self.state.dead[n]["since"]
                for n in blocked & self.state.dead.keys()
                if self.state.dead[n]["id"] is None
            ]
            change["horizon"] = max([self.state.horizon, *late])
            if lost or change["ledger"]["removed"] or change["reread"] or late or change["dead_attempts"]:
                self.commit(change)
            if "repair dead" in self.off:
                blocked = blocked & lost
            if not blocked or "repair unlinks" in self.off or not all([self.unlink(name) for name in sorted(blocked)]):
                return

    def readable(self, name, listed):
        """Whether the fragment can be opened, as its commit recorded it."""
        recorded = self.state.live.get(name) or self.state.dead.get(name)
        try:
            footer = self.footer(name)
        except OSError:
            return False
        return name in listed and (not recorded or recorded["footer"] in (None, footer))

    def whole(self, name, file):
        try:
            self.ledger_rows(name, file)
            return True
        except Damaged:
            return False

    def repair_ledger(self, change, lost, bad, blocked):
        """Contents are counted again; attempts without a ledger row die; incomplete ones are marked for reading again."""
        kinds = {name: self.state.ledger[name]["kind"] for name in bad}
        left = {v["id"] for name, v in self.state.live.items() if name not in lost}
        good = [(n, f) for n, f in self.state.ledger.items() if n not in kinds]
        contents = [r for n, f in good if f["kind"] == "contents" for r in self.ledger_rows(n, f) if r[0] in left]
        if "contents" in kinds.values() and not blocked:  # the array can be opened
            with self.open(self.state.T) as A:
                rows = joined(list(scan(A, None)))
            pairs = zip(rows["fragment_id"].tolist(), rows["ingest_id"].tolist()) if rows else ()
            unknown = left - {f for f, _, _ in contents}
            again = [[f, i, n] for (f, i), n in sorted(collections.Counter(pairs).items()) if f in unknown]
            self.add_ledger(change, "contents", again)
            contents += again
        drop = [name for name, kind in kinds.items() if kind == "granules" or not blocked]
        change["ledger"]["removed"] = drop
        held = collections.defaultdict(dict)
        for f, i, n in contents:
            held[i][f] = n
        granules = {r[0]: r[3] for n, f in good if f["kind"] == "granules" for r in self.ledger_rows(n, f)}
        newest_dead = self.dead_ever(granules)
        if "repair kills" not in self.off:
            orphans = held.keys() - granules.keys() - self.state.dead_attempts.keys()
            change["dead_attempts"] = [[i, sorted(held[i])] for i in sorted(orphans)]
        short = [i for i, n in granules.items() if sum(held[i].values()) != n and i not in newest_dead]
        if "reread" not in self.off:
            change["reread"] = sorted(set(short) - set(self.state.reread))

    def dead_ever(self, granules):
        """Attempts of the ledger that were replaced: all but the newest of each granule."""
        newest = {}
        for name, file in self.state.ledger.items():
            if file["kind"] == "granules" and self.whole(name, file):
                for attempt, granule, version, _ in self.ledger_rows(name, file):
                    newest[granule] = max(newest.get(granule, (-1, -1)), (version, attempt))
        return granules.keys() - {attempt for _, attempt in newest.values()}
