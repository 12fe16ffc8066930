"""How training went, as far as its log tells: the series, where they are odd, silences, restarts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.digest import digester

LINE = "I20261122 {clock} 140052865689280 root Progress on:train {step}it/9.00kit rate:1.2it/s postfix:loss={loss}\n"


def clock(second: float) -> str:
    whole = int(second)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def training(losses: list[float], *, first_step: int = 0, start: float = 0, every: float = 10) -> bytes:
    return "".join(
        LINE.format(clock=clock(start + every * n), step=first_step + n, loss=loss) for n, loss in enumerate(losses)
    ).encode()


def series_of(index):
    return {series.name: series for series in index.series}


@given(losses=st.lists(st.floats(0, 100).map(lambda value: round(value, 3)), min_size=1, max_size=80))
def test_a_series_knows_its_ends_and_extremes(digested, losses):
    """A draft would quote a loss that the run never had."""
    loss = series_of(digested(training(losses)))["train/loss"]

    assert (loss.count, loss.first, loss.last) == (len(losses), losses[0], losses[-1])
    assert loss.minimum is not None
    assert loss.maximum is not None
    assert (loss.minimum.value, loss.maximum.value) == (min(losses), max(losses))
    assert loss.minimum.at.line == losses.index(min(losses)) + 1


@pytest.mark.parametrize("bad", ["nan", "inf"])
def test_where_the_loss_stops_being_a_number_is_told(digested, bad):
    """The first thing to look for after a run went wrong."""
    log = training([3.0, 2.9, 2.8]) + training([float(bad)] * 3, first_step=3, start=30)

    loss = series_of(digested(log))["train/loss"]

    assert loss.not_finite == 3
    assert loss.first_not_finite is not None
    assert loss.first_not_finite.at.line == 4
    assert not math.isfinite(loss.last)
    assert loss.minimum is not None
    assert loss.minimum.value == 2.8


def test_a_jump_is_found_and_a_slope_is_none(digested):
    """A spike of one step in ten thousand decides whether a setting is stable."""
    slope = [round(4 - n / 500, 4) for n in range(1000)]
    spike = [*slope[:700], 9.5, *slope[701:]]

    assert not series_of(digested(training(slope)))["train/loss"].is_jumpy
    jumpy = series_of(digested(training(spike)))["train/loss"]
    assert jumpy.is_jumpy
    assert jumpy.jump is not None
    assert (jumpy.jump.after, jumpy.jump.at.line) == (9.5, 701)


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"step:250/1290 val_loss:4.5073 train_time:7815ms step_avg:31.26ms", {"step": 250, "val_loss": 4.5073}),
        (b'{"step": 12, "train/loss": 2.5, "grad_norm": 1e-3}', {"step": 12, "train/loss": 2.5, "grad_norm": 1e-3}),
        (
            b"step 4,600/51,550 (8.9%) \xc2\xb7 loss 2.831 \xc2\xb7 812.4k tok/s",
            {"step": 4600, "loss": 2.831, "tok/s": 812_400},
        ),
        (b"Progress on:train 4.60kit/5.16kit rate:2.0s/it postfix:loss=2.83", {"train/step": 4600, "train/it/s": 0.5}),
        (b"paloma/c4_en validation loss: 2.857", {"paloma/c4_en validation loss": 2.857}),
        (b" 45%|####5     | 450/1000 [00:12<00:15,  3.21it/s]", {"bar": 450, "it/s": 3.21}),
        (b"450it [00:12,  3.21it/s]", {"bar": 450, "it/s": 3.21}),
        (b"Data loader stalled 1.234s. queue_size=0", {"Data loader stalled": 1.234}),
    ],
)
def test_progress_is_read_in_the_forms_that_programs_print(digested, line, values):
    """The progress of a run would be missing because its trainer writes it another way."""
    found = {name: series.last for name, series in series_of(digested(line)).items()}

    assert {name: found.get(name) for name in values} == values


@pytest.mark.parametrize("line", [b"Saved checkpoint for step 7", b"step 3 of the plan: eat", b"version 2.5 of it"])
def test_not_every_number_is_progress(digested, line):
    """Version numbers would be plotted as loss."""
    assert digested(line).series == ()


def test_hosts_have_series_of_their_own(digested):
    """The loss of two hosts, line by line, would look like one that jumps."""
    lines = (
        b"[03:00:%02d] task=/ada/train/%d attempt=0 | step %d loss %d.5\n" % (n // 60, n % 2, n // 2, 2 + 5 * (n % 2))
        for n in range(200)
    )

    found = {series.host: series for series in digested(b"".join(lines)).series if series.name == "loss"}

    assert {host: (one.first, one.last) for host, one in found.items()} == {
        "/ada/train/0": (2.5, 2.5),
        "/ada/train/1": (7.5, 7.5),
    }


def test_silences_are_found_without_a_word(digested):
    """A run that hung says nothing of it."""
    log = training([3.0] * 100, every=1) + training([3.0] * 100, first_step=100, start=100 + 7200, every=1)

    index = digested(log)

    (silence,) = index.silences
    assert (silence.seconds, silence.before.line, silence.after.line) == (7201, 100, 101)


def test_lines_without_a_time_are_no_silence(digested):
    """A thousand lines of a progress bar between two of the log would look like a hang."""
    bar = b"".join(b" %2d%%|##   | %d/99 [00:01<00:02, 1.0it/s]\n" % (n, n) for n in range(90))
    log = b"".join(training([3.0], start=50 * n) + bar + training([3.0], start=50 * n + 25) for n in range(40))

    assert digested(log).silences == ()


def test_a_run_that_goes_on_without_steps_is_stalled(digested):
    """Heartbeats of a hung run would hide that it trains no more."""
    beats = "".join(f"I20261122 {clock(100 + n)} 1400 iris.worker still here\n" for n in range(3000)).encode()
    log = training([3.0] * 10) + beats + training([3.0] * 10, first_step=10, start=3105)

    index = digested(log)

    assert index.silences == ()
    assert index.stalls[0].seconds == 3105 - 90


def test_in_a_long_log_a_sample_of_the_steps_is_called_one(digested, monkeypatch):
    """The lowest loss of a sample would be quoted as the lowest, and what was not read would look like a stall."""
    monkeypatch.setattr(digester, "EXACT_BYTES", 0)
    monkeypatch.setattr(digester, "MOST_READ", 8)

    index = digested(training([3.0] * 1000) + training([math.nan], first_step=1000, start=10_000))

    series = series_of(index)
    assert {one.is_sample for one in series.values()} == {True}
    assert series["train/loss"].not_finite == 1
    assert index.stalls == ()
    assert not any(one.is_sample for one in digested(training([3.0] * 4)).series)


def test_restarts_are_told(digested):
    """A run that began again three times would look as if it ran through."""
    prefix = b"[03:00:%02d] task=/ada/train/0 attempt=%d | "
    again = b"I20261122 03:00:00 1400 levanter.main Resuming training from step 40\n"
    log = b"".join(
        prefix % (attempt * 10, attempt) + line + b"\n"
        for attempt, first in enumerate((0, 40))
        for line in training([3.0] * 50, first_step=first).splitlines()
    )

    whys = [restart.why for restart in digested(log + again).restarts]

    assert "attempt 0, then attempt 1" in whys
    assert "after step 49 came step 40" in whys
    assert any("Resuming training from step 40" in why for why in whys)


def test_a_host_that_falls_silent_early_is_named(digested):
    """The host that died first is the one to look at, and it never says so."""
    line = b"[%b] task=/ada/train/%d attempt=0 | all is well\n"
    log = b"".join(line % (clock(n / 2).encode(), n % 8) for n in range(30_000) if n % 8 != 5 or n < 10_000)

    stopped = [host.name for host in digested(log).hosts if host.stopped]

    assert stopped == ["/ada/train/5"]
