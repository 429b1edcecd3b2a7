"""Scenarios of what has to stay: tagged states, and whatever a clock that is wrong would give up too early."""

import itertools
import shutil
import time

from harness import (
    DAY,
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
    run,
    sample,
    steps_of,
    tag,
    untag,
    vacuum,
    writer,
)
from late import late_fragment
from scenarios import AFTER, BASE, COMPACTED, JOB, OLD, REPLACED

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
        "after a compaction": build(*COMPACTED),
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
