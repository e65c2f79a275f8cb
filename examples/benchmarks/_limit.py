"""The limit of a training step on this machine, from rates measured in the same run."""

import os
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
from _cases import torch

from skreg.network.core import predict

SIZE = 1024  # of the square products
COPIED = 2**28  # bytes, far beyond any cache


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

    The arithmetic of the step's products at the best rate (flop/s) that skreg, NumPy or PyTorch
    reaches for a product of 1024 x 1024 matrices, plus, where they do not fit the largest cache,
    the bytes of Adam at the bandwidth (bytes/s, read and written) of a copy: parameters, gradient
    and both moments are read, parameters and moments written.
    """

    def __init__(self, dtype="float32"):
        self.rates = _product_rates(np.dtype(dtype))
        self.rate = max(self.rates.values())
        source = np.ones(COPIED, dtype=np.uint8)
        target = np.empty_like(source)
        self.bandwidth = 2 * COPIED / fastest(lambda: np.copyto(target, source), rounds=5)
        self.cache = _largest_cache()

    def microseconds(self, case):
        """Of one step of a case."""
        sizes = layer_sizes(case)
        weights = sum(a * b for a, b in sizes)
        first = sizes[0][0] * sizes[0][1] * case.density
        others = weights - sizes[0][0] * sizes[0][1]
        # Forward and the gradient of the weights; the input of the first layer needs no gradient.
        arithmetic = 2 * case.batch * (2 * first + 3 * others) / self.rate
        parameters = (weights + sum(b for _, b in sizes)) * np.dtype(case.dtype).itemsize
        memory = 7 * parameters / self.bandwidth if 4 * parameters > self.cache else 0.0
        return (arithmetic + memory) * 1e6

    def lines(self):
        """What was measured, as text."""
        rates = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in self.rates.items())
        return [
            f"product of {SIZE} x {SIZE} matrices, GFLOP/s: {rates}",
            f"copy: {self.bandwidth / 1e9:.1f} GB/s read and written; largest cache: "
            f"{self.cache / 2**20:.0f} MiB",
        ]


def layer_sizes(case):
    """(inputs, outputs) of each dense layer."""
    outputs = 1 if case.classes == 2 else case.classes
    widths = [case.features, *case.hidden, outputs]
    return list(pairwise(widths))


def _product_rates(dtype):
    rng = np.random.RandomState(0)
    a, b = (rng.standard_normal((SIZE, SIZE)).astype(dtype) for _ in range(2))
    bias = np.zeros(SIZE, dtype)
    products = {
        "skreg": lambda: predict(a, [("dense", {"units": float(SIZE)})], [b, bias], "identity"),
        "NumPy": lambda: a @ b,
    }
    if torch is not None:
        c, d = torch.from_numpy(a), torch.from_numpy(b)
        products["PyTorch"] = lambda: c @ d
    return {name: 2 * SIZE**3 / fastest(product) for name, product in products.items()}


def _largest_cache():
    """In bytes; where Linux does not tell, that of a small machine."""
    caches = Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")
    sizes = [int(path.read_text().strip().removesuffix("K")) * 1024 for path in caches]
    return max(sizes, default=os.cpu_count() * 2**20)
