"""Telling: what an ensemble says while its networks train, by callbacks and on a line each."""

import copy
from numbers import Integral

import numpy as np

from skreg.training.callbacks import EpochTasks, arguments_of, checkpoints_of, has_callbacks


class FoldTasks:
    """scikit-learn's callbacks of an ensemble: a task for the fit, in it one a fold, an epoch each.

    Create it first thing in `fit`: `_fit_context` tears down what is set up here.

    Parameters
    ----------
    estimator : estimator with callbacks, or with none
        The ensemble, or what holds it. Its method ``_with_members([member])`` gives the attributes
        with which a copy of it predicts as this one network.
    X, y, sample_weight : as they were passed
    """

    def __init__(self, estimator, X, y, sample_weight):
        self.estimator = estimator
        self.arguments = arguments_of(estimator, X, y, sample_weight)
        self.folds = []
        self.context = None
        if has_callbacks(estimator):
            self.context = estimator._init_callback_context(
                max_subtasks=None, sequential_subtasks=False
            )

    def begin(self, n_folds):
        """The number of folds is known."""
        if self.context is not None:
            self.context.max_subtasks = n_folds
            self.context.call_on_fit_task_begin(**self.arguments)

    def listeners(self, job, plan, wrap):
        """What tells of the epochs of a fold."""
        if self.context is None:
            return []
        n_epochs = plan.estimator.max_iter
        fold = self.context.subcontext(task_name="fold", task_id=job[1], max_subtasks=n_epochs)
        tasks = EpochTasks(fold, self.arguments)

        def attributes(trainer):
            member = copy.copy(plan.estimator)
            vars(member).update(plan.attributes_with_report(trainer))
            return self.estimator._with_members([wrap(member)])

        tasks.attributes = attributes
        self.folds.append(fold)
        return [tasks]

    def end(self, members):
        """All folds have ended."""
        if self.context is None:
            return
        of_each = [[member] for member in members]
        for task, those in zip([*self.folds, self.context], [*of_each, members], strict=True):
            task.call_on_fit_task_end(
                **self.arguments,
                reconstruction_attributes=lambda those=those: self.estimator._with_members(those),
            )


def checkpoints_for(ensemble):
    """The Checkpoints of an ensemble, which keep a file for each of its networks."""
    checkpoints = checkpoints_of(ensemble)
    if checkpoints and not isinstance(ensemble.random_state, Integral):
        raise ValueError(
            "With a Checkpoint random_state must be an int, so that a fit that is repeated has the "
            f"same folds and networks; got {ensemble.random_state!r}."
        )
    return checkpoints


class Lines:
    """A printed line for each network that has come to its end."""

    def __init__(self, n_networks):
        self.n_networks, self.n_ended = n_networks, 0

    def __call__(self, trainer):
        self.n_ended += 1
        losses = np.array(trainer.history.validation_losses)
        best = int(losses.argmin())
        seconds = sum(trainer.history.seconds)
        print(
            f"Network {self.n_ended} of {self.n_networks}: {trainer.epoch} epochs in {seconds:.3g} "
            f"s, lowest validation loss {losses[best]:.5g} in epoch {best + 1}",
            flush=True,
        )
