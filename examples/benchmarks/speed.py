"""How long does one training step take, beside scikit-learn's MLP and a plain PyTorch loop?

Run it on a quiet machine::

    python examples/benchmarks/speed.py                       # all cases, about ten minutes
    python examples/benchmarks/speed.py --cases tiny digits   # some of them
    python examples/benchmarks/speed.py --quick               # smoke run, no measurement

Every contestant does the same work on one thread, in float32 (``--dtype``): the same data, layers
(ReLU), batch size, number of epochs and of steps, Adam, a new order of the rows in every epoch, no
early stop and no penalty (``--alpha`` sets an L2 penalty of the same objective for all). "plain" is
the bare network; "d+bn" has dropout 0.5 and batch norm, which scikit-learn cannot.

- *skreg*: ``skreg.MLPClassifier``
- *scikit-learn*: its ``MLPClassifier``, as installed
- *scikit-learn, tuned BLAS*: the same in a child process with ``OPENBLAS_CORETYPE`` set to the
  machine's level, because OpenBLAS uses slower kernels where it does not recognise the processor
- *PyTorch*: a bare loop: batches are picked from one tensor by a permutation, fused Adam, no data
  loader, no wrapper, no bookkeeping of the loss (both estimators keep theirs)
- *PyTorch, compiled*, with ``--compile``: the same with network and loss through
  ``torch.compile``; needs a C++ compiler, and tens of seconds a case

Time per step is the time of a fit of many epochs minus that of a fit of one epoch, divided by the
steps between the two: set-up (input checks, encoding labels, initial weights) cancels, what happens
once an epoch (shuffling, the stopping rule) counts. The contestants take turns, in alternating
order, for ``--rounds`` rounds after one discarded fit each; the figure is the difference of the
fastest long and the fastest short fit, since other work on a machine only ever adds time; in
brackets how much longer the slowest round took. The CSV also holds median and slowest of all.

The limit is what the matrix products of a plain step and the memory traffic of Adam would take at
the better rate of NumPy and PyTorch, measured in the same turns (``_limit.py``). "text" has rows in
CSR: scikit-learn can do that, PyTorch cannot pick sparse rows.
"""

import os

# Before NumPy is loaded, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import statistics
import sys
from dataclasses import replace

from _cases import CASES, Case, fit_sklearn, fit_skreg, fit_torch, fit_torch_compiled, torch
from _common import (
    ChildProcess,
    cpu_flags,
    cpu_level,
    cpu_model,
    in_turns,
    machine_lines,
    markdown_table,
    openblas_coretype,
    options_of,
    serve,
    versions,
    write_csv,
)
from _limit import Limit

if torch is not None:
    torch.set_num_threads(1)

SHORT = 1  # epochs of the short fit

# --- the contestants -----------------------------------------------------------------------------

VARIANTS = ["plain", "d+bn"]


def answer(fields, epochs):
    """What the child does."""
    return fit_sklearn(Case(**fields | {"hidden": tuple(fields["hidden"])}), epochs)


def start_contestants(options):
    contestants = {"skreg": fit_skreg, "scikit-learn": fit_sklearn}
    if openblas_coretype():
        child = ChildProcess(__file__)
        contestants["scikit-learn, tuned BLAS"] = lambda case, epochs: child(vars(case), epochs)
        contestants["scikit-learn, tuned BLAS"].child = child
    if torch is not None:
        contestants["PyTorch"] = fit_torch
        if options.compile:
            contestants["PyTorch, compiled"] = fit_torch_compiled
    return contestants


# --- the measurement -----------------------------------------------------------------------------


def able(name, case):
    if case.regularized:
        return "scikit" not in name
    return case.density == 1 or "PyTorch" not in name


def measure(contestants, case, rounds, limit):
    """Microseconds a step for every contestant that can do the case, and the limit meanwhile."""
    pairs = {
        name: lambda fit=fit: (fit(case, SHORT), fit(case, SHORT + case.epochs))
        for name, fit in contestants.items()
        if able(name, case)
    }
    times = in_turns({**pairs, "limit": limit.sample}, rounds)
    least = limit.microseconds(case, times.pop("limit"))
    figures = {name: microseconds_a_step(each, case.steps) for name, each in times.items()}
    return figures, least


def microseconds_a_step(pairs, steps):
    short, long = zip(*pairs, strict=True)
    each = sorted((b - min(short)) / steps * 1e6 for b in long)
    return {"min": each[0], "median": statistics.median(each), "max": each[-1]}


def table_row(case, figures, names, limit):
    ours = figures["skreg"]["min"]
    spread = figures["skreg"]["max"] / ours - 1
    row = [str(case), case.variant, f"{ours:.1f} (+{100 * spread:.0f} %)"]
    for name in names:
        theirs = figures.get(name)
        row.append(f"{theirs['min']:.1f} ({theirs['min'] / ours:.1f}x)" if theirs else "-")
    return [*row, f"{limit:.1f}", f"{limit / ours:.2f}"]


def csv_records(name, case, figures, rounds, limit):
    common = {
        "case": name,
        "rows": case.rows,
        "features": case.features,
        "hidden": "-".join(map(str, case.hidden)),
        "batch": case.batch,
        "classes": case.classes,
        "variant": case.variant,
        "density": case.density,
        "dtype": case.dtype,
        "alpha": case.alpha,
        "limit_us": limit,
    }
    return [
        common
        | {"contestant": who, "us_per_step_min": us["min"], "us_per_step_median": us["median"]}
        | {"us_per_step_max": us["max"]}
        | {"ratio_to_skreg": us["min"] / figures["skreg"]["min"]}
        | {"steps": case.steps, "rounds": rounds, "cpu": cpu_model(), "level": cpu_level()}
        | {"versions": "; ".join(f"{k} {v}" for k, v in versions().items())}
        for who, us in figures.items()
    ]


def chosen_cases(options):
    """(name, case) for every case and variant asked for, in the order of the table."""
    for name in options.cases:
        case = replace(CASES[name], alpha=options.alpha, dtype=options.dtype)
        if options.quick:
            case = replace(case, rows=3 * case.batch)
        for variant in options.variants if case.density == 1 else ["plain"]:
            yield name, replace(case, regularized=variant == "d+bn")


def run(options):
    contestants, limit = start_contestants(options), Limit(options.dtype)
    print("\n".join(machine_lines() + contestant_lines(contestants) + limit.lines()), "\n", sep="")
    rows, records = [], []
    names = [name for name in contestants if name != "skreg"]
    for name, case in chosen_cases(options):
        figures, least = measure(contestants, case, options.rounds, limit)
        rows.append(table_row(case, figures, names, least))
        records += csv_records(name, case, figures, options.rounds, least)
        print(f"{name} {case.variant}: skreg {figures['skreg']['min']:.1f} us", file=sys.stderr)
    header = ["microseconds a step (times skreg's)", "variant", "skreg (slowest)", *names]
    print(markdown_table([*header, "limit", "skreg's fraction of it"], rows, left=2))
    print(f"\nFastest of {options.rounds} rounds, alpha={options.alpha:g}, one thread.")
    if options.quick:
        print("Smoke run on a few rows: the figures mean nothing.")
    if options.out:
        write_csv(options.out, records)


def contestant_lines(contestants):
    lines = []
    tuned = contestants.get("scikit-learn, tuned BLAS")
    if tuned:
        lines.append(
            f"OpenBLAS kernels of the tuned child: {tuned.child.architecture} "
            f"(OPENBLAS_CORETYPE={openblas_coretype()})"
        )
    if torch is None:
        lines.append("PyTorch is not installed: left out")
    elif "avx512f" in cpu_flags() or "avx2" in cpu_flags():
        lines.append(f"PyTorch's vector level: {torch.backends.cpu.get_cpu_capability()}")
    return lines


if __name__ == "__main__":
    options = options_of(
        __doc__,
        cases={"nargs": "+", "choices": CASES, "default": list(CASES)},
        variants={"nargs": "+", "choices": VARIANTS, "default": VARIANTS},
        alpha={"type": float, "default": 0.0, "help": "L2 penalty (default: 0)"},
        compile={"action": "store_true", "help": "also PyTorch with torch.compile"},
        dtype={"choices": ["float32", "float64"], "default": "float32"},
    )
    if options.child:
        serve(answer)
    else:
        run(options)
