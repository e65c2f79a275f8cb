"""scikit-learn's callbacks (from version 1.9): what `fit` tells them, and when.

One task a fit, one subtask an epoch. Without callbacks, or with an older scikit-learn, nothing of
this runs.
"""

from skreg.training.listener import Listener

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9 has no callbacks

    class CallbackSupportMixin:
        """Nothing to support."""


class FitCallbacks(Listener):
    """The callbacks of one fit.

    Create it first thing in `fit`: `_fit_context` tears down what is set up here.

    Parameters
    ----------
    estimator : BaseMLP
    X, y, sample_weight : as they were passed
    """

    looks = True
    attributes = None  # callable (network) -> dict: with them a copy of the estimator predicts

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
            return self.attributes(trainer.network)

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
    """One FitCallbacks where callbacks are set, in a list, else none."""
    if not getattr(estimator, "_skl_callbacks", None):
        return []
    return [FitCallbacks(estimator, X, y, sample_weight)]
