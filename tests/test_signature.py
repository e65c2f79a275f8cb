"""The text that both estimators share: docs/signature/parameters.txt, written into their files."""

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from skreg import MLPClassifier, MLPRegressor

SCRIPT = Path(__file__).parent.parent / "docs" / "signature" / "write.py"
ESTIMATORS = {"classifier": MLPClassifier, "regressor": MLPRegressor}

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="docs/ is not here")


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("write_signature", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def entries(script):
    return script.read((SCRIPT.parent / "parameters.txt").read_text())


def test_files_are_as_written():
    run = subprocess.run(
        [sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"Run python {SCRIPT}:\n{run.stdout}{run.stderr}"


def test_a_change_shows(script, entries):
    """An entry that is not in the file yet comes into every part that it belongs to."""
    block = "zeal=0.5\ntype: float\ngroup: running\n    Strength [New2030]_ of ``a  b``."
    cited = "[New2030]\n    New (2030)."
    new = [*entries, script.Entry(block), script.Entry(cited)]
    for kind, path in script.FILES.items():
        code = path.read_text()
        assert script.write(kind, code, entries) == code
        written = script.write(kind, code, new)
        number = re.search(r"\.\. \[(\d+)\] New \(2030\)\.", written)[1]
        assert f"    zeal : float, default=0.5\n        Strength [{number}]_ of ``a b``." in written
        assert re.search(r"    running  .*, `zeal`\n", written)
        assert "        zeal=0.5,\n    ):\n" in written
        assert "        self.zeal = zeal\n" in written


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_every_parameter_has_an_entry(entries, kind):
    own = [e for e in entries if e.fields.get("only", kind) == kind and e.role == "parameter"]
    signature = inspect.signature(ESTIMATORS[kind]).parameters
    assert [e.name for e in own] == list(signature)
    assert {e.name: eval(e.default) for e in own} == {n: p.default for n, p in signature.items()}


def test_entries_are_complete(script, entries):
    assert len({entry.head for entry in entries}) == len(entries)
    for entry in entries:
        assert set(entry.fields) <= {"type", "group", "only"}, entry.head
        assert entry.fields.get("only", "classifier") in ESTIMATORS, entry.head
        assert (entry.role in ("parameter", "attribute")) == ("type" in entry.fields), entry.head
        assert (entry.role == "parameter") == ("group" in entry.fields), entry.head
        if entry.role == "parameter":
            assert entry.fields["group"].removesuffix(", first") in script.GROUPS, entry.head


def test_every_reference_is_defined_and_cited(script, entries):
    defined = [entry.name for entry in entries if entry.role == "reference"]
    cited = script.CITATION.findall("\n".join(entry.text for entry in entries))
    assert set(cited) == set(defined)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_numbers_run(kind):
    """Each number that is cited is listed, once, from 1 on."""
    doc = inspect.getdoc(ESTIMATORS[kind])
    listed = [int(i) for i in re.findall(r"^\.\. \[(\d+)\] ", doc, re.MULTILINE)]
    assert listed == list(range(1, len(listed) + 1))
    assert {int(i) for i in re.findall(r"\[(\d+)\]_", doc)} == set(listed)
