"""Learning rates: the formula of every schedule, step by step, alone and in a fit."""

import numpy as np
import pytest
from conftest import ScriptedScorer, assert_same_bits, fit_epochs, fit_quietly

from skreg import MLPClassifier, MLPRegressor
from skreg.training.schedules import SCHEDULES

RATE = 0.02


def half_cosine(share):
    """From 1 to 0."""
    return (1 + np.cos(np.pi * np.asarray(share, dtype=float))) / 2


def restarts(share):
    """Three half cosines of 1/7, 2/7 and 4/7."""
    begins, lengths = np.array([0, 1, 3]) / 7, np.array([1, 2, 4]) / 7
    cycle = np.searchsorted(begins, np.asarray(share) + 1e-9) - 1
    return half_cosine((share - begins[cycle]) / lengths[cycle])


def one_cycle(share):
    """1/25 to 1 within 0.3, then down to 1/250000."""
    rising = 1 / 25 + (1 - 1 / 25) * (1 - half_cosine(share / 0.3))
    falling = 1 / 250_000 + (1 - 1 / 250_000) * half_cosine((share - 0.3) / 0.7)
    return np.where(share < 0.3, rising, falling)


def flat_cosine(share):
    """1 for half of the time, then half a cosine."""
    return np.where(share < 0.5, 1.0, half_cosine(2 * share - 1))


FACTORS = {
    "constant": np.ones_like, "cosine": half_cosine, "cosine_restarts": restarts,
    "one_cycle": one_cycle, "flat_cosine": flat_cosine,
}  # fmt: skip
WITH_HORIZON = [name for name in FACTORS if name != "constant"]


def all_rates(name, n_steps, n_epochs, **options):
    """The rate of every step of a whole training."""
    schedule = SCHEDULES[name](RATE, n_steps=n_steps, n_epochs=n_epochs, **options)
    rates = []
    for _ in range(n_epochs):
        of_epoch = schedule.rates()
        rates.append(np.broadcast_to(of_epoch, n_steps))
        schedule.epoch_end(1, 1.0)
    return np.concatenate(rates)


# ------------------------------------------------------------------ formulas
@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize(("n_steps", "n_epochs"), [(1, 70), (10, 7), (3, 21), (4, 1)])
def test_the_rate_of_every_step(name, n_steps, n_epochs):
    """Step s of N has the factor of s / N: it moves within an epoch as between them."""
    shares = np.arange(n_steps * n_epochs) / (n_steps * n_epochs)
    expected = RATE * FACTORS[name](shares)
    np.testing.assert_allclose(all_rates(name, n_steps, n_epochs), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["constant", "cosine", "cosine_restarts", "flat_cosine"])
@pytest.mark.parametrize(("n_steps", "n_epochs"), [(1, 50), (5, 10)])
def test_the_rate_rises_and_the_schedule_follows(name, n_steps, n_epochs):
    """k of w steps after k steps; then the schedule in what is left, without a jump."""
    rates = all_rates(name, n_steps, n_epochs, warmup=0.2)
    np.testing.assert_allclose(rates[:10], RATE * np.arange(1, 11) / 10, rtol=1e-12)
    assert rates[9] == pytest.approx(RATE)
    assert rates[10] == pytest.approx(RATE)
    shares = np.arange(40) / 40
    tolerance = 1e-6 if name == "cosine_restarts" else 1e-12
    np.testing.assert_allclose(rates[10:], RATE * FACTORS[name](shares), rtol=tolerance, atol=1e-15)


@pytest.mark.parametrize("warmup", [0.0, 0.3])
def test_cosine_restarts_begin_anew_twice(warmup):
    """At 1/7 and 3/7 of what follows the warm-up, and nowhere else."""
    rates = all_rates("cosine_restarts", 10, 100, warmup=warmup)
    first = round(1000 * warmup)
    jumps = np.flatnonzero(np.diff(rates[first:]) > 0.5 * RATE) + 1
    np.testing.assert_allclose(jumps / (1000 - first), [1 / 7, 3 / 7], atol=2 / 700)
    np.testing.assert_allclose(rates[first + jumps], RATE, rtol=1e-4)
    assert (rates[first + jumps - 1] < 1e-3 * RATE).all()
    assert (np.diff(rates[first:]) > 0).sum() == 2


def test_one_cycle_reaches_its_largest_rate_once():
    """learning_rate_init is the peak, at 0.3 of training."""
    rates = all_rates("one_cycle", 10, 20)
    assert rates.argmax() == 60
    assert rates.max() == RATE
    assert rates[0] == pytest.approx(RATE / 25)
    assert (np.diff(rates[:61]) > 0).all()
    assert (np.diff(rates[60:]) < 0).all()


@pytest.mark.parametrize("name", WITH_HORIZON)
def test_schedules_end_near_zero(name):
    """Positive to the last step."""
    rates = all_rates(name, 10, 100)
    assert 0 < rates[-1] < 1e-4 * RATE
    assert (rates > 0).all()
    assert rates.max() == pytest.approx(RATE)


@pytest.mark.parametrize("name", WITH_HORIZON)
def test_continuity(name):
    """But for the two restarts the rate moves in small steps."""
    rates = all_rates(name, 100, 20)
    large = np.abs(np.diff(rates)) > 0.02 * RATE
    assert large.sum() == (2 if name == "cosine_restarts" else 0)


def test_plateau_divides_by_five():
    """After `patience` epochs without a new low, however small; then it waits anew."""
    schedule = SCHEDULES["plateau"](RATE, patience=3)
    losses = [5, 4, 4, 4.5, 4, 3.999, 9, 9, 3.998, 9, 9, 9, 9, 9, 9, 1]
    divided = [4, 11, 14]  # epochs, counted from 0, at whose end patience is over
    rate = RATE
    for epoch, loss in enumerate(losses):
        assert schedule.rates() == pytest.approx([rate])
        schedule.epoch_end(0, loss)
        rate = rate / 5 if epoch in divided else rate
        assert schedule.on_plateau()
    assert schedule.rate == pytest.approx(RATE / 125)


def test_state_continues_a_schedule():
    """What is stored after some epochs and restored into another object goes on as before."""
    losses = [3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    for name in ("plateau", "invscaling", "constant"):
        whole = SCHEDULES[name](RATE, patience=2)
        rates = []
        for t, loss in enumerate(losses):
            rates.append(whole.rates()[0])
            whole.epoch_end(t, loss)
        state, parts = {}, []
        for t, loss in enumerate(losses):
            schedule = SCHEDULES[name](RATE, patience=2)
            schedule.restore(state)
            parts.append(schedule.rates()[0])
            schedule.epoch_end(t, loss)
            state = schedule.state()
        assert parts == rates
        assert (len(set(rates)) > 1) == (name != "constant")


# ------------------------------------------------------------------ in a fit
LINEAR = {"hidden_layer_sizes": (), "learning_rate_init": RATE, "random_state": 0,
          "n_iter_no_change": np.inf}  # fmt: skip


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("warmup", [0.0, 0.25])
@pytest.mark.parametrize("name", FACTORS)
def test_lr_curve_shows_the_end_of_every_epoch(diabetes, name, warmup, solver):
    """With a last batch that is smaller, which is a step as any other."""
    if name == "one_cycle" and warmup:
        pytest.skip("has its own warm-up")
    model = MLPRegressor(**LINEAR, solver=solver, learning_rate=name, warmup=warmup,
                         batch_size=100, max_iter=12)  # fmt: skip
    fit_epochs(model, *diabetes)
    ends = all_rates(name, 5, 12, warmup=warmup)[4::5]
    np.testing.assert_allclose(model.lr_curve_, ends, rtol=1e-12)
    assert len(model.lr_curve_) == len(model.loss_curve_) == 12


def test_every_step_has_its_own_rate(diabetes):
    """Plain gradient descent by hand, with a rate for each of three batches."""
    X, y = diabetes[0][:60], diabetes[1][:60]
    model = MLPRegressor(
        **LINEAR, solver="sgd", momentum=0.0, alpha=0.0, learning_rate="cosine", warmup=0.3,
        shuffle=False, batch_size=20, max_iter=4
    )  # fmt: skip
    start = MLPRegressor(**{**LINEAR, "learning_rate_init": 1e-300}, max_iter=1, solver="sgd")
    fit_epochs(start, X, y)
    w, b = start.coefs_[0][:, 0].copy(), start.intercepts_[0][0]
    for step, rate in enumerate(all_rates("cosine", 3, 4, warmup=0.3)):
        rows = slice(step % 3 * 20, step % 3 * 20 + 20)
        residual = X[rows] @ w + b - y[rows]
        w, b = w - rate * X[rows].T @ residual / 20, b - rate * residual.mean()
    fit_epochs(model, X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], w, rtol=1e-9)
    assert model.intercepts_[0][0] == pytest.approx(b, rel=1e-9)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
def test_plateau_follows_the_validation_loss(diabetes, solver):
    """Divided by 5 after n_iter_no_change // 2 epochs without a new low of the validation loss."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(30,), solver=solver, learning_rate="plateau", learning_rate_init=0.05,
        early_stopping=True, n_iter_no_change=6, max_iter=300, random_state=0
    )  # fmt: skip
    fit_quietly(model, X, y)
    self_made, rate, lowest, waited = [], 0.05, np.inf, 0
    for loss in model.validation_loss_curve_:
        self_made.append(rate)
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited >= 3:
            rate, waited = rate / 5, 0
    np.testing.assert_allclose(model.lr_curve_, self_made)
    assert len(set(model.lr_curve_)) > 1


def test_plateau_watches_the_loss_whatever_stops_training(regression):
    """Scores that rise for ever do not keep the rate up."""
    X, y = regression
    model = MLPRegressor(
        hidden_layer_sizes=(30,), learning_rate="plateau", learning_rate_init=0.1,
        early_stopping=True, n_iter_no_change=4, max_iter=60, random_state=0,
        scoring=ScriptedScorer(range(60))
    )  # fmt: skip
    fit_epochs(model, X[:100], y[:100])
    assert model.lr_curve_[-1] < 0.1


@pytest.mark.parametrize(("solver", "rate"), [("sgd", 0.2), ("adam", 0.5)])
def test_plateau_is_continued_by_partial_fit(diabetes, solver, rate):
    """The lowest loss and the epochs waited go over from call to call: ten calls are ten epochs."""
    X, y = diabetes
    params = {
        "hidden_layer_sizes": (5,), "solver": solver, "learning_rate": "plateau", "shuffle": False,
        "learning_rate_init": rate, "n_iter_no_change": 4, "batch_size": 40, "random_state": 0,
    }  # fmt: skip
    parts = MLPRegressor(**params)
    for _ in range(40):
        parts.partial_fit(X, y)
    waited, lowest, expected = 0, np.inf, []
    for loss in parts.loss_curve_:
        expected.append(rate)
        waited = 0 if loss < lowest else waited + 1
        lowest = min(lowest, loss)
        if waited >= 2:
            rate, waited = rate / 5, 0
    np.testing.assert_allclose(parts.lr_curve_, expected)
    assert len(set(parts.lr_curve_)) > 1
    whole = MLPRegressor(**params, max_iter=40, tol=0.0)
    fit_quietly(whole, X, y)
    assert whole.lr_curve_ == parts.lr_curve_[: whole.n_iter_]
    assert whole.n_iter_ > 5


@pytest.mark.parametrize("name", ["invscaling", "adaptive"])
def test_scikit_learns_schedules_act_on_sgd_alone(cancer, name):
    """With adam they change nothing, and say nothing."""
    X, y = cancer
    params = {"hidden_layer_sizes": (5,), "max_iter": 20, "random_state": 0, "tol": 0.1,
              "n_iter_no_change": 2}  # fmt: skip
    plain = fit_quietly(MLPClassifier(**params), X, y)
    assert_same_bits(plain, fit_quietly(MLPClassifier(**params, learning_rate=name), X, y))
    sgd = fit_quietly(MLPClassifier(**params, learning_rate=name, solver="sgd"), X, y)
    assert min(sgd.lr_curve_) < 0.001
    if name == "invscaling":
        expected = [0.001, *(0.001 / (569 * k + 1) ** 0.5 for k in range(1, sgd.n_iter_))]
        np.testing.assert_allclose(sgd.lr_curve_, expected, rtol=1e-12)


def test_warm_starts_begin_the_schedule_anew(diabetes):
    """lr_curve_ goes on, with the rates of another whole training."""
    model = MLPRegressor(**LINEAR, learning_rate="cosine", max_iter=5, warm_start=True)
    for _ in range(2):
        fit_epochs(model, *diabetes)
    assert len(model.lr_curve_) == 10
    assert model.lr_curve_[:5] == model.lr_curve_[5:]


def test_the_schedule_is_that_of_the_training_rows(diabetes):
    """Rows that are set aside make no steps."""
    model = MLPRegressor(
        **LINEAR, learning_rate="cosine", max_iter=4, early_stopping=True, validation_fraction=0.5,
        batch_size=100
    )  # fmt: skip
    fit_epochs(model, *diabetes)
    np.testing.assert_allclose(model.lr_curve_, all_rates("cosine", 3, 4)[2::3], rtol=1e-12)
