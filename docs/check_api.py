"""The reference is complete: every parameter is described, and every example prints what it says.

    python docs/check_api.py [NAME ...]

numpydoc validates the classes and functions that `api.rst` lists, with the public methods and
properties that skreg itself defines: each has a docstring that begins with a sentence of one line,
and describes all parameters and what is returned. Each class and function has examples, which run
as doctests, and print something, without a ConvergenceWarning. NAME is as in `api.rst`.
"""

import doctest
import inspect
import operator
import re
import sys
import warnings
from pathlib import Path

import matplotlib as mpl
from numpydoc.validate import validate
from sklearn.exceptions import ConvergenceWarning

import skreg
import skreg.callbacks
import skreg.inspection
import skreg.model_selection
import skreg.preprocessing

CODES = {
    "GL08",  # a docstring
    *("SS01", "SS02", "SS03", "SS06"),  # which begins with a sentence of one line
    *(f"PR0{i}" for i in range(1, 10)),  # parameters, with types and texts
    *("RT01", "RT03", "YD01"),  # what is returned
}
SHORTEST = 3  # words of that sentence: "Draw." does not say what is drawn
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def listed():
    """The names that stand in the tables of api.rst."""
    text = (Path(__file__).parent / "api.rst").read_text()
    tables = re.findall(r"^\.\. autosummary::\n(?:   :.*\n)*\n((?:   \S+\n?)+)", text, re.MULTILINE)
    return [name for table in tables for name in table.split()]


def own_members(cls):
    """Names of the public methods and properties of a class that skreg defines."""
    for name, member in inspect.getmembers_static(cls):
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        function = inspect.unwrap(getattr(function, "fn", function))  # that of available_if
        if name[0] != "_" and getattr(function, "__module__", "").startswith("skreg"):
            yield name


def findings(name):
    """What numpydoc finds in a class or a function and in the methods of the class."""
    thing = operator.attrgetter(name)(skreg)
    members = own_members(thing) if inspect.isclass(thing) else ()
    for full in [name, *(f"{name}.{member}" for member in members)]:
        for code, text in validate(f"skreg.{full}")["errors"]:
            if code in CODES:
                yield f"{full}: {code} {text}"
        first = (operator.attrgetter(full)(skreg).__doc__ or "").strip().partition("\n")[0]
        if len(first.split()) < SHORTEST:
            yield f"{full}: {first!r} does not say what it is"


def run_examples(name):
    """Whether the docstring has examples that print something, and what they print is right."""
    thing = operator.attrgetter(name)(skreg)
    examples = doctest.DocTestFinder(recurse=False).find(thing, f"skreg.{name}", globs={})[0]
    if not any(example.want for example in examples.examples):
        yield f"{name}: no example that prints something"
    report = []
    doctest.DocTestRunner(optionflags=FLAGS).run(examples, out=report.append)
    if report:
        yield "".join(report)


def main(names):
    mpl.use("Agg")
    warnings.simplefilter("error", ConvergenceWarning)
    names = names or listed()
    found = [text for name in names for check in (findings, run_examples) for text in check(name)]
    print("\n".join(found) or f"{len(names)} names: all is described, and the examples are right")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
