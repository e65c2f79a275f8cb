"""Search spaces and distributions, for our search, scikit-learn's and Optuna's."""

import numpy as np
import pytest
from searches import (
    MARKS,
    NET,
    Spy,
    make_classes,
    make_numbers,
    quick,
)
from sklearn.base import clone
from sklearn.model_selection import (
    RandomizedSearchCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skreg import (
    MLPClassifier,
    MLPRegressor,
    TabularClassifier,
    TabularRegressor,
    search_space,
)
from skreg.augmentation import Augmented, FeatureNoise
from skreg.ensemble import (
    FoldEnsembleRegressor,
)
from skreg.ensemble.fronts import Front

pytestmark = MARKS


@pytest.fixture(scope="module")
def classes():
    return make_classes()


@pytest.fixture(scope="module")
def numbers():
    return make_numbers()


ESTIMATORS = [
    (MLPClassifier(), ""),
    (MLPRegressor(), ""),
    (make_pipeline(StandardScaler(), MLPClassifier()), "mlpclassifier__"),
    (make_pipeline(Augmented(MLPRegressor(), FeatureNoise())), "augmented__estimator__"),
    (TabularClassifier(estimator=MLPClassifier()), "estimator__"),
]


@pytest.mark.parametrize("name", ["light", "cocktail", "architecture"])
@pytest.mark.parametrize(("estimator", "prefix"), ESTIMATORS, ids=lambda e: type(e).__name__)
def test_spaces_fit_their_estimators(name, estimator, prefix):
    """Whatever is drawn can be set, is valid, and fits together."""
    from sklearn.model_selection import ParameterSampler

    from skreg.ensemble.members import network_within
    from skreg.regularization.plan import Plan

    space = search_space(name, estimator, np.zeros((1000, 3)))
    for params in ParameterSampler(space, 60, random_state=0):
        model = clone(estimator).set_params(**params)
        assert all(key.startswith(prefix) for key in params)
        network = network_within(getattr(model, "estimator", None) or model)
        network.set_params(early_stopping=True)._validate_params()
        assert not list(Plan(network).without_effect())


def test_spaces_of_tabular_models():
    assert set(search_space("light", TabularClassifier())[0]) <= set(
        TabularClassifier().get_params()
    )
    with pytest.raises(ValueError, match=r"TabularRegressor has no batch_norm, .*estimator=\.\.\."):
        search_space("cocktail", TabularRegressor())
    with pytest.raises(ValueError, match="name must be one of 'light'"):
        search_space("heavy", MLPClassifier())


def test_spaces_know_the_rows():
    few, many = (search_space("light", MLPClassifier(), np.zeros((n, 1))) for n in (300, 40_000))
    assert max(few[0]["batch_size"]) < max(many[0]["batch_size"])
    assert few[0]["hidden_layer_sizes"].width[1] < many[0]["hidden_layer_sizes"].width[1]


def test_spaces_in_scikit_learns_search(classes):
    model = MLPClassifier(max_iter=3)
    search = RandomizedSearchCV(model, search_space("cocktail", model, *classes), n_iter=3, cv=2,
                                random_state=0)  # fmt: skip
    assert search.fit(*classes).best_params_


def test_spaces_in_optuna():
    """A trial is asked for each parameter of one alternative, under names of its own."""

    class Trial:
        def __init__(self, seed):
            self.rng, self.asked = np.random.RandomState(seed), []

        def suggest_int(self, name, low, high):
            self.asked.append(name)
            return int(self.rng.randint(low, high + 1))

        def suggest_float(self, name, low, high, log=False):
            self.asked.append(name)
            return float(np.exp(self.rng.uniform(np.log(low), np.log(high)))) if log else (
                float(self.rng.uniform(low, high)))  # fmt: skip

        def suggest_categorical(self, name, choices):
            assert all(isinstance(c, (bool, int, float, str)) or c is None for c in choices)
            self.asked.append(name)
            return choices[self.rng.randint(len(choices))]

    space = search_space("cocktail", MLPClassifier())
    drawn = [space.suggest(Trial(seed)) for seed in range(50)]
    for params in drawn:
        MLPClassifier(**params)._validate_params()
    assert {p["residual"] for p in drawn} == {False, True}
    assert any(p["dropout"] == 0 for p in drawn) and any(p["dropout"] > 0 for p in drawn)
    trial = Trial(0)
    space.suggest(trial)
    assert len(trial.asked) == len(set(trial.asked))


def test_distributions():
    from skreg.model_selection.distributions import LayerSizes, Range

    drawn = Range(1e-4, 1e-1, log=True, off=0.5).rvs(2000, random_state=0)
    on = drawn[drawn > 0]
    assert 900 < len(on) < 1100 and on.min() >= 1e-4 and on.max() <= 1e-1
    assert np.median(on) == pytest.approx(10**-2.5, rel=0.2)
    assert Range(0.0, 1.0).rvs(random_state=0) == Range(0.0, 1.0).rvs(random_state=0)
    sizes = LayerSizes((1, 3), (16, 64), ("rectangle", "triangle"))
    drawn = sizes.rvs(200, random_state=0)
    assert {len(s) for s in drawn} == {1, 2, 3}
    assert all(w % 8 == 0 and 8 <= w <= 64 for s in drawn for w in s)
    assert LayerSizes.sizes(3, 64, "triangle") == (64, 32, 16)
    assert LayerSizes.sizes(3, 20, "triangle") == (16, 8, 8)


def test_a_front_shares_what_is_equal():
    one, same, other = (
        Front(make_pipeline(StandardScaler(with_mean=m), MLPClassifier(dropout=d)))
        for m, d in ((True, 0.1), (True, 0.2), (False, 0.1))
    )
    assert one.key == same.key != other.key
    unpicklable = make_pipeline(Spy().set_params(copy=lambda: None), MLPClassifier())
    assert Front(unpicklable).key != Front(unpicklable).key


def test_regressors_are_fold_ensembles(numbers):
    search = quick(MLPRegressor(**NET, standardize_y=True)).fit(*numbers)
    assert type(search.best_estimator_) is FoldEnsembleRegressor
    assert search.score(*numbers) > 0.5
