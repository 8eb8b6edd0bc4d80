"""Biased matrix factorisation, trained on all ratings at once: a baseline that is made anew each day.

Foretold is μ + b_u + b_i + p_u · q_i, found by stochastic gradient descent on the squared error with an L2 term on
everything but μ (Koren, Bell, Volinsky, "Matrix factorization techniques for recommender systems", Computer 2009; the
form and the usual numbers of Surprise's SVD).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eddyline_features.kernel import Floats, FloatTable, Ints, kernel

_START = 0.1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is trained."""

    factors: int = 20
    rate: float = 0.005
    """Step of the descent."""
    l2: float = 0.05
    epochs: int = 20

    def as_json(self) -> dict[str, float]:
        """For an answer."""
        return {"factors": self.factors, "rate": self.rate, "l2": self.l2, "epochs": self.epochs}


RECIPES = tuple(
    Recipe(factors, rate, l2, epochs)
    for factors in (20, 50)
    for rate in (0.005, 0.01)
    for l2 in (0.02, 0.05, 0.1)
    for epochs in (20, 40)
)
"""Those that are tried on a warm-up."""


@kernel
def descend(
    users: Ints,
    items: Ints,
    values: Floats,
    epochs: int,
    mean: float,
    user_biases: Floats,
    item_biases: Floats,
    people: FloatTable,
    things: FloatTable,
    rate: float,
    l2: float,
) -> None:
    """So many epochs over the ratings, in their order."""
    factors = people.shape[1]
    n_ratings = users.shape[0]
    for step in range(epochs * n_ratings):
        n = step % n_ratings
        u = users[n]
        i = items[n]
        # Four sums: each addition would wait for the one before it.
        one = 0.0
        two = 0.0
        three = 0.0
        four = 0.0
        for k in range(0, factors - 3, 4):
            one += people[u, k] * things[i, k]
            two += people[u, k + 1] * things[i, k + 1]
            three += people[u, k + 2] * things[i, k + 2]
            four += people[u, k + 3] * things[i, k + 3]
        for k in range(factors - factors % 4, factors):
            one += people[u, k] * things[i, k]
        error = values[n] - (mean + user_biases[u] + item_biases[i] + one + two + three + four)
        user_biases[u] += rate * (error - l2 * user_biases[u])
        item_biases[i] += rate * (error - l2 * item_biases[i])
        for k in range(factors):
            p = people[u, k]
            q = things[i, k]
            people[u, k] += rate * (error * q - l2 * p)
            things[i, k] += rate * (error * p - l2 * q)


class BiasedFactors:
    """Trained once.

    Parameters
    ----------
    users, items, values
        shape (R,): rows and values of the ratings.
    n_users, n_items
        Rows that there are; those without a rating are unknown.
    """

    def __init__(
        self, users: Ints, items: Ints, values: Floats, n_users: int, n_items: int, recipe: Recipe, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        self._mean = float(values.mean()) if len(values) else 0.0
        self._user_biases: Floats = np.zeros(n_users)
        self._item_biases: Floats = np.zeros(n_items)
        self._people: FloatTable = rng.normal(0.0, _START, (n_users, recipe.factors))
        self._things: FloatTable = rng.normal(0.0, _START, (n_items, recipe.factors))
        # Nobody knows who has rated nothing: they are their biases, and these are 0.
        self._people[np.bincount(users, minlength=n_users) == 0] = 0.0
        self._things[np.bincount(items, minlength=n_items) == 0] = 0.0
        order = rng.permutation(len(values))
        descend(
            users[order],
            items[order],
            values[order],
            recipe.epochs,
            self._mean,
            self._user_biases,
            self._item_biases,
            self._people,
            self._things,
            recipe.rate,
            recipe.l2,
        )

    def foretell(self, user: int, item: int) -> float:
        """The value that this person would give; a row beyond those that were trained on is unknown."""
        said = self._mean
        knows_user, knows_item = 0 <= user < len(self._people), 0 <= item < len(self._things)
        if knows_user:
            said += float(self._user_biases[user])
        if knows_item:
            said += float(self._item_biases[item])
        if knows_user and knows_item:
            said += float((self._people[user] * self._things[item]).sum())
        return said


def best_recipe(
    users: Ints, items: Ints, values: Floats, n_users: int, n_items: int, seed: int, *, held_out: float = 0.2
) -> Recipe:
    """The recipe that foretells the newest ratings best when it is trained on those before them."""
    n = int(len(values) * (1.0 - held_out))
    if n < 1 or n == len(values):
        return Recipe()
    errors = []
    for recipe in RECIPES:
        made = BiasedFactors(users[:n], items[:n], values[:n], n_users, n_items, recipe, seed)
        said = [made.foretell(int(u), int(i)) for u, i in zip(users[n:], items[n:], strict=True)]
        errors.append(float(((np.array(said) - values[n:]) ** 2).mean()))
    return RECIPES[int(np.argmin(errors))]
