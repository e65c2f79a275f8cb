"""standardize_y: a network on (y - mean) / std, and all that leaves it in units of y."""

import warnings

import numpy as np
import pytest
import scipy.optimize
from conftest import fit_quietly, parameters
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_pinball_loss, r2_score

from skreg import MLPClassifier, MLPRegressor
from skreg.data.targets import Labels, Numbers
from skreg.ensemble.folds import Folds
from skreg.network.core import make_data
from skreg.network.network import Network

CENTER, SCALE = 3e4, 2e3
FAST = {"hidden_layer_sizes": (8,), "max_iter": 6, "batch_size": 32, "random_state": 0}
LOSSES = {
    "squared_error": {},
    "absolute_error": {},
    "huber": {"delta": 0.5},
    "quantile": {"quantile": 0.9},
    "several quantiles": {"quantile": [0.1, 0.9]},
}


@pytest.fixture(scope="module")
def dollars():
    """240 rows, y of mean 30,000 and deviation about 2,000, and weights."""
    rng = np.random.RandomState(0)
    X = rng.randn(240, 5)
    y = X[:, 0] + np.sin(X[:, 1]) + 0.3 * rng.randn(240)
    return X, CENTER + SCALE * y, rng.uniform(0.2, 2, 240)


def model_of(loss, **params):
    name = "quantile" if "quantile" in loss else loss
    return MLPRegressor(name, **FAST | LOSSES[loss] | params)


def moments(y, weight=None):
    mean = np.average(y, axis=0, weights=weight)
    return mean, np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("loss", LOSSES)
def test_it_is_a_network_on_standardized_targets(loss, solver, dtype, weighted, dollars):
    """The same one as on y by hand, with everything it tells in units of y."""
    X, y, weight = dollars
    X, weight = X.astype(dtype), weight if weighted else None
    mean, std = moments(y, weight)
    params = {"solver": solver, "batch_norm": solver == "adam"}
    ours = fit_quietly(model_of(loss, **params, standardize_y=True), X, y, sample_weight=weight)
    by_hand = fit_quietly(model_of(loss, **params), X, (y - mean) / std, sample_weight=weight)
    rtol = 1e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(ours.predict(X), by_hand.predict(X) * std + mean, rtol=rtol)
    assert ours.score(X, y) == pytest.approx(by_hand.score(X, (y - mean) / std), rel=100 * rtol)
    unit = std ** (2 if loss in ("squared_error", "huber") else 1)
    assert ours.loss_ == pytest.approx(by_hand.loss_ * unit, rel=rtol)
    for name in ("objective", "training_loss"):
        expected = np.multiply(by_hand.history_[name], unit)
        np.testing.assert_allclose(ours.history_[name], expected, rtol=rtol)
    if solver == "adam":
        assert ours.best_loss_ == pytest.approx(by_hand.best_loss_ * unit, rel=rtol)


def test_the_loss_is_that_of_y(dollars):
    """Half the mean squared error, by the predictions."""
    X, y, _ = dollars
    model = model_of("squared_error", solver="lbfgs", alpha=0.0, standardize_y=True, max_iter=200)
    fit_quietly(model, X, y)
    assert model.loss_ == pytest.approx(np.mean((model.predict(X) - y) ** 2) / 2, rel=1e-8)


@pytest.mark.parametrize("scoring", ["loss", None, "r2", "neg_mean_pinball_loss"])
def test_validation_is_in_units_of_y(scoring, dollars):
    """Moments of the training rows alone; scorers see y as it is."""
    X, y, _ = dollars
    if scoring == "neg_mean_pinball_loss":

        def scoring(estimator, X, y):
            return -mean_pinball_loss(y, estimator.predict(X))

    model = model_of("squared_error", early_stopping=True, scoring=scoring, standardize_y=True)
    model.set_params(restore_best=False)
    fit_quietly(model, X[60:], y[60:], X_val=X[:60], y_val=y[:60])
    mean, std = moments(y[60:])
    plain = clone(model).set_params(standardize_y=False, scoring="loss")
    fit_quietly(plain, X[60:], (y[60:] - mean) / std, X_val=X[:60], y_val=(y[:60] - mean) / std)
    np.testing.assert_allclose(model.predict(X), plain.predict(X) * std + mean, rtol=1e-10)
    loss = np.mean((model.predict(X[:60]) - y[:60]) ** 2) / 2
    assert model.validation_loss_curve_[-1] == pytest.approx(loss, rel=1e-8)
    score = -loss if scoring == "loss" else r2_score(y[:60], model.predict(X[:60]))
    if callable(scoring):
        score = scoring(model, X[:60], y[:60])
    assert model.validation_scores_[-1] == pytest.approx(score, rel=1e-8)
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.history_["validation_score"] == model.validation_scores_


def test_the_split_takes_no_moments_of_its_rows(dollars):
    """Outliers that are set aside do not count."""
    X, y, _ = dollars
    model = model_of("squared_error", early_stopping=True, standardize_y=True)
    split = clone(model).set_params(scoring=None)
    fit_quietly(split, X, y)
    seen = split._state["units"][:, 0]
    assert not np.allclose(seen, moments(y), rtol=1e-6)
    assert np.allclose(seen, moments(y), rtol=0.1)


def test_spread_is_in_units_of_y(dollars):
    """Passes with dropout, and the noise in y."""
    X, y, _ = dollars
    params = {"dropout": 0.3, "early_stopping": True, "max_iter": 60}
    ours = fit_quietly(model_of("squared_error", **params, standardize_y=True), X, y)
    mean, std = ours._state["units"][:, 0]
    by_hand = fit_quietly(model_of("squared_error", **params), X, (y - mean) / std)
    np.testing.assert_allclose(ours.noise_std_, by_hand.noise_std_ * std, rtol=1e-3)
    spread = by_hand.predict(X, return_std=True)[1]
    np.testing.assert_allclose(ours.predict(X, return_std=True)[1], spread * std, rtol=1e-3)


def test_several_targets(dollars):
    """Each counts the same; losses are in the mean of their units; a constant keeps its scale."""
    X, y, _ = dollars
    Y = np.c_[y, np.cos(X[:, 2]), np.full(len(y), 7.0)]
    mean, std = moments(Y)
    std[2] = 1
    ours = fit_quietly(model_of("squared_error", standardize_y=True), X, Y)
    by_hand = fit_quietly(model_of("squared_error"), X, (Y - mean) / std)
    np.testing.assert_allclose(ours.predict(X), by_hand.predict(X) * std + mean, rtol=1e-9)
    assert ours.loss_ == pytest.approx(by_hand.loss_ * np.mean(std**2), rel=1e-9)


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("way", ["warm", "partial"])
def test_it_goes_on_in_the_same_units(way, batch_norm, dollars):
    """Those of the first fit, to the same bits."""
    X, y, _ = dollars
    params = {"batch_norm": batch_norm, "standardize_y": True}
    model = model_of("squared_error", **params, warm_start=True)
    other = clone(model)
    if way == "warm":
        fit_quietly(model, X, y)
        fit_quietly(model, X, y + 5 * SCALE)
        mean, std = model._state["units"][:, 0]
        fit_quietly(other.set_params(standardize_y=False), X, (y - mean) / std)
        fit_quietly(other, X, (y + 5 * SCALE - mean) / std)
    else:
        for begin in (0, 120):
            model.partial_fit(X[begin : begin + 120], y[begin : begin + 120])
        mean, std = moments(y[:120])
        other.set_params(standardize_y=False)
        for begin in (0, 120):
            rows = slice(begin, begin + 120)
            other.partial_fit(X[rows], (y[rows] - mean) / std)
    np.testing.assert_allclose(model.predict(X), other.predict(X) * std + mean, rtol=1e-9)
    assert model.loss_ == pytest.approx(other.loss_ * std**2, rel=1e-9)
    before = parameters(model)
    for change in ({"standardize_y": False}, {}):
        model.set_params(**change)
        if not change:
            model.set_params(standardize_y=True)
            model.coefs_[-1] = model.coefs_[-1] * 2
        with pytest.raises(ValueError, match=r"standardize_y|were changed"):
            model.fit(X, y)
    model.coefs_[-1] = model.coefs_[-1] / 2
    np.testing.assert_array_equal(parameters(model), before)


def test_folds_and_compact(dollars):
    """Each fold in its own units; a compact network needs none."""
    X, y, _ = dollars
    candidate = model_of("squared_error", early_stopping=True, standardize_y=True, max_iter=50)
    splits = [(np.arange(0, 200), np.arange(200, 240)), (np.arange(40, 240), np.arange(0, 40))]
    folds = Folds([candidate], X, y, None, splits, random_state=0)
    folds.advance(50)
    outputs = folds.held_out_outputs(0)[:, 0]
    held_out = ~np.isnan(outputs)
    assert held_out.sum() == 80 and r2_score(y[held_out], outputs[held_out]) > 0.2
    loss = np.mean((folds.network((0, 0)).outputs(X[200:])[:, 0] - y[200:]) ** 2) / 2
    assert loss == pytest.approx(folds.losses((0, 0)).min(), rel=1e-8)
    model = fit_quietly(candidate, X, y)
    small = model.compact()
    np.testing.assert_allclose(small.predict(X), model.predict(X), rtol=1e-12)
    assert not small.standardize_y
    with pytest.warns(UserWarning, match="y has a standard deviation of 2e.03.*standardize_y=True"):
        fit_quietly(small.set_params(warm_start=True, max_iter=1), X, y)


def test_what_cannot_be_standardized(dollars):
    """Counts stay counts; numbers must have a deviation."""
    X, y, _ = dollars
    with pytest.raises(ValueError, match=r"standardize_y=True makes some y negative.*poisson"):
        MLPRegressor("poisson", standardize_y=True).fit(X, y)
    with pytest.raises(ValueError, match="numbers in y are too large"):
        MLPRegressor(standardize_y=True).fit(X, y * 1e200)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("factor", [200.0, 20.0, 0.04, 0.001])
def test_y_far_from_one_is_warned_about(factor, solver, dollars):
    """With the spread; not where it is scaled, where it was learned, nor with another loss."""
    X, y, _ = dollars
    y = (y - CENTER) / SCALE
    y /= y.std()
    params = {**FAST, "solver": solver, "max_iter": 1}
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        MLPRegressor(**params).fit(X, y * factor)
    text = f"y has a standard deviation of {factor:.1g}. "
    told = [str(w.message) for w in record if text in str(w.message)]
    assert len(told) == 1 and told[0].endswith("Set standardize_y=True, or scale y.")
    fit_quietly(MLPRegressor(**params, standardize_y=True), X, y * factor)
    fit_quietly(MLPRegressor("absolute_error", **params), X, y * factor)
    fit_quietly(MLPRegressor(**params), X, y * 4)
    learned = {"solver": "lbfgs", "alpha": 0, "tol": 1e-9, "max_iter": 500, "random_state": 0}
    if factor > 0.01:
        fit_quietly(MLPRegressor(**learned), X, y * factor)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("standardize_y", [False, True])
def test_a_constant_is_no_alarm(solver, standardize_y):
    """Also one that no number of base 2 is: its deviation is one of rounding."""
    X, y = np.random.RandomState(0).randn(300, 3), np.full(300, 0.1)
    model = MLPRegressor(solver=solver, standardize_y=standardize_y, random_state=0, max_iter=500)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.filterwarnings("ignore", "Stochastic Optimizer|lbfgs failed", ConvergenceWarning)
        model.fit(X, y)
    if standardize_y:
        assert model._state["units"][1, 0] == 1.0


@pytest.mark.parametrize("factor", [1e-24, 1e19])
def test_units_in_double(factor, dollars):
    """Squares of float32 over- and underflow long before the numbers do."""
    X, y, _ = dollars
    y = ((y - CENTER) / SCALE * factor).astype(np.float32)
    model = MLPRegressor(**FAST | {"max_iter": 200}, standardize_y=True)
    assert fit_quietly(model, X, y).score(X, y.astype(float)) > 0.8


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
def test_large_columns_are_told_where_little_was_learned(Estimator, dollars):
    """By their number; not where the network has learned all the same."""
    X, y, _ = dollars
    X = np.c_[X, 5000 + 300 * X[:, :2]]
    y = (y - CENTER) / SCALE
    y = y > 0 if Estimator is MLPClassifier else y
    model = Estimator(**FAST | {"learning_rate_init": 1e-5})
    with pytest.warns(ConvergenceWarning, match=r"2 of 7 columns of X have .* StandardScaler"):
        model.fit(X, y)
    with pytest.warns(ConvergenceWarning) as record:
        model.fit(X[:, :5], y)
    assert not any("columns of X" in str(w.message) for w in record)


def test_heavy_tails_are_no_alarm():
    """The constant is compared on the rows that were trained on, not on some of them."""
    rng = np.random.RandomState(1)
    X, y = rng.randn(30_000, 2).astype(np.float32), np.exp(2.5 * rng.randn(30_000))
    model = MLPRegressor(hidden_layer_sizes=(), standardize_y=True, max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations .* yet\.$"):
        model.fit(X, y)


def test_a_constant_that_does_better_is_named(dollars):
    """By its loss, in units of y, with what to do; in one warning with the end at max_iter."""
    X, y, _ = dollars
    y = y / SCALE  # of mean 15 and deviation 1
    constant = np.var(y) / 2
    text = (
        rf"without penalties, [\d.e+]+, is far above that of a constant prediction, {constant:.3g}"
    )
    model = MLPRegressor(**FAST)
    with pytest.warns(ConvergenceWarning, match=rf"(?s)Maximum iterations \(6\).*{text}.*scale y"):
        model.fit(X, y)
    patient = MLPRegressor(**FAST | {"learning_rate_init": 1e-6, "tol": 1, "max_iter": 50})
    with pytest.warns(ConvergenceWarning, match=f"^The loss of the training rows {text}"):
        patient.fit(X, y)
    labels = MLPClassifier(**FAST | {"learning_rate_init": 1e6, "max_iter": 50})
    with pytest.warns(ConvergenceWarning, match=r"a constant prediction, 0\.69.*Scale X, lower"):
        labels.fit(X, y > np.median(y))
    labels.set_params(early_stopping=True, batch_size=200)
    rng = np.random.RandomState(0)
    with pytest.warns(ConvergenceWarning, match=r"loss of the validation rows.* 0\.69"):
        labels.fit(rng.randn(240, 5), rng.permutation(np.arange(240) % 2))
    with pytest.warns(ConvergenceWarning, match=r"constant.*standard deviation of 1e\+03\."):
        MLPRegressor(**FAST).fit(X, 1e3 * y)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "poisson", "quantile"]
)
def test_loss_of_a_constant(loss, weighted):
    """Against SciPy's search for the best bias of a network without inputs."""
    rng = np.random.RandomState(0)
    y, w = rng.gamma(2, size=(101, 2)), rng.uniform(0, 2, 101) if weighted else None
    model = MLPRegressor(loss, quantile=0.8)
    targets = Numbers(model, y)
    layers = [("dense", {"units": 2.0})]
    network = Network(layers, targets.loss.spec(), [], n_features=1, dtype=float, seed=0)
    network.attach()
    data = make_data(np.zeros((101, 1)), target=y, weight=w)

    def of(constant):
        network.parameters[-2:] = constant
        return network.evaluate(data, np.arange(101, dtype=np.int32))

    best = min(
        scipy.optimize.minimize(of, start, method="Nelder-Mead", options={"maxiter": 2000}).fun
        for start in ([0.5, 0.5], [1.5, 1.5])
    )
    rtol = 0.02 if loss == "huber" else 1e-5
    assert targets.loss.of_constant(y, w) == pytest.approx(best, rel=rtol)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_log_loss_of_a_constant(n_classes):
    """The frequencies of the classes."""
    rng = np.random.RandomState(0)
    y, w = rng.randint(0, n_classes, 99), rng.uniform(0, 2, 99)
    targets = Labels.of(MLPClassifier(), np.arange(n_classes), y)
    p = np.tile(np.bincount(y, weights=w) / w.sum(), (99, 1))
    assert targets.loss.of_constant(y, w) == pytest.approx(log_loss(y, p, sample_weight=w))


def test_the_first_rows_must_vary(dollars):
    """partial_fit learns the units of y from them."""
    X, y, _ = dollars
    with pytest.raises(ValueError, match=r"whose y does not vary\. Begin"):
        MLPRegressor(standardize_y=True).partial_fit(X[:1], y[:1])
