"""What the benchmark scripts share: describing the machine, and tables for people and for CSV.

Imports neither NumPy nor scikit-learn at the top: a script may still set the number of threads.
"""

import argparse
import csv
import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

PACKAGES = ("skreg", "scikit-learn", "numpy", "scipy", "torch", "skorch", "joblib")


def cpu_flags():
    """Feature flags of the processor, as Linux lists them (empty where it does not)."""
    return set(_proc_cpuinfo("flags").split()) | set(_proc_cpuinfo("Features").split())


def cpu_level():
    """The widest vector instructions of the processor that matter here."""
    flags = cpu_flags()
    for flag, level in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("asimd", "NEON")):
        if flag in flags:
            return level
    return "baseline"


def cpu_model():
    """The processor's name."""
    return _proc_cpuinfo("model name") or platform.processor() or platform.machine()


def versions(names=PACKAGES):
    """Installed versions, ``None`` for what is missing."""
    return {name: _version(name) for name in names}


def blas_architecture():
    """The kernels that NumPy's and SciPy's OpenBLAS chose, such as ``"Haswell"``."""
    import numpy  # noqa: F401  (loads the library that is asked about)
    import threadpoolctl

    found = {info.get("architecture") for info in threadpoolctl.threadpool_info()}
    return ", ".join(sorted(filter(None, found))) or "unknown"


def machine_lines():
    """Lines that say on what a measurement was made."""
    installed = ", ".join(f"{name} {version}" for name, version in versions().items() if version)
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return [
        f"machine:  {cpu_model()}, {os.cpu_count()} CPUs, {cpu_level()}, {platform.system()}",
        f"versions: Python {platform.python_version()}, {installed}",
        f"threads:  OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}, "
        f"OpenBLAS kernels: {blas_architecture()}",
        f"load average before the run: {load}",
    ]


def markdown_table(header, rows, left=1):
    """Header and rows of text as an aligned markdown table, the first columns to the left."""
    table = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    rule = ["-" * width if i < left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(_table_line(row, widths, left) for row in (table[0], rule, *table[1:]))


def write_csv(path, records):
    """Write a list of dicts with the same keys."""
    with Path(path).open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    print(f"wrote {path}")


def _table_line(row, widths, left):
    cells = [
        cell.ljust(width) if i < left else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"


def _proc_cpuinfo(key):
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return ""
    found = re.search(rf"^{key}\s*:\s*(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def openblas_coretype():
    """OpenBLAS' name for the level of this machine, None where there is nothing to set."""
    return {"AVX-512": "SkylakeX", "AVX2": "Haswell"}.get(cpu_level())


class ChildProcess:
    """A benchmark's own script, run with ``--child`` and OPENBLAS_CORETYPE set before NumPy.

    Called with what JSON can hold, it returns what the child's answer is; meanwhile both wait for
    each other.
    """

    def __init__(self, script):
        self.process = subprocess.Popen(
            [sys.executable, script, "--child"],
            env=os.environ | {"OPENBLAS_CORETYPE": openblas_coretype()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.architecture = self._read()

    def __call__(self, *request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._read()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the child process ended: see its message above")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def serve(answer):
    """The child's loop: answer(*request) for one request a line."""
    print(json.dumps(blas_architecture()), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)


def in_turns(contestants, rounds, *arguments):
    """Call each contestant once a round, in alternating order, after one discarded round.

    Returns the list of results of each.
    """
    results = {name: [] for name in contestants}
    for contestant in contestants.values():
        contestant(*arguments)
    for round_ in range(rounds):
        for name in list(contestants)[:: -1 if round_ % 2 else 1]:
            results[name].append(contestants[name](*arguments))
    return results


def options_of(doc, rounds=5, **extra):
    """The options that all scripts have, and those given as name -> add_argument's keywords."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    for name, keywords in extra.items():
        parser.add_argument(f"--{name}", **keywords)
    parser.add_argument("--rounds", type=int, help=f"measured rounds (default: {rounds}, quick: 1)")
    parser.add_argument("--out", help="CSV file to write")
    parser.add_argument("--quick", action="store_true", help="smoke run: small and meaningless")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.rounds = options.rounds or (1 if options.quick else rounds)
    return options


def report(header, rows, options, left=1):
    """Print the table, and write it as CSV where asked for."""
    print(markdown_table(header, rows, left))
    if options.quick:
        print("\nSmoke run: the figures mean nothing.")
    if options.out:
        write_csv(options.out, [dict(zip(header, row, strict=True)) for row in rows])
