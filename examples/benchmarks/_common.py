"""What the benchmark scripts share: describing the machine, and tables for people and for CSV.

Imports neither NumPy nor scikit-learn at the top: a script may still set the number of threads.
"""

import csv
import importlib.metadata
import os
import platform
import re
from pathlib import Path

PACKAGES = ("skreg", "scikit-learn", "numpy", "scipy", "torch")


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
