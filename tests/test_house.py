"""The package's own order: which module may know which, and what an unbuilt tree says."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).parent.parent / "skreg"

# A file may import those of its own wing and of the wings below it, at most MOST of skreg's.
WINGS = [
    {"__init__"},
    {"model_selection"},
    {"tabular"},
    {"ensemble"},
    {"classifier", "regressor"},
    {"base"},
    {"regularization"},
    {"data", "training"},  # which do not know each other
    {"network"},
    {"augmentation", "inspection", "preprocessing"},  # nor these
    {"_core"},
]
EVERYONES = {"common", "callbacks"}
MOST = 6

# The package `augmentation` knows itself and, through one module, the core.
KNOWS_THE_CORE = {SOURCE / "augmentation" / "core.py", SOURCE / "network" / "core.py"}
# These import matplotlib where it is used.
DRAWS = {
    SOURCE / "augmentation" / "display.py",
    SOURCE / "inspection" / "curves.py",
    SOURCE / "inspection" / "panels.py",
    SOURCE / "inspection" / "search.py",
}
INTERFACES = {
    SOURCE / "__init__.py",
    SOURCE / "augmentation" / "__init__.py",
    SOURCE / "regularization/techniques.py",
}

FILES = sorted(SOURCE.rglob("*.py"))


def wing_of(path):
    """The first part of the name: a folder, or a file of the top level."""
    first = path.relative_to(SOURCE).parts[0]
    return first.removesuffix(".py")


def level_of(wing):
    """0 at the top."""
    return next(i for i, wings in enumerate(WINGS) if wing in wings)


def imported(path):
    """Modules of skreg that a file imports, as tuples of names, and other top-level packages."""
    own, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("skreg"):
            inside = tuple(node.module.split(".")[1:])
            names = [alias.name for alias in node.names]
            folder = SOURCE.joinpath(*inside).is_dir()
            own |= {(*inside, name) for name in names} if folder else {inside}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            others |= {alias.name.split(".")[0] for alias in node.names}
    return own, others


def name_of(path):
    return str(path.relative_to(SOURCE))


def test_every_file_stands_in_a_wing():
    wings = {wing_of(path) for path in FILES} - EVERYONES
    assert wings == set().union(*WINGS) - {"_core"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_imports_point_down(path):
    own, others = imported(path)
    if wing_of(path) not in EVERYONES:
        level = level_of(wing_of(path))
        for wing in {module[0] for module in own} - EVERYONES - {wing_of(path)}:
            assert level_of(wing) > level, f"{name_of(path)} imports {wing}"
    knows_the_core = any(module[0] == "_core" for module in own)
    assert knows_the_core == (path in KNOWS_THE_CORE)
    plotting = {"matplotlib"} if path in DRAWS else set()
    known = {"joblib", "numpy", "scipy", "sklearn"} | plotting
    assert others <= known | set(sys.stdlib_module_names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_a_hub(path):
    own, _ = imported(path)
    assert path in INTERFACES or len(own) <= MOST, f"{len(own)} imports: {sorted(own)}"


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
