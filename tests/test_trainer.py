"""The trainer: it stops after any epoch and goes on to the same bits, and is one of many."""

import numpy as np
import pytest
from sklearn.utils import check_random_state

from skreg import MLPClassifier, MLPRegressor
from skreg.augmentation import FeatureNoise
from skreg.data.rows import TrainingRows, check_arrays
from skreg.regularization.plan import Plan
from skreg.training.schedules import SCHEDULES
from skreg.training.trainer import Trainer

SGD = {"solver": "sgd", "learning_rate_init": 0.05}
STOPPING = {"early_stopping": True, "n_iter_no_change": 2}
CASES = {
    "adam": {},
    "sgd": SGD,
    "patience": {"n_iter_no_change": 1, "tol": 0.5},
    **{name: {**SGD, "learning_rate": name, "n_iter_no_change": 1} for name in SCHEDULES},
    "warmup": {"warmup": 0.5},
    "stopping": STOPPING,
    "stopping, score": {**STOPPING, "scoring": None},
    "stopping, scorer": {**STOPPING, "scoring": "neg_mean_absolute_error"},
    "ema": {"weight_averaging": "ema", "ema_decay": 0.9},
    "swa": {"weight_averaging": "swa", "swa_start": 0.2, "batch_norm": True, **STOPPING},
    "batch norm": {"batch_norm": True, "dropout": 0.2, **STOPPING},
    "layer norm": {"layer_norm": True, "dropout": 0.2, "dropout_kind": "gaussian"},
    "residual": {"hidden_layer_sizes": (6, 6, 6), "residual": True, "stochastic_depth": 0.5},
    "rows": {"input_noise": 0.1, "swap_noise": 0.1, "mixup": 0.2, "cutmix": 0.1, "cutout": 0.1},
    "adversarial": {"adversarial_epsilon": 0.1},
    "penalties": {"penalty": "elasticnet", "alpha": 0.01, "feature_alpha": 1e-3, "max_norm": 1.0},
    "augmentation": {"augmentation": FeatureNoise(0.1)},
}


@pytest.fixture(scope="module")
def data():
    rng = np.random.RandomState(0)
    X = rng.randn(90, 5)
    return X, X[:, 0] + 0.3 * rng.randn(90)


def make_trainer(X, y, estimator=MLPRegressor, **params):
    """The trainer that fit would use."""
    params = {"hidden_layer_sizes": (6, 4), "max_iter": 7, "batch_size": 16, **params}
    model = estimator(**params, random_state=0)
    plan = Plan(model)
    X, y = check_arrays(model, X, y, numeric=model._y_numeric, reset=True)
    targets = model._targets(y, None, partial=False)
    rows = TrainingRows((X, y), X, targets.check(y), None, targets)
    return Trainer.fresh(plan, rows, check_random_state(0))


def everything(trainer):
    """All that a fit leaves, as one list of arrays."""
    report = trainer.report()
    report |= {n: c for n, c in report.pop("history_").items() if n != "seconds"}
    curves = [report[name] for name in sorted(report) if report[name] is not None]
    return [*trainer.fitted(), *trainer.network.snapshot(), *curves, trainer.random_state.rand(3)]


def assert_equal(first, second):
    for a, b in zip(everything(first), everything(second), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("case", CASES)
def test_state_is_all_that_the_next_epoch_depends_on(data, case):
    """Seven epochs are three and four by another trainer."""
    whole, first, second = (make_trainer(*data, **CASES[case]) for _ in range(3))
    whole.advance(7)
    first.advance(3)
    state = first.state()
    first.advance(1)  # what the first one does later is nothing to the state
    second.restore(state)
    second.advance(4)
    assert second.ended == whole.ended
    assert_equal(second, whole)


@pytest.mark.parametrize("case", ["batch norm", "swa", "ema", "augmentation", "stopping"])
def test_asking_for_the_network_changes_nothing(data, case):
    asked, alone = (make_trainer(*data, **CASES[case]) for _ in range(2))
    for _ in range(7):
        asked.advance(1)
        asked.fitted()
    alone.advance(7)
    assert_equal(asked, alone)


def test_trainers_in_turns_do_not_know_each_other(data):
    """One epoch of each after the other equals all epochs of one after all of the other."""
    settings = CASES["batch norm"], CASES["rows"], CASES["swa"]
    in_turns = [make_trainer(*data, **params) for params in settings]
    for _ in range(7):
        for trainer in in_turns:
            trainer.advance(1)
    for trainer, params in zip(in_turns, settings, strict=True):
        alone = make_trainer(*data, **params)
        alone.advance(7)
        assert_equal(trainer, alone)


def test_state_holds_arrays_numbers_and_strings_alone(data):
    """So that it can be written without pickle."""

    def check(value):
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for item in value:
                check(item)
            return
        assert value is None or isinstance(value, (np.ndarray, np.generic, int, float, str))
        assert not (isinstance(value, np.ndarray) and value.dtype == object)

    for params in CASES.values():
        trainer = make_trainer(*data, **params)
        trainer.advance(2)
        check(trainer.state())


def test_a_trainer_ends_once(data):
    """Later epochs are asked for in vain."""
    X, y = data
    trainer = make_trainer(X, y > 0, MLPClassifier, **STOPPING, tol=10.0)
    trainer.advance(100)
    n_epochs = trainer.epoch
    assert (trainer.ended, n_epochs) == ("no_progress", 4)
    trainer.advance(100)
    assert trainer.epoch == n_epochs


def test_rows_serve_several_trainers(data):
    """A trainer divides a copy of them."""
    X, y = data
    model = MLPRegressor(hidden_layer_sizes=(6, 4), batch_size=16, random_state=0, **STOPPING)
    plan = Plan(model)
    A, b = check_arrays(model, X, y, numeric=True, reset=True)
    targets = model._targets(b, None, partial=False)
    rows = TrainingRows((X, y), A, targets.check(b), None, targets)
    first, second = (Trainer.fresh(plan, rows, check_random_state(0)) for _ in range(2))
    for trainer in (first, second):
        trainer.advance(3)
    assert_equal(first, second)
    assert len(rows.train) == 90
    assert rows.validation is None


def test_a_state_of_another_beginning_is_refused(data):
    trainer, other = make_trainer(*data), make_trainer(*data)
    other.memory.seed += 1
    with pytest.raises(ValueError, match="another random state"):
        trainer.restore(other.state())


def test_the_random_state_of_everyone_is_left_alone(data):
    """What restore takes is its own."""
    trainer, state = make_trainer(*data), make_trainer(*data).state()
    trainer.random_state = np.random.mtrand._rand
    before = np.random.get_state()[1].copy()
    trainer.restore(state)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_the_first_reason_counts_and_warnings_come_once(data):
    trainer = make_trainer(*data, weight_averaging="swa", swa_start=0.9)
    trainer.advance(1)
    trainer.fitted()
    trainer.fitted()
    assert len(trainer.warnings) == 1
    trainer.end("diverged")
    trainer.interrupt()
    assert trainer.ended == "diverged"
