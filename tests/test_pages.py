"""The code of a guide page runs: each section, after what the page begins with."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Page and section, with the packages beside ours that its code needs.
NEEDS = {
    ("callbacks", "Progress bars"): ["rich"],
    ("callbacks", "Pruning trials with Optuna"): ["optuna"],
    ("callbacks", "Logging to MLflow"): ["mlflow"],
    ("search", "What to draw from"): ["optuna"],
    ("tables", "Dates and texts, with skrub"): ["skrub"],
}
PAGES = ["callbacks", "search", "tables"]

pytestmark = pytest.mark.skipif(not DOCS.exists(), reason="docs/ is not here")


def sections():
    """Page, heading and code of each section that has any."""
    for page in PAGES if DOCS.exists() else []:
        first, *rest = (DOCS / f"{page}.md").read_text().split("\n## ")
        beginning = "\n".join(BLOCK.findall(first))
        yield pytest.param(page, "", beginning, id=page)
        for text in rest:
            heading = text.splitlines()[0]
            if blocks := BLOCK.findall(text):
                code = "\n".join([beginning, *blocks])
                yield pytest.param(page, heading, code, id=f"{page}-{heading}")


@pytest.mark.parametrize(("page", "heading", "code"), list(sections()))
def test_the_code_runs(page, heading, code, tmp_path):
    pytest.importorskip("sklearn.callback")
    for package in NEEDS.get((page, heading), []):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    script = tmp_path / "section.py"
    script.write_text(code)
    run = subprocess.run(
        [sys.executable, script.name], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_what_is_needed_is_there():
    """No entry of NEEDS for a section that was renamed."""
    known = {tuple(section.values[:2]) for section in sections()}
    assert set(NEEDS) <= known
