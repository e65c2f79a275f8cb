"""
How good is a network on a raw table?
=====================================

:class:`~skreg.TabularClassifier` takes a table with categories, missing values and skewed amounts
as it is. On this one it is about as good as gradient boosting with the preparation that it needs.
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
from threadpoolctl import threadpool_limits

from skreg import TabularClassifier

# %%
# 1500 orders of a shop, and whether they were sent back, which depends on several columns at once.
rng, n, cities = np.random.default_rng(0), 1500, [f"city {i}" for i in range(40)]
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
worn, unit = frame["kind"].isin(["shoes", "shirts"]), np.log(frame["price"] / frame["items"])
season = np.cos(2 * np.pi * frame["day"] / 365)
habit = pd.Series(rng.normal(0, 0.7, 40), cities)[frame["city"]].to_numpy()
logit = np.where(worn, unit - 3, 1.5 * season) + habit + 1.5 * (frame["age"].isna() & worn)
returned = np.where(rng.random(n) < 1 / (1 + np.exp(-2 * logit)), "returned", "kept")

# %%
# A dot for each of five folds, the same for all, and their mean. Printed: the log loss less that of
# the first model, with the standard error over folds.
numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
prepared = make_column_transformer(
    (numbers, make_column_selector(dtype_include="number")),
    (OneHotEncoder(handle_unknown="ignore"), make_column_selector(dtype_exclude="number")),
)
threadpool_limits(1)  # threads of boosting wait for each other on a busy machine
boosting = HistGradientBoostingClassifier(categorical_features="from_dtype", early_stopping=True)
categories = frame.astype(dict.fromkeys(["kind", "city", "gift"], "category"))
models = {
    "TabularClassifier": (TabularClassifier(random_state=0), frame),
    "gradient boosting": (boosting.set_params(random_state=0), categories),
    "random forest": (make_pipeline(prepared, RandomForestClassifier(random_state=0)), frame),
    "logistic regression": (make_pipeline(prepared, LogisticRegression(max_iter=1000)), frame),
}
losses = [-cross_val_score(m, X, returned, scoring="neg_log_loss") for m, X in models.values()]
for name, more in zip(models, np.subtract(losses, losses[0]), strict=True):
    print(f"{name}: {more.mean():.3f} ± {more.std(ddof=1) / 5**0.5:.3f}")
fig, ax = plt.subplots(figsize=(6.2, 3))
ax.plot(losses, range(len(models)), "o", color="C0", alpha=0.5, mec="none")
ax.plot(np.mean(losses, axis=1), range(len(models)), "|", color="black", ms=18, mew=2)
ax.set(yticks=range(len(models)), yticklabels=models, ylim=(3.5, -0.5), xlabel="log loss")
ax.set_title("Log loss on rows that were not seen, in five folds")

# %%
# Each column is shuffled in turn. ``gift`` is the only one without an effect on what is sent back.
model = TabularClassifier(random_state=0).fit(frame, returned)
result = model.permutation_importances(frame, returned, scoring="neg_log_loss", random_state=0)
order = np.argsort(result.importances_mean)
fig, ax = plt.subplots(figsize=(6.2, 2.5))
ax.barh(frame.columns[order], result.importances_mean[order], xerr=result.importances_std[order])
ax.set(xlabel="rise of the log loss", title="Permutation importances, on rows that were held out")
plt.show()

# %%
# See: :doc:`/tables`, :doc:`/looking`, :class:`~skreg.TabularClassifier`.
