"""PyTorch agrees: values, gradients and running statistics of one and of several steps."""

import numpy as np
import pytest
from conftest import fit_epochs
from reference import initial_parameters

from skreg import MLPClassifier, MLPRegressor
from skreg.training.schedules import SCHEDULES

torch = pytest.importorskip("torch")

ACTIVATIONS = {
    "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid,
    "leaky_relu": torch.nn.LeakyReLU, "elu": torch.nn.ELU, "selu": torch.nn.SELU,
    "gelu": torch.nn.GELU, "silu": torch.nn.SiLU, "mish": torch.nn.Mish,
    "softplus": torch.nn.Softplus,
}  # fmt: skip


def torch_network(sizes, activation, batch_norm):
    """The same network, in double precision, with the same initial parameters."""
    coefs, intercepts = initial_parameters(sizes, activation, 0, batch_norm)
    layers = []
    for k, (W, b) in enumerate(zip(coefs, intercepts, strict=True)):
        hidden = k < len(coefs) - 1
        dense = torch.nn.Linear(*W.shape, bias=not (hidden and batch_norm)).double()
        dense.weight.data = torch.tensor(W.T)
        if dense.bias is not None:
            dense.bias.data = torch.tensor(b)
        layers.append(dense)
        if hidden and batch_norm:
            layers.append(torch.nn.BatchNorm1d(W.shape[1]).double())
        if hidden:
            layers.append(
                ACTIVATIONS[activation if isinstance(activation, str) else activation[k]]()
            )
    return torch.nn.Sequential(*layers)


def train(network, loss, X, Y, n_steps, *, optimizer=None, clip_norm=None, **sgd):
    """Full-batch steps, of SGD unless an optimizer is given; returns the losses before each."""
    optimizer, losses = optimizer or torch.optim.SGD(network.parameters(), **sgd), []
    network.train()
    for _ in range(n_steps):
        optimizer.zero_grad()
        value = loss(network(torch.tensor(X)), torch.tensor(Y))
        value.backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), clip_norm)
        optimizer.step()
        losses.append(value.item())
    network.eval()
    return losses


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch norm"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("n_steps", [1, 20])
def test_classifier(wine, n_steps, activation, batch_norm):
    """Softmax and log loss; predictions use the running statistics after partial_fit."""
    X, y = wine
    network = torch_network([13, 8, 6, 3], activation, batch_norm)
    losses = train(network, torch.nn.CrossEntropyLoss(), X, y, n_steps, lr=0.1)
    model = MLPClassifier(
        (8, 6), activation, solver="sgd", momentum=0.0, learning_rate_init=0.1, alpha=0.0,
        random_state=0, batch_norm=batch_norm, batch_size=len(y)
    )  # fmt: skip
    for _ in range(n_steps):
        model.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-9)
    with torch.no_grad():
        proba = torch.softmax(network(torch.tensor(X)), dim=1).numpy()
    np.testing.assert_allclose(model.predict_proba(X), proba, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("nesterov", [False, True])
def test_regressor_with_momentum(diabetes, nesterov):
    """Half the squared error, and momentum as PyTorch's with a constant rate."""
    X, y = diabetes
    network = torch_network([10, 6, 1], "tanh", True)
    sgd = {"lr": 0.05, "momentum": 0.9, "nesterov": nesterov}
    half = torch.nn.MSELoss()
    losses = train(network, lambda z, t: 0.5 * half(z[:, 0], t), X, y, 15, **sgd)
    model = MLPRegressor(
        "squared_error", (6,), "tanh", solver="sgd", learning_rate_init=0.05, alpha=0.0,
        nesterovs_momentum=nesterov, random_state=0, batch_norm=True, batch_size=len(y)
    )  # fmt: skip
    for _ in range(15):
        model.partial_fit(X, y)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-8)
    with torch.no_grad():
        expected = network(torch.tensor(X)).numpy()[:, 0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-7, atol=1e-10)


def predictions(network, X):
    """Raw outputs as an array."""
    with torch.no_grad():
        return network(torch.tensor(X)).numpy()


def steps(model, X, y, n_steps, **fit_params):
    """Full-batch steps of an estimator."""
    model.set_params(batch_size=len(y), alpha=0.0, random_state=0)
    for _ in range(n_steps):
        model.partial_fit(X, y, **fit_params)
    return model


def test_an_activation_for_each_layer(wine):
    """The first is the first hidden layer's."""
    X, y = wine
    names = ["gelu", "tanh", "mish"]
    network = torch_network([13, 8, 7, 6, 3], names, False)
    train(network, torch.nn.CrossEntropyLoss(), X, y, 10, lr=0.1)
    model = MLPClassifier((8, 7, 6), names, solver="sgd", momentum=0.0, learning_rate_init=0.1)
    steps(model, X, y, 10, classes=[0, 1, 2])
    proba = torch.softmax(torch.tensor(predictions(network, X)), dim=1)
    np.testing.assert_allclose(model.predict_proba(X), proba.numpy(), rtol=1e-8)


def test_weight_decay_is_that_of_adamw(diabetes):
    """Decoupled, following the rate; here for weights and not for biases."""
    X, y = diabetes
    network = torch_network([10, 6, 1], "tanh", False)
    weights = [layer.weight for layer in network if hasattr(layer, "weight")]
    biases = [layer.bias for layer in network if hasattr(layer, "bias")]
    groups = [{"params": weights, "weight_decay": 0.5}, {"params": biases, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=0.02, eps=1e-16)
    half = torch.nn.MSELoss()
    train(network, lambda z, t: 0.5 * half(z[:, 0], t), X, y, 40, optimizer=adamw)
    model = MLPRegressor(
        "squared_error", (6,), "tanh", learning_rate_init=0.02, weight_decay=0.5, epsilon=1e-16
    )
    steps(model, X, y, 40)
    np.testing.assert_allclose(model.predict(X), predictions(network, X)[:, 0], rtol=1e-6)


@pytest.mark.parametrize("clip_norm", [0.02, 0.2])
def test_clip_norm_is_that_of_clip_grad_norm(wine, clip_norm):
    """Over all parameters together, biases and batch-norm parameters included."""
    X, y = wine
    network = torch_network([13, 8, 3], "relu", True)
    losses = train(
        network, torch.nn.CrossEntropyLoss(), X, y, 20, clip_norm=clip_norm, lr=0.5, momentum=0.9
    )
    model = MLPClassifier(
        (8,), solver="sgd", nesterovs_momentum=False, learning_rate_init=0.5, batch_norm=True,
        clip_norm=clip_norm
    )  # fmt: skip
    steps(model, X, y, 20, classes=[0, 1, 2])
    # PyTorch divides by the norm plus 1e-6.
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=2e-3)
    free = steps(model.set_params(clip_norm=None), X, y, 1)
    assert abs(free.loss_curve_[-1] / losses[-1] - 1) > 2e-3


def test_label_smoothing_is_that_of_the_cross_entropy(wine):
    """The gradients are those of smoothed labels; the losses reported those of hard ones."""
    X, y = wine
    network, hard = torch_network([13, 8, 3], "relu", False), []

    def loss(z, t):
        hard.append(torch.nn.functional.cross_entropy(z, t).item())
        return torch.nn.functional.cross_entropy(z, t, label_smoothing=0.2)

    train(network, loss, X, y, 30, lr=0.2)
    model = MLPClassifier(
        (8,), solver="sgd", momentum=0.0, learning_rate_init=0.2, label_smoothing=0.2
    )
    steps(model, X, y, 30, classes=[0, 1, 2])
    np.testing.assert_allclose(model.loss_curve_, hard, rtol=1e-9)
    proba = torch.softmax(torch.tensor(predictions(network, X)), dim=1)
    np.testing.assert_allclose(model.predict_proba(X), proba.numpy(), rtol=1e-8)


@pytest.mark.parametrize("data", ["cancer", "multilabel"])
def test_label_smoothing_of_logistic_outputs(request, data):
    """Two classes each: towards 1 - e / 2 and e / 2, summed over the labels."""
    X, y = request.getfixturevalue(data)
    Y = y.reshape(len(y), -1).astype(float)
    network = torch_network([X.shape[1], 8, Y.shape[1]], "relu", False)

    def loss(z, t):
        bce = torch.nn.functional.binary_cross_entropy_with_logits
        return bce(z, t * 0.8 + 0.1, reduction="sum") / len(t)

    train(network, loss, X, Y, 20, lr=0.2)
    model = MLPClassifier(
        (8,), solver="sgd", momentum=0.0, learning_rate_init=0.2, label_smoothing=0.2
    )
    classes = [0, 1] if Y.shape[1] == 1 else list(range(Y.shape[1]))
    steps(model, X, y, 20, classes=classes)
    proba = torch.sigmoid(torch.tensor(predictions(network, X))).numpy()
    np.testing.assert_allclose(model.predict_proba(X)[:, -Y.shape[1] :], proba, rtol=1e-8)


@pytest.mark.parametrize("loss", ["absolute_error", "huber"])
def test_robust_losses(diabetes, loss):
    """Values, and through the steps their gradients."""
    X, y = diabetes
    network = torch_network([10, 6, 1], "tanh", False)
    theirs = torch.nn.L1Loss() if loss == "absolute_error" else torch.nn.HuberLoss(delta=0.4)
    losses = train(network, lambda z, t: theirs(z[:, 0], t), X, y, 20, lr=0.3)
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.3}
    params |= {"delta": 0.4} if loss == "huber" else {}
    model = MLPRegressor(loss, (6,), "tanh", **params)
    steps(model, X, y, 20)
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=1e-9)
    np.testing.assert_allclose(model.predict(X), predictions(network, X)[:, 0], rtol=1e-7)


def torch_rates(make, n_steps, rate=0.3):
    """The rates of the first steps of a scheduler."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler, rates = make(optimizer), []
    for _ in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def test_cosine_is_cosine_annealing(diabetes):
    """One full batch an epoch, so that lr_curve_ shows every step."""
    X, y = diabetes
    model = MLPRegressor(
        hidden_layer_sizes=(), learning_rate="cosine", learning_rate_init=0.3, max_iter=25,
        batch_size=len(y), n_iter_no_change=np.inf, random_state=0
    )  # fmt: skip
    fit_epochs(model, X, y)
    rates = torch_rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 25), 25)
    np.testing.assert_allclose(model.lr_curve_, rates, rtol=1e-9)


def test_one_cycle_is_pytorchs_curve():
    """The same rates at the same share of each phase; PyTorch's phases begin one step earlier."""
    n = 40
    rates = torch_rates(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.3, total_steps=n), n - 1)
    schedule = SCHEDULES["one_cycle"](0.3)
    top = 0.3 * n - 1
    for k, rate in enumerate(rates):
        share = 0.3 * k / top if k <= top else 0.3 + 0.7 * (k - top) / (n - 1 - top)
        assert 0.3 * schedule.factor(share) == pytest.approx(rate, rel=1e-9)
    assert max(rates) == pytest.approx(0.3)


@pytest.mark.parametrize("batch_norm", [False, True], ids=["layer norm", "batch norm"])
def test_links_and_norms_under_adam(diabetes, batch_norm):
    """A deep network with links after the norm, before the activation, in 20 steps."""
    X, y = diabetes
    coefs, intercepts = initial_parameters([10, 6, 6, 6, 6, 6, 1], "tanh", 0, batch_norm)
    dense = [torch.nn.Linear(*W.shape).double() for W in coefs]
    for layer, W, b in zip(dense, coefs, intercepts, strict=True):
        layer.weight.data, layer.bias.data = torch.tensor(W.T), torch.tensor(b)
    make = torch.nn.BatchNorm1d if batch_norm else torch.nn.LayerNorm
    norms = [make(6).double() for _ in range(5)]

    class Residual(torch.nn.Module):
        """Links into the third and the fifth hidden layer."""

        def __init__(self):
            super().__init__()
            self.dense, self.norms = torch.nn.ModuleList(dense), torch.nn.ModuleList(norms)

        def forward(self, x):
            outputs = []
            for i in range(5):
                x = self.norms[i](self.dense[i](x))
                outputs.append(x := torch.tanh(x + outputs[i - 2] if i in (2, 4) else x))
            return self.dense[5](x)

    network, half = Residual(), torch.nn.MSELoss()
    adam = torch.optim.Adam(network.parameters(), lr=0.01, eps=1e-16)
    if batch_norm:  # no gradient but rounding, which Adam would blow up
        adam = torch.optim.SGD(network.parameters(), lr=0.05)
    train(network, lambda z, t: 0.5 * half(z[:, 0], t), X, y, 20, optimizer=adam)
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.05}
    params = params if batch_norm else {"learning_rate_init": 0.01, "epsilon": 1e-16}
    model = MLPRegressor(
        "squared_error", (6,) * 5, "tanh", residual=True, layer_norm=not batch_norm,
        batch_norm=batch_norm, **params
    )  # fmt: skip
    steps(model, X, y, 20)
    expected = predictions(network, X)[:, 0]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6, atol=1e-8)
    if not batch_norm:
        for ours, theirs in zip(model.coefs_, dense, strict=True):
            np.testing.assert_allclose(ours.T, theirs.weight.detach(), rtol=1e-6, atol=1e-8)
