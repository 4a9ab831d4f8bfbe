"""What the models of a figure have in common, in words: it is said below every figure.

The words are those that are declared beside each hyperparameter, so that a new one is said as
soon as it differs from its default.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from trainables.declaration import as_text
from trainables.hyperparameters import DECLARED, Hyperparameters, default
from trainables.manifest import Manifest

_MOST = 4  # values that are listed; of more the least and the greatest are said


class Models(NamedTuple):
    """Configurations and the names of the hyperparameters that were swept to make them."""

    configurations: Sequence[Hyperparameters]
    swept: Collection[str] = ()


def models_of(manifest: Manifest) -> Models:
    """The models that a sweep promised."""
    return Models(
        [trial.hyperparameters for trial in manifest.configurations],
        [axis.field for axis in manifest.axes],
    )


def setting(models: Models) -> str:
    """`all models: iris, 500 epochs, hidden 32, batch 16, learning rate 0.01`, and no defaults.

    A swept hyperparameter is left out: the figure shows it. One that differs without having been
    swept is said with all of its values.
    """
    return _line(_said(models))


def settings(compared: Mapping[str, Models]) -> tuple[str, dict[str, dict[str, str]]]:
    """What all of the sweeps `compared`, by label, share, and what each has for itself, by field.

    Where they differ, the default of a number is said too. What is shared may be empty.
    """
    values = [_values(models) for models in compared.values()]
    differing = {
        name for name in DECLARED if len({tuple(each[name]) for each in values if name in each}) > 1
    }
    said = {label: _said(models, differing) for label, models in compared.items()}
    shared = {
        name: text
        for one in list(said.values())[:1]
        for name, text in one.items()
        if all(other.get(name) == text for other in said.values())
    }
    own = {
        label: {name: text for name, text in one.items() if name not in shared}
        for label, one in said.items()
    }
    return _line(shared) if shared else "", own


def _line(said: Mapping[str, str]) -> str:
    return f"all models: {', '.join(said.values())}"


def _said(models: Models, also: Collection[str] = ()) -> dict[str, str]:
    """The words on each field that a reader must know; of those in `also`, the default too."""
    values = _values(models)
    # First what is always said: the fields' order turned round is data and network, then training.
    always = [name for name in reversed(list(DECLARED)) if DECLARED[name].always and name in values]
    other = [
        name
        for name, each in values.items()
        if name not in always and (name in also or each != [default(name)])
    ]
    texts = {name: _words(name, values[name]) for name in (*always, *other)}
    return {name: text for name, text in texts.items() if text}


def _values(models: Models) -> dict[str, list[Any]]:
    """The different values of each field that was not swept."""
    return {
        name: sorted({getattr(one, name) for one in models.configurations})
        for name in DECLARED
        if name not in models.swept
    }


def _words(name: str, values: Sequence[Any]) -> str:
    """The words on these values of a field; none for a switch at its default."""
    caption = DECLARED[name].caption
    if isinstance(values[0], bool):
        if len(values) > 1:
            return f"{caption} in some"
        return "" if values[0] == default(name) else caption
    texts = [as_text(value) for value in values]
    if len(texts) > _MOST:
        return caption.format(f"{texts[0]} to {texts[-1]}")
    return caption.format(" or ".join(texts))
