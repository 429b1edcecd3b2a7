"""The scenarios: each gets the rules that are switched off (none for the protocol itself) and returns a Judge."""

import itertools
import random
import shutil
import time

from harness import HOUR, Judge, Process, build, compactor, copy, reader, run, steps_of, vacuum, writer

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
    for i, step in enumerate(names):
        first = copy(base)
        judge.holder(run(first, role, *args, at=i, action="kill", off=off), step, ("killed",))
        judge.read(first, run(first, reader, off=off), step)
        judge.read(first, run(first, reader, OLD, off=off), f"old snapshot, {step}", may_expire=True)
        again = steps_of(first, role, *args, off=off)
        chosen = range(len(again))
        for j in chosen if limit is None else sorted(chance.sample(chosen, min(limit, len(again)))):
            case, root = f"{step} / {again[j]}", copy(first)
            judge.holder(run(root, role, *args, at=j, action="kill", off=off), case, ("killed",))
            judge.read(root, run(root, reader, off=off), case)
            judge.holder(run(root, role, *args, off=off), case)
            judge.read(root, run(root, reader, off=off), case)
            if j % 4 == 0 or limit:
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


def killed_anywhere(off=(), rounds=60, seed=1):
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
        for i, step in enumerate(names):
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
    roles = [(BASE, writer, (JOB,)), (REPLACED, compactor, ()), (COMPACTED, vacuum, ())]
    for jobs, role, args in roles:
        base = build(*jobs)
        names = steps_of(base, role, *args, off=off)
        every, fenced = 1 if role is not vacuum else 5, names.index("take over: fenced")
        for clock, i in itertools.product((-HOUR, HOUR), range(0, len(names), every)):
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
        for i, step in enumerate(steps_of(base, reader, n, off=off)):
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
    """A read that has opened dead fragments outlives the vacuum that gives them up, for the length of the grace."""
    judge, base = Judge("4b reader outlives a vacuum within the grace"), build(*COMPACTED)
    names = steps_of(base, reader, off=off)
    for n, late in itertools.product((OLD, None), (0, 2 * HOUR)):
        for i, step in enumerate(names):
            if step in ("reader: horizon checked", "reader: batch"):
                root = copy(base)
                slow = Process(root, reader, n, at=i, action="stop", off=off)
                slow.wait()
                judge.holder(run(root, vacuum, HOUR, clock=late, off=off), step)
                judge.holder(run(root, vacuum, HOUR, clock=late, off=off), step)
                if slow.state == "stopped":
                    judge.read(root, slow.go_on(), f"snapshot {n}, {late} ms later, {step}")
                judge.read(root, run(root, reader, off=off), step)
                shutil.rmtree(root)
    return judge


def cancelling(off=()):
    """As many late fragments appear as a vacuum removes while a reader is stopped: the counts agree, rows do not."""
    judge, base = Judge("4c missing and late fragments cancel"), build((writer, {1: 1}))
    at = steps_of(base, writer, {9: 1}).index("take over: swept")
    for i, step in enumerate(steps_of(base, reader, off=off)):
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
    for i, step in enumerate(steps_of(base, reader, off=off)):
        root = copy(base)
        slow = Process(root, reader, at=i, action="stop", off=off)
        judge.holder(slow.wait(), step)
        judge.holder(run(root, vacuum, HOUR, clock=2 * HOUR, off=off), step)
        judge.read(root, slow.go_on(), step)
        judge.read(root, run(root, reader, off=off), step)
        judge.clean(root, {1: 1, 2: 1, 3: 1}, step, off)
    return judge


def unlink_fails(off=()):
    """Every single deletion of a vacuum, and of a take-over after a crash, fails once."""
    judge = Judge("5 a deletion fails midway")
    crashed = build(*COMPACTED)
    names = steps_of(crashed, writer, {6: 1}, off=off)
    at = next(i for i, s in enumerate(names) if s == "granules fragment written")
    run(crashed, writer, {6: 1}, at=at, action="kill")
    for base, role, args, end in (
        (build(*COMPACTED), vacuum, (), AFTER),
        (crashed, writer, ({7: 1},), AFTER | {7: 1}),
    ):
        for i, step in enumerate(steps_of(base, role, *args, off=off)):
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


def any_order(off=(), seeds=range(60), clocks_wrong=True):
    """Ten processes that ignore the lock, each stopped at every step, resumed in random order, some killed."""
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
                    judge.read(root, process.state, f"seed {seed}", may_expire=True)
                else:
                    judge.holder(process.state, f"seed {seed}", ("done", "Fenced"))
        judge.read(root, run(root, reader, off=off), f"seed {seed}")
        judge.clean(root, judge.model(root)[0][-1], f"seed {seed}", off)
    return judge


ALL = [
    writer_killed,
    compactor_killed,
    vacuum_killed,
    killed_anywhere,
    clocks,
    paused,
    slow_reader,
    grace_kept,
    cancelling,
    late_given_up,
    unlink_fails,
    replaced,
    lost_answer,
    any_order,
]
