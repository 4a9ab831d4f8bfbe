"""`sweeps/seeds.py`: which configurations and seeds, and every combination that cannot be."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.made_up_results import made_up
from sweeps import elastic_net, l2
from sweeps.plan.command import Plan, SourceSweep
from sweeps.plan.errors import Refused
from sweeps.plan.new_manifest import make_manifest
from sweeps.plan.options import given
from sweeps.plan.own_axes import decimals
from sweeps.plan.ranking import best_of
from sweeps.plan.seeds_options import SeedsOptions, parse_seeds
from sweeps.plan.sweep import Sweep
from sweeps.seeds import DECLARED_SWEEPS, SeedsSweep
from trainables.hyperparameters import SOURCES, Hyperparameters
from trainables.manifest import Manifest
from trainables.result import Interval
from trainables.trial import Trial

RUN = "a" * 32


def _command(*flags: str) -> SeedsSweep:
    return SeedsSweep(parse_seeds("", flags), given(flags, SeedsOptions))


def _plan(*flags: str, source: SourceSweep | None = None) -> Plan:
    command = _command(*flags)
    assert command.problems() == []
    return command.plan(source)


def _names(plan: Plan) -> list[str]:
    return [trial.name for trial in plan.trials]


def test_without_values_it_is_the_usual_network_a_hundred_times() -> None:
    (trial,) = _plan().trials
    assert trial.hyperparameters == Hyperparameters(split="random")
    assert trial.seeds == tuple(range(100))
    assert trial.vary == SOURCES


@pytest.mark.parametrize("sweep", DECLARED_SWEEPS, ids=lambda sweep: sweep.name)
def test_values_of_what_a_sweep_varies_have_its_epochs_rate_split_and_summary(
    sweep: Sweep,
) -> None:
    declared, _ = made_up(sweep, "--seeds", "3")
    flags: list[str] = []
    for axis in sweep.axes:
        values = dict.fromkeys([axis.baseline, *axis.lesson])  # the first is the baseline
        flags += [f"--{axis.name.replace('_', '-')}", *map(str, values)]
    manifest = make_manifest(*_plan(*flags, "--seeds", "3"))
    own = {trial.hyperparameters for trial in declared.trials}
    assert {trial.hyperparameters for trial in manifest.trials} == own
    assert manifest.summary_epochs == declared.summary_epochs
    assert manifest.baseline_trial.hyperparameters == declared.baseline_trial.hyperparameters


def test_what_is_stated_goes_before_what_the_sweep_of_that_question_has() -> None:
    (trial,) = _plan("--batch-size", "32").trials
    assert (trial.hyperparameters.lr, trial.name) == (0.001, "batch_size=32")
    (trial,) = _plan("--batch-size", "32", "--lr", "0.1").trials
    assert (trial.hyperparameters.lr, trial.name) == (0.1, "lr=0.1 batch_size=32")
    plan = _plan("--l2", "0", "1", "--epochs", "200", "--summary", "0.5", "1", "--dropout", "0.1")
    assert {trial.hyperparameters.epochs for trial in plan.trials} == {200}
    assert make_manifest(*plan).summary_epochs == range(100, 200)
    short = _plan("--l2", "0", "1", "--epochs", "200")
    assert make_manifest(*short).summary_epochs == range(100, 190)
    no_sweep = _plan("--l2", "0", "1", "--dropout", "0", "0.1")
    assert make_manifest(*no_sweep).summary_epochs == range(450, 500)


def test_values_are_named_exactly_and_the_first_is_the_baseline() -> None:
    plan = _plan("--l2", "0.01", "0", "1e-5", "--seeds", "3", "--first-seed", "7")
    assert _names(plan) == ["l2=0.01000", "l2=0.00000", "l2=0.00001"]
    assert [trial.hyperparameters.l2 for trial in plan.trials] == [0.01, 0, 1e-5]
    assert {trial.seeds for trial in plan.trials} == {(7, 8, 9)}
    manifest = make_manifest(*plan)
    assert manifest.baseline_trial.name == "l2=0.01000"
    assert [axis.field for axis in manifest.axes] == ["l2"]
    assert Manifest.from_json(manifest.to_json()) == replace(
        manifest, options=json.loads(json.dumps(manifest.options))
    )


@pytest.mark.parametrize(
    "values", [("0.1", "0.10000001", "0.1001"), ("1", "10"), ("0.3333333333", "0.5"), ("2e-9", "0")]
)
def test_a_name_is_its_value_whatever_the_digits(values: tuple[str, ...]) -> None:
    found = [float(name.split("=")[1]) for name in _names(_plan("--l2", *values))]
    assert found == list(map(float, values))


@pytest.mark.parametrize(
    ("value", "count"), [(0.0, 0), (1, 0), (10, 0), (1e-7, 7), (0.25, 2), (120.5, 1), (1e9, 0)]
)
def test_decimals_are_those_that_the_value_needs(value: float, count: int) -> None:
    assert decimals(value) == count
    assert float(f"{value:.{count}f}") == value


def test_several_flags_give_all_combinations_and_the_others_are_as_given() -> None:
    plan = _plan("--dropout", "0", "0.5", "--batch-size", "16", "4", "--l1", "0.001", "--epochs=7")
    assert _names(plan) == [
        "dropout=0.0 batch_size=16",
        "dropout=0.0 batch_size=4",
        "dropout=0.5 batch_size=16",
        "dropout=0.5 batch_size=4",
    ]
    assert {(t.hyperparameters.l1, t.hyperparameters.epochs) for t in plan.trials} == {(0.001, 7)}
    axes = {axis.field: axis for axis in make_manifest(*plan).axes}
    assert list(axes) == ["dropout", "batch_size"]
    assert (axes["batch_size"].low, axes["batch_size"].high) == (4, 16)


def test_one_value_at_a_time_keeps_the_first_of_all_others() -> None:
    plan = _plan("--dropout", "0", "0.5", "--l2", "0.1", "0", "1", "--one-at-a-time", "--noise=0.2")
    assert _names(plan) == [
        "dropout=0.0 l2=0.1",
        "dropout=0.5 l2=0.1",
        "dropout=0.0 l2=0.0",
        "dropout=0.0 l2=1.0",
    ]
    assert {trial.hyperparameters.noise for trial in plan.trials} == {0.2}
    assert make_manifest(*plan).baseline_trial.name == "dropout=0.0 l2=0.1"
    assert len(set(_names(_plan("--dropout", "0", "0.5", "--one-at-a-time")))) == 2


def test_one_value_at_a_time_is_refused_where_a_sweep_says_which() -> None:
    (line,) = _command("--from", RUN, "--one-at-a-time").problems()
    assert line.startswith("--one-at-a-time cannot be used with --from")


def test_one_configuration_has_the_given_values_for_its_axes() -> None:
    assert _names(_plan("--l2", "0.5", "--lr", "0.01")) == ["l2=0.5 lr=0.01"]
    assert _names(_plan()) == ["dropout=0 l1=0 l2=0 lr=0.005 batch_size=16"]


def test_sources_are_named_in_any_order_with_commas_or_spaces() -> None:
    expected = ("init", "dropout")
    for words in (["dropout,init"], ["init", "dropout"], ["dropout,", "init"]):
        plan = _plan("--l2", "0", "1", "--vary", *words)
        assert {trial.vary for trial in plan.trials} == {expected}
        assert not any(trial.exchanged for trial in plan.trials)
        assert _names(plan) == ["l2=0", "l2=1"]
        assert make_manifest(*plan).options["vary"] == expected


def test_by_source_adds_four_trials_to_each_configuration() -> None:
    plan = _plan("--l2", "0", "0.1", "--by-source", "--seeds", "5")
    own, more = plan.trials[:2], plan.trials[2:]
    assert [trial.vary for trial in own] == [SOURCES] * 2
    assert [trial.name for trial in more[:4]] == [f"l2=0.0 next={source}" for source in SOURCES]
    assert [trial.exchanged for trial in more] == list(SOURCES) * 2
    assert [trial.hyperparameters for trial in more[4:]] == [own[1].hyperparameters] * 4
    manifest = make_manifest(*plan)
    assert manifest.configurations == tuple(own)
    assert manifest.baseline_trial == own[0]
    assert len({trial.key for trial in plan.trials}) == 10


def test_a_smoke_test_has_two_configurations_two_seeds_and_few_epochs() -> None:
    plan = _plan("--l2", "0", "0.01", "0.1", "--smoke-test")
    assert _names(plan) == ["l2=0.00", "l2=0.10"]
    assert {(len(t.seeds), t.hyperparameters.epochs) for t in plan.trials} == {(2, 5)}
    assert len(_plan("--smoke-test").trials) == 1
    assert len(_plan("--smoke-test", "--by-source").trials) == 5


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ("--l2 0 0.0", "--l2 needs different values, got 0 more than once"),
        ("--l2 0.1 1e-1", "--l2 needs different values, got 0.1 more than once"),
        ("--batch-size 16 8 16", "--batch-size needs different values, got 16 more than once"),
        ("--l2 0 -1", "--l2 needs a number of at least 0, got -1"),
        ("--l2 0 abc", "--l2 needs a number of at least 0, got abc"),
        ("--l2 nan", "--l2 needs a number of at least 0, got nan"),
        ("--l2 0 1e-13", "--l2 needs values of at most 12 decimals, got 1e-13"),
        ("--dropout 0 1.5", "--dropout needs a number from 0 to 1, got 1.5"),
        ("--lr 0.1 0", "--lr needs a number above 0, got 0"),
        ("--l1", "--l1 needs at least one value, got none"),
        ("--batch-size 8 121", "--batch-size needs at most the 120 training rows of iris, got 121"),
        ("--vary luck", "--vary needs some of split, init, order, dropout, got luck"),
        ("--vary", "--vary needs some of split, init, order, dropout, got nothing"),
        ("--vary init,init", "--vary needs each source once, got init init"),
        (
            "--vary split --by-source",
            "--by-source cannot be used with --vary: it exchanges each source in turn",
        ),
        (
            "--by-source --seeds 1",
            "--by-source needs at least 2 --seeds, got 1: sources come from the next one",
        ),
        ("--top 3", "--top needs --from, which is missing"),
        (
            "--from xyz",
            "--from needs the run id of a sweep, its first 4 digits or more, or the sweep's name, "
            "got xyz",
        ),
        (f"--from {RUN} --top 0", "--top needs a whole number from 1 to 100000, got 0"),
        ("--seeds 0", "--seeds needs a whole number from 1 to 100000, got 0"),
        (
            "--summary 0.9 0.5",
            "--summary needs two numbers from 0 to 1, the first the lower one, got 0.9 0.5",
        ),
        (
            "--summary 0 x",
            "--summary needs two numbers from 0 to 1, the first the lower one, got 0 x",
        ),
        ("--epochs 0", "--epochs needs a whole number from 1 to 1e+06, got 0"),
    ],
)
def test_a_bad_flag_is_refused_in_one_line(flags: str, line: str) -> None:
    assert _command(*flags.split()).problems() == [line]


def test_more_combinations_than_a_sweep_may_have_are_refused() -> None:
    many = [str(number) for number in range(1, 400)]
    (line,) = _command("--l1", *many, "--l2", *many).problems()
    assert line == "all combinations need to be at most 100000, got 159201"


def test_stated_are_the_flags_that_stand_there() -> None:
    flags = ["--from", RUN, "--top=2", "--no-drop-last", "--by-source", "--l2", "1"]
    assert given(flags, SeedsOptions) == {"from_run", "top", "drop_last", "by_source", "l2"}
    assert given([f"--from={RUN}"], SeedsOptions) == {"from_run"}
    assert given(["--num-samples", "3"], SeedsOptions) == set()


def test_folds_go_with_everything() -> None:
    plan = _plan("--l2", "0", "1", "--folds", "3", "--by-source", "--seeds", "4")
    assert {trial.folds for trial in plan.trials} == {3}
    assert _command("--batch-size", "8", "100", "--folds", "2").problems() == [
        "--folds needs to leave the 100 rows of a batch to train on, but a fold leaves 60 of the "
        "120 training rows of iris, got 2"
    ]
    source = _source(0.5, 0.6, flags=("--folds", "3"))
    found = {
        key: {**each, **_summary(0, cv_accuracy=0.1, cv_loss=0.1)}
        for key, each in source.summaries.items()
    }
    plan = _plan(*FROM, source=source._replace(summaries=found))
    assert {trial.folds for trial in plan.trials} == {0}  # the choice is made


def test_what_makes_no_sense_here_is_not_offered() -> None:
    assert not {"num_samples", "search", "search_seed"} & set(SeedsOptions.__dataclass_fields__)


# From a recorded sweep.


def _summary(accuracy: float, loss: float = 0.5, **more: float) -> dict[str, Interval]:
    numbers = {"test_accuracy": accuracy, "test_loss": loss, **more}
    return {name: Interval(value, 0.1, value - 0.1, value + 0.1) for name, value in numbers.items()}


def _source(*accuracies: float, flags: tuple[str, ...] = ()) -> SourceSweep:
    """A sweep of λ with those test accuracies, the first that of the baseline; seeds 20 to 22."""
    count = str(len(accuracies))
    usual = ("--num-samples", count, "--search", "grid", "--seeds", "3", "--first-seed", "20")
    manifest = made_up(l2.SWEEP, *usual, *flags)[0]
    keys = [trial.key for trial in manifest.trials]
    found = {key: _summary(each) for key, each in zip(keys, accuracies, strict=True)}
    return SourceSweep(RUN, manifest, found)


FROM = ("--from", RUN[:6])  # its first digits: what is recorded is the whole id


def _refusal(*flags: str, source: SourceSweep) -> list[str]:
    with pytest.raises(Refused) as caught:
        _plan(*FROM, *flags, source=source)
    assert caught.value.exit_code == 2
    return str(caught.value).splitlines()


def test_the_best_and_the_baseline_are_tried_on_fresh_seeds() -> None:
    source = _source(0.1, 0.7, 0.9, 0.8, flags=("--hidden", "9", "--epochs", "70", "--lr", "0.1"))
    plan = _plan(*FROM, "--top", "2", "--seeds", "4", source=source)
    names = [trial.name for trial in source.promised.trials]
    assert _names(plan) == [names[0], names[2], names[3]]
    recorded = {trial.name: trial.hyperparameters for trial in source.promised.trials}
    assert all(trial.hyperparameters == recorded[trial.name] for trial in plan.trials)
    assert {trial.seeds for trial in plan.trials} == {(23, 24, 25, 26)}
    manifest = make_manifest(*plan)
    assert manifest.baseline_trial.name == source.promised.baseline_trial.name
    assert manifest.summary_epochs == source.promised.summary_epochs == range(35, 66)
    assert manifest.options["from_run"] == RUN
    assert manifest.options["first_seed"] == 23
    assert manifest.options["hidden"] == (9,)
    assert manifest.options["epochs"] == 70
    assert manifest.options["lr"] == (0.1,)
    assert manifest.axes == source.promised.axes
    assert source.promised.run_name in manifest.question


def test_a_baseline_among_the_best_stands_there_once() -> None:
    source = _source(0.9, 0.7, 0.8)
    names = [trial.name for trial in source.promised.trials]
    assert _names(_plan(*FROM, "--top", "2", source=source)) == [names[0], names[2]]
    assert len(_plan(*FROM, source=source).trials) == 3
    assert len(_plan(*FROM, source=_source(*[0.5] * 9)).trials) == 5


def test_best_is_by_cross_validation_where_there_is_one_then_by_loss_then_by_place() -> None:
    source = _source(0.5, 0.6, 0.6, 0.6, 0.9)
    trials, keys = source.promised.trials, list(source.summaries)
    found = dict(source.summaries)
    found[keys[2]] = _summary(0.6, 0.4)
    assert best_of(source.promised, found) == [trials[i] for i in (4, 2, 1, 3, 0)]
    source = _source(*[0.5] * 5, flags=("--folds", "3"))
    crossed = {
        key: {**each, **_summary(0.0, cv_accuracy=i / 10, cv_loss=1.0)}
        for i, (key, each) in enumerate(found.items())
    }
    assert best_of(source.promised, crossed) == list(source.promised.trials)[::-1]


def test_diverged_failed_and_exchanged_trials_are_not_the_best() -> None:
    source = _source(0.5, float("nan"), 0.6)
    trials, keys = source.promised.trials, list(source.summaries)
    assert best_of(source.promised, source.summaries) == [trials[2], trials[0]]
    assert best_of(source.promised, {keys[0]: source.summaries[keys[0]]}) == [trials[0]]
    again = replace(trials[0], vary=SOURCES[1:], others="next")
    more = replace(source.promised, trials=(*trials, again))
    assert again not in best_of(more, {**source.summaries, again.key: _summary(1.0)})


def test_more_of_the_best_than_there_are_are_refused() -> None:
    source = _source(0.5, float("nan"), 0.6)
    (line,) = _refusal("--top", "3", source=source)
    assert line.startswith("--top needs at most 2, the configurations of l2-")
    (line,) = _refusal(source=_source(float("nan"), float("nan")))
    assert line.endswith("has no configuration with a result to choose")


@pytest.mark.parametrize(("first", "seeds"), [("20", "1"), ("22", "5"), ("18", "3"), ("0", "100")])
def test_seeds_that_the_source_has_seen_are_refused(first: str, seeds: str) -> None:
    (line,) = _refusal("--first-seed", first, "--seeds", seeds, source=_source(0.5, 0.6))
    assert line.startswith("--first-seed needs seeds that l2-")
    assert line.endswith(f"which has 20 to 22: give 23 or leave it out, got {first}")


@pytest.mark.parametrize(("first", "seeds"), [("17", "3"), ("23", "50"), ("1000", "1")])
def test_seeds_that_the_source_has_not_seen_are_taken(first: str, seeds: str) -> None:
    plan = _plan(*FROM, "--first-seed", first, "--seeds", seeds, source=_source(0.5, 0.6))
    assert {trial.seeds[0] for trial in plan.trials} == {int(first)}


def test_flags_that_contradict_the_source_are_refused_all_at_once() -> None:
    flags = ("--l2", "0", "--epochs", "9", "--lr", "0.1", "0.2", "--dropout", "0", "--hidden", "32")
    lines = _refusal(*flags, "--dataset", "wine", source=_source(0.5, 0.6))
    assert [line.split()[0] for line in lines] == ["--l2", "--lr", "--epochs", "--dataset"]
    (line,) = _refusal("--summary", "0", "1", source=_source(0.5, 0.6))
    assert line.startswith("--summary cannot be set with --from: it is that of l2-")
    assert "cannot be set with --from: it is what l2-" in lines[0]
    assert "--lr needs 0.005, as l2-" in lines[1]
    assert lines[1].endswith("or to be left out, got 0.1 0.2")


@pytest.mark.parametrize("split", ["random", "stratified"])
def test_the_data_are_split_as_the_source_split_them(split: str) -> None:
    source = _source(0.5, 0.6, flags=("--split", split))
    plan = _plan(*FROM, source=source)
    assert {trial.hyperparameters.split for trial in plan.trials} == {split}
    assert plan.options.split == split
    other = "random" if split == "stratified" else "stratified"
    (line,) = _refusal("--split", other, source=source)
    assert line.startswith(f"--split needs {split}, as l2-")


def test_folds_fit_the_rows_and_the_split_of_the_source() -> None:
    by_class = _source(0.5, 0.6, flags=("--split", "stratified"))
    (line,) = _refusal("--folds", "41", source=by_class)
    assert "from 2 to 40" in line
    digits = _source(0.5, 0.6, flags=("--dataset", "digits"))
    assert {trial.folds for trial in _plan(*FROM, "--folds", "200", source=digits).trials} == {200}


def test_what_varies_and_the_exchange_go_with_a_source_too() -> None:
    source = _source(0.5, 0.6)
    assert len(_plan(*FROM, "--by-source", source=source).trials) == 10
    assert {t.vary for t in _plan(*FROM, "--vary", "init", source=source).trials} == {("init",)}
    short = _plan(*FROM, "--smoke-test", source=source)
    assert {(len(t.seeds), t.hyperparameters.epochs) for t in short.trials} == {(2, 5)}


def test_a_source_of_two_axes_keeps_both() -> None:
    manifest = made_up(elastic_net.SWEEP, "--seeds", "2")[0]
    found = {trial.key: _summary(i / 100) for i, trial in enumerate(manifest.trials)}
    plan = _plan(*FROM, "--top", "1", source=SourceSweep(RUN, manifest, found))
    assert _names(plan) == [manifest.trials[0].name, manifest.trials[-1].name]
    assert make_manifest(*plan).axes == manifest.axes


def test_a_seeds_sweep_can_be_a_source() -> None:
    first = make_manifest(*_plan("--l2", "0.1", "0", "0.2", "--seeds", "2", "--by-source"))
    found = {trial.key: _summary(i / 100) for i, trial in enumerate(first.trials)}
    plan = _plan(*FROM, "--top", "1", source=SourceSweep(RUN, first, found))
    assert _names(plan) == ["l2=0.1", "l2=0.2"]
    assert isinstance(plan.trials[0], Trial)
    assert plan.trials[0].seeds[0] == 2
