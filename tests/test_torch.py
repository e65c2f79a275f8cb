"""PyTorch agrees: values, gradients and running statistics of one and of several steps."""

import numpy as np
import pytest
from reference import initial_parameters

from skreg import MLPClassifier, MLPRegressor

torch = pytest.importorskip("torch")

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "logistic": torch.nn.Sigmoid}


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
            layers.append(ACTIVATIONS[activation]())
    return torch.nn.Sequential(*layers)


def train(network, loss, X, Y, n_steps, **sgd):
    """Full-batch steps; returns the losses before each."""
    optimizer, losses = torch.optim.SGD(network.parameters(), **sgd), []
    network.train()
    for _ in range(n_steps):
        optimizer.zero_grad()
        value = loss(network(torch.tensor(X)), torch.tensor(Y))
        value.backward()
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
