"""What the tests of searches share: small networks, small searches, small tables."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import (
    make_classification,
    make_regression,
)
from sklearn.preprocessing import StandardScaler

from skreg import (
    MLPClassifier,
    RegularizationSearchCV,
)
from skreg.model_selection.contest import Contest

NET = {"hidden_layer_sizes": (8,), "max_iter": 24, "learning_rate_init": 0.01, "batch_size": 32}
SPACE = {
    "dropout": [0.0, 0.1, 0.3],
    "alpha": [0.0, 1e-4, 1e-2],
    "learning_rate_init": [0.003, 0.02],
}
QUICK = {"n_candidates": 6, "cv": 3, "random_state": 0}
# Short trainings, of networks that are not the subject here.
MARKS = [
    pytest.mark.filterwarnings("ignore:.*networks reached max_iter"),
    pytest.mark.filterwarnings("ignore:.*were still learning after"),
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
]


def prefixed(space, step):
    return {f"{step}__{name}": values for name, values in space.items()}


def quick(estimator=None, space=SPACE, **options):
    estimator = MLPClassifier(**NET) if estimator is None else estimator
    return RegularizationSearchCV(estimator, space, **{**QUICK, **options})


def make_classes():
    X, y = make_classification(240, 6, n_informative=4, n_classes=3, flip_y=0.1, random_state=0)
    return X, np.array(["a", "b", "c"])[y]


def make_numbers():
    X, y = make_regression(200, 5, noise=20, random_state=0)
    return X, 100 + y


def make_mixed():
    """A frame with a category and holes, and labels."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"age": rng.integers(18, 90, 240), "town": rng.choice(["a", "b", "c"], 240)})
    X.loc[rng.random(240) < 0.1, "age"] = None
    y = (X["age"].fillna(50) > 50) ^ (X["town"] == "a")
    return X, y.map({True: "yes", False: "no"})


def contest_of(search, X, y):
    """What a search has run, and the search."""
    kept = []
    original = Contest.run

    def spy(self, *arguments):
        kept.append(self)
        return original(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Contest, "run", spy)
        search.fit(X, y)
    return kept[0]


class Spy(StandardScaler):
    """Which rows it was fitted on."""

    seen: list = []

    def fit(self, X, y=None, sample_weight=None):
        Spy.seen.append((len(X), None if sample_weight is None else sample_weight.sum()))
        return super().fit(X, y, sample_weight)
