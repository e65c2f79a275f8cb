"""The package's own order: which module may know which, and what an unbuilt tree says."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).parent.parent / "skreg"

# Each module may import those of its row, and nothing else of skreg.
ALLOWED = {
    "__init__": {"classifier", "regressor"},
    "classifier": {"base"},
    "regressor": {"base", "uncertainty"},
    "base": {
        *("averaging", "callbacks", "columns", "lbfgs", "messages", "network", "recipe"),
        *("stopping", "training", "validation", "variants"),
    },
    "training": {"messages", "stopping"},
    "stopping": {"messages"},
    "network": {"_core"},
    "averaging": {"messages"},
    "callbacks": set(),
    "columns": set(),
    "lbfgs": set(),
    "recipe": {"augmentation", "schedules"},
    "schedules": set(),
    "messages": set(),
    "uncertainty": set(),
    "validation": set(),
    "variants": {"augmentation"},
}

# The package `augmentation` knows itself and, through one module, the core.
AUGMENTATION = SOURCE / "augmentation"
KNOWS_THE_CORE = "core"
DRAWS = "display"  # imports matplotlib where it is used


def imported(path):
    """Modules of skreg that a file imports, and the other top-level packages."""
    own, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("skreg"):
            inside = node.module.split(".")[1:]
            own |= {inside[0]} if inside else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            others |= {alias.name.split(".")[0] for alias in node.names}
    return own, others


def test_every_module_has_its_place():
    assert {p.stem for p in SOURCE.glob("*.py")} == set(ALLOWED)


@pytest.mark.parametrize("module", ALLOWED)
def test_imports_point_one_way(module):
    own, others = imported(SOURCE / f"{module}.py")
    assert own <= ALLOWED[module]
    assert others <= {"joblib", "numpy", "scipy", "sklearn"} | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", sorted(AUGMENTATION.glob("*.py")), ids=lambda p: p.stem)
def test_augmentation_knows_nothing_of_the_networks(path):
    own, others = imported(path)
    assert own <= {"augmentation", *(["_core"] if path.stem == KNOWS_THE_CORE else [])}
    plotting = {"matplotlib"} if path.stem == DRAWS else set()
    known = {"joblib", "numpy", "scipy", "sklearn"} | plotting
    assert others <= known | set(sys.stdlib_module_names)


def test_unbuilt_tree_says_what_to_do(tmp_path):
    shutil.copytree(
        SOURCE, tmp_path / "skreg", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    # -S leaves out what an editable install hooks in; NumPy is still wanted.
    code = f"import sys; sys.path += [{str(Path(np.__file__).parents[1])!r}]; import skreg"
    run = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert "ImportError" in run.stderr
    assert "pip install ." in run.stderr
