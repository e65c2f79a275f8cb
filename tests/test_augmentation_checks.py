"""scikit-learn's common checks for every augmenter, as it comes and with p=0.

Two checks compare fit_transform, which augments, with transform, which does not. Augmenters that
mix targets refuse fit_transform altogether: what fails then is their error, tested elsewhere.
"""

import pytest
from augmenters import AUGMENTERS, MIXING_TARGETS, small
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils.estimator_checks import parametrize_with_checks

from skreg.augmentation import (
    Augmented,
    FeatureNoise,
    FrequencyMask,
    RandomShear,
    TimeMask,
)

AUGMENTS = "fit_transform returns a variant, transform the row itself"
REFUSES = "an augmenter that mixes targets refuses fit_transform"
TRANSFORMS = ("check_transformer_general", "check_transformer_data_not_an_array")
CALLS = (
    "check_fit_score_takes_y",
    "check_pipeline_consistency",
    "check_transformer_preserve_dtypes",
)
# On the checks' three features and one line these change less than the checks' tolerance.
WITHOUT_EFFECT = (FrequencyMask, RandomShear, TimeMask)
EQUIVALENCE = "noise differs between a row of weight two and two rows"


def expected_failed_checks(estimator):
    """Return the checks that may fail, with the reason."""
    if isinstance(estimator, Augmented):
        return {
            "check_sample_weight_equivalence_on_dense_data": EQUIVALENCE,
            "check_sample_weight_equivalence_on_sparse_data": EQUIVALENCE,
        }
    if estimator.p == 0 or isinstance(estimator, WITHOUT_EFFECT):
        return {}
    names = dict.fromkeys(TRANSFORMS, AUGMENTS)
    if isinstance(estimator, tuple(MIXING_TARGETS)):
        names |= dict.fromkeys((*TRANSFORMS, *CALLS), REFUSES)
    return names


def every_check():
    """The checks as a list; older versions of scikit-learn hand pytest a generator."""
    estimators = [small(cls, **params) for cls in AUGMENTERS for params in ({}, {"p": 0})]
    augmenter = FeatureNoise(0.01, random_state=0)
    estimators += [Augmented(e, augmenter, n_copies=1) for e in (LogisticRegression(), Ridge())]
    marker = parametrize_with_checks(estimators, expected_failed_checks=expected_failed_checks)
    names, checks = marker.args
    return pytest.mark.parametrize(names, list(checks), **marker.kwargs)


@every_check()
def test_common_checks(estimator, check):
    """Every common check, except the ones expected to fail."""
    check(estimator)
