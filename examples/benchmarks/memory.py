"""How much memory does a fit take beyond its data?

::

    python examples/benchmarks/memory.py                   # one gigabyte of float32
    python examples/benchmarks/memory.py --gigabytes 4 --features 784

Each library fits one epoch with early stopping in a process of its own, on a C-ordered float32
array that is made there. The figure is the peak of the process' resident memory during the fit
minus what it held just before, data included; a warm-up fit on a few rows comes first, so that
loaded code does not count. Linux only.
"""

import json
import subprocess
import sys
import warnings
from pathlib import Path

from _common import machine_lines, options_of, report

LIBRARIES = {"skreg": "skreg", "scikit-learn": "sklearn.neural_network"}


def resident(field):
    """VmRSS (now) or VmHWM (peak) of this process in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise RuntimeError(f"no {field} in /proc/self/status")


def measure_here(module, n_rows, n_features):
    """The child's part: bytes above the data."""
    import importlib

    import numpy as np

    warnings.simplefilter("ignore")
    X = np.random.default_rng(0).standard_normal((n_rows, n_features), dtype=np.float32)
    y = (X[:, 0] > 0).astype(int)
    model = importlib.import_module(module).MLPClassifier(
        (128, 128), batch_size=256, early_stopping=True, max_iter=1, random_state=0
    )
    model.fit(X[:2000], y[:2000])
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    model.fit(X, y)
    return {"data": X.nbytes, "above": resident("VmHWM") - before}


def run(options):
    print("\n".join(machine_lines()), "\n", sep="")
    gigabytes = 0.01 if options.quick else options.gigabytes
    n_rows = int(gigabytes * 1e9 / 4 / options.features)
    rows = []
    for name, module in LIBRARIES.items():
        command = [sys.executable, __file__, "--one", module, str(n_rows), str(options.features)]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        share = 100 * found["above"] / found["data"]
        rows.append(
            [name, f"{found['data'] / 1e6:.0f}", f"{found['above'] / 1e6:.0f}", f"{share:.1f}"]
        )
    report(["library", "data, MB", "peak above it, MB", "% of the data"], rows, options)


if __name__ == "__main__":
    if "--one" in sys.argv:
        print(json.dumps(measure_here(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
    else:
        run(
            options_of(
                __doc__,
                gigabytes={"type": float, "default": 1.0},
                features={"type": int, "default": 100},
            )
        )
