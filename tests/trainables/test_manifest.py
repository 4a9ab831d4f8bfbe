"""`sweep.json`: what is written is read, of every version up to this one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from support.made_up_results import made_up
from sweeps import elastic_net
from trainables.manifest import Manifest, NewerFormat, checked_manifest
from trainables.record_format import VERSION


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return made_up(elastic_net.SWEEP, "--num-samples", "3", "--seeds", "2", "--epochs", "20")[0]


def changed(manifest: Manifest, **changes: Any) -> str:
    return json.dumps(json.loads(manifest.to_json()) | changes)


def test_what_is_written_is_read(manifest: Manifest) -> None:
    text = manifest.to_json()
    again = Manifest.from_json(text)
    assert again.to_json() == text
    for name in ("trials", "axes", "summary_epochs", "baseline_trial", "promise"):
        assert getattr(again, name) == getattr(manifest, name)


def test_a_newer_format_is_refused_with_both_versions() -> None:
    with pytest.raises(NewerFormat) as refused:
        # Whatever else is in it: nothing of a newer format is known but where its version stands.
        Manifest.from_json(json.dumps({"version": VERSION + 1, "unheard_of": []}))
    (line,) = str(refused.value).splitlines()
    assert f"record format {VERSION + 1}" in line
    assert f"up to {VERSION}" in line
    assert "upgrade" in line


def test_what_a_later_program_adds_is_passed_over(manifest: Manifest) -> None:
    axes = [axis | {"unit": "none"} for axis in json.loads(manifest.to_json())["axes"]]
    later = Manifest.from_json(changed(manifest, added="later", axes=axes))
    assert later == Manifest.from_json(manifest.to_json())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"version": None}, "needs a version"),
        ({"version": "1"}, "needs a version"),
        ({"version": 0}, "needs a version"),
        ({"axes": [{"field": "l2"}]}, "lacks the fields decimals, high, label, log, low"),
        ({"trials": []}, "not within 0 epochs"),
        ({"trials": [{"name": "l2=0"}]}, "does not fit record format 1"),
        ({"summary_epochs": [10, 21]}, "not within 20 epochs"),
        ({"summary_epochs": [10, 10]}, "not within 20 epochs"),
        ({"baseline": "0" * 16}, "a baseline that is none of its trials"),
    ],
)
def test_what_is_no_manifest_is_refused(
    manifest: Manifest, change: dict[str, object], text: str
) -> None:
    with pytest.raises(ValueError, match=text) as refused:
        Manifest.from_json(changed(manifest, **change))
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize("text", ["", "[1]", '{"version": 1'])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not JSON|needs a version"):
        Manifest.from_json(text)


def test_a_lacking_field_is_named(manifest: Manifest) -> None:
    values = json.loads(manifest.to_json())
    del values["baseline"]
    with pytest.raises(ValueError, match="Manifest lacks the fields baseline"):
        Manifest.from_json(json.dumps(values))


def test_bytes_are_those_that_were_written(manifest: Manifest) -> None:
    content = manifest.to_json().encode()
    tags = {"manifest.sha256": hashlib.sha256(content).hexdigest()}
    assert checked_manifest(content, tags) == checked_manifest(content, {})
    with pytest.raises(ValueError, match="is not the one that the sweep wrote"):
        checked_manifest(content.replace(b"20", b"21"), tags)
