"""What single lines say, in the forms that training stacks print: whose they are, when, and how grave."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.digest.clean import clean
from marin_research.digest.header import read_header
from marin_research.digest.mask import mask
from marin_research.digest.severity import Severity
from marin_research.digest.times import Time, passed, read_time

HEADERS = [
    (b"[01:05:28] task=/user/job/3 attempt=2 | msg", "", b"/user/job/3", b"01:05:28"),
    (b"I20261122 01:05:28 140052865689280 finelog.client.log_client msg", "I", b"", b"20261122 01:05:28"),
    (b"W20261122 01:05:28 finelog.client.log_client msg", "W", b"", b"20261122 01:05:28"),
    (
        b"[01:05:28] task=/user/job/3 attempt=0 | E20261122 01:05:29 140052865689280 levanter.trainer msg",
        *("E", b"/user/job/3", b"20261122 01:05:29"),
    ),
    (b"[rank2] msg", "", b"rank2", b""),
    (b"2026-11-22 01:05:28,123 iris.cluster.worker.worker msg", "", b"", b"2026-11-22 01:05:28,123"),
    (b"INFO:iris.cluster.worker.worker:msg", "I", b"", b""),
    (
        b"2024-02-29T17:06:36 - 9 - levanter.tracker.wandb - wandb.py:189 - INFO :: msg",
        *("I", b"9", b"2024-02-29T17:06:36"),
    ),
    (b"(CompileWorker pid=945590) msg", "", b"pid=945590", b""),
    (b"(run_on_pod_ray pid=101181, ip=10.128.0.64) msg", "", b"10.128.0.64", b""),
    (b"\x1b[36m(run_on_pod_ray pid=101181, ip=10.128.0.64)\x1b[0m msg", "", b"10.128.0.64", b""),
    (b"(raylet) msg", "", b"", b""),
    (b"[2023-10-30 08:49:17,462 E 7500 7597] task_manager.cc:829: msg", "E", b"", b"2023-10-30 08:49:17,462"),
    (b"E0929 17:42:48.594192 1044529 coordination_service_agent.cc:332] msg", "E", b"", b"0929 17:42:48.594192"),
    (b"W0000 00:00:1715498963.019816  583764 curl_transport.cc:444] msg", "W", b"", b"0000 00:00:1715498963.019816"),
    (
        b"2025-03-19 07:30:02.045318: E external/xla/xla/service/slow_operation_alarm.cc:73] msg",
        *("E", b"", b"2025-03-19 07:30:02.045318"),
    ),
    (b"F0304 00:59:01.131882       1 client.h:75] msg", "F", b"", b"0304 00:59:01.131882"),
    (b"2021-07-08 08:28:12 10.164.0.33 [0] msg", "", b"10.164.0.33", b"2021-07-08 08:28:12"),
    (b"(EngineCore_DP0 pid=367) ERROR 04-03 22:05:32 [core.py:866] msg", "E", b"pid=367", b"04-03 22:05:32"),
    (b"INFO:2024-06-25 00:34:55,109:jax._src.xla_bridge:889: msg", "I", b"", b"2024-06-25 00:34:55,109"),
    (b"[rank0]:[E321 02:07:08.408271257 ProcessGroupNCCL.cpp:607] msg", "E", b"rank0", b"321 02:07:08.408271257"),
    (b"Jun 14 15:16:01 combo sshd(pam_unix)[19939]: msg", "", b"combo", b"Jun 14 15:16:01"),
    (b"msg", "", b"", b""),
]


@pytest.mark.parametrize(("line", "level", "host", "time"), HEADERS)
def test_what_stands_before_a_message_is_understood(line, level, host, time):
    """Most of a line is header: with it, different messages look alike and the same message on two hosts does not."""
    header = read_header(line)

    assert line[header.end :] == b"msg"
    assert (header.level, header.host, header.time) == (level, host, time)


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("TPU initialization failed: open(/dev/vfio/0): Device or resource busy", Severity.ERROR),
        ("No accelerator found. Please run on a TPU or GPU.", Severity.ERROR),
        (
            "Unable to initialize backend 'tpu': ABORTED: The TPU is already in use by process with pid 2718466.",
            "error",
        ),
        ("A Google TPU may be present on this machine, but libtpu is not installed. Falling back to cpu.", "error"),
        ("RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm.", "error"),
        ("Exit code 137: OOM killed (container exceeded memory limit)", "fatal"),
        ("Exit code 137: killed by SIGKILL (possibly OOM or resource limit)", "fatal"),
        ("Exit code 139: killed by SIGSEGV", "fatal"),
        ("Exit code 0: done", "info"),
        ("Coscheduled sibling /ada/train/3 failed", "secondary"),
        ("Preempted by /bob/train", "error"),
        ("unhealthy worker failed, slice terminated", "secondary"),
        ("*** SIGTERM received by PID 7620 (TID 7620) on cpu 17 from PID 7408; stack trace: ***", "fatal"),
        ("RuntimeError: TPU node-v3-32 is not HEALTHY yet. Re-run when all TPUs are HEALTHY", "error"),
        ("This most likely indicates that another task died; see the other task logs for more details.", "secondary"),
        (
            "Failed to send RPC to coordination service. Either the leader task was preempted/died/restarted",
            "secondary",
        ),
        ("Polled an error from coordination service (this can be an error from this or another task).", "secondary"),
        ("Megascale detects a hang but cannot determine the root cause.", "error"),
        ("INTERNAL: Core halted unexpectedly: INTERNAL: Accelerator device halted prematurely", "fatal"),
        ("No progress after step 7 for 600.0 seconds (timeout 600.0); terminating with exit code 3", "fatal"),
        ("ray.exceptions.OwnerDiedError: Failed to retrieve object", "secondary"),
        ("Watchdog caught collective operation timeout: WorkNCCL(SeqNum=1580, OpType=ALLREDUCE)", "error"),
        ("RuntimeError: Loss is NaN", "error"),
        ("Progress on:train 4it/5it rate:1.2it/s remaining:0 elapsed:0 postfix:loss=nan", "error"),
        ("Progress on:train 4it/5it rate:1.2it/s remaining:0 elapsed:0 postfix:loss=2.5", "info"),
        ("Data loader stalled 1.234s. queue_size=0 fetch_batch_size=32 max_buffered=64", "suspect"),
        ("Error [28]=Timeout was reached in curl operation", "error"),
        ("wandb: Network error (ReadTimeout), entering retry loop.", "error"),
        ("FailedPrecondition: lame workers found", "suspect"),
        ("failed to bind [::]:8431: Address already in use", "error"),
        ("Constant folding an instruction is taking > 1s:", "info"),
        ("This isn't necessarily a bug; constant-folding is inherently a trade-off", "info"),
        ("Very slow compile? If you want to file a bug, run with envvar XLA_FLAGS=--xla_dump_to=/tmp/foo", "info"),
        ("finished with 0 errors, 0 failures", "info"),
        ("errors=0 failures=0 timeout=600", "info"),
        ("finished with 3 errors", "error"),
        ("installing the default package", "info"),
        ("ptxas exited with return code -6", "fatal"),
        ("all devices are healthy", "info"),
        ("UserWarning: Some donated buffers were not usable: float32[8,128].", "warning"),
        (
            "[Gloo] Rank 5 is connected to 7 peer ranks. [Gloo] Rank Expected number of connected peer ranks is : 47",
            "info",
        ),
        ("...Saved checkpoint to gs://a/b forValueError: torn step 30000[01:04, 15.94s/it]", "error"),
    ],
)
def test_known_lines_are_judged_as_people_would(digested, line, severity):
    """A cause of failure would be folded with the noise, or the noise would bury it."""
    templates = digested(line.encode()).templates

    assert [template.severity for template in templates] == [severity]


@pytest.mark.parametrize(("level", "severity"), [("I", "info"), ("W", "warning"), ("E", "error"), ("F", "fatal")])
def test_a_level_is_believed_where_words_say_nothing(digested, level, severity):
    """Programs that give a level mean it."""
    log = f"{level}1122 03:00:00.592194 7 client.cc:1] the moon is up".encode()

    assert digested(log).templates[0].severity == severity


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("Saved checkpoint to gs://bucket/a/step-12 for step 12", "Saved checkpoint to <*> for step <*>"),
        ("wrote /tmp/x/y.bin in 3.2 s", "wrote <*> in <*> s"),
        ("connected to host-3:8431", "connected to <*>"),
        (" 45%|####5     | 450/1000 [00:12<00:15,  3.21it/s]", "<*>| <*> [<*>]"),
        ("Sun Dec 04 04:47:44 2005 ok", "<*> ok"),
        ("no numbers at all", "no numbers at all"),
    ],
)
def test_what_varies_is_masked(line, masked):
    """Each step would be a kind of line of its own."""
    assert mask(line) == masked


@given(st.text(max_size=200))
def test_masking_is_stable(text):
    """A masked line that masks to something else would be two kinds."""
    assert mask(text) == mask(text)
    assert "\n" not in mask(text.replace("\n", " "))


@given(st.binary(max_size=200))
def test_a_cleaned_line_can_be_printed_anywhere(line):
    """A log could move the cursor or clear the screen of who reads its digest, or break a JSON reader."""
    text = clean(line.replace(b"\n", b""))

    assert text.encode("utf-8").decode("utf-8") == text
    assert all(character.isprintable() or ord(character) > 0x9F or character == "\t" for character in text)


@pytest.mark.parametrize(
    ("before", "after", "seconds"),
    [
        (b"23:59:50", b"00:00:10", 20),
        (b"2026-11-22 23:59:50", b"2026-11-23 00:00:10", 20),
        (b"1122 23:59:50.1", b"1123 00:00:10.2", 20),
        (b"Feb 28 23:59:50", b"Mar  1 00:00:00", 86_410),
        (b"0000 00:00:1715498963.019816", b"0000 00:00:1715498999.019816", 36),
        (b"03:00:10", b"03:00:00", -10),
        (b"03:00:10", b"2026-11-22 03:00:20", 0),
    ],
)
def test_times_are_compared_as_far_as_they_tell(before, after, seconds):
    """A silence over midnight would be missed, and two forms of time would make one of days."""
    one, other = read_time(before), read_time(after)
    assert isinstance(one, Time)
    assert isinstance(other, Time)
    assert passed(one, other) == seconds


@pytest.mark.parametrize("text", [b"", b"no time", b"2026-13-45 03:00:00", b"12:3"])
def test_what_is_no_time_is_none(text):
    """A version number or a ratio would become a moment."""
    assert read_time(text) is None
