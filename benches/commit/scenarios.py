"""The scenarios: each gets the rules that are switched off (none for the protocol itself) and returns a Judge."""

import itertools
import random
import shutil
import time

from database import ROWS
from harness import (
    DAY,
    EVERY,
    HOUR,
    Judge,
    Process,
    build,
    compactor,
    copy,
    load,
    merger,
    reader,
    repair,
    rows_of,
    run,
    sample,
    steps_of,
    tag,
    untag,
    vacuum,
    writer,
)
from log import Damaged, Log, Steps

BASE = [(writer, {1: 1, 2: 1}, {3: 1, 4: 1})]
JOB = {5: 1, 2: 2}  # one new granule, one replaced
OLD = 3  # the commit at which BASE ends
AFTER = {1: 1, 2: 2, 3: 1, 4: 1, 5: 1}
REPLACED = BASE + [(writer, JOB)]
COMPACTED = REPLACED + [(compactor,)]


def killed_twice(name, base, role, args, expected, off, limit=None, seed=0):
    """Killed at every step; then its recovery killed at every step (or at `limit` of them); then run to the end."""
    judge, base, chance = Judge(name), build(*base), random.Random(seed)
    names = steps_of(base, role, *args, off=off)
    for i, step in sample(names):
        first = copy(base)
        judge.holder(run(first, role, *args, at=i, action="kill", off=off), step, ("killed",))
        judge.read(first, run(first, reader, off=off), step)
        judge.read(first, run(first, reader, OLD, off=off), f"old snapshot, {step}", may_expire=True)
        again = steps_of(first, role, *args, off=off)
        chosen = range(len(again))
        for j in (j for j, _ in sample(again)) if limit is None else sorted(chance.sample(chosen, min(limit, len(again)))):
            case, root = f"{step} / {again[j]}", copy(first)
            judge.holder(run(root, role, *args, at=j, action="kill", off=off), case, ("killed",))
            judge.read(root, run(root, reader, off=off), case)
            judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, run(root, reader, off=off), case)
            if j % 4 == 0 or limit or EVERY > 1:
                judge.clean(root, expected, case, off)
            else:
                judge.contents(root, expected, case)
                shutil.rmtree(root)
        shutil.rmtree(first)
    return judge


def writer_killed(off=()):
    return killed_twice("1a writer killed, recovery killed", BASE, writer, (JOB,), AFTER, off)


def compactor_killed(off=()):
    return killed_twice("1b compactor killed, recovery killed", REPLACED, compactor, (), AFTER, off, limit=3)


def vacuum_killed(off=()):
    return killed_twice("1c vacuum killed at every unlink, again", COMPACTED, vacuum, (), AFTER, off, limit=1)


def merge_killed(off=()):
    """A merge of the ledger killed at every step; then at every step of the recovery, which has files to remove."""
    base = [*BASE, (writer, {5: 1}), (writer, {2: 2})]
    return killed_twice("1e merge of the ledger killed, again", base, merger, (), AFTER, off, limit=4)


def merge_vacuumed(off=()):
    """Vacuum of ledger files alone killed at every step: an old state is right or expired, never damaged."""
    base = [*BASE, (writer, {5: 1}), (writer, {2: 2}), (merger,)]
    return killed_twice("1g vacuum of merged ledger files killed, again", base, vacuum, (), AFTER, off, limit=3)


def ledger_orphans(off=()):
    """Takeovers killed while they remove the ledger files of dead writers, over files that a tag or an old state needs."""
    judge, base = Judge("1f takeover killed while it removes ledger files"), build(*COMPACTED, (tag, "kept", OLD))
    for step in ("ledger file half written", "commit written, not linked"):
        names = steps_of(base, writer, {6: 1}, {7: 1}, off=off)
        at = len(names) - 1 - names[::-1].index(step)
        run(base, writer, {6: 1}, {7: 1}, at=at, action="kill")
    end = judge.model(base)[0][-1]
    names = steps_of(base, compactor, off=off)
    for i, step in sample(names[: names.index("take over: swept") + 1]):
        first = copy(base)
        judge.holder(run(first, compactor, at=i, action="kill", off=off), step, ("killed",))
        for j, again in sample(steps_of(first, vacuum, off=off)[:12]):
            root, case = copy(first), f"{step} / {again}"
            judge.holder(run(root, vacuum, at=j, action="kill", off=off), case, ("killed",))
            for args in ((), (OLD,), (None, "kept")):
                judge.read(root, run(root, reader, *args, off=off), case)
            judge.holder(run(root, untag, "kept", off=off), case)
            judge.clean(root, end, case, off)
        shutil.rmtree(first)
    return judge


def killed_anywhere(off=(), rounds=60 // EVERY, seed=1):
    """SIGKILL at random instants, also inside libtiledb's own writes."""
    judge, chance, base = Judge("1d killed at random instants"), random.Random(seed), build(*BASE)
    for i in range(rounds):
        root = copy(base)
        for role, args in ((writer, (JOB,)), (compactor, ()), (vacuum, ())):
            process = Process(root, role, *args, off=off)
            time.sleep(chance.uniform(0.01, 0.12))
            try:
                process.kill()
            except ProcessLookupError:
                process.wait()
            judge.read(root, run(root, reader, off=off), f"round {i} {role.__name__}")
        judge.holder(run(root, writer, JOB, off=off), f"round {i}")
        judge.clean(root, AFTER, f"round {i}", off)
    return judge


def clocks(off=()):
    """Writer, recovering writer and reader an hour behind, right or ahead, the writer killed at every step."""
    judge, base = Judge("2 clocks an hour wrong, writer killed"), build(*BASE)
    names = steps_of(base, writer, JOB, off=off)
    offsets = (-HOUR, 0, HOUR)
    for w, r, q in itertools.product(offsets, repeat=3):
        for i, step in sample(names):
            case, root = f"writer {w}, recovery {r}, reader {q}: {step}", copy(base)
            judge.holder(run(root, writer, JOB, at=i, action="kill", clock=w, off=off), case, ("killed",))
            judge.read(root, run(root, reader, clock=q, off=off), case)
            judge.holder(run(root, writer, JOB, {6: 1}, clock=r, off=off), case)
            judge.read(root, run(root, reader, clock=q, off=off), case)
            judge.contents(root, AFTER | {6: 1}, case)
            if i % 5 == 0:
                judge.clean(root, AFTER | {6: 1}, case, off)
            else:
                shutil.rmtree(root)
    return judge


def paused(off=()):
    """Stopped at every step while another takes over and commits; then it goes on, and must not get in."""
    judge = Judge("3 holder stopped, another takes over, goes on")
    roles = [(BASE, writer, (JOB,)), (REPLACED, compactor, ()), (COMPACTED, vacuum, ()), (BASE, tag, ("t", 2))]
    for jobs, role, args in roles:
        base = build(*jobs)
        names = steps_of(base, role, *args, off=off)
        every, fenced = 1 if role is not vacuum else 5, names.index("take over: fenced")
        for clock, i in itertools.product((-HOUR, HOUR), range(0, len(names), every * EVERY)):
            case, root = f"{role.__name__} clock {clock}: {names[i]}", copy(base)
            old = Process(root, role, *args, at=i, action="stop", clock=clock, off=off, force=True)
            judge.holder(old.wait(), case)
            if old.state != "stopped":  # its clock gave it less to do
                shutil.rmtree(root)
                continue
            judge.holder(run(root, writer, {7: 1}, off=off, force=True), case)
            judge.read(root, run(root, reader, off=off), case)
            answer = old.go_on()
            judge.holder(answer, case, ("Fenced", "done"))
            owned = i >= fenced and any(step == "commit created" for step in names[i + 1 :])
            if answer["outcome"] == "done" and owned:  # before its fence it may still take over, later it may not
                judge.fault("a fenced holder committed", case)
            judge.read(root, run(root, reader, off=off), case)
            judge.holder(run(root, writer, {8: 1}, off=off, force=True), case)
            judge.read(root, run(root, reader, off=off), case)
            end = judge.model(root)[0][-1]
            if not {7, 8} <= end.keys():
                judge.fault("a committed window is lost", case)
            judge.holder(run(root, untag, "t", off=off), case)
            judge.clean(root, end, case, off)
    return judge


def slow_reader(off=()):
    """A reader stopped at every step while others replace, compact and vacuum, with and without grace."""
    judge = Judge("4 reader stopped while others work")
    plans = {
        "compact, vacuum": [(compactor,), (vacuum, 0)],
        "compact, vacuum in its grace": [(compactor,), (vacuum, HOUR)],
        "replace": [(writer, {1: 2, 9: 1})],
        "replace, compact, vacuum, vacuum": [(writer, {1: 2}), (compactor,), (vacuum, 0), (vacuum, 0)],
        "vacuum": [(vacuum, 0)],
        "partial compact, vacuum": [(compactor, 1), (vacuum, 0)],
    }
    for jobs, (title, plan), old in itertools.product((REPLACED, COMPACTED), plans.items(), (False, True)):
        base = build(*jobs)
        n = OLD if old else None
        for i, step in sample(steps_of(base, reader, n, off=off)):
            case, root = f"{title}, {'old snapshot, ' if old else ''}{step}", copy(base)
            slow = Process(root, reader, n, at=i, action="stop", off=off)
            judge.holder(slow.wait(), case)
            for role, *args in plan:
                judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, slow.go_on(), case, may_expire=True)
            judge.read(root, run(root, reader, off=off), case)
            shutil.rmtree(root)
    return judge


def grace_kept(off=()):
    """A read that has opened dead fragments outlives the vacuum that gives them up, for the length of the grace; so does
    one whose ledger files are merged meanwhile."""
    judge, base = Judge("4b reader outlives a vacuum within the grace"), build(*COMPACTED)
    names = steps_of(base, reader, off=off)
    for n, late in itertools.product((OLD, None), (0, 2 * HOUR)):
        for i, step in sample(names):
            if step in ("reader: horizon checked", "reader: batch", "reader: segments read"):
                root, first = copy(base), bool(n and late)  # ledger files of an old state go in one step
                slow = Process(root, reader, n, None, first, at=i, action="stop", off=off)
                slow.wait()
                judge.holder(run(root, vacuum, HOUR, clock=late, off=off), step)
                judge.holder(run(root, vacuum, HOUR, clock=late, off=off), step)
                if slow.state == "stopped":
                    judge.read(root, slow.go_on(), f"snapshot {n}, {late} ms later, {step}")
                judge.read(root, run(root, reader, off=off), step)
                shutil.rmtree(root)
    base = build(*REPLACED)
    for i, step in sample(steps_of(base, reader, off=off)):
        root = copy(base)
        slow = Process(root, reader, at=i, action="stop", off=off)
        judge.holder(slow.wait(), step)
        for role, *args in ((compactor,), (vacuum, HOUR), (vacuum, HOUR)):
            judge.holder(run(root, role, *args, off=off), step)
        judge.read(root, slow.go_on(), f"merged meanwhile, {step}")
        shutil.rmtree(root)
    return judge


def cancelling(off=()):
    """As many late fragments appear as a vacuum removes while a reader is stopped: the counts agree, rows do not."""
    judge, base = Judge("4c missing and late fragments cancel"), build((writer, {1: 1}))
    at = steps_of(base, writer, {9: 1}).index("take over: swept")
    for i, step in sample(steps_of(base, reader, off=off)):
        root = copy(base)
        late = Process(root, writer, {9: 1}, at=at, action="stop", clock=-HOUR, off=off, force=True)
        judge.holder(late.wait(), step)
        judge.holder(run(root, writer, {2: 1}, off=off, force=True), step)
        slow = Process(root, reader, at=i, action="stop", off=off)
        judge.holder(slow.wait(), step)
        for role, argument in ((compactor, 2), (vacuum, 0)):
            judge.holder(run(root, role, argument, off=off, force=True), step)
        judge.holder(late.go_on(), step, ("Fenced",))
        judge.read(root, slow.go_on(), step, may_expire=True)
        judge.read(root, run(root, reader, off=off), step)
        judge.clean(root, {1: 1, 2: 1}, step, off)
    return judge


def late_given_up(off=()):
    """A reader stopped while a late fragment, marked dead by a take-over, is removed."""
    judge, base = Judge("4d late fragment given up under a reader"), build((writer, {1: 1}))
    at = steps_of(base, writer, {9: 1}).index("take over: swept")
    late = Process(base, writer, {9: 1}, at=at, action="stop", clock=-HOUR, off=off, force=True)
    judge.holder(late.wait())
    judge.holder(run(base, writer, {2: 1}, off=off, force=True))
    judge.holder(late.go_on(), "", ("Fenced",))
    judge.holder(run(base, writer, {3: 1}, off=off))
    for i, step in sample(steps_of(base, reader, off=off)):
        root = copy(base)
        slow = Process(root, reader, at=i, action="stop", off=off)
        judge.holder(slow.wait(), step)
        judge.holder(run(root, vacuum, HOUR, clock=2 * HOUR, off=off), step)
        judge.read(root, slow.go_on(), step)
        judge.read(root, run(root, reader, off=off), step)
        judge.clean(root, {1: 1, 2: 1, 3: 1}, step, off)
    return judge


def late_fragment(off, *jobs):
    """A database with a late fragment of a replaced writer that its newest state does not know."""
    base = build((writer, {1: 1}))
    at = steps_of(base, writer, {9: 1}, off=off).index("take over: swept")
    late = Process(base, writer, {9: 1}, at=at, action="stop", clock=-HOUR, off=off, force=True)
    late.wait()
    for role, *args in ((writer, {2: 1}), *jobs):
        run(base, role, *args, off=off, force=True)
    return base, late.go_on()


def lost_and_late(off=()):
    """As many live fragments are lost outside the protocol as late ones are visible: the names differ, the counts do not."""
    judge = Judge("4e lost and late fragments cancel in the count")
    base, answer = late_fragment(off)
    judge.holder(answer, "", ("Fenced",))
    for lost in itertools.combinations(sorted(load(base).live), 2):
        root = copy(base)
        for name in lost:
            (root / "segments" / "__commits" / f"{name}.wrt").unlink()
        judge.read(root, run(root, reader, off=off), "lost", allowed=("Damaged",))
        judge.true(run(root, reader, off=off)["outcome"] == "Damaged", "a loss is not noticed")
        shutil.rmtree(root)
    return judge


def late_removed(off=()):
    """A late fragment is opened by a reader, then marked dead and removed before the reader lists: of the newest state,
    and of one that only a tag keeps."""
    judge = Judge("4f late fragment removed between open and listing")
    base, answer = late_fragment(off, (tag, "t"))
    judge.holder(answer, "", ("Fenced",))
    for name, plan in itertools.product((None, "t"), (((vacuum,),), ((vacuum,), (vacuum,)), ((compactor,), (vacuum,)))):
        for i, step in sample(steps_of(base, reader, None, name, off=off)):
            root, case = copy(base), f"tag {name}, {step}"
            slow = Process(root, reader, None, name, at=i, action="stop", off=off)
            judge.holder(slow.wait(), case)
            for role, *args in plan:
                judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, slow.go_on(), case, may_expire=True)
            judge.read(root, run(root, reader, off=off), case)
            judge.read(root, run(root, reader, None, "t", off=off), case)
            judge.clean(root, {1: 1, 2: 1}, case, off)
    return judge


def unlink_fails(off=()):
    """Every single deletion of a vacuum, and of a take-over after a crash, fails once."""
    judge = Judge("5 a deletion fails midway")
    crashed = build(*COMPACTED)
    names = steps_of(crashed, writer, {6: 1}, off=off)
    at = next(i for i, s in enumerate(names) if s == "ledger file written")
    run(crashed, writer, {6: 1}, at=at, action="kill")
    for base, role, args, end in (
        (build(*COMPACTED), vacuum, (), AFTER),
        (crashed, writer, ({7: 1},), AFTER | {7: 1}),
    ):
        for i, step in sample(steps_of(base, role, *args, off=off)):
            if step.startswith("unlink"):
                root = copy(base)
                judge.holder(run(root, role, *args, at=i, action="fail", off=off), step)
                judge.read(root, run(root, reader, off=off), step)
                judge.clean(root, end, step, off)
    return judge


def replaced(off=()):
    """Granules replaced after compaction, again and again: values, ids and lists; the dead lists empty in the end."""
    judge, root = Judge("6 granule replaced after compaction, repeatedly"), build(*COMPACTED)
    end = dict(AFTER)
    for version in (3, 4, 5):
        jobs = [(writer, {2: version}), (compactor, 1), (writer, {3: version}), (vacuum, 0), (compactor,), (vacuum, 0)]
        for job in jobs:
            judge.holder(run(root, *job, off=off), job)
            judge.read(root, run(root, reader, off=off), job)
        end |= {2: version, 3: version}
    judge.clean(root, end, "", off)
    return judge


def lost_answer(off=()):
    """The create of a commit object reports a failure although it was done, or was not."""
    judge, base = Judge("7 answer of a commit lost"), build(*BASE)
    for i, step in enumerate(steps_of(base, writer, JOB, off=off)):
        if step.startswith("commit"):
            root = copy(base)
            want = ("done",) if step == "commit created" else ("Fenced", "done")
            judge.holder(run(root, writer, JOB, at=i, action="lost", off=off), step, want)
            judge.read(root, run(root, reader, off=off), step)
            judge.holder(run(root, writer, JOB, off=off), step)
            judge.clean(root, AFTER, step, off)
    return judge


TAGGING = [
    (tag, "t", OLD),
    (writer, JOB),
    (compactor,),
    (vacuum,),
    (vacuum,),
    (tag, "u", None, "t"),
    (untag, "t"),
    (vacuum,),
]


def tags_killed(off=()):
    """Tag, replace, compact, vacuum, tag again by the tag, delete the first: each killed at every step, then run again."""
    judge, base = Judge("9 tagged state kept, every job killed at every step"), build(*BASE, (writer, {6: 1}))

    def by_tag(root, case):
        for name in load(root).tags:
            answer = run(root, reader, None, name, off=off)
            judge.read(root, answer, f"tag {name}, {case}")
            judge.true(answer["outcome"] == "done" and answer["value"]["n"] == OLD, "tag names another state", case)

    for k, (role, *args) in enumerate(TAGGING):
        for i, step in sample(steps_of(base, role, *args, off=off)):
            case, root = f"{role.__name__}: {step}", copy(base)
            judge.holder(run(root, role, *args, at=i, action="kill", off=off), case, ("killed",))
            judge.read(root, run(root, reader, off=off), case)
            by_tag(root, case)
            for other, *rest in TAGGING[k:]:
                judge.holder(run(root, other, *rest, off=off), case)
                by_tag(root, case)
            judge.read(root, run(root, reader, off=off), case)
            judge.true(load(root).tags == {"u": OLD}, "tags", case)
            if i % 4 == 0:
                judge.clean(copy(root), AFTER | {6: 1}, case, off)
                judge.holder(run(root, untag, "u", off=off), case)
                judge.clean(root, AFTER | {6: 1}, case, off)
            else:
                shutil.rmtree(root)
        judge.holder(run(base, role, *args, off=off), f"{role.__name__} undisturbed")
    return judge


def tag_raced(off=()):
    """A vacuum stopped at every step while a state is tagged or a tag deleted, and the reverse: refused, or kept."""
    judge = Judge("9b tag races with a vacuum")
    plain, kept = build(*COMPACTED), build(*BASE, (tag, "t"), (writer, JOB), (compactor,))
    races = [
        (plain, (vacuum,), [(tag, "new", OLD)]),
        (plain, (vacuum,), [(tag, "new")]),
        (plain, (tag, "new", OLD), [(vacuum,), (vacuum,)]),
        (plain, (tag, "new"), [(compactor,), (vacuum,), (vacuum,)]),
        (kept, (vacuum,), [(untag, "t"), (tag, "new", OLD)]),
        (kept, (untag, "t"), [(vacuum,), (tag, "new", None, "t")]),
        (kept, (tag, "new", None, "t"), [(untag, "t"), (vacuum,), (vacuum,)]),
    ]
    for base, (role, *args), plan in races:
        for i, step in sample(steps_of(base, role, *args, off=off)):
            case, root = f"{role.__name__}, then {[p[0].__name__ for p in plan]}: {step}", copy(base)
            slow = Process(root, role, *args, at=i, action="stop", off=off, force=True)
            judge.holder(slow.wait(), case)
            for other, *rest in plan:
                judge.holder(run(root, other, *rest, off=off, force=True), case, ("done", "Refused"))
            for answer in (slow.go_on(), run(root, vacuum, off=off), run(root, vacuum, off=off)):
                judge.holder(answer, case, ("done", "Fenced", "Refused"))
            for name in load(root).tags:
                judge.read(root, run(root, reader, None, name, off=off), f"tag {name}, {case}")
            judge.read(root, run(root, reader, off=off), case)
            judge.clean(root, AFTER, case, off)
    return judge


def tag_reader(off=()):
    """A reader of a tag stopped at every step while others replace, compact, merge, vacuum, delete the tag."""
    judge = Judge("9c reader of a tag stopped while others work")
    plans = {
        "vacuum twice": [(vacuum,), (vacuum,)],
        "replace, compact, vacuum twice": [(writer, {1: 2}), (compactor,), (vacuum,), (vacuum,)],
        "tag deleted, vacuum twice": [(untag, "t"), (compactor,), (vacuum,), (vacuum,)],
        "tag deleted, tagged again": [(untag, "t"), (tag, "t"), (vacuum,), (vacuum,)],
    }
    bases = build(*COMPACTED, (tag, "t"), (writer, {6: 1})), build(*REPLACED, (tag, "t"), (compactor,), (vacuum,))
    for base, (title, plan) in itertools.product(bases, plans.items()):
        for i, step in sample(steps_of(base, reader, None, "t", off=off)):
            case, root = f"{title}, {step}", copy(base)
            slow = Process(root, reader, None, "t", at=i, action="stop", off=off)
            judge.holder(slow.wait(), case)
            for role, *args in plan:
                judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, slow.go_on(), case, allowed=("Expired", "UnknownTag"))
            if "t" in load(root).tags:
                judge.read(root, run(root, reader, None, "t", off=off), case)
            judge.read(root, run(root, reader, off=off), case)
            shutil.rmtree(root)
    return judge


def tag_newest(off=()):
    """The newest state can be tagged whatever came after its data, and stays readable; an expired one is refused."""
    judge = Judge("9d newest state tagged; an expired one refused")
    late, _ = late_fragment(off)
    cases = {
        "after a merge": build(*BASE, (writer, {5: 1}), (merger,), (vacuum,), off=off),
        "after a vacuum": build(*COMPACTED, (vacuum,), (vacuum,)),
        "after a late fragment pushed the horizon": late,
        "after a repair": build(*REPLACED),
    }
    for name in sorted(load(cases["after a repair"]).live)[-1:]:
        (cases["after a repair"] / "segments" / "__commits" / f"{name}.wrt").unlink()
    judge.holder(run(cases["after a repair"], repair, off=off))
    judge.holder(run(late, vacuum, off=off))
    for case, root in cases.items():
        before = run(root, reader, off=off)["value"]["rows"]
        judge.holder(run(root, tag, "t", off=off), case)
        for role, *args in ((writer, {1: 5, 3: 5}), (compactor,), (vacuum,), (vacuum,), (vacuum,)):
            judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, run(root, reader, None, "t", off=off), case, expect=before)
        judge.holder(run(root, tag, "again", None, "t", off=off), case)
        judge.holder(run(root, tag, "old", 2, off=off), f"expired, {case}", ("Refused",))
        judge.files(root, case)
    return judge


def clock_ahead(off=()):
    """Two machines, one a day ahead, each run beginning with a vacuum: what died a moment ago must stay for the grace."""
    judge, base = Judge("10 a clock a day ahead: no vacuum is early"), build(*COMPACTED)
    wrong = DAY + HOUR

    def still_there(root, case):
        judge.holder(run(root, vacuum, DAY, off=off), case)
        judge.read(root, run(root, reader, OLD, off=off), f"old snapshot, {case}")
        judge.read(root, run(root, reader, off=off), case)

    for seen in (0, None):  # whether the storage has a clock of its own
        kwargs = {"grace": DAY} if seen == 0 else {}
        names = steps_of(base, writer, {6: 1}, clock=wrong, storage=seen, off=off, **kwargs)
        for i, step in sample(names):
            root, case = copy(base), f"storage {seen}: {step}"
            judge.holder(run(root, writer, {6: 1}, at=i, action="kill", clock=wrong, storage=seen, off=off, **kwargs),
                         case, ("killed",))  # fmt: skip
            still_there(root, case)
            judge.holder(run(root, writer, {6: 1}, clock=wrong, storage=seen, off=off, **kwargs), case)
            still_there(root, case)
            if seen == 0:
                judge.true(load(root).at < time.time() * 1000 + HOUR, "`at` is in the future", case)
            shutil.rmtree(root)
    for clock in (-DAY, -HOUR, 0):  # behind: later, and after the grace it goes
        root = copy(base)
        judge.holder(run(root, vacuum, HOUR, clock=clock, storage=0, off=off), clock)
        still_there(root, f"clock {clock}")
        for _ in range(2):
            judge.holder(run(root, vacuum, HOUR, clock=4 * HOUR, off=off), clock)
        judge.true(not load(root).dead and not load(root).ledger_dead, "nothing is removed after the grace", clock)
        shutil.rmtree(root)
    return judge


def flipped(off=()):
    """Every byte of the log damaged, one at a time: a commit is refused, a checkpoint skipped; files of the ledger, too."""
    judge, base = Judge("11 a byte of the log is damaged"), build(*COMPACTED, (tag, "t"), (writer, {6: 1}), (vacuum,))
    log, right = Log(base, Steps(), off), load(base)

    def outcome():
        try:
            return "same" if log.load() == right else "other"
        except Damaged:
            return "Damaged"
        except Exception as error:
            return repr(error)

    def each(folder, expected, stride=1):
        for path in sorted((base / folder).iterdir()):
            data = path.read_bytes()
            for k in range(0, len(data), stride):
                path.write_bytes(data[:k] + bytes([data[k] ^ (1 << k % 7)]) + data[k + 1 :])
                judge.true(outcome() == expected, f"byte {k} of {folder}/{path.name}: {outcome()}")
            path.write_bytes(data[: len(data) // 2])
            judge.true(outcome() == expected, f"{folder}/{path.name} cut")
            path.write_bytes(data)

    each("checkpoints", "same", 3 * EVERY)
    for path in (base / "checkpoints").iterdir():
        path.unlink()
    each("commits", "Damaged", EVERY)
    for path in sorted((base / "commits").iterdir())[1:-1]:
        data = path.read_bytes()
        path.unlink()
        judge.true(outcome() == "Damaged", f"{path.name} missing")
        path.write_bytes(data)
    for name in right.ledger:
        path = base / "ledger" / name
        data = path.read_bytes()
        for k in range(0, len(data), len(data) // 4):
            path.write_bytes(data[:k] + bytes([data[k] ^ 1]) + data[k + 1 :])
            if right.ledger[name]["kind"] == "granules":
                answer = run(base, reader, off=off)
                judge.true(answer["outcome"] == "Damaged", f"byte {k} of {name}")
        path.write_bytes(data)
    judge.read(base, run(base, reader, off=off), "everything put back")
    return judge


def damages(root):
    """Ways to damage a database: {title: function of a copy, which returns the ids of the live fragments it breaks}."""
    state = load(root)
    commits, folders = (root / "segments" / f"__{kind}" for kind in ("commits", "fragments"))
    newest, oldest = sorted(state.live)[-1], sorted(state.live)[0]
    kinds = {kind: [n for n, f in state.ledger.items() if f["kind"] == kind] for kind in ("granules", "contents")}

    def flip(path):
        data = path.read_bytes()
        path.write_bytes(data[:-20] + bytes([data[-20] ^ 255]) + data[-19:])

    def at(path, copied):
        return copied / path.relative_to(root)

    def footer(name):
        return folders / name / "__fragment_metadata.tdb"

    out = {
        "commit file lost": ([newest], lambda r: at(commits / f"{newest}.wrt", r).unlink()),
        "folder lost": ([oldest], lambda r: shutil.rmtree(at(folders / oldest, r))),
        "footer damaged": ([newest], lambda r: flip(at(footer(newest), r))),
        "footer cut": ([oldest], lambda r: at(footer(oldest), r).write_bytes(b"x")),
        "rows of the ledger lost": ([], lambda r: (r / "ledger" / kinds["granules"][0]).unlink()),
        "contents damaged": ([], lambda r: flip(r / "ledger" / kinds["contents"][0])),
        "commit file without folder": ([], lambda r: at(commits / f"{ghost(newest)}.wrt", r).touch()),
        "fragment and contents lost": (
            [newest], lambda r: (shutil.rmtree(at(folders / newest, r)), (r / "ledger" / kinds["contents"][-1]).unlink())
        ),
    }  # fmt: skip
    for name in sorted(state.dead)[:1]:
        out["folder of a dead fragment lost"] = ([], lambda r: shutil.rmtree(at(folders / name, r)))
    return {title: ([state.live[n]["id"] for n in lost], damage) for title, (lost, damage) in out.items()}


def ghost(name):
    """A name as a late fragment of the same time has it."""
    _, _, first, last, _, version = name.split("_")
    return f"__{first}_{last}_{'0' * 32}_{version}"


def repaired(off=()):
    """A damaged database is repaired, the repair killed and stopped at every step: only what cannot be read is lost, what is
    incomplete is marked, older states are right or refused, and the next ingest brings everything back."""
    judge = Judge("12 repair killed or stopped at every step")
    refusals = ("Damaged", "error", "Expired")
    for jobs in (REPLACED, [*COMPACTED, (writer, {6: 1}), (tag, "t")]):
        base = build(*jobs)
        before, end = run(base, reader, off=off)["value"]["rows"], judge.model(base)[0][-1]
        newest = load(base).n
        for title, (ids, damage) in damages(base).items():
            lost = run(base, rows_of, ids, off=off)["value"] if ids else []
            after = [row for row in before if row not in lost]
            broken = copy(base)
            damage(broken)
            judge.read(broken, run(broken, reader, off=off), title, allowed=refusals, expect=before)
            names = steps_of(broken, repair, off=off)
            for (i, _), action in itertools.product(sample(names), ("kill", "stop")):
                root, case = copy(broken), f"{title}: {action} {names[i]}"
                first = Process(root, repair, at=i, action=action, off=off, force=True)
                judge.holder(first.wait(), case, ("killed", "stopped"))
                judge.holder(run(root, repair, off=off, force=True), case)
                if action == "stop":
                    judge.holder(first.go_on(), case, ("Fenced", "done"))
                answer = run(root, reader, off=off)
                if title == "rows of the ledger lost":  # attempts without a ledger row are dead, whole
                    judge.true(answer["outcome"] == "done" and not attempts_cut(answer["value"]["rows"]), "cut", case)
                else:
                    judge.read(root, answer, case, expect=after)
                old = run(root, reader, OLD, off=off)
                judge.read(root, old, f"old snapshot, {case}", allowed=("Damaged",) if lost_in(root, OLD) else ())
                full = sorted(set(g for g, *_ in before) - {row[0] for row in lost})
                if title != "rows of the ledger lost":
                    marked = {g for g, v in end.items() if g not in full}
                    judge.true(bool(load(root).reread) >= bool(marked), "incomplete attempts are not marked", case)
                judge.holder(run(root, writer, end, off=off), case)
                judge.read(root, run(root, reader, off=off), case, expect=before)
                state = load(root)
                for name in state.tags:
                    allowed = ("Damaged", "Expired") if lost_in(root, state.tags[name]) else ()
                    judge.read(root, run(root, reader, None, name, off=off), f"tag, {case}", allowed, expect=before)
                if i % 4 == 0 or action == "kill":
                    for role in (vacuum, compactor, *[(untag, "t")] * bool(state.tags), vacuum, vacuum):
                        role, *args = role if isinstance(role, tuple) else (role,)
                        judge.holder(run(root, role, *args, off=off), case)
                    judge.read(root, run(root, reader, off=off), case, expect=before)
                    last = judge.files(root, case)
                    judge.true(not last.dead_attempts and not last.reread, "lists of attempts not empty", case)
                shutil.rmtree(root)
            for i, step in sample(steps_of(base, reader, off=off)):  # a reader meets the damage and its repair
                root, case = copy(base), f"{title}: reader at {step}"
                slow = Process(root, reader, at=i, action="stop", off=off)
                judge.holder(slow.wait(), case)
                damage(root)
                judge.holder(run(root, repair, off=off), case)
                answer = slow.go_on()
                if title == "rows of the ledger lost":
                    continue
                expect = before if answer["outcome"] == "done" and answer["value"]["n"] == newest else after
                judge.read(root, answer, case, allowed=refusals, expect=expect)
                shutil.rmtree(root)
            shutil.rmtree(broken)
    return judge


def attempts_cut(rows):
    """Granules of which only some rows are visible."""
    return [g for g in {row[0] for row in rows} if sum(row[0] == g for row in rows) != ROWS]


def lost_in(root, n):
    """Whether the state of commit n needs a file that a repair has found broken."""
    old, state, log = load(root, n), load(root), Log(root, Steps())
    repairs = [log.read(k) for k in range(log.newest() + 1) if log.read(k)["kind"] == "repair"]
    ids = {i for commit in repairs for i in commit["segments"]["removed"]}
    files = {name for commit in repairs for name in commit["ledger"]["removed"]}
    horizon = state.horizon > n and old.data not in state.tags.values()
    return bool({v["id"] for v in old.live.values()} & ids or old.ledger.keys() & files) or horizon


def any_order(off=(), seeds=range(60 // EVERY), clocks_wrong=True):
    """Fourteen processes that ignore the lock, each stopped at every step, resumed in random order, some killed."""
    judge, base = Judge("8 random interleavings without a lock"), build(*BASE)
    for seed in seeds:
        chance, root = random.Random(seed), copy(base)
        jobs = [
            (writer, {5: 1, 2: 2}, {6: 1}),
            (writer, {5: 1, 1: 2}),
            (writer, {7: 1, 2: 2}),
            (compactor, chance.choice((0, 1))),
            (compactor,),
            (vacuum,),
            (vacuum,),
            (reader,),
            (reader,),
            (reader, chance.choice((2, 3))),
            (reader, None, "t"),
            (tag, "t", chance.choice((None, 2, 3))),
            (chance.choice((merger, vacuum)),),
            chance.choice(((untag, "t"), (tag, "u", None, "t"), (tag, "u"))),
        ]
        chance.shuffle(jobs)
        waiting, running = jobs, []
        while waiting or running:
            if waiting and (len(running) < 3 or (len(running) < 6 and chance.random() < 0.1)):
                role, *args = waiting.pop()
                clock = chance.choice((-HOUR, 0, HOUR)) if clocks_wrong else 0
                force = {} if role is reader else {"force": True}
                process = Process(root, role, *args, action="every", clock=clock, off=off, **force)
                process.wait()
                running.append(process)
            process = running[0] if chance.random() < 0.5 else chance.choice(running)
            if chance.random() < 0.1:
                chance.shuffle(running)
            if process.state == "stopped":
                dies = process.role is not reader and chance.random() < 0.005
                process.kill() if dies else process.go_on()
            if process.state != "stopped":
                running.remove(process)
                if process.role is reader:
                    judge.read(root, process.state, f"seed {seed}", allowed=("Expired", "UnknownTag"))
                else:
                    judge.holder(process.state, f"seed {seed}", ("done", "Fenced", "Refused"))
                for name in load(root).tags if process.role in (vacuum, tag, compactor, merger) else ():
                    judge.read(root, run(root, reader, None, name, off=off), f"seed {seed}, tag {name}")
        judge.read(root, run(root, reader, off=off), f"seed {seed}")
        judge.clean(root, judge.model(root)[0][-1], f"seed {seed}", off)
    return judge


ALL = [
    writer_killed,
    compactor_killed,
    vacuum_killed,
    killed_anywhere,
    merge_killed,
    merge_vacuumed,
    ledger_orphans,
    clocks,
    paused,
    slow_reader,
    grace_kept,
    cancelling,
    late_given_up,
    lost_and_late,
    late_removed,
    unlink_fails,
    replaced,
    lost_answer,
    any_order,
    tags_killed,
    tag_raced,
    tag_reader,
    tag_newest,
    clock_ahead,
    flipped,
    repaired,
]
