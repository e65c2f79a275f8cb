"""Candidates x folds of trainings: the bits of a fit on each fold, in any order, and from disk."""

import warnings

import numpy as np
import pytest
from sklearn.model_selection import KFold, StratifiedKFold

from skreg import MLPClassifier, MLPRegressor
from skreg.ensemble.folds import Folds

NET = {"hidden_layer_sizes": (8,), "batch_size": 16, "max_iter": 12, "early_stopping": True,
       "n_iter_no_change": 4}  # fmt: skip
CANDIDATES = [
    {"dropout": 0.2},
    {"batch_norm": True, "alpha": 0.01},
    {"weight_averaging": "ema", "ema_decay": 0.9, "scoring": "accuracy"},
    {"class_weight": "balanced", "input_noise": 0.1},
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(90, 5)
    return X, np.argmax(X[:, :3] + 0.5 * rng.randn(90, 3), axis=1)


def make_folds(data, n_threads=2, candidates=CANDIDATES, **options):
    X, y = data
    splits = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X, y))
    models = [MLPClassifier(**{**NET, **params}) for params in candidates]
    return Folds(models, X, y, None, splits, random_state=7, n_threads=n_threads, **options)


def states(folds):
    return {job: trainer.network.snapshot()[0] for job, trainer in folds.trainers.items()}


def assert_same_states(first, second):
    for job, parameters in states(first).items():
        np.testing.assert_array_equal(parameters, states(second)[job])
        np.testing.assert_array_equal(first.losses(job), second.losses(job))


def test_any_subset_can_go_on(data):
    """Halves of the candidates, one more than the other, on any number of threads."""
    whole, parts = make_folds(data, n_threads=1), make_folds(data, n_threads=3)
    whole.advance(8)
    parts.advance(3)
    parts.advance(5, [(c, k) for c in (0, 2) for k in range(3)])
    parts.advance(5, [(c, k) for c in (1, 3) for k in range(3)])
    assert_same_states(whole, parts)
    assert not parts.errors
    for job in parts.trainers:
        assert len(parts.losses(job)) == len(parts.scores(job)) == parts.trainers[job].epoch


def test_each_is_the_fit_with_its_fold_as_validation_set(data):
    """An estimator that is fitted on the rows of a fold with the seed of its job."""
    X, y = data
    folds = make_folds(data, candidates=[{"dropout": 0.2, "batch_norm": True}])
    folds.advance(12)
    for k, (train, held_out) in enumerate(folds.splits):
        seed = int(np.random.SeedSequence([7, 0, k]).generate_state(1)[0])
        model = MLPClassifier(**NET, dropout=0.2, batch_norm=True, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[train], y[train], X_val=X[held_out], y_val=y[held_out])
        np.testing.assert_allclose(folds.losses((0, k)), model.validation_loss_curve_, rtol=1e-12)
        expected = model.predict_proba(X[held_out])
        outputs = folds.held_out_outputs(0)[held_out]
        np.testing.assert_allclose(outputs, expected, rtol=1e-9)


def test_held_out_outputs_come_from_networks_that_did_not_see_the_row(data):
    X, y = data
    splits = [(np.arange(60), np.arange(60, 80)), (np.arange(30, 90), np.arange(20))]
    model = MLPRegressor(**NET)
    folds = Folds([model], X, y.astype(float), None, splits, random_state=0)
    folds.advance(4)
    outputs = folds.held_out_outputs(0, best=False)
    seen = np.isfinite(outputs[:, 0])
    np.testing.assert_array_equal(np.flatnonzero(seen), [*range(20), *range(60, 80)])
    now = folds.network((0, 0), best=False).outputs(X[60:80])
    np.testing.assert_array_equal(outputs[60:80], now)


def test_asking_for_a_network_disturbs_nothing(data):
    asked, alone = make_folds(data), make_folds(data)
    for _ in range(6):
        asked.advance(1)
        for c in range(len(CANDIDATES)):
            asked.held_out_outputs(c)
            asked.held_out_outputs(c, best=False)
    alone.advance(6)
    assert_same_states(asked, alone)


def test_states_go_to_disk_and_back(data, tmp_path):
    whole, first, second = (make_folds(data) for _ in range(3))
    whole.advance(7)
    first.advance(3)
    first.save(tmp_path / "states.npz")
    second.load(tmp_path / "states.npz")
    second.advance(4)
    assert_same_states(whole, second)
    X, y = data
    other = make_folds((X + 1, y))
    with pytest.raises(ValueError, match=r"other trainings: X of 0 \(then"):
        other.load(tmp_path / "states.npz")
    with pytest.raises(ValueError, match="parameters of 1"):
        make_folds(data, candidates=[CANDIDATES[0], {}]).load(tmp_path / "states.npz")


def test_a_candidate_that_fails_harms_no_other(data, tmp_path):
    bad = {"solver": "sgd", "learning_rate_init": 1e200, "activation": "identity"}
    folds = make_folds(data, candidates=[{}, bad])
    folds.advance(5)
    assert set(folds.errors) == {(1, 0), (1, 1), (1, 2)}
    assert np.isnan(folds.held_out_outputs(1)).all()
    folds.save(tmp_path / "states.npz")
    again = make_folds(data, candidates=[{}, bad])
    again.load(tmp_path / "states.npz")
    assert again.errors.keys() == folds.errors.keys()
    folds.advance(2)
    alone = make_folds(data, candidates=[{}])
    alone.advance(7)
    np.testing.assert_array_equal(states(folds)[0, 0], states(alone)[0, 0])


def test_repeated_folds_are_averaged(data):
    X, y = data
    splits = [s for seed in (0, 1) for s in KFold(3, shuffle=True, random_state=seed).split(X)]
    folds = Folds([MLPRegressor(**NET)], X, y * 1.0, np.ones(90), splits, random_state=0)
    folds.advance(2)
    outputs = folds.held_out_outputs(0)
    by_hand = np.zeros(90)
    for k, (_, held_out) in enumerate(splits):
        by_hand[held_out] += folds.network((0, k)).outputs(X[held_out])[:, 0] / 2
    np.testing.assert_allclose(outputs[:, 0], by_hand)
