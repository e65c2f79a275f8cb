"""Residual links and stochastic depth: where links lead, what they add, and when they drop."""

import pickle

import numpy as np
import pytest
from conftest import fit_epochs, fit_quietly
from numpy.testing import assert_allclose, assert_array_equal
from reference import initial_parameters

from skreg import MLPClassifier, MLPRegressor
from skreg.regularization.layers import residual_links
from skreg.regularization.plan import Plan

NET = {"hidden_layer_sizes": (6,) * 5, "residual": True, "random_state": 0}
FROZEN = {"solver": "sgd", "learning_rate_init": 1e-30, "momentum": 0.0, "alpha": 0.0}


@pytest.mark.parametrize(
    ("widths", "links"),
    [
        ([], []),
        ([8], []),
        ([8, 8], []),
        ([8, 8, 8], [2]),
        ([8, 8, 8, 8], [2]),
        ([8] * 5, [2, 4]),
        ([8] * 6, [2, 4]),
        ([8] * 9, [2, 4, 6, 8]),
        ([4, 8, 8, 8], [3]),
        ([8, 8, 4, 8, 8], []),
        ([8, 4, 8], []),
        ([8, 8, 8, 4, 4, 4], [2, 5]),
        ([8, 8, 8, 8, 4, 4, 4, 4, 4], [2, 6, 8]),
        ([9, 8, 8, 8, 8, 8, 9], [3, 5]),
    ],
)
def test_links_lead_over_pairs(widths, links):
    """Pairs do not overlap, and all three widths of a link are the same."""
    assert residual_links(widths) == links
    model = MLPRegressor(hidden_layer_sizes=widths, residual=True)
    specs = Plan(model).layers(1)
    dense = np.cumsum([name == "dense" for name, _ in specs]) - 1
    assert [i for i, (name, _) in zip(dense, specs, strict=True) if name == "residual"] == links


def forward(coefs, intercepts, X, links, branch=None):
    """Raw outputs: branch, plus what entered the pair, then the activation."""
    outputs = []
    for i, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        z = (outputs[-1] if outputs else X) @ W + b
        if i in links:
            z = z * (1 if branch is None else branch[i]) + outputs[i - 2]
        outputs.append(np.tanh(z) if i < len(coefs) - 1 else z)
    return outputs[-1]


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_prediction_adds_what_entered_each_pair(diabetes, batch_norm, dropout):
    """From coefs_ and intercepts_ alone, into which batch norm is folded."""
    X, y = diabetes
    model = MLPRegressor(**NET, activation="tanh", batch_norm=batch_norm, dropout=dropout)
    fit_quietly(model.set_params(max_iter=10, stochastic_depth=0.3), X, y)
    expected = forward(model.coefs_, model.intercepts_, X, [2, 4])[:, 0]
    assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-12)
    assert np.abs(expected - forward(model.coefs_, model.intercepts_, X, [])[:, 0]).max() > 0.01


def test_the_rate_grows_linearly_with_depth():
    """The last link has the given rate, the first of four a quarter of it."""
    model = MLPRegressor(hidden_layer_sizes=(5,) * 9, residual=True, stochastic_depth=0.8)
    plan = Plan(model)
    rates = [options["p"] for name, options in plan.layers(1) if name == "residual"]
    assert_allclose(rates, [0.2, 0.4, 0.6, 0.8])
    for layers in (plan.predicting_layers(1), plan.sampling_layers(1)):
        assert [options["p"] for name, options in layers if name == "residual"] == [0.0] * 4


def test_branches_are_dropped_by_row_and_scaled(diabetes):
    """At frozen weights the training losses have mean and spread of a Monte Carlo."""
    X, y = diabetes
    X, y = X[:60], y[:60]
    p = 0.6
    model = MLPRegressor(hidden_layer_sizes=(6, 6, 6), residual=True, activation="tanh", **FROZEN)
    model.set_params(stochastic_depth=p, max_iter=2000, random_state=0, n_iter_no_change=np.inf)
    losses = np.array(fit_epochs(model, X, y).loss_curve_)
    coefs, intercepts = initial_parameters([10, 6, 6, 6, 1], "tanh")
    rng, expected = np.random.RandomState(1), []
    for _ in range(2000):
        branch = (rng.rand(60, 1) >= p) / (1 - p)
        z = forward(coefs, intercepts, X, [2], {2: branch})
        expected.append(0.5 * np.mean((z[:, 0] - y) ** 2))
    error = np.std(expected) * np.sqrt(2 / 2000)
    assert abs(losses.mean() - np.mean(expected)) < 5 * error
    assert losses.std() == pytest.approx(np.std(expected), rel=0.15)
    clean = 0.5 * np.mean((forward(coefs, intercepts, X, [2])[:, 0] - y) ** 2)
    assert abs(clean - np.mean(expected)) > 10 * error


def test_the_expectation_is_kept(diabetes):
    """With identity activations the mean output over draws is the prediction."""
    X, y = diabetes[0][:50], np.zeros(50)
    params = {**FROZEN, "hidden_layer_sizes": (6, 6, 6), "residual": True, "random_state": 0}
    params.update(activation="identity", n_iter_no_change=np.inf)
    model = fit_epochs(MLPRegressor(**params, stochastic_depth=0.5, max_iter=3000), X, y)
    # E z^2 = (E z)^2 + var, and a branch b kept at 1/2 and doubled has the variance b^2.
    coefs, intercepts = initial_parameters([10, 6, 6, 6, 1], "identity")
    with_branch = forward_identity(coefs, intercepts, X, 1.0)
    branch = with_branch - forward_identity(coefs, intercepts, X, 0.0)
    expected = 0.5 * np.mean(with_branch**2 + branch**2)
    assert np.mean(model.loss_curve_) == pytest.approx(expected, rel=0.02)


def forward_identity(coefs, intercepts, X, share):
    """Raw outputs with identity activations and a share of the branch."""
    h = X @ coefs[0] + intercepts[0]
    branch = (h @ coefs[1] + intercepts[1]) @ coefs[2] + intercepts[2]
    return ((h + share * branch) @ coefs[3] + intercepts[3])[:, 0]


def test_prediction_and_validation_are_without_stochastic_depth(cancer):
    """The watched loss is that of the whole network."""
    X, y = cancer
    losses = []
    for depth in (0.0, 0.8):
        model = MLPClassifier(**NET, **FROZEN, max_iter=3, early_stopping=True)
        fit_epochs(model.set_params(stochastic_depth=depth), X, y)
        losses.append(model.validation_loss_curve_)
    assert losses[0] == losses[1]


@pytest.mark.parametrize("norm", ["batch_norm", "layer_norm", "dropout"])
def test_pickles_continue(cancer, norm):
    """Links are part of what is stored."""
    X, y = cancer
    params = {norm: 0.2 if norm == "dropout" else True}
    model = fit_quietly(MLPClassifier(**NET, **params, max_iter=3), X, y)
    copy = pickle.loads(pickle.dumps(model))
    assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    assert_array_equal(
        copy.partial_fit(X, y).predict_proba(X), model.partial_fit(X, y).predict_proba(X)
    )


def test_batch_statistics_are_exact_beside_links(diabetes):
    """Recalibrated layer by layer: each sum before a link is normalized on the training rows."""
    X, y = diabetes
    params = {**NET, **FROZEN, "batch_norm": True, "activation": "tanh", "max_iter": 1}
    model = fit_epochs(MLPRegressor(**params, batch_size=50), X, y)
    outputs = []
    for i in range(5):
        z = (outputs[-1] if outputs else X) @ model.coefs_[i] + model.intercepts_[i]
        assert_allclose(z.mean(axis=0), 0, atol=1e-10)
        assert_allclose(z.var(axis=0, ddof=1), 1, rtol=1e-3)
        outputs.append(np.tanh(z + (outputs[i - 2] if i in (2, 4) else 0)))


def test_compact_is_not_available(cancer):
    """A unit that leads nowhere still is what a link adds to."""
    model = fit_quietly(MLPClassifier(**NET, max_iter=2), *cancer)
    with pytest.raises(ValueError, match=r"compact\(\) needs a network without layer_norm and res"):
        model.compact()
