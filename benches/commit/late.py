"""Scenarios of late fragments, which a replaced writer finishes after the takeover."""

import itertools
import shutil

from harness import (
    HOUR,
    Judge,
    Process,
    build,
    compactor,
    copy,
    load,
    merger,
    reader,
    run,
    sample,
    steps_of,
    tag,
    vacuum,
    writer,
)


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
    bases = {}
    for name, jobs in ((None, ()), ("t", [(tag, "t")])):
        bases[name], answer = late_fragment(off, *jobs)
        judge.holder(answer, "", ("Fenced",))
    later, plans = 2 * HOUR, ([merger, vacuum], [compactor, vacuum])
    for (name, base), plan in itertools.product(bases.items(), plans):
        for i, step in sample(steps_of(base, reader, None, name, off=off)):
            root, case = copy(base), f"tag {name}, {step}"
            slow = Process(root, reader, None, name, at=i, action="stop", off=off)
            judge.holder(slow.wait(), case)
            for role in plan:
                args, clock = ((HOUR,), later) if role is vacuum else ((), 0)
                judge.holder(run(root, role, *args, off=off, clock=clock), case)
            judge.read(root, slow.go_on(), case, may_expire=True)
            judge.read(root, run(root, reader, off=off), case)
            judge.read(root, run(root, reader, None, name, off=off), case)
            judge.clean(root, {1: 1, 2: 1}, case, off)
    return judge
