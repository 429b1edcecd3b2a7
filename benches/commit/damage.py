"""Scenarios of damaged files: every byte of the log, and fragments and ledger files that a repair has to deal with."""

import itertools
import shutil

from database import ROWS
from harness import (
    EVERY,
    Judge,
    Process,
    build,
    compactor,
    copy,
    load,
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
from scenarios import COMPACTED, OLD, REPLACED


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
                judge.read(root, old, f"old snapshot, {case}", allowed=refusals if lost_in(root, OLD) else ())
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
    folders = {path.name for path in (root / "segments" / "__fragments").iterdir()}
    lost = {v["id"] for v in old.live.values()} & ids or old.ledger.keys() & files or old.live.keys() - folders
    return bool(lost) or horizon
