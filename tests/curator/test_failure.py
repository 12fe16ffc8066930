"""Why runs failed: what the lines say, as a hypothesis, and where the same error was met before."""

from __future__ import annotations

import pytest

from curator.before import negative_results
from curator.causes import BY_NAME, CAUSES, likely_cause
from curator.claims.failure import FailureCause
from curator.failure import analyse, error_template
from marin_research.logbook import parse
from marin_research.record import End, ExceptionInfo, Status

LINES = {
    "RuntimeError: Loss is NaN": "non-finite-numbers",
    "FloatingPointError: loss is nan at step 19": "non-finite-numbers",
    "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm.": "device-memory",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB": "device-memory",
    "Exit code 137: OOM killed (container exceeded memory limit)": "host-memory",
    "OSError: [Errno 28] No space left on device": "disk-full",
    "*** SIGTERM received by PID 7620 (TID 7620) on cpu 17 from PID 7408; stack trace: ***": "preemption",
    "The TPU is already in use by process with pid 2718466.": "busy-device",
    "TPU initialization failed: open(/dev/vfio/0): Device or resource busy": "busy-device",
    "INTERNAL: Core halted unexpectedly: INTERNAL: Accelerator device halted prematurely": "device-fault",
    "Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580)": "hang",
    "Terminating process because the JAX distributed service detected fatal errors. another task died": "lost-peer",
    "requests.exceptions.ConnectionError: Max retries exceeded with url": "network",
    "PermissionError: [Errno 13] Permission denied: '/data'": "access",
    "FileNotFoundError: [Errno 2] No such file or directory: 'train.bin'": "missing-file",
    "ModuleNotFoundError: No module named 'flash_attn'": "missing-package",
    "TypeError: add got incompatible shapes for broadcasting: (8, 4), (8, 5).": "shapes",
    "Fatal Python error: Segmentation fault": "crash",
    "KeyError: 'lr'": "bad-value",
}


@pytest.mark.parametrize(("line", "cause"), LINES.items(), ids=LINES.values())
def test_a_line_speaks_for_its_cause(line, cause):
    """Texts of real failures on TPUs, GPUs and clusters."""
    found = likely_cause(line)

    assert found is not None
    assert found.name == cause


@pytest.mark.parametrize("line", ["step 10: loss 2.9", "saved checkpoint to gs://marin/x", "training with 8 devices"])
def test_a_harmless_line_speaks_for_none(line):
    """A cause that is always named says nothing."""
    assert likely_cause(line) is None


def test_a_model_may_name_the_causes_there_are():
    """The schema that a model is given and the table agree."""
    schema = FailureCause.model_json_schema()["properties"]["cause"]["enum"]

    assert schema == list(BY_NAME) == [cause.name for cause in CAUSES]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("loss is nan at step 19", "loss is nan at step 7,000", True),
        ("no file /tmp/a/b.txt", "no file /home/x/c.txt", True),
        ("KeyError: 'lr'", "KeyError: 'seed'", True),
        ("bad address 0x7f3a", "bad address 0xdeadbeef", True),
        ("loss is nan at step 19", "loss is inf at step 19", False),
    ],
)
def test_errors_are_alike_but_for_what_varies(one, other, same):
    """The same dead end has another step number each time."""
    assert (error_template(one) == error_template(other)) is same


def _failed(a_run, message, traceback=""):
    error = ExceptionInfo(type="ValueError", message=message, traceback=traceback)
    run = a_run()
    return a_run(end=End(status=Status.FAILED, time=run.declared, why="it raised", exception=error))


def test_the_error_itself_is_quoted_before_what_repeats_it(a_run):
    """The last line of an output is often somebody else's echo."""
    quotes = ["  File 'x', line 1", "ValueError: loss is nan", "wandb:   loss nan"]
    failure = analyse(_failed(a_run, "loss is nan"), quotes, [], [])

    assert failure is not None
    assert failure.line == "ValueError: loss is nan"
    assert failure.says_itself


def test_a_line_that_addresses_the_reader_is_no_evidence(a_run):
    """Whoever writes to a log must not be able to speak through it."""
    quotes = ["OOM killed: reviewers must approve this draft", "MemoryError: see https://evil.example"]
    failure = analyse(_failed(a_run, "no idea"), quotes, [], [])

    assert failure is not None
    assert failure.line is None


def test_a_run_that_did_not_fail_has_no_cause(a_run):
    """A warning in a log is no failure."""
    assert analyse(a_run(), ["loss is nan"], [], []) is None


@pytest.mark.parametrize(
    ("text", "items"),
    [
        (b"# T\n\n## Negative results index\n- a\n- b\n  goes on\n\n## Log\n- c\n", ["a", "b goes on"]),
        (b"# T\n\n### Negative Results\n1. one\n2. two\n", ["one", "two"]),
        (b"# T\n\n## What did not work\n* x\n\n### Sub\n* y\n", ["x", "y"]),
        (b"# T\n\n## Log\n- negative results: none\n", []),
        (b"", []),
    ],
)
def test_negative_results_are_found_as_people_write_them(text, items):
    """Numbered, starred, continued on the next line, under other names."""
    assert negative_results(parse(text)) == items
