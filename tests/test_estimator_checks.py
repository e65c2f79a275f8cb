"""scikit-learn's common estimator checks, plain and with regularizers on.

A check that may fail is listed with its reason, fails strictly, and where the reason is an error
of the estimator, a test of its own holds that this error is raised.
"""

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg import MLPClassifier, MLPRegressor

# The checks train briefly on tiny data, and do not scale y.
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:y has a standard deviation of"),
]

EQUIVALENCE = (
    "a row of weight two and two rows of weight one are drawn into different batches, dropout "
    "masks, noise and validation splits"
)
PARTIAL_FIT = "partial_fit does not support early_stopping=True"
TOO_SMALL = "a tenth of the check's few rows is too small a validation set"

WITH_DROPOUT = {
    "check_sample_weight_equivalence_on_dense_data": EQUIVALENCE,
    "check_sample_weight_equivalence_on_sparse_data": EQUIVALENCE,
}
WITH_EARLY_STOPPING = {
    **WITH_DROPOUT,
    "check_fit_score_takes_y": PARTIAL_FIT,
    "check_n_features_in_after_fitting": PARTIAL_FIT,
    "check_estimators_partial_fit_n_features": PARTIAL_FIT,
    "check_estimators_nan_inf": TOO_SMALL,
    "check_fit2d_1feature": TOO_SMALL,
}
CLASSIFIER_ONLY = {
    "check_classifiers_one_label": TOO_SMALL,
    "check_classifiers_one_label_sample_weights": TOO_SMALL,
}
REGRESSOR_ONLY = {"check_regressors_no_decision_function": TOO_SMALL}

REGULARIZED = {"batch_norm": True, "dropout": 0.2}
DEEP = {"hidden_layer_sizes": (20,) * 3, "layer_norm": True, "residual": True}
DEEP.update(mixup=0.2, input_noise=0.1, learning_rate_init=0.01)
ESTIMATORS = [
    Estimator(max_iter=100, **params)
    for Estimator in (MLPClassifier, MLPRegressor)
    for params in ({}, REGULARIZED, {**REGULARIZED, "early_stopping": True}, DEEP)
]


def expected_failed_checks(estimator):
    """Return the checks that may fail, with the reason."""
    if not estimator.early_stopping:
        return WITH_DROPOUT if estimator.dropout or estimator.mixup else {}
    only = CLASSIFIER_ONLY if isinstance(estimator, MLPClassifier) else REGRESSOR_ONLY
    return {**WITH_EARLY_STOPPING, **only}


def every_check():
    """The checks as a list; older versions of scikit-learn hand pytest a generator."""
    marker = parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failed_checks)
    names, checks = marker.args
    return pytest.mark.parametrize(names, list(checks), **marker.kwargs)


@every_check()
def test_common_checks(estimator, check):
    """Every common check, except the ones expected to fail."""
    check(estimator)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_partial_fit_refuses_early_stopping(Estimator):
    """The reason of three expected failures is an error that says so."""
    model = Estimator(early_stopping=True)
    kwargs = {"classes": [0, 1]} if Estimator is MLPClassifier else {}
    with pytest.raises(ValueError, match=PARTIAL_FIT):
        model.partial_fit([[0.0], [1.0], [2.0]], [0, 1, 1], **kwargs)


def test_a_small_validation_set_is_refused():
    """The reason of the others: ten rows leave one for validation."""
    X, y = np.arange(10.0).reshape(-1, 1), np.arange(10) % 2
    for Estimator in (MLPRegressor, MLPClassifier):
        with pytest.raises(ValueError, match="The validation set is too small"):
            Estimator(early_stopping=True).fit(X, y)
