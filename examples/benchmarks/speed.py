"""How long does one training step take, beside scikit-learn's MLP and a plain PyTorch loop?

Run it on a quiet machine::

    python examples/benchmarks/speed.py                       # all cases, about ten minutes
    python examples/benchmarks/speed.py --cases tiny digits   # some of them
    python examples/benchmarks/speed.py --quick               # smoke run, no measurement

Every contestant does the same work in float32 on one thread: the same data, layers (ReLU), batch
size, number of epochs and of steps, Adam, a new order of the rows in every epoch, no early stop and
no penalty (``--alpha`` sets an L2 penalty of the same objective for all). "plain" is the bare
network; "d+bn" has dropout 0.5 and batch norm, which scikit-learn cannot.

- *skreg*: ``skreg.MLPClassifier``
- *scikit-learn*: its ``MLPClassifier``, as installed
- *scikit-learn, tuned BLAS*: the same in a child process with ``OPENBLAS_CORETYPE`` set to the
  machine's level, because OpenBLAS uses slower kernels where it does not recognise the processor
- *PyTorch*: a bare loop: batches are picked from one tensor by a permutation, fused Adam, no data
  loader, no wrapper, no bookkeeping of the loss (both estimators keep theirs)

Time per step is the time of a fit of many epochs minus that of a fit of one epoch, divided by the
steps between the two: set-up (input checks, encoding labels, initial weights) cancels, what happens
once an epoch (shuffling, the stopping rule) counts. The contestants take turns, in alternating
order, for ``--rounds`` rounds after one discarded fit each; the figure is the difference of the
fastest long and the fastest short fit, since other work on a machine only ever adds time. The CSV
also holds the median over the rounds.
"""

import os

# Before NumPy is loaded, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import argparse
import functools
import json
import statistics
import subprocess
import sys
import time
import warnings
from dataclasses import dataclass, replace

import numpy as np
from _common import (
    blas_architecture,
    cpu_flags,
    cpu_level,
    cpu_model,
    machine_lines,
    markdown_table,
    versions,
    write_csv,
)
from sklearn.exceptions import ConvergenceWarning

try:
    import torch
except ImportError:
    torch = None
else:
    torch.set_num_threads(1)


# --- the work ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A data set, a network, and how many epochs the long fit has beyond the short one."""

    rows: int
    features: int
    hidden: tuple
    batch: int
    classes: int
    epochs: int
    regularized: bool = False
    alpha: float = 0.0

    @property
    def steps(self):
        """Training steps between the long and the short fit."""
        return self.epochs * -(-self.rows // self.batch)

    @property
    def variant(self):
        return "d+bn" if self.regularized else "plain"

    def __str__(self):
        same = len(self.hidden) > 2 and len(set(self.hidden)) == 1
        hidden = f"{len(self.hidden)} x {self.hidden[0]}" if same else str(self.hidden)
        data = f"{self.rows} x {self.features}, {self.classes} classes"
        return f"{data}, hidden {hidden}, batch {self.batch}"


CASES = {
    "tiny": Case(1000, 20, (64,), 32, 2, epochs=200),
    "digits": Case(1437, 64, (64, 64), 64, 10, epochs=100),
    "table": Case(20000, 100, (128, 128), 128, 2, epochs=8),
    "wide": Case(60000, 784, (512, 512), 256, 10, epochs=1),
    "deep": Case(5000, 50, (512,) * 9, 128, 5, epochs=2),
}
SHORT = 1  # epochs of the short fit
VARIANTS = ["plain", "d+bn"]


@functools.lru_cache(maxsize=1)
def make_data(rows, features, classes):
    """Standard normal features, labels from a noisy linear rule that a network can learn."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((rows, features)).astype(np.float32)
    scores = X @ rng.standard_normal((features, classes)).astype(np.float32)
    noise = rng.standard_normal(scores.shape).astype(np.float32)
    return X, np.argmax(scores + noise * features**0.5, axis=1)


def data_of(case):
    return make_data(case.rows, case.features, case.classes)


# --- the contestants: functions from a case and a number of epochs to seconds --------------------


def shared_parameters(case, epochs):
    """What both estimators are given: full length, no early stop."""
    return {
        "hidden_layer_sizes": case.hidden,
        "batch_size": case.batch,
        "max_iter": epochs,
        "tol": 0.0,
        "n_iter_no_change": np.inf,
        "random_state": 0,
    }


def fit_skreg(case, epochs):
    from skreg import MLPClassifier

    extra = {"dropout": 0.5, "batch_norm": True} if case.regularized else {}
    model = MLPClassifier(alpha=case.alpha, **shared_parameters(case, epochs), **extra)
    return timed_fit(model, case)


def fit_sklearn(case, epochs):
    from sklearn.neural_network import MLPClassifier

    # scikit-learn divides its alpha by the batch size.
    model = MLPClassifier(alpha=case.alpha * case.batch, **shared_parameters(case, epochs))
    return timed_fit(model, case)


def timed_fit(model, case):
    X, y = data_of(case)
    with warnings.catch_warnings():
        # Stopping at max_iter is the purpose here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - start
    if model.n_iter_ != model.max_iter:
        raise RuntimeError(f"{model} stopped after {model.n_iter_} epochs: not the same work")
    return seconds


def fit_torch(case, epochs):
    X, y = data_of(case)
    start = time.perf_counter()
    torch.manual_seed(0)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    net, loss = torch_network(case), torch.nn.CrossEntropyLoss()
    if case.classes == 2:
        loss, y = torch.nn.BCEWithLogitsLoss(), y.to(torch.float32).reshape(-1, 1)
    optimizer = torch.optim.Adam(net.parameters(), fused=True, weight_decay=case.alpha)
    for _ in range(epochs):
        for batch in torch.randperm(len(X)).split(case.batch):
            optimizer.zero_grad()
            # index_select is PyTorch's fastest way to pick rows, three times faster than X[batch].
            loss(net(X.index_select(0, batch)), y.index_select(0, batch)).backward()
            optimizer.step()
    return time.perf_counter() - start


def torch_network(case):
    """Dense, batch norm, ReLU, dropout; like skreg without the bias that batch norm cancels."""
    layers, width = [], case.features
    for units in case.hidden:
        layers.append(torch.nn.Linear(width, units, bias=not case.regularized))
        if case.regularized:
            layers.append(torch.nn.BatchNorm1d(units))
        layers.append(torch.nn.ReLU(inplace=True))
        if case.regularized:
            layers.append(torch.nn.Dropout(0.5))
        width = units
    outputs = 1 if case.classes == 2 else case.classes
    return torch.nn.Sequential(*layers, torch.nn.Linear(width, outputs)).train()


class ChildProcess:
    """scikit-learn in another process, whose environment was set before NumPy was loaded."""

    def __init__(self, coretype):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--child"],
            env=os.environ | {"OPENBLAS_CORETYPE": coretype},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.architecture = self.read()

    def __call__(self, case, epochs):
        self.process.stdin.write(json.dumps([vars(case), epochs]) + "\n")
        self.process.stdin.flush()
        return self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the child process ended: see its message above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve():
    """The child's loop: one case a line in, seconds out; idle while others are measured."""
    print(json.dumps(blas_architecture()), flush=True)
    for line in sys.stdin:
        fields, epochs = json.loads(line)
        case = Case(**fields | {"hidden": tuple(fields["hidden"])})
        print(json.dumps(fit_sklearn(case, epochs)), flush=True)


def openblas_coretype():
    """OpenBLAS' name for the level of this machine, None where there is nothing to set."""
    return {"AVX-512": "SkylakeX", "AVX2": "Haswell"}.get(cpu_level())


def start_contestants():
    contestants = {"skreg": fit_skreg, "scikit-learn": fit_sklearn}
    if openblas_coretype():
        contestants["scikit-learn, tuned BLAS"] = ChildProcess(openblas_coretype())
    if torch is not None:
        contestants["PyTorch"] = fit_torch
    return contestants


# --- the measurement -----------------------------------------------------------------------------


def measure(contestants, case, rounds):
    """Microseconds a step for every contestant that can do the case."""
    able = {n: f for n, f in contestants.items() if not case.regularized or "scikit" not in n}
    for fit in able.values():
        fit(case, SHORT)
    times = {name: [] for name in able}
    for round_ in range(rounds):
        for name in list(able)[:: -1 if round_ % 2 else 1]:
            fit = able[name]
            times[name].append((fit(case, SHORT), fit(case, SHORT + case.epochs)))
    return {name: microseconds_a_step(pairs, case.steps) for name, pairs in times.items()}


def microseconds_a_step(pairs, steps):
    short, long = zip(*pairs, strict=True)
    return {
        "min": (min(long) - min(short)) / steps * 1e6,
        "median": statistics.median(b - a for a, b in pairs) / steps * 1e6,
    }


def table_row(case, figures, names):
    ours = figures["skreg"]["min"]
    row = [str(case), case.variant, f"{ours:.1f}"]
    for name in names:
        theirs = figures.get(name)
        row.append(f"{theirs['min']:.1f} ({theirs['min'] / ours:.1f}x)" if theirs else "-")
    return row


def csv_records(name, case, figures, rounds):
    common = {
        "case": name,
        "rows": case.rows,
        "features": case.features,
        "hidden": "-".join(map(str, case.hidden)),
        "batch": case.batch,
        "classes": case.classes,
        "variant": case.variant,
        "alpha": case.alpha,
    }
    return [
        common
        | {"contestant": who, "us_per_step_min": us["min"], "us_per_step_median": us["median"]}
        | {"ratio_to_skreg": us["min"] / figures["skreg"]["min"]}
        | {"steps": case.steps, "rounds": rounds, "cpu": cpu_model(), "level": cpu_level()}
        | {"versions": "; ".join(f"{k} {v}" for k, v in versions().items())}
        for who, us in figures.items()
    ]


def chosen_cases(options):
    """(name, case) for every case and variant asked for, in the order of the table."""
    for name in options.cases:
        case = replace(CASES[name], alpha=options.alpha)
        if options.quick:
            case = replace(case, rows=3 * case.batch)
        for variant in options.variants:
            yield name, replace(case, regularized=variant == "d+bn")


def run(options):
    contestants = start_contestants()
    print("\n".join(machine_lines() + contestant_lines(contestants)), "\n", sep="")
    rows, records = [], []
    names = [name for name in contestants if name != "skreg"]
    for name, case in chosen_cases(options):
        figures = measure(contestants, case, options.rounds)
        rows.append(table_row(case, figures, names))
        records += csv_records(name, case, figures, options.rounds)
        print(f"{name} {case.variant}: skreg {figures['skreg']['min']:.1f} us", file=sys.stderr)
    close(contestants)
    header = ["microseconds a step (times skreg's)", "variant", "skreg", *names]
    print(markdown_table(header, rows, left=2))
    print(f"\nFastest of {options.rounds} rounds, alpha={options.alpha:g}, float32, one thread.")
    if options.quick:
        print("Smoke run on a few rows: the figures mean nothing.")
    if options.out:
        write_csv(options.out, records)


def contestant_lines(contestants):
    lines = []
    child = contestants.get("scikit-learn, tuned BLAS")
    if child:
        lines.append(
            f"OpenBLAS kernels of the tuned child: {child.architecture} "
            f"(OPENBLAS_CORETYPE={openblas_coretype()})"
        )
    if torch is None:
        lines.append("PyTorch is not installed: left out")
    elif "avx512f" in cpu_flags() or "avx2" in cpu_flags():
        lines.append(f"PyTorch's vector level: {torch.backends.cpu.get_cpu_capability()}")
    return lines


def close(contestants):
    for contestant in contestants.values():
        if isinstance(contestant, ChildProcess):
            contestant.close()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--rounds", type=int, help="measured rounds (default: 5, quick: 1)")
    parser.add_argument("--alpha", type=float, default=0.0, help="L2 penalty (default: 0)")
    parser.add_argument("--out", help="CSV file to write")
    parser.add_argument("--quick", action="store_true", help="smoke run on a few rows")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else 5)
    return options


if __name__ == "__main__":
    options = parse_options()
    if options.child:
        serve()
    else:
        run(options)
