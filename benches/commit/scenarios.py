"""Scenarios of writers, compactors, vacuums and readers: each gets the rules that are switched off (none for the protocol
itself) and returns a Judge."""

import itertools
import random
import shutil
import time

from harness import (
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
    run,
    sample,
    steps_of,
    tag,
    untag,
    vacuum,
    writer,
)

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
        for j in (
            (j for j, _ in sample(again)) if limit is None else sorted(chance.sample(chosen, min(limit, len(again))))
        ):
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
        base, ledger = build(*jobs), "none" if jobs is REPLACED else "last"  # a query may need no ledger
        n = OLD if old else None
        for i, step in sample(steps_of(base, reader, n, None, ledger, off=off)):
            case, root = f"{title}, {'old snapshot, ' if old else ''}{step}", copy(base)
            slow = Process(root, reader, n, None, ledger, at=i, action="stop", off=off)
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
            if n is None or step in ("reader: horizon checked", "reader: batch", "reader: segments read"):
                root, ledger = copy(base), "none" if n and late else "last"  # an old state's ledger files go in one step
                slow = Process(root, reader, n, None, ledger, at=i, action="stop", off=off)
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
    for version in (3, 5, 7):
        jobs = [(writer, {2: version}), (writer, {2: version + 1}), (compactor, 3), (writer, {3: version}), (vacuum, 0)]
        jobs += [(compactor, 1), (vacuum, 0), (compactor,), (vacuum, 0)]
        for job in jobs:
            judge.holder(run(root, *job, off=off), job)
            judge.read(root, run(root, reader, off=off), job)
        end |= {2: version + 1, 3: version}
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
