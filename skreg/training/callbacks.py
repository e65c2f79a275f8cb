"""Callbacks: what `fit` tells them, and when.

scikit-learn's own (from version 1.9): one task a fit, one subtask an epoch. `Checkpoint`, which
needs more than they are told, is asked for its file instead, with any version.
"""

from sklearn.base import _clone_parametrized

from skreg.common import warn
from skreg.training.identity import identity_of
from skreg.training.listener import Listener
from skreg.training.saving import Saving

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9 has no callbacks

    class CallbackSupportMixin:
        """As in scikit-learn 1.9, for a Checkpoint."""

        def set_callbacks(self, *callbacks):
            """Set callbacks for the estimator; clones share them.

            Parameters
            ----------
            *callbacks : Checkpoint
                Other callbacks need scikit-learn 1.9 or newer.

            Returns
            -------
            self : object
                The estimator.
            """
            for callback in callbacks:
                if not hasattr(callback, "_file_of"):
                    raise TypeError(
                        f"{callback!r} needs scikit-learn 1.9 or newer; before it, fit knows "
                        "skreg.callbacks.Checkpoint alone."
                    )
            self._skl_callbacks = list(callbacks)
            return self

        def __sklearn_clone__(self):
            copy = _clone_parametrized(self)
            if hasattr(self, "_skl_callbacks"):
                copy._skl_callbacks = self._skl_callbacks
            return copy


class EpochTasks(Listener):
    """Tells callbacks of the epochs of one training.

    Trainings side by side tell them one after the other, from their threads.

    Parameters
    ----------
    context : CallbackContext
        Of the training.
    arguments : dict
        Estimator, X, y and metadata.
    """

    looks = True
    attributes = None  # callable (trainer) -> dict: with them a copy of the estimator predicts

    def __init__(self, context, arguments):
        self.context, self.arguments = context, arguments
        self.context.call_on_fit_task_begin(**arguments)

    def epoch_begin(self, trainer):
        with trainer.serial:
            self.task = self.context.subcontext(task_name="epoch")
            self.task.call_on_fit_task_begin(**self.arguments)

    def look(self, trainer):
        with trainer.serial:
            stop = self.task.call_on_fit_task_end(
                **self.arguments,
                reconstruction_attributes=lambda: self.attributes(trainer),  # when asked for
            )
        if stop:
            trainer.end("callback")


class FitCallbacks(EpochTasks):
    """The callbacks of one fit.

    Create it first thing in `fit`: `_fit_context` tears down what is set up here.

    Parameters
    ----------
    estimator : BaseMLP
    X, y, sample_weight : as they were passed
    """

    def __init__(self, estimator, X, y, sample_weight):
        self.estimator = estimator
        in_epochs = estimator.solver != "lbfgs"
        context = estimator._init_callback_context(
            max_subtasks=estimator.max_iter if in_epochs else 0
        )
        super().__init__(context, arguments_of(estimator, X, y, sample_weight))

    def fit_end(self):
        """The fitted attributes are those that predict."""
        names = ("coefs_", "intercepts_", "_predictor")
        self.context.call_on_fit_task_end(
            **self.arguments,
            reconstruction_attributes=lambda: {n: getattr(self.estimator, n) for n in names},
        )


def arguments_of(estimator, X, y, sample_weight):
    """What callbacks are told with every task."""
    return {
        "estimator": estimator,
        "X": X,
        "y": y,
        "metadata": {"sample_weight": sample_weight},
    }


def callbacks_of(estimator, X, y, sample_weight):
    """One FitCallbacks where callbacks of scikit-learn's kind are set, in a list, else none."""
    return [FitCallbacks(estimator, X, y, sample_weight)] if has_callbacks(estimator) else []


def has_callbacks(estimator):
    """Whether callbacks of scikit-learn's kind are set."""
    return len(checkpoints_of(estimator)) < len(getattr(estimator, "_skl_callbacks", []))


def checkpoints_of(estimator):
    """The callbacks that are asked for their file."""
    callbacks = getattr(estimator, "_skl_callbacks", [])
    return [callback for callback in callbacks if hasattr(callback, "_file_of")]


def savings_of(plan, rows, before, **more):
    """One Saving for each Checkpoint that is set; `more` are texts that identify the training."""
    checkpoints = checkpoints_of(plan.estimator)
    if checkpoints and not plan.optimization.in_epochs:
        warn("Checkpoint saves nothing with solver='lbfgs', which has no epochs.", once=True)
    if not checkpoints or not plan.optimization.in_epochs:
        return []
    identity = identity_of(plan, rows, before) | more
    return [Saving(checkpoint._file_of(identity)) for checkpoint in checkpoints]
