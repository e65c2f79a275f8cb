"""When to stop, and which weights to keep.

A monitor counts epochs without progress in `no_improvement_count`, and ends training once there
are more than its patience, unless the learning rate falls instead.
"""

import math

from sklearn.exceptions import ConvergenceWarning

from skreg.common import NON_FINITE, NON_FINITE_OUTPUTS, NON_FINITE_VALIDATION
from skreg.training.history import NOT_VALIDATED
from skreg.training.listener import Listener

NO_PROGRESS = "{} did not improve more than tol={:f} for {} consecutive epochs."
DIVERGED = (
    "Training diverged: the network or its validation score became non-finite. The best weights "
    "before that are kept. Scale the data or lower learning_rate_init."
)


CUT_OFF = (
    "Training ended in epoch {} of {} for lack of progress, at {:.0%} of its largest learning "
    "rate, which was planned to fall to the end: what such a schedule gains, it gains at small "
    "rates. Use n_iter_no_change='auto', with which it runs to its end, or a smaller max_iter."
)


LONG_ENOUGH = 10  # epochs without progress, scikit-learn's patience, before max_iter is no alarm


class PatienceRule:
    """Epochs without progress before training ends: a number, or one that grows.

    Noisy objectives, such as those with dropout or mixtures, improve late and in jumps, and how
    late cannot be told from the size of the data; it can from the last gain.

    Parameters
    ----------
    value : int, inf or 'auto'
    fixed : int or None
        What 'auto' stands for; None: 20 and half of the epochs up to the last gain.
    """

    def __init__(self, value, fixed):
        self.grows = value == "auto" and fixed is None
        self.waits = value == "auto"  # for the end of a schedule that is planned to it
        self._epochs = fixed if self.waits else value

    def after(self, epoch):
        """That of an epoch with a gain."""
        return 20 + epoch // 2 if self.grows else self._epochs


def check_finite(network, loss):
    """Errors where training has left the numbers: the weights, or the loss alone."""
    if not network.finite:
        raise ValueError(NON_FINITE)
    if not math.isfinite(loss):
        raise ValueError(NON_FINITE_OUTPUTS)


class Monitor(Listener):
    """Counts epochs without progress.

    Parameters
    ----------
    tol : float
        The smallest gain that counts.
    patience : PatienceRule
    """

    subject = ""  # what it watches, for messages

    def __init__(self, tol, patience):
        self._tol, self._patience = tol, patience
        self.no_improvement_count = 0

    def epoch_end(self, trainer):
        if trainer.waits(self.looks and not self._patience.waits):
            self.no_improvement_count = 0
        patience = self._patience.after(trainer.epoch - self.no_improvement_count)
        if self.no_improvement_count <= patience:
            return
        trainer.say(NO_PROGRESS.format(self.subject, self._tol, patience))
        if trainer.schedule.on_plateau():
            trainer.end("no_progress")
            self._look_at_rate(trainer)
            return
        self.no_improvement_count = 0
        trainer.say(f"Setting learning rate to {trainer.schedule.rate:f}")

    def settled(self):
        return self._patience.grows and self.no_improvement_count > LONG_ENOUGH

    @staticmethod
    def _look_at_rate(trainer):
        rates, schedule = trainer.history.rates[-trainer.epoch :], trainer.schedule
        share = rates[-1] / max(rates)
        if schedule.needs_horizon and share > 0.1:
            trainer.warn(CUT_OFF.format(trainer.epoch, schedule.n_epochs, share))

    def state(self):
        return {name: v for name, v in vars(self).items() if not name.startswith("_")}


class TrainingLoss(Monitor):
    """scikit-learn's rule: progress is a training loss below the best by at least tol."""

    subject = "Training loss"

    def __init__(self, tol, patience, history, unit):
        super().__init__(tol, patience)
        history.not_validated()
        self._unit = unit
        self.best_loss = history.best_loss / unit
        self.no_improvement_count = history.no_improvement_count

    def look(self, trainer):
        loss = trainer.watched_loss = trainer.loss
        check_finite(trainer.network, loss)
        if loss > self.best_loss - self._tol:
            self.no_improvement_count += 1
        else:
            self.no_improvement_count = 0
        if loss < self.best_loss:
            self.best_loss = loss

    def report(self, history):
        counted = {
            "best_loss_": self.best_loss * self._unit,
            "_no_improvement_count": self.no_improvement_count,
        }
        return {**counted, **NOT_VALIDATED}


class EarlyStopping(Monitor):
    """Keep the weights with the best validation score.

    The snapshot follows any strict gain, and where scores are equal the smaller loss. PatienceRule
    counts from the last gain larger than `tol` over the score at the gain before it, so that slow
    but steady gains add up.

    Parameters
    ----------
    measure : callable (trainer) -> (float, float)
        The validation loss, and what to watch, higher is better.
    unit : float
        Of what is watched in what is told of it.
    restore_best : bool
        Whether the best weights are kept at the end, or the last.
    """

    subject = "Validation score"
    looks = True

    def __init__(self, measure, tol, patience, *, restore_best, unit=1.0):
        super().__init__(tol, patience)
        self._measure, self._restore_best, self._unit = measure, restore_best, unit
        self.best_score = self.reference = -math.inf
        self.best_loss = math.inf  # of the epoch with the best score
        self.best_epoch = None  # counted from 1 along the validation scores
        self.snapshot = None

    def warm_start(self, trainer):
        """The weights of an earlier fit are the ones to beat."""
        loss, start = self._measured(trainer)
        if not math.isnan(start):
            self.best_score, self.best_loss = start, loss
            self.reference = start
            self.snapshot = trainer.network.snapshot()

    def trained(self, trainer):
        for curve in (trainer.history.validation_losses, trainer.history.validation_scores):
            curve.append(math.nan)  # until it is measured, if nothing interrupts

    def look(self, trainer):
        network, history = trainer.network, trainer.history
        validation_loss, score = self._measured(trainer)
        if not math.isfinite(trainer.loss):
            score = math.nan
        trainer.watched_loss = validation_loss
        history.validation_losses[-1] = validation_loss * trainer.unit
        history.validation_scores[-1] = score * self._unit
        if math.isnan(score):
            self._diverge(trainer, validation_loss)
            return
        self.no_improvement_count = 0 if self._progress(score) else self.no_improvement_count + 1
        if score > self.best_score or self._ties(score, validation_loss):
            self.best_loss = validation_loss
            self.best_score, self.best_epoch = score, len(history.validation_scores)
            self.snapshot = network.snapshot()

    def kept_loss(self, trainer):
        return self.best_loss if self._restore_best else trainer.watched_loss

    def progress(self, trainer):
        loss, score = trainer.history.validation_losses[-1], trainer.history.validation_scores[-1]
        pieces = [f"validation loss {loss:f}"]
        if score != -loss:
            pieces.append(f"validation score {score:f}")
        return pieces if self.best_epoch is None else [*pieces, f"best epoch {self.best_epoch}"]

    def _diverge(self, trainer, validation_loss):
        self.no_improvement_count += 1
        if self.snapshot is None:
            check_finite(trainer.network, trainer.loss)
            if not math.isfinite(validation_loss):
                raise ValueError(NON_FINITE_VALIDATION)
            raise ValueError(
                "The score that early stopping watches is not finite for the validation rows. "
                "Use a scoring that is defined for them, or scoring='loss'."
            )
        trainer.warn(DIVERGED, ConvergenceWarning)
        trainer.end("diverged")

    def _ties(self, score, loss):
        """Whether an equal score comes with a smaller loss: accuracies move in jumps."""
        return score == self.best_score and loss < self.best_loss

    def _progress(self, score):
        if score > self.reference + self._tol:
            self.reference = score
            return True
        return False

    def _measured(self, trainer):
        """Both of the current weights; NaN where they are not finite."""
        if not trainer.network.finite:
            return math.nan, math.nan
        loss, score = self._measure(trainer)
        return loss, score if math.isfinite(loss) and math.isfinite(score) else math.nan

    def report(self, history):
        return {
            "best_loss_": None,
            "_no_improvement_count": self.no_improvement_count,
            "validation_scores_": history.validation_scores,
            "validation_loss_curve_": history.validation_losses,
            "best_validation_score_": self.best_score * self._unit,
            "best_iter_": self.best_epoch,
        }

    def finish(self, trainer):
        if self.snapshot is not None and (self._restore_best or trainer.ended == "diverged"):
            trainer.network.restore(self.snapshot)


class ScoreStopping(EarlyStopping):
    """The same with scikit-learn's rules: patience and ties compare with the best score so far."""

    def _ties(self, score, loss):
        return False

    def _progress(self, score):
        return score >= self.best_score + self._tol
