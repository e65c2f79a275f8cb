"""The code of the README and of the pages runs, and prints what stands under it.

    python docs/check_code.py [PAGE ...]

A page is one script, top to bottom. A block marked ``text`` that follows a block of code is what
that code prints; there ``...`` stands for anything, and numbers may differ by 5 percent or 0.02,
since processors round differently. Blocks that are not to run are marked ``python no-run``. A
section whose code needs a package that is not installed is left out. Without a PAGE all are run but
the slow ones.
"""

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

DOCS = Path(__file__).parent
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
MARK = "<<block {}>>"
# Not as a file: processes that a page starts would import it, and so run it again.
RUN = "exec(compile(open('page.py').read(), 'page.py', 'exec'))"

# Sections, by page and heading, that need packages beside ours.
NEEDS = {
    ("callbacks", "Progress bars"): ["rich"],
    ("callbacks", "Pruning trials with Optuna"): ["optuna"],
    ("callbacks", "Logging to MLflow"): ["mlflow"],
    ("scaling_out", "Clusters"): ["distributed"],
    ("regularization_search", "Search spaces"): ["optuna"],
    ("tables", "Dates and texts, with skrub"): ["skrub"],
}


SLOW = {"tuning"}  # its searches take three minutes


def pages():
    """By their names."""
    paths = sorted(p for p in DOCS.rglob("*.md") if p.relative_to(DOCS).parts[0][0] != "_")
    named = {str(path.relative_to(DOCS).with_suffix("")): path for path in paths}
    return {"README": DOCS.parent / "README.md", **named}


def blocks_of(name, text):
    """Code and what it prints, or None, of each block that can run here."""
    found = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        heading = section.splitlines()[0] if section else ""
        if any(find_spec(package) is None for package in NEEDS.get((name, heading), [])):
            print(f"{name}: {heading!r} is left out, it needs {NEEDS[name, heading]}")
            continue
        end = None
        for match in BLOCK.finditer(section):
            kind, body = match.groups()
            if kind == "python":
                found.append([body, None])
                end = match.end()
            elif end is not None and not section[end : match.start()].strip():
                found[-1][1] = body
    return found


def same(expected, printed):
    """Whether the lines agree, numbers nearly."""
    pattern = re.escape(NUMBER.sub("\x00", expected.strip())).replace(re.escape("..."), ".*?")
    pattern = re.sub(r"(?:\\ |\\\n|\s)+", r"\\s+", pattern)
    pattern = pattern.replace(re.escape("\x00"), f"({NUMBER.pattern})")
    match = re.fullmatch(pattern, printed.strip(), re.DOTALL)
    pairs = zip(NUMBER.findall(expected), match.groups(), strict=True) if match else []
    near = (abs(float(a) - float(b)) <= max(0.02, 0.05 * abs(float(a))) for a, b in pairs)
    return match is not None and all(near)


def check(name, path):
    """What is wrong with a page, or an empty string."""
    blocks = blocks_of(name, path.read_text())
    if not blocks:
        return ""
    script = "\n".join(f"print({MARK.format(i)!r})\n{code}" for i, (code, _) in enumerate(blocks))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.py").write_text(script)
        run = subprocess.run(
            [sys.executable, "-c", RUN], cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "MPLBACKEND": "Agg"},
        )  # fmt: skip
    if run.returncode:
        return f"{name}: {run.stderr[-2000:]}"
    parts = re.split(MARK.format(r"\d+") + "\n", run.stdout)[1:]
    wrong = [
        f"{name}: expected\n{expected}but it printed\n{printed}"
        for (_, expected), printed in zip(blocks, parts, strict=True)
        if expected is not None and not same(expected, printed)
    ]
    return "\n".join(wrong)


def main(names):
    known = pages()
    chosen = {name: known[name] for name in names or known.keys() - SLOW}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(check, chosen, chosen.values()) if text]
    print("\n\n".join(found) or f"{len(chosen)} pages: the code runs and prints what they say")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
