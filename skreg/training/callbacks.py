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


class FitCallbacks(Listener):
    """The callbacks of one fit.

    Create it first thing in `fit`: `_fit_context` tears down what is set up here.

    Parameters
    ----------
    estimator : BaseMLP
    X, y, sample_weight : as they were passed
    """

    looks = True
    attributes = None  # callable (trainer) -> dict: with them a copy of the estimator predicts

    def __init__(self, estimator, X, y, sample_weight):
        self.estimator = estimator
        self.arguments = {
            "estimator": estimator,
            "X": X,
            "y": y,
            "metadata": {"sample_weight": sample_weight},
        }
        in_epochs = estimator.solver != "lbfgs"
        self.context = estimator._init_callback_context(
            max_subtasks=estimator.max_iter if in_epochs else 0
        )
        self.context.call_on_fit_task_begin(**self.arguments)

    def epoch_begin(self, trainer):
        self.task = self.context.subcontext(task_name="epoch")
        self.task.call_on_fit_task_begin(**self.arguments)

    def look(self, trainer):
        # Copies, since training goes on in place; made only when asked for.
        def current():
            report = trainer.report()
            curves = {name: list(v) for name, v in report.items() if isinstance(v, list)}
            return {**self.attributes(trainer), **report, **curves}

        if self.task.call_on_fit_task_end(**self.arguments, reconstruction_attributes=current):
            trainer.end("callback")

    def fit_end(self):
        """The fitted attributes are those that predict."""
        names = ("coefs_", "intercepts_", "_predictor")
        self.context.call_on_fit_task_end(
            **self.arguments,
            reconstruction_attributes=lambda: {n: getattr(self.estimator, n) for n in names},
        )


def callbacks_of(estimator, X, y, sample_weight):
    """One FitCallbacks where callbacks of scikit-learn's kind are set, in a list, else none."""
    if all(hasattr(callback, "_file_of") for callback in getattr(estimator, "_skl_callbacks", [])):
        return []
    return [FitCallbacks(estimator, X, y, sample_weight)]


def savings_of(plan, rows, before):
    """One Saving for each Checkpoint that is set."""
    callbacks = getattr(plan.estimator, "_skl_callbacks", [])
    checkpoints = [callback for callback in callbacks if hasattr(callback, "_file_of")]
    if checkpoints and not plan.optimization.in_epochs:
        warn("Checkpoint saves nothing with solver='lbfgs', which has no epochs.", once=True)
    if not checkpoints or not plan.optimization.in_epochs:
        return []
    identity = identity_of(plan, rows, before)
    return [Saving(checkpoint._file_of(identity)) for checkpoint in checkpoints]
