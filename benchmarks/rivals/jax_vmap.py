"""Stacked models in JAX: vmap over models, scan over epochs and steps, compiled once as a whole.

Train and test accuracy and loss of every epoch come out. Dropout draws are JAX's, 16 bits each, an
epoch at a time. Shape letters as in `host_inputs`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from host_inputs import Inputs, prepare
from jobs import Model, serve
from trainables import data

Parameters = dict[str, Array]


def _scores(parameters: Parameters, x: Array, kept: Array | None) -> Array:
    """Class scores (B, C) of one model; `kept` (B, H): 0, or what survivors are scaled by."""
    hidden = jax.nn.relu(x @ parameters["w0"] + parameters["b0"])
    if kept is not None:
        hidden = hidden * kept
    return hidden @ parameters["w1"] + parameters["b1"]


def _loss(parameters: Parameters, x: Array, y: Array, kept: Array | None) -> Array:
    """Mean cross-entropy of rows with one-hot classes `y` (B, C)."""
    return -(jax.nn.log_softmax(_scores(parameters, x, kept)) * y).sum(axis=1).mean()


def _evaluate(parameters: Parameters, x: Array, y: Array) -> tuple[Array, Array]:
    scores = _scores(parameters, x, None)
    accuracy = (scores.argmax(axis=1) == y.argmax(axis=1)).mean()
    return accuracy, -(jax.nn.log_softmax(scores) * y).sum(axis=1).mean()


def _train_one(
    parameters: Parameters,
    settings: dict[str, Array],
    key: Array,
    seed: Array,
    rows: dict[str, Array],
    drops: bool,
) -> dict[str, Array]:
    """One model's curves (E,) by name."""
    x_train, y_train = rows["x_train"][seed], rows["y_train"][seed]
    x_test, y_test = rows["x_test"][seed], rows["y_test"][seed]
    lr, l2, dropout = settings["lr"], settings["l2"], settings["dropout"]
    units = parameters["b0"].shape[0]

    def step(
        parameters: Parameters, batch: tuple[Array, Array, Array | None]
    ) -> tuple[Parameters, None]:
        gradients = jax.grad(_loss)(parameters, *batch)
        return jax.tree.map(lambda w, g: w - lr * (g + l2 * w), parameters, gradients), None

    def epoch(
        carried: tuple[Parameters, Array], order_TB: Array
    ) -> tuple[tuple[Parameters, Array], dict[str, Array]]:
        parameters, key = carried
        kept = None
        if drops:
            key, now = jax.random.split(key)
            bits = jax.random.bits(now, (*order_TB.shape, units), jnp.uint16)
            kept = jnp.where(bits >= dropout * 65536, 1 / (1 - dropout), 0.0)
        parameters, _ = lax.scan(step, parameters, (x_train[order_TB], y_train[order_TB], kept))
        train_accuracy, train_loss = _evaluate(parameters, x_train, y_train)
        test_accuracy, test_loss = _evaluate(parameters, x_test, y_test)
        return (parameters, key), {
            "train/accuracy": train_accuracy,
            "train/loss": train_loss,
            "test/accuracy": test_accuracy,
            "test/loss": test_loss,
        }

    curves: dict[str, Array] = lax.scan(epoch, (parameters, key), rows["orders"][seed])[1]
    return curves


@partial(jax.jit, static_argnames="drops")
def _train_all(
    parameters: Parameters,
    settings: dict[str, Array],
    keys: Array,
    seed_of_M: Array,
    rows: dict[str, Array],
    drops: bool,
) -> dict[str, Array]:
    one = partial(_train_one, rows=rows, drops=drops)
    curves: dict[str, Array] = jax.vmap(one)(parameters, settings, keys, seed_of_M)
    return curves


def train(models: Sequence[Model], dataset: data.Dataset) -> list[float]:
    """Trains the models; their last test accuracies (M,)."""
    inputs: Inputs = prepare(models, dataset)
    one_hot = np.eye(len(dataset.class_names), dtype=np.float32)
    curves = _train_all(
        {name: jnp.asarray(values) for name, values in inputs.parameters.items()},
        {name: jnp.asarray(getattr(inputs, name)) for name in ("lr", "l2", "dropout")},
        jax.random.split(jax.random.key(0), len(models)),
        jnp.asarray(inputs.seed_of_M),
        {
            "x_train": jnp.asarray(inputs.x_train),
            "y_train": jnp.asarray(one_hot[inputs.y_train]),
            "x_test": jnp.asarray(inputs.x_test),
            "y_test": jnp.asarray(one_hot[inputs.y_test]),
            "orders": jnp.asarray(inputs.orders),
        },
        drops=bool(inputs.dropout.any()),
    )
    found = {name: np.asarray(values) for name, values in curves.items()}  # waits until done
    return [float(value) for value in found["test/accuracy"][:, -1]]


if __name__ == "__main__":
    serve(train, forget=jax.clear_caches)
