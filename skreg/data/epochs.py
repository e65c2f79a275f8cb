"""Epochs: one pass over the training rows, or over fresh variants of them.

Both are asked in the same way by the trainer. Variants are made in chunks of bounded memory that
end where batches end, so that the chunks change no result.
"""

import math
import time
from contextlib import nullcontext

import numpy as np
import scipy.sparse as sp
from sklearn.base import clone

from skreg.augmentation.base import draw_seed, row_bytes
from skreg.data.sparse import checked_copy

CHUNK_BYTES = 2**26  # 64 MB of variants, which are dense


class RowEpochs:
    """Passes over the rows as they are.

    Parameters
    ----------
    network : Network
    rows : TrainingRows
    """

    def __init__(self, network, rows):
        self.network, self.data, self.rows = network, rows.data, rows.train

    def train_epoch(self, order, batch_size, rates, seconds=math.inf):
        """One pass over the rows in `order`; returns the mean loss with penalties, and without."""
        return self.network.train_epoch(self.data, order, batch_size, rates, seconds)

    def state(self):
        """Each epoch is like any other."""
        return {}

    def restore(self, state):
        """Nothing to take."""


class VariantEpochs:
    """Passes over variants of the rows, again and again.

    Parameters
    ----------
    network : Network
    rows : TrainingRows
    augmentation : augmenter
        Of which a copy is fitted on the training rows.
    epoch : int
        Number of epochs ever made: no variant comes twice.
    """

    serial = nullcontext()  # for what is written in Python

    def __init__(self, network, rows, augmentation, epoch):
        self.network, self.originals = network, rows
        self.X = checked_copy(rows.X) if sp.issparse(rows.X) else rows.X
        if len(rows.train) < self.X.shape[0]:
            self.X = self.X[rows.train]
        self.rows = np.arange(self.X.shape[0], dtype=np.int32)
        self.augmenter = _fitted(augmentation, self.X, rows.y[rows.train])
        self.seed = network.seed
        if self.augmenter.random_state is not None:  # it decides, where it has one
            self.seed = draw_seed(self.augmenter.random_state)
        self.epoch = epoch

    def train_epoch(self, order, batch_size, rates, seconds=math.inf):
        """One pass over variants of the rows in `order`; returns the same."""
        deadline = time.monotonic() + seconds
        total, n_used = np.zeros(2), 0
        for begin, end in self._chunks(len(order), batch_size):
            rows = order[begin:end]
            with self.serial:
                variants = self.augmenter._variants(self.X, rows, epoch=self.epoch, seed=self.seed)
            data = self.originals.view(variants, self.originals.train[rows])
            chunk_rates = rates[min(begin // batch_size, len(rates) - 1) :]
            left = deadline - time.monotonic()
            in_order = self.rows[: len(rows)]
            means = self.network.train_epoch(data, in_order, batch_size, chunk_rates, left)
            total, n_used = total + np.multiply(means, len(rows)), n_used + len(rows)
            if time.monotonic() >= deadline:
                break
        self.epoch += 1
        return tuple((total / n_used).tolist())

    def state(self):
        """What the variants of the next epoch follow from, beside the rows."""
        return {"epoch": self.epoch, "seed": self.seed}

    def restore(self, state):
        """Go on from what `state` returned."""
        self.epoch, self.seed = state["epoch"], state["seed"]

    def _chunks(self, n_rows, batch_size):
        """Whole batches; a single last row joins the batch before it, as in the core."""
        n_batches = max(1, CHUNK_BYTES // (row_bytes(self.X) * batch_size))
        begin = 0
        while begin < n_rows:
            end = min(begin + n_batches * batch_size, n_rows)
            if self.network.has_statistics and end + 1 == n_rows:
                end = n_rows
            yield begin, end
            begin = end


def _fitted(augmentation, X, y):
    augmenter = clone(augmentation)
    if augmenter.mixes_targets:
        name = type(augmenter).__name__
        raise ValueError(
            f"augmentation={name}(...) mixes the targets of rows, which needs a loss that knows "
            "both. Use the parameter mixup or cutmix of the network, or give it more rows with "
            f"Augmented(estimator, {name}(...))."
        )
    augmenter._validate_params()  # what `fit` passes on is not validated elsewhere
    augmenter._begin(X, y, accept_sparse=True)
    return augmenter
