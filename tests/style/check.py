"""Checks of how the source reads: words, import cycles, type names, file lengths.

    python3 tests/style/check.py             fails when a rule is broken (`make check` runs this)
    python3 tests/style/check.py --report    prints the figures instead, of each crate
    python3 tests/style/check.py PATH ...    checks these files and folders alone

The rules: no word of words.txt, no cycle of imports between the files of a crate, no two types of one name in a crate, no
source file of more than 400 lines or outside the module tree. A line with "style: allow", such as one that names what was renamed, may have any word.
"""

import argparse
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path("tests/style")
PROSE = {".rs", ".md", ".toml", ".yml", ".sql", ".py", ".slt", ".c", ".txt", ""}
MOST_LINES = 400


def tracked(root):
    """Files that git knows or would add, as paths below `root`."""
    listing = subprocess.run(
        ["git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "-z"], capture_output=True, check=True
    )
    paths = [pathlib.Path(name) for name in listing.stdout.decode().split("\0") if name]
    return [path for path in dict.fromkeys(paths) if (root / path).is_file() and not (root / path).is_symlink()]


# ---------------------------------------------------------------- words

def words(root):
    """Pairs of a pattern and what to write instead."""
    for line in (root / HERE / "words.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            pattern, advice = re.split(r"\t| {2,}", line, maxsplit=1)
            yield re.compile(pattern, re.IGNORECASE if re.sub(r"\\.", "", pattern).islower() else 0), advice


def is_prose(path):
    parts = path.parts
    return (
        path.suffix in PROSE
        and HERE not in path.parents
        and "corpus" not in parts
        and path.name not in {"LICENSE", "Cargo.lock", "requirements.txt", "typos.toml"}
    )


def find_words(root, paths):
    rules = list(words(root))
    for path in filter(is_prose, paths):
        for number, line in enumerate((root / path).read_text(errors="replace").splitlines(), 1):
            for pattern, advice in rules if "style: allow" not in line else []:
                for found in pattern.finditer(line):
                    yield f"{path}:{number}: \"{found.group().strip()}\": {advice}"


# ---------------------------------------------------------------- Rust modules

TEST_MODULE = re.compile(r"#\[cfg\((?:test|all\(test.*?)\)\]\s*(?:pub(?:\(crate\))? )?mod \w+ \{")
TYPE = re.compile(r"^\s*(?:pub(?:\([a-z ]+\))? )?(?:struct|enum|trait|union|type) (\w+)", re.MULTILINE)
USE = re.compile(r"^\s*(?:pub(?:\([a-z ]+\))? )?use ([^;]+);", re.MULTILINE)
PUBLIC = re.compile(r"^\s*pub (?:const |async |unsafe )*(?:fn|struct|enum|trait|type|const|static|mod) ", re.MULTILINE)


def is_test(path):
    return any(part in {"tests", "testing"} for part in path.with_suffix("").parts) or path.stem.endswith("_tests")


def without_tests(text):
    """The source above its inline test module, without comments."""
    found = TEST_MODULE.search(text)
    text = text[: found.start()] if found else text
    return re.sub(r"//.*", "", text)


class Crate:
    def __init__(self, root, folder, top, name):
        self.folder, self.name, self.top = folder, name, top
        self.modules = {}  # ("a", "b") -> path
        self.root = root

    def add(self, path):
        relative = path.relative_to(self.folder).with_suffix("")
        parts = tuple(part for part in relative.parts if part != "mod")
        if path.name == self.top and len(relative.parts) == 1:
            parts = ()
        self.modules[parts] = path

    def source(self, path):
        return without_tests((self.root / path).read_text())

    def resolve(self, module, names):
        """The module in which a path ends, seen from the root of the crate."""
        best = ()
        for end in range(len(names) + 1):
            if names[:end] in self.modules:
                best = names[:end]
        return best

    def imports(self, module, path):
        text = self.source(path)
        seen = set()
        for names in paths_in(text):
            head, rest = names[0], names[1:]
            if head == "crate" and self.top == "mod.rs":
                if rest[:1] != (self.folder.name,):
                    continue
                absolute = rest[1:]
            elif head == "crate":
                absolute = rest
            elif head == "self":
                absolute = module + rest
            else:
                base = module
                while names and names[0] == "super":
                    base, names = base[:-1], names[1:]
                absolute = base + names
            target = self.resolve(module, tuple(name for name in absolute))
            if target != module:
                seen.add(target)
        for child in re.findall(r"(?:pub(?:\([a-z ]+\))? )?use (\w+)(?:::|;)", text):
            if module + (child,) in self.modules:
                seen.add(module + (child,))
        return seen

    def cycles(self):
        graph = {m: self.imports(m, p) for m, p in self.modules.items() if not is_test(p.relative_to(self.folder))}
        return strongly_connected(graph)


def paths_in(text):
    """Every path that begins with `crate`, `self` or `super`; the braces of `use` are opened."""
    for statement in USE.findall(text):
        yield from opened(statement.strip(), ())
    text = USE.sub("", text)
    for found in re.findall(r"\b((?:crate|super)(?:::\w+)+)", text):
        yield tuple(found.split("::"))


def opened(text, prefix):
    text = text.strip()
    if "{" not in text:
        names = prefix + tuple(name.strip() for name in re.sub(r" as \w+", "", text).split("::"))
        if names and names[0] in {"crate", "self", "super"}:
            yield names
        return
    head, _, body = text.partition("{")
    prefix += tuple(name.strip() for name in head.split("::") if name.strip())
    depth, item = 0, ""
    for letter in body[: body.rindex("}")] + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if item.strip():
                yield from opened(item, prefix)
            item = ""
        else:
            item += letter


def strongly_connected(graph):
    index, low, stack, on, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on.add(node)
        for other in sorted(graph.get(node, ())):
            if other not in graph:
                continue
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            group = []
            while True:
                other = stack.pop()
                on.discard(other)
                group.append(other)
                if other == node:
                    break
            if len(group) > 1:
                found.append(sorted(group))

    sys.setrecursionlimit(10_000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def crates(root, paths):
    found = {}
    for path in paths:
        parts = path.parts
        if path.suffix != ".rs" or parts[0] != "crates":
            continue
        name = parts[1]
        in_root = (root / "crates" / name / "Cargo.toml").exists()
        folder = pathlib.Path("crates", name, "src") if in_root else pathlib.Path("crates", name)
        top = "lib.rs"
        # The program beside a library is looked at alone: it uses the library as a crate of its own would.
        program = folder / "program"
        if program in path.parents:
            folder, top, name = program, "mod.rs", f"{name} (program)"
        # The first lines of a program are a crate of one file.
        if folder not in path.parents or path.name == "build.rs" or path == folder / "main.rs":
            continue
        found.setdefault(name, Crate(root, folder, top, name)).add(path)
    return found


def find_orphans(all_crates):
    for crate in all_crates.values():
        for module, path in crate.modules.items():
            parent = crate.modules.get(module[:-1])
            if module and not (parent and re.search(rf"\bmod {module[-1]}\s*;", (crate.root / parent).read_text())):
                yield f"{path}: no module declares this file"


def find_cycles(all_crates):
    for crate in all_crates.values():
        for group in crate.cycles():
            names = " ".join("::".join(module) or "lib" for module in group)
            yield f"{crate.folder}: import cycle: {names}"


def type_names(crate):
    names = collections.defaultdict(list)
    for path in crate.modules.values():
        if not is_test(path.relative_to(crate.folder)):
            for name in set(TYPE.findall(crate.source(path))):
                # Associated types of traits are not types of the crate.
                if name not in {"Error", "Result", "Item", "Output", "Target", "Err", "Future", "IntoIter", "IntoFuture"}:
                    names[name].append(path)
    return names


def find_duplicates(all_crates):
    for crate in all_crates.values():
        for name, where in sorted(type_names(crate).items()):
            if len(where) > 1:
                yield f"{crate.folder}: type {name} is defined in {', '.join(str(path.relative_to(crate.folder)) for path in where)}"


def find_long_files(root, paths):
    for path in paths:
        if path.suffix in {".rs", ".py"}:
            lines = len((root / path).read_text().splitlines())
            if lines > MOST_LINES:
                yield f"{path}: {lines} lines, expected at most {MOST_LINES}"


# ---------------------------------------------------------------- figures

def report(root, paths):
    every = crates(root, paths)
    found_words = collections.Counter(line.split(":", 1)[0] for line in find_words(root, paths))
    across = collections.defaultdict(set)
    print(f"{'crate':24}{'files':>6}{'lines':>8}{'tests':>8}{'public':>8}{'words':>7}{'cycles':>8}{'types twice':>13}{'largest folder':>16}")
    totals = collections.Counter()
    for name, crate in sorted(every.items()):
        row = collections.Counter(files=len(crate.modules))
        folders = collections.Counter()
        for path in crate.modules.values():
            text = (root / path).read_text()
            code = text if not TEST_MODULE.search(text) else text[: TEST_MODULE.search(text).start()]
            lines, kept = len(text.splitlines()), len(code.splitlines())
            if is_test(path.relative_to(crate.folder)):
                row["tests"] += lines
            else:
                row["lines"] += kept
                row["tests"] += lines - kept
                row["public"] += len(PUBLIC.findall(code))
            folders[path.parent] += 1
            row["words"] += found_words[str(path)]
        row["cycles"] = len(crate.cycles())
        types = type_names(crate)
        row["twice"] = sum(len(where) > 1 for where in types.values())
        for type_name in types:
            across[type_name].add(name)
        row["folder"] = max(folders.values())
        print(f"{name:24}{row['files']:6}{row['lines']:8}{row['tests']:8}{row['public']:8}{row['words']:7}{row['cycles']:8}{row['twice']:13}{row['folder']:16}")
        totals.update({key: value for key, value in row.items() if key != "folder"})
        totals["folder"] = max(totals["folder"], row["folder"])
    print(f"{'all':24}{totals['files']:6}{totals['lines']:8}{totals['tests']:8}{totals['public']:8}{totals['words']:7}{totals['cycles']:8}{totals['twice']:13}{totals['folder']:16}")
    print(f"words of words.txt in all files: {sum(found_words.values())}")
    print(f"type names in more than one crate: {sum(len(where) > 1 for where in across.values())}")
    print(f"files of more than {MOST_LINES} lines: {len(list(find_long_files(root, paths)))}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--report", action="store_true")
    arguments.add_argument("--root", type=pathlib.Path, default=ROOT, help="the checkout to look at")
    arguments.add_argument("paths", nargs="*", type=pathlib.Path)
    arguments = arguments.parse_args()
    root = arguments.root.resolve()
    everything = tracked(root)
    if arguments.report:
        report(root, everything)
        return 0
    chosen = [path.resolve().relative_to(root) for path in arguments.paths]
    within = [path for path in everything if not chosen or any(one == path or one in path.parents for one in chosen)]
    every = {n: c for n, c in crates(root, everything).items() if not chosen or any(c.folder in p.parents for p in within)}
    problems = [*find_words(root, within), *find_orphans(every), *find_cycles(every), *find_duplicates(every), *find_long_files(root, within)]
    print(*problems, sep="\n", file=sys.stderr)
    if problems:
        print(f"{len(problems)} problems; tests/style/words.txt lists words and what to write instead", file=sys.stderr)
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
