"""Lists the public items of the published crates, so that the list changes on purpose only.

    python3 tests/style/public_items.py            fails when docs/reference/public-api.txt differs (`make check` runs this)
    python3 tests/style/public_items.py --update   writes that file

The list is read from the source, as rustfmt lays it out: what `lib.rs` declares or re-exports, with the signatures, fields,
variants and trait implementations of each type. Derived and generated implementations, and items that macros write, are not
listed.
"""

import difflib
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTING = pathlib.Path("docs/reference/public-api.txt")
ITEM = re.compile(r"pub (?:(?:const |async |unsafe |extern \"C\" )*(?:fn|struct|enum|union|trait|mod)|type|const|static(?: mut)?|macro) (\w+)")


class Crate:
    """The items of one crate, found from its `lib.rs`."""

    def __init__(self, name, library):
        self.name, self.folder = name, library.parent
        self.texts = {}
        self.lines = set()
        self.types = set()
        # Implementations may be in any file of the crate.
        self.blocks = [block for path in self.folder.rglob("*.rs") if not is_other(path.relative_to(self.folder)) for block in blocks(self.text(path))]
        self.module(library, ())

    def text(self, path):
        if path not in self.texts:
            text = re.sub(r"^\s*//.*\n", "", path.read_text(), flags=re.MULTILINE)
            text = re.sub(r"^\s*#!?\[(?!cfg\(test\)|macro_export)[^\n]*?\]\n", "", text, flags=re.MULTILINE)
            self.texts[path] = re.sub(r"^#\[cfg\(test\)\]\n(?:pub(?:\(\w+\))? )?mod \w+ \{.*?^\}\n", "", text, flags=re.MULTILINE | re.DOTALL)
        return self.texts[path]

    def file_of(self, module):
        """The file of a module given as names below the crate's root."""
        base = self.folder.joinpath(*module)
        candidates = [base.with_suffix(".rs"), base / "mod.rs"] if module else [self.folder / "lib.rs"]
        return next((path for path in candidates if path.is_file()), None)

    def module(self, path, module):
        """Lists what the module in `path` makes public under its own path."""
        text = self.text(path)
        for statement in re.findall(r"^pub use ([^;]+);", text, re.MULTILINE):
            for names, shown in opened(statement):
                self.reexport(module, names, shown)
        for block in blocks(text):
            found = ITEM.match(block)
            if re.match(r"(?:unsafe )?extern ", block):
                for function in re.findall(r"^    (pub (?:safe |unsafe )?fn (\w+).*?);$", block, re.MULTILINE | re.DOTALL):
                    self.add(f"{self.path(module)}::{function[1]}", function[0])
            if not found:
                continue
            if re.match(r"pub mod ", block):
                child = module + (found.group(1),)
                if self.file_of(child):
                    self.module(self.file_of(child), child)
                else:
                    self.add(f"{self.path(module)}::{found.group(1)}", block)
            else:
                self.item(module, found.group(1), block)

    def reexport(self, module, names, shown):
        inside = [name for name in names[:-1] if name not in {"crate", "self"}]
        absolute = tuple(inside) if names[0] == "crate" else module + tuple(inside)
        source = self.file_of(absolute) if len(names) > 1 else None
        if source is None:
            self.lines.add(f"{self.path(module)}::{shown} = {'::'.join(name for name in names if name)}")
        elif names[-1] == "*":
            self.module(source, module)
        else:
            self.definition(module, absolute, names[-1], shown, set())

    def definition(self, module, source, name, shown, seen):
        """Follows `name` from the module `source` to its definition."""
        if (source, name) in seen:
            return
        seen.add((source, name))
        text = self.text(self.file_of(source))
        for block in blocks(text):
            found = ITEM.match(block)
            if found and found.group(1) == name:
                if re.match(r"pub mod ", block) and self.file_of(source + (name,)):
                    self.module(self.file_of(source + (name,)), source + (name,))
                else:
                    self.item(module, shown, block, name)
                return
        for statement in re.findall(r"^pub(?:\([a-z ]+\))? use ([^;]+);", text, re.MULTILINE):
            for names, alias in opened(statement):
                if alias == name:
                    inside = tuple(part for part in names[:-1] if part not in {"crate", "self", "super"})
                    target = inside if names[0] == "crate" else source[: len(source) - names.count("super")] + inside
                    if self.file_of(target):
                        return self.definition(module, target, names[-1], shown, seen)
        self.lines.add(f"{self.path(module)}::{shown} = {'::'.join(source)}::{name}")

    def item(self, module, shown, block, name=None):
        name = name or shown
        path = f"{self.path(module)}::{shown}"
        kind = re.match(r"pub (?:const |async |unsafe |extern \"C\" )*(\w+)", block).group(1)
        if kind not in {"struct", "enum", "union", "trait"}:
            self.add(path, signature(block))
            return
        self.add(path, signature(block))
        for member in members(block, kind):
            self.add(path, member)
        for other in self.blocks:
            found = re.match(rf"(?:unsafe )?impl(?:<[^{{]*?>)? (?:[^{{]*? for )?{name}\b", other)
            if not found or (" for " in signature(other).split(" where ")[0] and not re.search(rf" for {name}\b", signature(other))):
                continue
            if " for " in signature(other):
                self.add(path, signature(other))
            else:
                for method in re.findall(r"^    (pub (?:(?:const|async|unsafe) )*(?:fn|const|type) .*?)(?: \{|;)$", other, re.MULTILINE | re.DOTALL):
                    self.add(path, without_value(method))

    def add(self, path, text):
        self.lines.add(f"{path}: {flat(text)}")

    def path(self, module):
        return "::".join((self.name, *module))


def is_other(path):
    """Whether the file, a path below the crate's folder, is of tests or of the program instead of the library."""
    return path.stem == "tests" or path.stem.endswith("_tests") or not {"tests", "program"}.isdisjoint(path.parts)


def blocks(text):
    """The items of a file that begin at its left margin, each with all its lines."""
    found, block = [], []
    for line in text.splitlines():
        if not block and not re.match(r"(?:pub|impl|unsafe|extern)\b", line):
            continue
        block.append(line)
        whole = "\n".join(block)
        is_balanced = all(whole.count(opening) == whole.count(closing) for opening, closing in ("()", "[]", "{}"))
        # A closing brace at the left margin ends an item whatever its strings contain.
        if line.startswith("}") or (is_balanced and line.endswith((";", "}"))):
            found.append(whole)
            block = []
    return found


def signature(block):
    """An item up to its body or value; the fields of a tuple struct are a part of it."""
    head = re.split(r"\s*\{|;$", block, maxsplit=1)[0]
    head = re.sub(r"(pub struct \w+(?:<.*?>)?)\((?!pub ).*", r"\1", head, flags=re.DOTALL)
    return without_value(head)


def without_value(text):
    return re.sub(r"^(pub (?:const|static)(?! fn\b)[^=]*?)\s*=.*", r"\1", text, flags=re.DOTALL)


def members(block, kind):
    """Public fields, variants, or the items of a trait."""
    body = block.partition("{")[2]
    if kind in {"struct", "union"}:
        return re.findall(r"^    (pub \w+: .*?),$", body, re.MULTILINE)
    if kind == "enum":
        return re.findall(r"^    ([A-Z]\w*(?: \{.*?^    \}| \{[^\n]*\}|\([^\n]*\)|\(.*?^    \))?)(?: = [^\n]*)?,$", body, re.MULTILINE | re.DOTALL)
    return re.findall(r"^    ((?:async |unsafe )*(?:fn|type|const) .*?)(?: \{|;)$", body, re.MULTILINE | re.DOTALL)


def flat(text):
    text = re.sub(r"#\[\w+(?:\([^\]]*\))?\] ?", "", text)
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r",? ([)}\]])", lambda found: (" " if found[1] == "}" else "") + found[1], re.sub(r"([(\[]) ", r"\1", text))


def opened(statement, prefix=()):
    """The paths of a `use`, each with the name under which it is visible."""
    statement = statement.strip()
    if "{" not in statement:
        path, _, alias = statement.partition(" as ")
        names = prefix + tuple(part.strip() for part in path.split("::"))
        names = names[:-1] if names[-1] == "self" else names
        yield names, alias.strip() or names[-1]
        return
    head, _, body = statement.partition("{")
    prefix += tuple(part.strip() for part in head.split("::") if part.strip())
    depth, part = 0, ""
    for letter in body[: body.rindex("}")] + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if part.strip():
                yield from opened(part, prefix)
            part = ""
        else:
            part += letter


def published(root):
    """Names and libraries of the crates that the workspace publishes."""
    workspace = tomllib.loads((root / "Cargo.toml").read_text())
    yield workspace["package"]["name"], root / workspace["lib"]["path"]
    for member in workspace["workspace"]["members"]:
        manifest = tomllib.loads((root / member / "Cargo.toml").read_text())
        package = manifest["package"]
        if package.get("publish", True):
            yield manifest.get("lib", {}).get("name", package["name"].replace("-", "_")), root / member / "src/lib.rs"


def main():
    lines = [line for name, library in sorted(published(ROOT)) for line in sorted(Crate(name, library).lines)]
    listing = "".join(f"{line}\n" for line in lines)
    path = ROOT / LISTING
    if sys.argv[1:] == ["--update"]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(listing)
        return 0
    known = path.read_text() if path.is_file() else ""
    if listing == known:
        return 0
    difference = difflib.unified_diff(known.splitlines(), lines, str(LISTING), "source", lineterm="", n=0)
    print(*difference, sep="\n", file=sys.stderr)
    print(f"the public items differ from {LISTING}; if on purpose: python3 tests/style/public_items.py --update", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
