"""Spaces: what a search draws from, under the names that the parameters have in an estimator."""

from sklearn.utils.validation import _num_samples

from skreg.augmentation import Augmented
from skreg.ensemble.members import network_within
from skreg.model_selection.distributions import LayerSizes, Range, suggested
from skreg.tabular.base import Tabular

NAMES = ("light", "cocktail", "architecture")


class SearchSpace(list):
    """Distributions by parameter: dicts, one of which is drawn first, with equal probability.

    It is what `RandomizedSearchCV`, `HalvingRandomSearchCV` and `RegularizationSearchCV` take as
    `param_distributions`.

    Parameters
    ----------
    iterable : iterable of dict
        From names of parameters to lists or distributions.

    See Also
    --------
    skreg.search_space : Spaces that are known to be useful.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from skreg.model_selection import SearchSpace
    >>> rate = {"learning_rate_init": loguniform(1e-4, 1e-2)}
    >>> space = SearchSpace([{**rate, "dropout": [0.0, 0.2]}, {**rate, "mixup": [0.2, 0.4]}])
    >>> space.parameters
    ['learning_rate_init', 'dropout', 'mixup']
    """

    @property
    def parameters(self):
        """Names of all parameters, in their order."""
        return list(dict.fromkeys(name for space in self for name in space))

    def suggest(self, trial):
        """Parameters for `set_params`, from a trial of Optuna.

        Parameters
        ----------
        trial : optuna.Trial
            What draws.

        Returns
        -------
        params : dict
            Values by name.
        """
        which = trial.suggest_int("alternative", 0, len(self) - 1) if len(self) > 1 else 0
        params = {}
        for name, values in self[which].items():
            key = f"{name} ({which})" if len(self) > 1 else name
            if hasattr(values, "suggest"):
                params[name] = values.suggest(trial, key)
            else:
                params[name] = suggested(trial, key, values)
        return params


def search_space(name, estimator, X=None, y=None):
    """Space of hyperparameters, by name.

    Parameters
    ----------
    name : {'light', 'cocktail', 'architecture'}
        'light': the few parameters that matter most by measurement: layers, learning rate, batch
        size, mixup, dropout and weight decay; of a tabular model those that are flat.
        'cocktail': the regularizers that Kadra et al. [1]_ combine, each on or off with its
        strength: batch norm, weight decay, dropout, weight averaging, residual links with
        stochastic depth, and at most one of mixup, cutmix, cutout and adversarial training.
        'architecture': depth, width and shape of the layers, and the learning rate, on which the
        best ones depend.
    estimator : MLPClassifier, MLPRegressor, TabularClassifier, TabularRegressor or Pipeline
        Whose names the parameters bear, such as ``mlpclassifier__dropout``.
    X, y : as `fit` takes them, optional
        Their number of rows bounds batches and layers.

    Returns
    -------
    space : SearchSpace
        A list of dicts, for `param_distributions` of scikit-learn's random searches and of
        :class:`RegularizationSearchCV`; ``space.suggest(trial)`` draws by Optuna.

    Raises
    ------
    ValueError
        For parameters that the estimator does not have.

    References
    ----------
    .. [1] Kadra, Lindauer, Hutter and Grabocka (2021). "Well-tuned simple nets excel on tabular
       datasets". NeurIPS.

    Examples
    --------
    >>> from skreg import MLPClassifier, search_space
    >>> space = search_space("light", MLPClassifier())
    >>> sorted(space[0])[:3]
    ['batch_size', 'dropout', 'hidden_layer_sizes']
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(map(repr, NAMES))}, got {name!r}.")
    n_rows = 10**4 if X is None else _num_samples(X)
    prefix, owner = _place(estimator)
    found = {"light": _light, "cocktail": _cocktail, "architecture": _architecture}[name](n_rows)
    known = owner.get_params(deep=False)
    if name == "light":
        found = [{key: v for key, v in space.items() if key in known} for space in found]
    if missing := [key for space in found for key in space if key not in known]:
        raise ValueError(
            f"{type(owner).__name__} has no {', '.join(dict.fromkeys(missing))}, which "
            f"search_space({name!r}) draws. Give it a network that has them, as "
            f"{type(owner).__name__}(estimator=...), or use 'light'."
        )
    return SearchSpace({prefix + key: value for key, value in space.items()} for space in found)


def _place(estimator):
    """The prefix of a network's parameters, and whose they are."""
    if isinstance(estimator, Tabular):
        inner = estimator.estimator
        return ("", estimator) if inner is None else _prefixed("estimator", inner)
    if hasattr(estimator, "steps"):
        return _prefixed(*estimator.steps[-1])
    if isinstance(estimator, Augmented):
        return _prefixed("estimator", estimator.estimator)
    return "", network_within(estimator)


def _prefixed(name, estimator):
    prefix, owner = _place(estimator)
    return f"{name}__{prefix}", owner


def _batches(n_rows):
    """Sizes with twenty batches an epoch, or with four where there are few rows."""
    most = max(n_rows // 20, min(32, n_rows // 4), 8)
    return [size for size in (8, 16, 32, 64, 128, 256, 512) if most / 16 <= size <= most]


def _widest(n_rows):
    return 512 if n_rows >= 10_000 else 256


def _light(n_rows):
    return [
        {
            "hidden_layer_sizes": LayerSizes((1, 3), (32, _widest(n_rows))),
            "learning_rate_init": Range(3e-4, 1e-2, log=True),
            "batch_size": _batches(n_rows),
            "dropout": Range(0.05, 0.5, off=0.25),
            "weight_decay": Range(1e-2, 3.0, log=True, off=0.5),
            "mixup": Range(0.1, 1.0, off=0.5),
        }
    ]


def _cocktail(n_rows):
    width = 64, _widest(n_rows)
    base = {
        "learning_rate_init": Range(3e-4, 1e-2, log=True),
        "batch_norm": [False, True],
        "dropout": Range(0.05, 0.8, off=0.5),
        "weight_decay": Range(1e-3, 3.0, log=True, off=0.5),
        "weight_averaging": [None, "ema", "swa"],
    }
    links = [  # which need three layers of one width
        {"hidden_layer_sizes": LayerSizes((2, 4), width), "residual": [False]},
        {
            "hidden_layer_sizes": LayerSizes((3, 5), width),
            "residual": [True],
            "stochastic_depth": Range(0.05, 0.5),
        },
    ]
    rows = [
        {},
        {"mixup": Range(0.1, 1.0)},
        {"cutmix": Range(0.1, 1.0)},
        {"cutout": Range(0.05, 0.5)},
        {"adversarial_epsilon": Range(1e-3, 1e-1, log=True)},
    ]
    return [{**base, **link, **row} for link in links for row in rows]


def _architecture(n_rows):
    return [
        {
            "hidden_layer_sizes": LayerSizes((1, 5), (16, 512), ("rectangle", "triangle")),
            "learning_rate_init": Range(3e-4, 1e-2, log=True),
        }
    ]
