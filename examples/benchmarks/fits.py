"""How long does a whole fit take, with batch norm and early stopping, beside a PyTorch loop?

Run it on a quiet machine::

    python examples/benchmarks/fits.py
    python examples/benchmarks/fits.py --cases table --epochs 5 20

The cases of ``speed.py``, with dropout 0.5 and batch norm, on one thread in float32. A tenth of
the rows is set aside; after every epoch the loss on it is computed, without dropout and with the
running statistics, and the best weights so far are kept, with which the fit ends. No fit ends
early, so that all have the same epochs. A whole fit has more than its steps: checks and the split,
validation, copies of the weights, and in `skreg` the statistics of all training rows at the end.
The last column is how many times faster the steps alone are, from fits without validation in the
same turns.
"""

import os

# Before NumPy is loaded, which reads them.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import time
from dataclasses import replace

import torch
from _cases import (
    CASES,
    SHORT,
    data_of,
    fit_skreg,
    fit_torch,
    plain_objective,
    skreg_model,
    timed_fit,
)
from _common import in_turns, machine_lines, options_of, report
from sklearn.model_selection import train_test_split

torch.set_num_threads(1)
VALIDATION = 0.1


def stopped_skreg(case, epochs):
    model = skreg_model(case, epochs)
    return timed_fit(model.set_params(early_stopping=True, validation_fraction=VALIDATION), case)


def stopped_torch(case, epochs):
    X, y = data_of(case)
    start = time.perf_counter()
    torch.manual_seed(0)
    A, B, a, b = train_test_split(X, y, test_size=VALIDATION, stratify=y, random_state=0)
    A, B, a, b = map(torch.from_numpy, (A, B, a, b))
    if case.classes == 2:
        a, b = (labels.to(A.dtype).reshape(-1, 1) for labels in (a, b))
    net, objective = plain_objective(case)
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    best, weights = float("inf"), None
    for _ in range(epochs):
        for batch in torch.randperm(len(A)).split(case.batch):
            optimizer.zero_grad()
            objective(A.index_select(0, batch), a.index_select(0, batch)).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            loss = float(objective(B, b))
        net.train()
        if loss < best:
            best, weights = loss, {name: x.clone() for name, x in net.state_dict().items()}
    net.load_state_dict(weights)
    return time.perf_counter() - start


def steps_of(fit, case):
    """The short and the long fit."""
    return fit(case, SHORT), fit(case, SHORT + case.epochs)


def ratio_of_steps(ours, theirs):
    def step(pairs):
        short, long = zip(*pairs, strict=True)
        return min(long) - min(short)

    return step(theirs) / step(ours)


def rows_of(name, options):
    case = replace(CASES[name], regularized=True)
    epochs = [e for e in options.epochs if name != "deep" or e <= options.deepest]
    if options.quick:
        case, epochs = replace(case, rows=4 * case.batch), epochs[:1]
    contestants = {
        "skreg, steps": lambda: steps_of(fit_skreg, case),
        "PyTorch, steps": lambda: steps_of(fit_torch, case),
    }
    for e in epochs:
        contestants[f"skreg, {e}"] = lambda e=e: stopped_skreg(case, e)
        contestants[f"PyTorch, {e}"] = lambda e=e: stopped_torch(case, e)
    times = in_turns(contestants, options.rounds)
    steps = ratio_of_steps(times["skreg, steps"], times["PyTorch, steps"])
    for e in epochs:
        ours, theirs = min(times[f"skreg, {e}"]), min(times[f"PyTorch, {e}"])
        yield [name, e, f"{ours:.3f}", f"{theirs:.3f}", f"{theirs / ours:.2f}", f"{steps:.2f}"]


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    header = ["fit of", "epochs", "skreg, s", "PyTorch, s", "times faster", "of the steps alone"]
    report(header, [row for name in options.cases for row in rows_of(name, options)], options)


if __name__ == "__main__":
    run(
        options_of(
            __doc__,
            rounds=3,
            cases={"nargs": "+", "choices": CASES, "default": ["table", "deep"]},
            epochs={"nargs": "+", "type": int, "default": [5, 20, 100]},
            deepest={"type": int, "default": 20, "help": "most epochs of `deep` (default: 20)"},
        )
    )
