"""The limit of a training step on this machine, from rates measured in the same run."""

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _cases import torch

SIZE = 1024  # of the square products
COPIED = 2**28  # bytes, far beyond any cache

# Chains of fused multiply-adds in registers: as many as hide their latency.
LOOP = """
typedef REAL vec __attribute__((vector_size(BYTES)));
double loop(long n) {
  vec a[12], x, y;
  for (int i = 0; i < 12; ++i) a[i] = (vec){} + (REAL)i;
  x = (vec){} + (REAL)0.999, y = (vec){} + (REAL)0.001;
  for (long k = 0; k < n; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) a[i] = a[i] * x + y;
    __asm__ volatile("" : "+x"(x), "+x"(y));
  }
  double sum = 0;
  for (int i = 0; i < 12; ++i) sum += a[i][0];
  return sum;
}
"""


def fastest(function, rounds=20):
    """Seconds of the fastest call after a first one."""
    function()
    return min(_seconds(function) for _ in range(rounds))


def _seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


class Limit:
    """Rates of matrix products and of copying, and what they leave of a step.

    The arithmetic of the step's products at the better rate (flop/s) that NumPy or PyTorch reaches
    for a product of 1024 x 1024 matrices, plus, where they do not fit the largest cache, the bytes
    of Adam at the bandwidth (bytes/s, read and written) of a copy: parameters, gradient and both
    moments are read, parameters and moments written.

    `sample` measures the products once; who compares takes it as one more contestant, so that the
    rates are those of the same minutes.
    """

    def __init__(self, dtype="float32"):
        self._products = _products(np.dtype(dtype))
        self.rates, self._seen = {}, []
        source = np.ones(COPIED, dtype=np.uint8)
        target = np.empty_like(source)
        self.bandwidth = 2 * COPIED / fastest(lambda: np.copyto(target, source), rounds=5)
        self.cache = _largest_cache()
        self.peak = _peak(np.dtype(dtype))
        for _ in range(10):
            self.sample()

    def sample(self):
        """The rate of one product by each library."""
        rates = {name: 2 * SIZE**3 / _seconds(call) for name, call in self._products.items()}
        self._seen.append(rates)
        self.rates = {name: max(seen[name] for seen in self._seen) for name in rates}
        return rates

    def microseconds(self, case, samples=None):
        """Of one step of a case, at the best rate of these samples, or of all."""
        rate = max(max(rates.values()) for rates in (samples or self._seen))
        sizes = layer_sizes(case)
        weights = sum(a * b for a, b in sizes)
        first = sizes[0][0] * sizes[0][1] * case.density
        others = weights - sizes[0][0] * sizes[0][1]
        # Forward and the gradient of the weights; the input of the first layer needs no gradient.
        arithmetic = 2 * case.batch * (2 * first + 3 * others) / rate
        parameters = (weights + sum(b for _, b in sizes)) * np.dtype(case.dtype).itemsize
        memory = 7 * parameters / self.bandwidth if 4 * parameters > self.cache else 0.0
        return (arithmetic + memory) * 1e6

    def lines(self):
        """What was measured, as text."""
        rates = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in self.rates.items())
        peak = "no compiler" if self.peak is None else f"{self.peak / 1e9:.0f}"
        return [
            f"product of {SIZE} x {SIZE} matrices, GFLOP/s: {rates}; "
            f"a loop of fused multiply-adds: {peak}",
            f"copy: {self.bandwidth / 1e9:.1f} GB/s read and written; largest cache: "
            f"{self.cache / 2**20:.0f} MiB",
        ]


def layer_sizes(case):
    """(inputs, outputs) of each dense layer."""
    outputs = 1 if case.classes == 2 else case.classes
    widths = [case.features, *case.hidden, outputs]
    return list(pairwise(widths))


def _products(dtype):
    rng = np.random.RandomState(0)
    a, b = (rng.standard_normal((SIZE, SIZE)).astype(dtype) for _ in range(2))
    products = {"NumPy": lambda: a @ b}
    if torch is not None:
        c, d = torch.from_numpy(a), torch.from_numpy(b)
        products["PyTorch"] = lambda: c @ d
    for product in products.values():
        product()
    return products


def _peak(dtype):
    """Flop/s of a loop that does nothing else, None without a compiler for it."""
    from _common import cpu_level

    n_bytes = {"AVX-512": 64, "AVX2": 32}.get(cpu_level(), 16)
    compiler, n = shutil.which("cc") or shutil.which("gcc"), 2_000_000
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "loop.c"), Path(folder, "loop.so")
        source.write_text(LOOP.replace('"+x"', '"+w"') if cpu_level() == "NEON" else LOOP)
        real = {4: "float", 8: "double"}[dtype.itemsize]
        flags = ["-O2", "-march=native", "-shared", "-fPIC", f"-DREAL={real}", f"-DBYTES={n_bytes}"]
        if subprocess.run([compiler, *flags, "-o", library, source], check=False).returncode:
            return None
        loop = ctypes.CDLL(str(library)).loop
        loop.argtypes, loop.restype = [ctypes.c_long], ctypes.c_double
        lanes = n_bytes // dtype.itemsize
        return 2 * 12 * lanes * n / fastest(lambda: loop(n))


def _largest_cache():
    """In bytes; where Linux does not tell, that of a small machine."""
    caches = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    sizes = [int(path.read_text().strip().removesuffix("K")) * 1024 for path in caches]
    return max(sizes, default=os.cpu_count() * 2**20)
