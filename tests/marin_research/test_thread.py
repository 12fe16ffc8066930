"""A thread file is read or refused with one line that says where it is wrong and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from marin_research.errors import ThreadError
from marin_research.thread import (
    Logbook,
    PrimaryMetric,
    Thread,
    Wandb,
    dump_thread,
    find_thread,
    read_thread,
    remember_thread,
)
from marin_research.thread_file import FOLDER, thread_path, topic_and_prefix

WHOLE = """\
topic: lr-sweep
prefix: LR
title: Learning rate
goal: >-
  find the largest
  stable rate
metrics:
  - {name: eval/loss, direction: lower, unit: nats/byte}
  - {name: tokens_per_second, direction: higher, unit: tok/s}
tags: [optimizer]
agent_marker: 🤖
logbook: {path: notes/lr.md, style: separate, repository: ../logbooks}
wandb: {entity: marin, project: lr-sweep}
private_names: [hal9000]
variants: {seq_len: [1024, 4096], devices: [TPU v4]}
"""


@pytest.fixture
def declare(tmp_path):
    """Write a thread file where the checkout in ``tmp_path`` has it."""

    def write(text: str, name: str = "lr-sweep") -> Path:
        path: Path = tmp_path / ".agents" / "research" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    return write


def test_a_thread_is_read_as_it_is_written(declare, tmp_path):
    """What the file says of metrics and places decides what every draft says."""
    declare(WHOLE)

    thread = Thread.load("lr-sweep", top=tmp_path)

    assert (thread.topic, thread.prefix, thread.goal) == ("lr-sweep", "LR", "find the largest stable rate")
    assert thread.metric("eval/loss") == PrimaryMetric(name="eval/loss", direction="lower", unit="nats/byte")
    assert thread.metric("loss") is None
    assert thread.logbook_path == "notes/lr.md"
    assert thread.wandb == Wandb(entity="marin", project="lr-sweep")
    assert thread.agent_marker == "🤖"


def test_a_thread_needs_no_more_than_a_topic_and_a_prefix(declare, tmp_path):
    """Declaring a line of research must not be a form to fill in; keys that are left empty are as good as absent."""
    declare("topic: lr-sweep\nprefix: LR\ntitle:\nmetrics:\nlogbook:\n  path:\nwandb: {}\n")

    thread = Thread.load("lr-sweep", top=tmp_path)

    assert thread == Thread(topic="lr-sweep", prefix="LR")
    assert thread.logbook_path == ".agents/logbooks/lr-sweep.md"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prefx: LR", "unknown key 'prefx'; did you mean 'prefix'?"),
        ("metric: []", "unknown key 'metric'; did you mean 'metrics'?"),
        ("stop-criteria: []", "unknown key 'stop-criteria'; did you mean 'stop_criteria'?"),
        ("metrics: [{nam: loss, direction: lower}]", "unknown key 'metrics.0.nam'; did you mean 'name'?"),
        ("logbook: {pth: x}", "unknown key 'logbook.pth'; did you mean 'path'?"),
        ("wandb: {team: marin}", "unknown key 'wandb.team'; the keys are entity, project"),
        ("zzz: 1", "unknown key 'zzz'; the keys are topic, prefix, title"),
        ("1: 2", "unknown key '1'"),
        ("metrics: loss", "metrics is 'loss'; write a list"),
        ("metrics: {loss: lower}", "metrics is {'loss': 'lower'}; write a list"),
        ("metrics: [loss]", "metrics.0 is 'loss'; write its keys and values (name, direction, unit)"),
        ("metrics: [{name: loss}]", "Missing required field(s) `direction`"),
        ("metrics: [{name: loss, direction: down}]", "metric 'loss' has direction 'down'; write higher or lower"),
        ("tags: optimizer", "tags is 'optimizer'; write a list"),
        ("tags: [on]", "tags.0 is True to YAML; write text, in quotes"),
        ("wandb: marin/lr", "wandb is 'marin/lr'; write its keys and values (entity, project)"),
        ("logbook: {style: fancy}", "logbook style 'fancy' must be seed, separate or issue"),
        ("title: [a]", "title is ['a'] to YAML; write text"),
    ],
)
def test_a_mistake_is_named_with_what_to_write_instead(declare, text, said):
    """A thread file is written by hand; the error is all that its author sees."""
    path = declare(f"topic: lr-sweep\nprefix: LR\n{text}\n")

    with pytest.raises(ThreadError) as refused:
        read_thread(path)

    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prefix: LR", "Missing required field(s) `topic`"),
        ("topic: lr-sweep", "Missing required field(s) `prefix`"),
        ("topic: lr-sweep\nprefix: no", "prefix is False to YAML; write text, in quotes if it is a word like no or on"),
        ("topic: lr-sweep\nprefix: 12", "prefix '12' must be capital letters and digits such as LR or MOE-HC"),
        ("topic: lr-sweep\nprefix: lr", "prefix 'lr' must be capital letters"),
        ("topic: lr-sweep\nprefix: LR-", "prefix 'LR-' must be capital letters"),
        ("topic: LR Sweep\nprefix: LR", "topic 'LR Sweep' must be a slug such as lr-sweep"),
        ("topic: ../x\nprefix: LR", "topic '../x' must be a slug"),
        ("", "does not hold keys and values; `marin-research init` shows what it should look like"),
        ("- topic: lr-sweep", "does not hold keys and values"),
        ("just text", "does not hold keys and values"),
        ("topic: [lr", "is not YAML: while parsing a flow sequence"),
        ("topic:\tlr", "is not YAML"),
        ("topic: lr\x00", "is not YAML"),
        ("topic: a\n---\ntopic: b", "is not YAML: expected a single document"),
        ("topic: !!python/object:os.system x", "is not YAML: could not determine a constructor"),
        ("{[1]: 2}", "is not YAML"),
        ("topic: \udcff", "cannot read"),
    ],
)
def test_what_is_no_thread_is_refused_in_one_line(declare, text, said):
    """Whatever stands in the file, the program answers with a sentence and not with a traceback."""
    path = declare(text)

    with pytest.raises(ThreadError) as refused:
        read_thread(path)

    assert said in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)


@given(text=st.text(st.characters(), max_size=60) | st.binary(max_size=40).map(lambda data: data.decode("latin-1")))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_thread_or_a_thread_error(tmp_path, text):
    """A file that is only half saved, or is something else, must not crash the program that lists threads."""
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))

    with pytest.raises(ThreadError):
        read_thread(path)


LINES = st.text(st.characters(codec="utf-8"), max_size=30)


@given(
    thread=st.builds(
        Thread,
        topic=st.just("lr-sweep"),
        prefix=st.sampled_from(["LR", "NO", "ON", "Y", "NULL", "MOE-HC", "E1", "X0"]),
        title=LINES,
        goal=LINES,
        metrics=st.lists(
            st.builds(PrimaryMetric, name=LINES, direction=st.sampled_from(["higher", "lower"]), unit=LINES), max_size=2
        ),
        constraints=st.lists(LINES, max_size=2),
        tags=st.lists(LINES, max_size=2),
        agent_marker=LINES,
        logbook=st.builds(Logbook, path=LINES, repository=LINES, style=st.sampled_from(["seed", "separate"])),
        issue=LINES,
        wandb=st.builds(Wandb, entity=LINES, project=LINES),
        branch=LINES,
        private_names=st.lists(LINES, max_size=2),
        variants=st.dictionaries(LINES, st.lists(LINES, max_size=2), max_size=2),
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@example(Thread(topic="lr-sweep", prefix="NO", title="a\x85b", goal="\u2028", branch="on"))
def test_what_init_writes_is_read_back_as_it_was_said(tmp_path, thread):
    """Titles and goals hold colons, quotes, emoji and words that YAML takes for booleans."""
    path = tmp_path / "lr-sweep.yaml"
    path.write_text(dump_thread(thread), encoding="utf-8")

    assert read_thread(path) == thread


def test_a_missing_thread_names_the_nearest_one(declare, tmp_path):
    """A typo in `--thread` is more likely than a thread that nobody declared."""
    declare(WHOLE)

    with pytest.raises(ThreadError, match=r"there is no .*lr-swep\.yaml; did you mean 'lr-sweep'\?"):
        Thread.load("lr-swep", top=tmp_path)
    with pytest.raises(ThreadError, match=r"declare it with `marin-research init attention --prefix PFX`"):
        Thread.load("attention", top=tmp_path)
    with pytest.raises(ThreadError, match="marin-research init"):
        Thread.load("attention", top=tmp_path / "elsewhere")


def test_a_folder_in_the_place_of_a_thread_is_an_error(declare, tmp_path):
    """Anything but a file there must be said, not crashed on."""
    (declare(WHOLE).parent / "attention.yaml").mkdir()

    with pytest.raises(ThreadError, match="cannot read"):
        Thread.load("attention", top=tmp_path)


def test_two_threads_cannot_share_a_prefix(declare, tmp_path):
    """LR-003 must mean one experiment."""
    declare(WHOLE)
    declare(WHOLE.replace("topic: lr-sweep", "topic: other"), "other")

    for topic, rival in (("other", "lr-sweep.yaml"), ("lr-sweep", "other.yaml")):
        with pytest.raises(ThreadError, match=rf"{rival} both use the prefix LR; give one of them a prefix of its own"):
            Thread.load(topic, top=tmp_path)


def test_another_thread_that_cannot_be_read_is_not_this_threads_problem(declare, tmp_path):
    """A colleague's half-written file must not stop my experiment."""
    declare(WHOLE)
    declare("topic: [", "broken")
    declare("\udcff", "binary")
    declare("- a list", "odd")

    assert Thread.load("lr-sweep", top=tmp_path).prefix == "LR"


def test_a_copied_file_that_kept_its_topic_is_refused(declare, tmp_path):
    """Its runs would be filed under the thread that it was copied from."""
    declare(WHOLE.replace("prefix: LR", "prefix: LB"), "lr-sweep-b")

    with pytest.raises(ThreadError, match=r"lr-sweep-b\.yaml declares the topic 'lr-sweep'"):
        Thread.load("lr-sweep-b", top=tmp_path)


def test_a_thread_is_found_from_anywhere_in_its_checkout(git_checkout, monkeypatch):
    """Experiment scripts are started from their own folder as often as from the top."""
    top = git_checkout()
    path = top / ".agents" / "research" / "lr-sweep.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(WHOLE)
    (top / "experiments").mkdir()
    monkeypatch.chdir(top / "experiments")

    assert thread_path("lr-sweep") == path
    assert Thread.load("lr-sweep") == Thread.load(str(path)) == Thread.load("lr-sweep", top=top)


# Where the checkout is not


def test_a_thread_is_found_in_the_store_where_its_checkout_is_not(store, tmp_path, monkeypatch):
    """Drafts are written on a laptop for runs that a cluster recorded."""
    monkeypatch.chdir(tmp_path)
    thread = Thread(topic="lr-sweep", prefix="LR", metrics=[PrimaryMetric(name="loss", direction="lower")])
    remember_thread(thread, store)

    assert find_thread("lr-sweep", store) == thread


def test_the_file_in_the_checkout_comes_before_what_the_store_remembers(store, declare, tmp_path, monkeypatch):
    """Whoever has just corrected a metric's direction must not be shown the old one."""
    monkeypatch.chdir(tmp_path)
    declare(WHOLE)
    remember_thread(Thread(topic="lr-sweep", prefix="LR", title="old"), store)

    assert find_thread("lr-sweep", store).title == "Learning rate"


def test_a_thread_that_nobody_knows_is_an_error_with_those_that_are_known(store, declare, tmp_path, monkeypatch):
    """The list of known threads shows the typo."""
    monkeypatch.chdir(tmp_path)
    declare(WHOLE)
    remember_thread(Thread(topic="moe", prefix="MOE"), store)

    with pytest.raises(ThreadError, match=r"no thread 'lr' \(known threads: lr-sweep, moe\); `marin-research init lr"):
        find_thread("lr", store)


@pytest.mark.parametrize("remembered", [{}, {"topic": "lr-sweep"}, {"topic": 1, "prefix": "LR"}])
def test_a_damaged_memory_of_a_thread_is_an_error_that_says_where_to_go(store, tmp_path, monkeypatch, remembered):
    """The checkout has the original."""
    monkeypatch.chdir(tmp_path)
    store.put_thread("lr-sweep", remembered)

    with pytest.raises(ThreadError, match=r"is damaged .*go to the checkout that has .*lr-sweep\.yaml"):
        find_thread("lr-sweep", store)


def test_a_file_that_did_not_change_is_not_parsed_again(tmp_path, monkeypatch, store):
    """Every recorded command would wait for the parser; but one that did change counts at once."""
    (tmp_path / FOLDER).mkdir(parents=True)
    file = tmp_path / FOLDER / "lr-sweep.yaml"
    file.write_text("topic: lr-sweep\nprefix: LR\n")
    monkeypatch.chdir(tmp_path)
    assert topic_and_prefix("lr-sweep", store) == ("lr-sweep", "LR")
    with monkeypatch.context() as changed:
        changed.setattr("marin_research.thread.read_thread", lambda path: pytest.fail(f"parsed {path} again"))
        assert topic_and_prefix("lr-sweep", store) == ("lr-sweep", "LR")

    file.write_text("topic: lr-sweep\nprefix: LRS\n")
    assert topic_and_prefix("lr-sweep", store) == ("lr-sweep", "LRS")
    file.unlink()
    assert topic_and_prefix("lr-sweep", store) == ("lr-sweep", "LRS")


def test_a_file_that_cannot_be_read_any_more_is_not_covered_by_what_was_known(tmp_path, monkeypatch, store):
    """Whoever breaks the file wants to hear of it, not to go on with the old one."""
    (tmp_path / FOLDER).mkdir(parents=True)
    file = tmp_path / FOLDER / "lr-sweep.yaml"
    file.write_text("topic: lr-sweep\nprefix: LR\n")
    monkeypatch.chdir(tmp_path)
    topic_and_prefix("lr-sweep", store)

    file.write_bytes(b"\xff\xfe")

    with pytest.raises(ThreadError, match="cannot read"):
        topic_and_prefix("lr-sweep", store)
