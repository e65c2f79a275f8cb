"""scikit-learn's callbacks (from version 1.9): what `fit` tells them, and when.

One task a fit, one subtask an epoch. Without callbacks, or with an older scikit-learn, nothing of
this runs.
"""

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn < 1.9 has no callbacks

    class CallbackSupportMixin:
        """Nothing to support."""


class FitCallbacks:
    """The callbacks of one fit.

    Create it first thing in `fit`: `_fit_context` tears down what is set up here.
    """

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

    def epoch_begin(self):
        self.epoch = self.context.subcontext(task_name="epoch")
        self.epoch.call_on_fit_task_begin(**self.arguments)

    def epoch_end(self, network):
        """Whether a callback asks to stop."""

        def current():  # copies, since training goes on in place; made only when asked for
            return self.estimator._predicting(network)

        return self.epoch.call_on_fit_task_end(**self.arguments, reconstruction_attributes=current)

    def fit_end(self):
        self.context.call_on_fit_task_end(
            **self.arguments,
            reconstruction_attributes=lambda: {
                name: getattr(self.estimator, name)
                for name in ("coefs_", "intercepts_", "_predictor")
            },
        )


def callbacks_of(estimator, X, y, sample_weight):
    """FitCallbacks where callbacks are set, else None."""
    if not getattr(estimator, "_skl_callbacks", None):
        return None
    return FitCallbacks(estimator, X, y, sample_weight)
