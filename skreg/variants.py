"""VariantEpochs: training on a fresh variant of every row in every epoch.

Takes the place of the network in the epoch loop, with the same `train_epoch`. The variants are made
in chunks of bounded memory that end where batches end, so that the chunks change no result.
"""

import math
import time

import numpy as np
from sklearn.base import clone

from skreg.augmentation.base import draw_seed
from skreg.augmentation.mixing import MixingAugmenter

CHUNK_BYTES = 2**26  # 64 MB of variants


class VariantEpochs:
    """One pass over variants of rows, again and again.

    Parameters
    ----------
    network : Network
    augmenter : augmenter
        Fitted on the training rows.
    X : ndarray of shape (n_rows, n_features)
        The training rows.
    make_data : callable
        Called with variants and the positions of their originals in X, returns data for the core.
    seed : int
    epoch : int
        Number of epochs ever made: no variant comes twice.
    """

    def __init__(self, network, augmenter, X, make_data, seed, epoch):
        self.network = network
        self.augmenter = augmenter
        self.X = X
        self.rows = np.arange(len(X), dtype=np.int32)
        self.make_data = make_data
        self.seed = seed
        self.epoch = epoch

    def train_epoch(self, order, batch_size, rates, seconds=math.inf):
        """One pass over variants of the rows in `order`; returns the mean penalized loss."""
        deadline = time.monotonic() + seconds
        total, n_used = 0.0, 0
        for begin, end in self._chunks(len(order), batch_size):
            rows = order[begin:end]
            variants = self.augmenter._variants(self.X, rows, epoch=self.epoch, seed=self.seed)
            data = self.make_data(variants, rows)
            chunk_rates = rates[min(begin // batch_size, len(rates) - 1) :]
            left = deadline - time.monotonic()
            in_order = self.rows[: len(rows)]
            loss = self.network.train_epoch(data, in_order, batch_size, chunk_rates, left)
            total, n_used = total + loss * len(rows), n_used + len(rows)
            if time.monotonic() >= deadline:
                break
        self.epoch += 1
        return total / n_used

    def _chunks(self, n_rows, batch_size):
        """Whole batches; a single last row joins the batch before it, as in the core."""
        n_batches = max(1, CHUNK_BYTES // (self.X[:1].nbytes * batch_size))
        begin = 0
        while begin < n_rows:
            end = min(begin + n_batches * batch_size, n_rows)
            if self.network.has_statistics and end + 1 == n_rows:
                end = n_rows
            yield begin, end
            begin = end


def fitted_augmenter(estimator, X, y):
    """A copy of the estimator's augmenter, fitted on the training rows."""
    augmenter = clone(estimator.augmentation)
    if isinstance(augmenter, MixingAugmenter):
        name = type(augmenter).__name__
        raise ValueError(
            f"augmentation={name}(...) mixes the targets of rows, which needs a loss that knows "
            "both. Use the parameter mixup or cutmix of the network, or give it more rows with "
            f"Augmented(estimator, {name}(...))."
        )
    augmenter._begin(X, y)
    return augmenter


def variant_seed(augmenter, seed):
    """The augmenter's own random state decides, where it has one, else the network's seed."""
    return seed if augmenter.random_state is None else draw_seed(augmenter.random_state)
