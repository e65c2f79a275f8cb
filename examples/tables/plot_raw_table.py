"""
How far does a raw table go without any preparation?
====================================================

Categories, missing values and skewed amounts are what tables are made of.
:class:`~skreg.TabularClassifier` takes them as they are. Beside it are models of scikit-learn, with
the preparation that they need. :doc:`/tables` has the details.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skreg import TabularClassifier

# %%
# 1500 orders of a shop, and whether they were sent back. Prices are skewed, a third of the ages is
# missing, there are 40 cities, and what is sent back depends on several columns at once.
rng, n = np.random.default_rng(0), 1500
cities = np.array([f"city {i}" for i in range(40)])
frame = pd.DataFrame(
    {
        "price": np.exp(rng.normal(4, 1, n)).round(2),
        "items": rng.poisson(2, n) + 1,
        "age": np.where(rng.random(n) < 0.33, np.nan, rng.integers(18, 90, n)),
        "day": rng.integers(1, 366, n),
        "kind": rng.choice(["shoes", "shirts", "toys", "books"], n),
        "city": rng.choice(cities, n, p=rng.dirichlet(np.ones(40))),
        "gift": rng.choice(["yes", "no"], n, p=[0.2, 0.8]),
    }
)
worn = frame["kind"].isin(["shoes", "shirts"])
unit = np.log(frame["price"] / frame["items"])
season = np.cos(2 * np.pi * frame["day"] / 365)
habit = pd.Series(rng.normal(0, 0.7, 40), cities)[frame["city"]].to_numpy()
logit = np.where(worn, unit - 3, 1.5 * season) + habit + 1.5 * (frame["age"].isna() & worn)
returned = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * logit)), "returned", "kept")

# %%
# Log loss on the rows that a model has not seen, in five folds: one dot a fold. The tabular model
# is level with boosting, and ahead of the two others.
numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
prepared = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
)
boosting = HistGradientBoostingClassifier(random_state=0, early_stopping=True)
categories = frame.astype(dict.fromkeys(["kind", "city", "gift"], "category"))
models = {
    "TabularClassifier": (TabularClassifier(random_state=0), frame),
    "gradient boosting": (boosting.set_params(categorical_features="from_dtype"), categories),
    "random forest": (make_pipeline(prepared, RandomForestClassifier(random_state=0)), frame),
    "logistic regression": (make_pipeline(prepared, LogisticRegression(max_iter=1000)), frame),
}
losses = [-cross_val_score(m, X, returned, scoring="neg_log_loss") for m, X in models.values()]
fig, ax = plt.subplots(figsize=(7.2, 2.5))
ax.plot(losses, range(len(models)), "o", color="C0", alpha=0.5, mec="none")
ax.plot(np.mean(losses, axis=1), range(len(models)), "|", color="black", ms=18, mew=2)
ax.set(yticks=range(len(models)), yticklabels=models, ylim=(3.5, -0.5), xlabel="log loss")
ax.set_title("Rows that were not seen, in five folds, and their mean")

# %%
# What does it rest on? Each column is shuffled in turn, and the rise of the log loss is what it was
# worth. Whether it was a gift is the one that has nothing to do with what is sent back.
model = TabularClassifier(random_state=0).fit(frame, returned)
result = model.permutation_importances(frame, returned, scoring="neg_log_loss", random_state=0)
order = np.argsort(result.importances_mean)
fig, ax = plt.subplots(figsize=(7.2, 2.5))
ax.barh(frame.columns[order], result.importances_mean[order], xerr=result.importances_std[order])
ax.set(xlabel="rise of the log loss", title="What each column is worth, on rows that were held out")
plt.show()
