"""Models for tables, by name: ours, what the ablation changes of it, and peers.

A model is a function (task, seed, X) that returns an estimator for data frames with numbers,
columns of categories, and missing values; task is "classification" or "regression". Peers are
imported when they are asked for, and have their own defaults, on one thread.
"""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skreg import (
    FoldEnsembleClassifier,
    FoldEnsembleRegressor,
    MLPClassifier,
    MLPRegressor,
    TableEncoder,
    TabularClassifier,
    TabularRegressor,
)

# What Tabular* take up to 10,000 rows.
NETWORK = {
    "hidden_layer_sizes": (96, 96),
    "dropout": 0.15,
    "learning_rate_init": 2e-3,
    "batch_size": 64,
    "max_iter": 200,
}


def of_task(task, classifier, regressor):
    return classifier if task == "classification" else regressor


def tabular(task, seed, X, **params):
    """Ours, without a choice, or with flat parameters."""
    if task == "regression":
        params.pop("label_smoothing", None)
    return of_task(task, TabularClassifier, TabularRegressor)(random_state=seed, **params)


def changed(encoder=None, ensemble=None, **params):
    """Ours with another encoder or ensemble, or other parameters of its networks."""

    def make(task, seed, X):
        network, options = NETWORK | params, {"cv": 8, "random_state": seed, **(ensemble or {})}
        if task == "regression":  # what numbers have no use for
            network.pop("label_smoothing", None)
            options.pop("calibration", None)
            model = FoldEnsembleRegressor(MLPRegressor(standardize_y=True, **network), **options)
        else:
            model = FoldEnsembleClassifier(MLPClassifier(**network), **options)
        return make_pipeline(TableEncoder(**(encoder or {})), model)

    return make


def one_network(task, seed, X):
    """A single one, which sets a fifth of the rows aside to stop."""
    pipeline = changed()(task, seed, X)
    ensemble = pipeline[-1]
    stop = {"early_stopping": True, "validation_fraction": 0.2, "random_state": seed}
    return make_pipeline(pipeline[0], ensemble.estimator.set_params(**stop))


# What the ablation changes, one at a time.
PARTS = {
    "one network": one_network,
    "3 folds": changed(ensemble={"cv": 3}),
    "5 folds": changed(ensemble={"cv": 5}),
    "folds twice": changed(ensemble={"n_repeats": 2}),
    "without the codes": changed({"numeric": "standard"}),
    "robust values instead": changed({"numeric": "robust"}),
    "ranks instead": changed({"numeric": "quantile"}),
    "codes of size 1": changed({"code_scale": 1.0}),
    "8 bins": changed({"n_bins": 8}),
    "32 bins": changed({"n_bins": 32}),
    "no dropout": changed(dropout=0.0),
    "dropout 0.3": changed(dropout=0.3),
    "(64, 64)": changed(hidden_layer_sizes=(64, 64)),
    "(128, 128)": changed(hidden_layer_sizes=(128, 128)),
    "(256, 256)": changed(hidden_layer_sizes=(256, 256)),
    "(96, 96, 96)": changed(hidden_layer_sizes=(96, 96, 96)),
    "rate 0.004": changed(learning_rate_init=4e-3),
    "flat, then cosine, 100 epochs": changed(learning_rate="flat_cosine", max_iter=100),
    "patience 20": changed(n_iter_no_change=20),
    "patience 40": changed(n_iter_no_change=40),
    "batches of 128": changed(batch_size=128),
    "label smoothing 0.1": changed(label_smoothing=0.1),
    "no temperature with it": changed(ensemble={"calibration": None}, label_smoothing=0.1),
    "no temperature": changed(ensemble={"calibration": None}),
    "weight decay 0.1": changed(weight_decay=0.1),
    "batch norm": changed(batch_norm=True),
    "silu": changed(activation="silu"),
    "mixup 0.2": changed(mixup=0.2),
    "averaged weights": changed(weight_averaging="ema", ema_decay=0.99),
}


class Bag(BaseEstimator):
    """A peer on five folds, predictions averaged: the form in which an ensemble is compared."""

    def __init__(self, model, seed):
        self.model, self.seed = model, seed

    def fit(self, X, y):
        is_classifier = hasattr(self.model, "predict_proba")
        splitter = (StratifiedKFold if is_classifier else KFold)(5, shuffle=True)
        splitter.random_state = self.seed
        self.classes_ = np.unique(y)
        self.models_ = []
        for train, _ in splitter.split(X, y):
            codes, target = (
                np.unique(y[train], return_inverse=True) if is_classifier else (0, y[train])
            )
            self.models_.append((clone(self.model).fit(X.iloc[train], target), codes))
        return self

    def predict_proba(self, X):
        p = np.zeros((len(X), len(self.classes_)))
        for model, codes in self.models_:
            p[:, np.searchsorted(self.classes_, codes)] += np.asarray(model.predict_proba(X))
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Numbers; of classes the caller asks for probabilities."""
        return np.mean([np.ravel(model.predict(X)) for model, _ in self.models_], axis=0)


def linear(task, seed, X):
    """Encoded alike."""
    return make_pipeline(TableEncoder(), of_task(task, LogisticRegression(max_iter=2000), Ridge()))


def histgb(task, seed, X):
    kind = of_task(task, HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    return kind(random_state=seed, categorical_features="from_dtype")


def lgbm(task, seed, X):
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = of_task(task, LGBMClassifier, LGBMRegressor)
    return kind(random_state=seed, n_jobs=1, verbose=-1)


def catboost(task, seed, X):
    from catboost import CatBoostClassifier, CatBoostRegressor

    categories = list(X.select_dtypes(["category"]).columns)
    options = {"thread_count": 1, "verbose": 0, "allow_writing_files": False}
    kind = of_task(task, CatBoostClassifier, CatBoostRegressor)
    return kind(random_seed=seed, cat_features=categories, **options)


def _pytabkit(kind, n_folds):
    def make(task, seed, X):
        import pytabkit
        import torch

        torch.set_num_threads(1)
        name = f"{kind}_{of_task(task, 'Classifier', 'Regressor')}"
        options = {"device": "cpu", "n_refit": 0, "verbosity": 0, "n_threads": 1}
        return getattr(pytabkit, name)(random_state=seed, n_cv=n_folds, **options)

    return make


def in_five(peer):
    return lambda task, seed, X: Bag(peer(task, seed, X), seed)


PEERS = {
    "linear": linear,
    "histgb": histgb,
    "lgbm": lgbm,
    "catboost": catboost,
    "histgb5": in_five(histgb),
    "lgbm5": in_five(lgbm),
    "realmlp": _pytabkit("RealMLP_TD", 1),
    "realmlp5": _pytabkit("RealMLP_TD", 5),
    "tabm": _pytabkit("TabM_D", 1),
}
# These take no missing values, or none in categories.
KNOW_NO_MISSING_CATEGORY = ("catboost", "realmlp", "realmlp5", "tabm")
KNOW_NO_MISSING_NUMBER = ("realmlp", "realmlp5", "tabm")


def table_for(name, X):
    """X as a peer takes it."""
    X = X.copy()
    if name in KNOW_NO_MISSING_CATEGORY:
        for column in X.select_dtypes(["category"]).columns:
            known = X[column].astype(object).where(X[column].notna(), "missing")
            X[column] = known.astype("category")
    if name in KNOW_NO_MISSING_NUMBER:
        X = X.fillna(X.median(numeric_only=True))
    return X
