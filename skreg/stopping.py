"""When to stop, and which weights to keep.

A monitor sees every epoch. `update(loss)` returns what `verbose` prints besides the loss, or None;
`loss` is the loss that it watches, of training or validation;
`no_improvement_count` counts epochs without progress; `finish()` leaves the network with the
weights to keep.
"""

import math

from skreg.messages import NON_FINITE, NON_FINITE_OUTPUTS


class Diverged(Exception):
    """Training cannot go on; the monitor has a good snapshot to fall back to."""


def check_finite(network, loss):
    """Errors where training has left the numbers: the weights, or the loss alone."""
    if not network.finite:
        raise ValueError(NON_FINITE)
    if not math.isfinite(loss):
        raise ValueError(NON_FINITE_OUTPUTS)


class TrainingLoss:
    """scikit-learn's rule: progress is a training loss below the best by at least tol."""

    subject = "Training loss"
    validates = False  # whether it looks at the network besides the loss

    def __init__(self, network, tol, best_loss, no_improvement_count):
        self.network = network
        self.tol = tol
        self.best_loss = best_loss
        self.no_improvement_count = no_improvement_count

    def update(self, loss):
        self.loss = loss
        check_finite(self.network, loss)
        if loss > self.best_loss - self.tol:
            self.no_improvement_count += 1
        else:
            self.no_improvement_count = 0
        if loss < self.best_loss:
            self.best_loss = loss

    def finish(self):
        pass


class EarlyStopping:
    """Keep the weights with the best validation score.

    The snapshot follows any strict gain. Patience counts from the last gain larger than `tol`
    over the score at the gain before it, so that slow but steady gains add up.

    Parameters
    ----------
    network : Network
    tol : float
    validation_loss : callable () -> float
    score : callable () -> float, or None
        What to watch, higher is better; None for the negative validation loss.
    scores, losses : list of float
        Curves, continued in place.
    restore_best : bool
        Whether the best weights are kept at the end, or the last.
    warm : bool
        Whether the network is already trained: then its weights are the ones to beat.
    """

    subject = "Validation score"
    validates = True

    def __init__(self, network, tol, validation_loss, score, *, scores, losses, restore_best, warm):
        self.network = network
        self.tol = tol
        self.validation_loss = validation_loss
        self.score = score
        self.scores = scores
        self.losses = losses
        self.restore_best = restore_best
        self.best_score = self.reference = -math.inf
        self.best_epoch = None  # counted from 1 along `scores`
        self.snapshot = None
        self.no_improvement_count = 0
        if warm:
            _, start = self._measure()
            if not math.isnan(start):
                self.best_score = self.reference = start
                self.snapshot = network.snapshot()

    def update(self, loss):
        validation_loss, score = self._measure()
        if not math.isfinite(loss):
            score = math.nan
        self.loss = validation_loss
        self.losses.append(validation_loss)
        self.scores.append(score)
        if math.isnan(score):
            self.no_improvement_count += 1
            if self.snapshot is not None:
                raise Diverged
            check_finite(self.network, loss + validation_loss)
            raise ValueError(
                "The score that early stopping watches is not finite for the validation rows. "
                "Use a scoring that is defined for them, or scoring='loss'."
            )
        self.no_improvement_count = 0 if self._progress(score) else self.no_improvement_count + 1
        if score > self.best_score:
            self.best_score, self.best_epoch = score, len(self.scores)
            self.snapshot = self.network.snapshot()
        return f"Validation score: {score:f}"

    def _progress(self, score):
        if score > self.reference + self.tol:
            self.reference = score
            return True
        return False

    def _measure(self):
        """Validation loss and score of the current weights; NaN where they are not finite."""
        loss = float(self.validation_loss()) if self.network.finite else math.nan
        if not math.isfinite(loss):
            return loss, math.nan
        score = -loss if self.score is None else float(self.score())
        return loss, score if math.isfinite(score) else math.nan

    def finish(self):
        diverged = bool(self.scores) and math.isnan(self.scores[-1])
        if self.snapshot is not None and (self.restore_best or diverged):
            self.network.restore(self.snapshot)


class ScoreStopping(EarlyStopping):
    """The same with scikit-learn's rule of patience, which compares with the best score so far."""

    def _progress(self, score):
        return score >= self.best_score + self.tol
