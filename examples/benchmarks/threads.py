"""What do threads bring a training step?

Run it on a quiet machine with as many free processors as threads::

    python examples/benchmarks/threads.py --threads 1 2
    python examples/benchmarks/threads.py --cases wide deep --threads 1 2 4 8

The tasks are those of ``speed.py``, with every number of threads in turn. skreg's threads are
limited with threadpoolctl, PyTorch's with ``torch.set_num_threads``. "same bits" says whether
skreg's weights after the fit are those of one thread, bit for bit.
"""

from dataclasses import replace

import numpy as np
from _cases import CASES, fit_skreg, fit_torch, torch, weights_of
from _common import in_turns, machine_lines, options_of, report
from threadpoolctl import threadpool_limits

SHORT = 1  # epochs of the short fit


def step_of_skreg(case, n_threads):
    with threadpool_limits(n_threads):
        return fit_skreg(case, SHORT), fit_skreg(case, SHORT + case.epochs)


def step_of_torch(case, n_threads):
    torch.set_num_threads(n_threads)
    return fit_torch(case, SHORT), fit_torch(case, SHORT + case.epochs)


def measure(step, case, options):
    """Microseconds of a step for each number of threads."""
    calls = {n: lambda n=n: step(case, n) for n in options.threads}
    times = in_turns(calls, options.rounds)
    fastest = {n: [min(seconds) for seconds in zip(*t, strict=True)] for n, t in times.items()}
    return {n: (long - short) / case.steps * 1e6 for n, (short, long) in fastest.items()}


def same_bits(case, options):
    """Whether skreg's weights are the same for each number of threads."""
    weights = []
    for n_threads in options.threads:
        with threadpool_limits(n_threads):
            weights.append(weights_of(replace(case, epochs=1)))
    return all(np.array_equal(w, weights[0]) for w in weights)


def chosen_cases(options):
    for name in options.cases:
        for regularized in (False, True) if CASES[name].density == 1 else (False,):
            case = replace(CASES[name], regularized=regularized)
            yield replace(case, rows=3 * case.batch) if options.quick else case


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    rows = []
    for case in chosen_cases(options):
        peers = {"skreg": step_of_skreg}
        if torch is not None and case.density == 1:
            peers["PyTorch"] = step_of_torch
        for name, step in peers.items():
            us = measure(step, case, options)
            one = us[options.threads[0]]
            bits = ("yes" if same_bits(case, options) else "NO") if name == "skreg" else "-"
            cells = [f"{us[n]:.1f} ({one / us[n]:.2f}x)" for n in options.threads]
            rows.append([str(case), case.variant, name, *cells, bits])
    header = ["microseconds a step (times as fast)", "variant", "library"]
    header += [f"{n} thread{'s' * (n > 1)}" for n in options.threads] + ["same bits"]
    report(header, rows, options, left=3)


if __name__ == "__main__":
    run(
        options_of(
            __doc__,
            cases={"nargs": "+", "choices": CASES, "default": list(CASES)},
            threads={"nargs": "+", "type": int, "default": [1, 2]},
        )
    )
