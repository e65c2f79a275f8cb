"""Writes what both estimators share, from `parameters.txt` into classifier.py and regressor.py.

    python docs/signature/write.py          after a change of parameters.txt
    python docs/signature/write.py --check  prints what would change, and fails if anything would

Written are the table of purposes, the sections Parameters, Attributes and References of the class
docstring, and `__init__`. All else in these files is written by hand.
"""

import difflib
import itertools
import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).parent
FILES = {kind: HERE.parents[1] / "skreg" / f"{kind}.py" for kind in ("classifier", "regressor")}

GROUPS = (
    *("network", "optimizer", "schedule", "penalties", "noise in layers", "normalization"),
    *("noise in rows", "targets and loss", "stopping and averaging", "running"),
)

# Where each part stands in a file, up to what follows it.
PLACES = {
    "parameters": r"    The parameters by purpose:\n.*?(?=    See Also\n)",
    "references": r"    References\n    -+\n.*?(?=    Examples\n)",
    "__init__": r"    def __init__\(.*?\n(?=\n)",
}

VARIANT = re.compile(r"\{(classifier|regressor): (.*?)\}(\n?)", re.DOTALL)
CITATION = re.compile(r"\[([A-Za-z]\w*)\]_")
UNBROKEN = re.compile(r"(`+).+?\1|[\[(]\S+, \S+[\])]")  # code and intervals stay in one line


class Entry:
    """A block of `parameters.txt`: a head, fields, and an indented text.

    The head is ``dropout=0.0``, ``coefs_``, ``[Srivastava2014]``, or ``*``.
    """

    def __init__(self, block):
        rows = block.splitlines()
        n_rows = next((i for i, row in enumerate(rows) if row.startswith(" ")), len(rows))
        self.head = rows[0]
        self.name, _, self.default = self.head.strip("[]").partition("=")
        self.fields = dict(row.split(": ", 1) for row in rows[1:n_rows])
        self.text = textwrap.dedent("\n".join(rows[n_rows:]))
        named = "parameter" if self.default else "attribute"
        self.role = {"[": "reference", "*": "marker"}.get(self.head[0], named)

    def text_for(self, kind):
        def choose(match):
            return match[2] + match[3] if match[1] == kind else match[3].replace("\n", " ")

        return VARIANT.sub(choose, self.text)


def read(text):
    """The entries of a source text; lines with a # are comments."""
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return [Entry(block) for block in re.split(r"\n\n+(?=\S)", text.strip())]


def fill(text, first, later):
    """Lines of up to 100 characters; `first` opens the first one, `later` the others."""
    text = UNBROKEN.sub(lambda m: m[0].replace(" ", "\0"), " ".join(text.split()))
    options = {"break_long_words": False, "break_on_hyphens": False}
    lines = textwrap.wrap(text, 100, initial_indent=first, subsequent_indent=later, **options)
    return [line.replace("\0", " ") for line in lines]


def section(title):
    return [f"    {title}", "    " + "-" * len(title)]


def table(parameters):
    """A row of parameters for each group; those with ``first`` lead it."""
    rows = []
    for group in GROUPS:
        led = [f"`{p.name}`" for p in parameters if p.fields["group"] == f"{group}, first"]
        others = [f"`{p.name}`" for p in parameters if p.fields["group"] == group]
        rows += fill(", ".join(led + others), f"    {group:24}", " " * 28)
    border = f"    {'=' * 22}  {'=' * 72}"
    return ["    The parameters by purpose:", "", border, *rows, border, ""]


def describe(entries, texts):
    """Names, types and texts as numpydoc wants them."""
    lines = []
    for entry in entries:
        default = f", default={entry.default}" if entry.default else ""
        lines.append(f"    {entry.name} : {entry.fields['type']}{default}".replace('"', "'"))
        for paragraph in texts[entry.name].split("\n\n"):
            for item in re.split(r"\n(?=- )", paragraph):
                lines += fill(item, " " * 8, " " * (10 if item.startswith("- ") else 8))
            lines.append("")
    return lines


def number(texts):
    """The texts with a running number for each key that they cite, and these keys in order."""
    keys = list(dict.fromkeys(CITATION.findall("\n".join(texts.values()))))
    numbered = {
        name: CITATION.sub(lambda m: f"[{keys.index(m[1]) + 1}]_", text)
        for name, text in texts.items()
    }
    return numbered, keys


def list_references(keys, entries):
    """The references in the order of their numbers."""
    texts = {entry.name: entry.text for entry in entries if entry.role == "reference"}
    lines = [fill(texts[key], f"    .. [{i}] ", " " * 7) for i, key in enumerate(keys, 1)]
    return [*itertools.chain(*lines), ""]


def init(entries):
    """Signature and assignments."""
    heads = [entry.head for entry in entries if entry.role in ("parameter", "marker")]
    names = [entry.name for entry in entries if entry.role == "parameter"]
    return [
        *("    def __init__(", "        self,", *(f"        {head}," for head in heads)),
        *("    ):", *(f"        self.{name} = {name}" for name in names)),
    ]


def parts_of(kind, entries):
    """The lines of each part of a file."""
    own = [entry for entry in entries if entry.fields.get("only", kind) == kind]
    parameters = [entry for entry in own if entry.role == "parameter"]
    attributes = [entry for entry in own if entry.role == "attribute"]
    texts, keys = number({entry.name: entry.text_for(kind) for entry in parameters + attributes})
    return {
        "parameters": [
            *(*table(parameters), *section("Parameters"), *describe(parameters, texts)),
            *(*section("Attributes"), *describe(attributes, texts)),
        ],
        "references": [*section("References"), *list_references(keys, own)],
        "__init__": init(own),
    }


def write(kind, code, entries):
    """The code of a file with its parts written anew."""
    for name, lines in parts_of(kind, entries).items():
        part = "\n".join(lines) + "\n"
        code, n = re.subn(PLACES[name], lambda _, part=part: part, code, count=1, flags=re.DOTALL)
        if not n:
            raise SystemExit(f"{FILES[kind]} has no place for {name}: {PLACES[name]!r}")
    return code


def main(check):
    entries = read((HERE / "parameters.txt").read_text())
    changed = False
    for kind, path in FILES.items():
        old = path.read_text()
        new = write(kind, old, entries)
        changed |= new != old
        if check:
            lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
            sys.stdout.writelines(difflib.unified_diff(*lines, path.name, "as written"))
        else:
            path.write_text(new)
    return int(check and changed)


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
