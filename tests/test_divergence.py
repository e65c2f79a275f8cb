"""Training that diverges, and training that is interrupted."""

import warnings

import numpy as np
import pytest
from conftest import ScriptedScorer, fit_epochs, fit_quietly, parameters
from sklearn.exceptions import ConvergenceWarning, NotFittedError

from skreg import MLPClassifier, MLPRegressor

NON_FINITE = "Solver produced non-finite parameter weights"
# Full-batch steps of this length learn for some epochs and then explode.
DIVERGING = {
    "hidden_layer_sizes": (20,), "activation": "identity", "solver": "sgd", "batch_size": 450,
    "learning_rate_init": 0.5, "nesterovs_momentum": False, "n_iter_no_change": 100,
    "random_state": 0,
}  # fmt: skip


@pytest.mark.parametrize("scoring", ["loss", None, "neg_mean_absolute_error"])
def test_divergence_restores_the_best_snapshot(regression, scoring):
    """Stop, warn, record nan as the last score, restore the best epoch."""
    X, y = regression
    model = MLPRegressor(**DIVERGING, early_stopping=True, scoring=scoring)
    with pytest.warns(ConvergenceWarning, match=r"(?i)finite|diverge"):
        model.fit(X, y)
    *scores, last = model.validation_scores_
    assert isinstance(last, float)
    assert np.isnan(last)
    assert np.isfinite(scores).all()
    assert model.n_iter_ == len(scores) + 1 < 200
    assert model.best_validation_score_ == max(scores) == scores[model.best_iter_ - 1]
    assert np.isfinite(parameters(model)).all()
    assert model.score(X, y) > 0.3


def test_a_score_of_nan_ends_training(regression):
    """A scorer that returns nan means divergence as well."""
    X, y = regression
    script = ScriptedScorer([1.0, 2.0, 1.5, np.nan, 3.0])
    model = MLPRegressor(hidden_layer_sizes=(5,), early_stopping=True, scoring=script)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    np.testing.assert_array_equal(model.validation_scores_, [1.0, 2.0, 1.5, np.nan])
    assert model.best_iter_ == 2
    np.testing.assert_array_equal(parameters(model), script.calls[1]["weights"])


def test_divergence_without_early_stopping_is_an_error(regression):
    """An estimator that was not fitted still is not."""
    X, y = regression
    model = MLPRegressor(**DIVERGING)
    before = dict(vars(model))
    with pytest.raises(ValueError, match=NON_FINITE):
        model.fit(X, y)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_a_failed_fit_keeps_the_earlier_model(regression, method, early_stopping):
    """A fitted estimator predicts as before, bit for bit, and partial_fit goes on from there."""
    X, y = regression
    model = MLPRegressor(hidden_layer_sizes=(5,), random_state=0, max_iter=3, early_stopping=False)
    fit_epochs(model, X, y)
    before, keys = model.predict(X), set(vars(model))
    if method == "fit":
        model.set_params(early_stopping=early_stopping)
    with pytest.raises(ValueError, match=NON_FINITE):
        getattr(model, method)(np.full_like(X, 1e300), y)
    assert set(vars(model)) == keys
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(early_stopping=False).partial_fit(X, y)
    assert np.isfinite(model.predict(X)).all()


def test_lbfgs_says_that_it_failed():
    """Where not even the first loss is finite, the full-batch solver warns or refuses."""
    X = np.full((10, 2), 1e308)
    model = MLPRegressor(solver="lbfgs", random_state=0)
    with pytest.raises((ValueError, ConvergenceWarning), match=f"{NON_FINITE}|failed to converge"):
        model.fit(X, np.arange(10.0))
    assert not hasattr(model, "coefs_")


class Interrupt(ScriptedScorer):
    """A scorer that presses Ctrl-C in the third epoch."""

    def __call__(self, estimator, X, y, **kwargs):
        """Return the epoch as the score, or raise."""
        super().__call__(estimator, X, y, **kwargs)
        if len(self.calls) == 3:
            raise KeyboardInterrupt
        return float(len(self.calls))


def test_an_interrupt_between_epochs_keeps_the_best_weights(cancer):
    """Ctrl-C ends training with a warning and a usable model."""
    scorer = Interrupt()
    model = MLPClassifier((5,), early_stopping=True, scoring=scorer, random_state=0)
    with pytest.warns(UserWarning, match="interrupted"):
        model.fit(*cancer)
    np.testing.assert_array_equal(model.validation_scores_, [1.0, 2.0, np.nan])
    assert model.best_iter_ == 2
    losses = model.history_["validation_loss"]  # the third epoch was trained, not measured
    np.testing.assert_array_equal(losses[:2], model.validation_loss_curve_[:2])
    assert len(losses) == len(model.loss_curve_) == 3 and np.isnan(losses[2])
    np.testing.assert_array_equal(parameters(model), scorer.calls[1]["weights"])


OVERFLOWING = {
    "features": {"X": 1e30},
    "one row": {"X": np.where(np.arange(100) == 50, 1e35, 1.0)[:, None]},
    "targets": {"y": 1e30},
    "rate": {"params": {"alpha": 10.0, "learning_rate_init": 3.0, "solver": "sgd"}},
    "rate, in epochs to come": {"params": {"learning_rate_init": 1e19, "max_iter": 1}},
    "lbfgs": {"X": 1e37, "params": {"solver": "lbfgs", "max_iter": 5}},
}


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("name", OVERFLOWING)
@pytest.mark.parametrize("cls", [MLPRegressor, MLPClassifier])
def test_losses_and_outputs_overflow_before_the_weights_do(cls, name, early_stopping):
    """Then training has diverged: an error, a warning with good weights, or finite numbers."""
    case = OVERFLOWING[name]
    rng = np.random.RandomState(0)
    X = (rng.randn(100, 4) * case.get("X", 1.0)).astype(np.float32)
    y = X[:, 0] > 0 if cls is MLPClassifier else rng.randn(100) * case.get("y", 1.0)
    params = {"hidden_layer_sizes": (20, 20), "random_state": 0, **case.get("params", {})}
    model = cls(**params, early_stopping=early_stopping and name != "lbfgs")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model.fit(X, y)
        except ValueError as error:
            assert "Solver produced" in str(error)
            assert not hasattr(model, "coefs_")
            return
    diverged = any("diverged" in str(w.message) for w in caught)
    assert diverged or np.isfinite([model.loss_, *getattr(model, "loss_curve_", [])]).all()
    predict = getattr(model, "predict_proba", model.predict)
    assert np.isfinite(predict(X)).all()
    np.testing.assert_array_equal(predict(X)[50:51], predict(X[50:51]))


def test_moments_that_overflow_are_a_divergence():
    """Where squares of the gradient overflow, Adam would never move a weight again."""
    X = np.full((50, 3), 1e25, dtype=np.float32)
    with pytest.raises(ValueError, match=NON_FINITE):
        MLPClassifier((), alpha=0).fit(X, np.arange(50) % 2)


def test_counts_beyond_the_largest_number():
    """exp overflows long before its argument does."""
    X = 3 * np.random.RandomState(0).randn(12, 5)
    model = MLPRegressor("poisson", (), learning_rate_init=100.0, random_state=0)
    with pytest.raises(ValueError, match="Solver produced"):
        model.partial_fit(X, np.arange(12.0))


@pytest.mark.parametrize("params", [{}, {"batch_norm": True}], ids=str)
def test_memory_that_float32_cannot_hold(params):
    """A fit in float64 that goes on in float32."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(20, 3), 1e29 * rng.randn(20)
    model = MLPRegressor(hidden_layer_sizes=(4,), random_state=0, **params).partial_fit(X, y)
    with pytest.raises(ValueError, match="Solver produced"):
        model.partial_fit(X.astype(np.float32), y)


def test_weights_that_float32_cannot_hold():
    """A warm start in float32 from a fit in float64."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(20, 3), rng.randn(20)
    model = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, warm_start=True, random_state=0)
    fit_quietly(model, X, y)
    model.coefs_[0] *= 1e300
    with pytest.raises(ValueError, match="Solver produced"):
        model.fit(X.astype(np.float32), y)


def test_batch_norm_that_cannot_be_folded():
    rng = np.random.RandomState(0)
    model = MLPRegressor(hidden_layer_sizes=(4,), batch_norm=True, learning_rate_init=1e300)
    with pytest.raises(ValueError, match="Solver produced"):
        model.partial_fit(rng.randn(12, 5), rng.randn(12))


@pytest.mark.filterwarnings("ignore:.* columns of X_val have far other means")
def test_a_validation_loss_that_overflows_is_named():
    """The training rows are innocent."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(60, 3), rng.poisson(2.0, 60)
    X_val = X[:20].copy()
    X_val[0] *= 1e6
    model = MLPRegressor("poisson", (), early_stopping=True, random_state=0)
    with pytest.raises(ValueError, match="loss of the validation rows is not"):
        model.fit(X, y, X_val=X_val, y_val=y[:20])


def test_lbfgs_takes_weights_and_targets_that_float32_cannot_hold():
    """It works in float64."""
    rng = np.random.RandomState(0)
    X, y = rng.randn(30, 3).astype(np.float32), rng.randn(30)
    for weight in (1e39, 1e-46):
        model = MLPRegressor(hidden_layer_sizes=(), solver="lbfgs", random_state=0)
        fit_quietly(model, X, y, sample_weight=np.full(30, weight))
        assert model.score(X, y) >= 0
