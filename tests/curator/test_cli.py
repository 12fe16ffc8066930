"""The ``curator`` command line, run as people and scripts run it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from curator.draft import DraftKind, DraftStatus

COMMANDS = ["draft", "drafts", "show", "verify", "edit", "review", "approve", "reject", "publish", "log", "schema"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_listed_and_explains_itself_with_an_example(checkout, command):
    """A command that nobody finds or understands might as well not exist."""
    assert f"  {command} " in checkout.curator("--help").out
    said = checkout.curator(command, "--help").out
    assert command == "schema" or "Example" in said


def test_help_loads_nothing_heavy():
    """A command line that takes a second to say what it can do is not used."""
    heavy = {
        "rich",
        "pydantic",
        "markdown_it",
        "yaml",
        "draccus",
        "httpx",
        "anthropic",
        "marin",
        "jax",
        "wandb",
        "fsspec",
    }
    code = "import curator.cli.main, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert heavy.isdisjoint(loaded)


def test_a_mistyped_command_is_answered_with_the_nearest_one(checkout):
    """Wrong usage ends with 2 and a hint, as in every other program."""
    assert "aprove" in (said := checkout.curator("aprove", "LR-D001", code=2).err)
    assert "approve" in said


# Looking


def test_drafts_are_listed_and_filtered(checkout):
    """The person who looks for what waits must find exactly that."""
    entry, issue = checkout.draft(), checkout.draft(kind=DraftKind.ISSUE)
    other = checkout.draft(thread="other")
    checkout.curator("reject", other.id, "--why", "not now")

    assert [line.split()[0] for line in checkout.curator("drafts").out.splitlines()] == [entry.id, issue.id, other.id]
    assert entry.id not in checkout.curator("drafts", "--kind", "issue").out
    assert json.loads(checkout.curator("drafts", "--status", "rejected", "--json").out)[0]["why"] == "not now"
    assert checkout.curator("drafts", "--thread", "nothing").out == ""


def test_show_prints_the_text_where_it_goes_and_the_evidence(checkout):
    """Whoever signs must see the text, its place, each number's origin and each doubt."""
    draft = checkout.draft(checkout.WRONG)

    shown = checkout.curator("show", draft.id, COLUMNS="80").out

    assert max(map(len, shown.splitlines())) <= 80
    for line in checkout.WRONG.splitlines():
        assert f"│ {line}".rstrip() in shown
    for expected in (
        ".agents/logbooks/lr-sweep.md",
        draft.sha256[:16],
        "LR-002/metric/eval/loss = 2.372955322265625 nats/byte",
        "LR-002#/metrics/eval~1loss/value",
        "^^^^^^",
        "no fact has this value",
    ):
        assert expected in shown


def test_show_json_holds_the_draft_and_what_the_verification_says(checkout):
    """Scripts rely on the draft's own field names."""
    draft = checkout.draft(checkout.WRONG)
    checkout.curator("reject", draft.id, "--why", "wrong")

    shown = json.loads(checkout.curator("show", draft.id, "--json").out)

    assert (shown["id"], shown["kind"], shown["text"]) == (draft.id, "logbook", checkout.WRONG)
    assert (shown["sha256"], shown["ok"], shown["status"]) == (draft.sha256, False, "rejected")
    assert shown["findings"][0]["text"] == "-9.1 %"
    assert {"start": 65, "end": 80, "text": "2.373 nats/byte", "fact_ids": ["LR-002/metric/eval/loss"]} in shown[
        "evidence"
    ]
    assert [entry["decision"] for entry in shown["history"]] == ["rejected"]


@pytest.mark.parametrize("text", ["plain", "ends\n\n", "café 🤖\r\nnext", ""])
def test_show_text_prints_the_text_byte_for_byte(checkout, text):
    """Somebody will paste it; it must be what was approved."""
    draft = checkout.draft(text)
    command = [sys.executable, "-m", "curator.cli.main", "show", draft.id, "--text"]
    assert subprocess.run(command, check=True, capture_output=True).stdout == text.encode()


def test_nothing_in_a_text_can_steer_the_terminal(checkout):
    """An escape sequence from a log could hide from the reader what they sign."""
    draft = checkout.draft("### a\n\nseen \x1b[2K\x1b[1Ahidden \u202eback\u202c \x9b0m \udc80\n", title="a\x1b]0;b\x07")

    shown = checkout.curator("show", draft.id, COLUMNS="110").out + checkout.curator("drafts").out

    assert not set(shown) & set("\x1b\x9b\x07\u202e\u202c")
    assert "seen <U+001B>[2K<U+001B>[1Ahidden <U+202E>back<U+202C> <U+009B>0m <U+DC80>" in shown


def test_a_draft_that_does_not_exist_is_one_clear_line(checkout):
    """A traceback helps nobody who mistyped an ID."""
    said = checkout.curator("show", "LR-D099", code=1).err
    assert said.count("\n") == 1
    assert "LR-D099" in said
    assert "curator drafts" in said


# Verifying


def test_verify_says_what_does_not_match_and_where(checkout):
    """The place must be exact, so that an editor can jump to it."""
    draft = checkout.draft(checkout.WRONG)

    said = checkout.curator("verify", draft.id, code=1).out

    assert "line 3, column 38: -9.1 %" in said
    assert "1 finding" in said


def test_verify_json_is_the_contract(checkout):
    """Other programs read exactly these fields."""
    fine, wrong = checkout.draft(), checkout.draft(checkout.WRONG)

    assert json.loads(checkout.curator("verify", fine.id, "--json").out) == {"ok": True, "findings": []}
    answer = json.loads(checkout.curator("verify", wrong.id, "--json", code=1).out)
    (finding,) = answer["findings"]
    assert set(answer) == {"ok", "findings"}
    assert set(finding) == {"kind", "text", "start", "end", "why", "id"}
    assert checkout.WRONG[finding["start"] : finding["end"]] == finding["text"] == "-9.1 %"


@pytest.mark.parametrize("part", ["whole", "list"])
def test_verify_reads_the_facts_that_show_gave(checkout, part):
    """A text outside of the queue can be checked against a draft's facts, in either form."""
    draft = checkout.draft()
    shown = json.loads(checkout.curator("show", draft.id, "--json").out)
    (checkout.top / "facts.json").write_text(json.dumps(shown if part == "whole" else shown["facts"]))
    (checkout.top / "text.md").write_text(checkout.WRONG)

    checkout.curator("verify", "--facts", "facts.json", "--file", "-", stdin=checkout.ENTRY)
    assert "-9.1 %" in checkout.curator("verify", "--facts", "facts.json", "--file", "text.md", code=1).out


@pytest.mark.parametrize("arguments", [[], ["LR-D001", "--facts", "f.json"], ["--facts", "f.json"], ["--file", "t.md"]])
def test_verify_needs_a_draft_or_facts_and_a_file(checkout, arguments):
    """A check of nothing in particular must not look like a pass."""
    assert "--facts FACTS.json" in checkout.curator("verify", *arguments, code=2).err


@pytest.mark.parametrize("facts", ["", "{}", "[1]", '[{"id": "x"}]', '"facts"', None])
def test_facts_that_are_none_are_refused(checkout, facts):
    """Checking against facts that could not be read would find nothing to match, or everything."""
    if facts is not None:
        (checkout.top / "facts.json").write_text(facts)
    said = checkout.curator("verify", "--facts", "facts.json", "--file", "-", stdin="x", code=1).err
    assert "holds no facts" in said
    assert "Traceback" not in said


# Deciding


def test_approving_logs_who_said_yes_to_which_text(checkout):
    """The log is what a publication is justified by."""
    draft = checkout.draft()

    checkout.curator("approve", draft.id)

    (entry,) = checkout.queue.log.entries()
    assert (entry.by, entry.sha256, entry.draft) == ("Ada Lovelace", draft.sha256, draft.id)
    assert checkout.queue.get(draft.id).status is DraftStatus.APPROVED


def test_the_name_is_the_given_one_then_gits_then_the_accounts(checkout):
    """An approval under the wrong name, or under none, is not an approval."""
    checkout.curator("approve", checkout.draft().id, "--by", " Grace  Hopper ")
    subprocess.run(["git", "config", "--unset", "user.name"], check=True)
    nobody = {"GIT_CONFIG_GLOBAL": "/dev/null"}
    checkout.curator("approve", checkout.draft().id, USER="grace", **nobody)
    checkout.curator("approve", checkout.draft().id, USER="", code=1, **nobody)
    checkout.curator("approve", checkout.draft().id, "--by", " ", USER="grace", code=1)

    assert [entry.by for entry in checkout.queue.log.entries()] == ["Grace Hopper", "grace"]


def test_of_several_drafts_all_are_approved_or_none(checkout):
    """Half an approval would leave the person guessing what they said yes to."""
    fine, wrong = checkout.draft(), checkout.draft(checkout.WRONG)

    said = checkout.curator("approve", fine.id, wrong.id, code=1).err
    assert "--accept" in said
    assert checkout.decisions() == []

    finding = json.loads(checkout.curator("verify", wrong.id, "--json", code=1).out)["findings"][0]["id"]
    checkout.curator("approve", fine.id, wrong.id, "--accept", "F-00000000", "--accept", finding, code=1)
    assert checkout.decisions() == []
    checkout.curator("approve", fine.id, wrong.id, "--accept", finding)
    assert [len(entry.accepted) for entry in checkout.queue.log.entries()] == [0, 1]


def test_the_hash_guards_an_approval(checkout):
    """A script that read one text must not approve another."""
    draft = checkout.draft()

    checkout.curator("approve", draft.id, "--sha256", "0" * 64, code=1)
    checkout.curator("approve", draft.id, "--sha256", draft.sha256[:4], code=2)
    assert checkout.decisions() == []
    checkout.curator("approve", draft.id, "--sha256", draft.sha256[:12].upper())
    assert checkout.decisions() == ["approved"]


def test_rejecting_keeps_the_reason(checkout):
    """Whoever drafts next has to know what was wrong."""
    draft = checkout.draft()

    checkout.curator("reject", draft.id, code=2)
    checkout.curator("reject", draft.id, "--why", " ", code=1)
    checkout.curator("reject", draft.id, "--why", "the baseline is another one")

    assert "the baseline is another one" in checkout.curator("show", draft.id, COLUMNS="100").out


def test_an_edit_is_kept_and_checked_again(checkout, editor):
    """A person's own number is as much in need of a check as a drafted one."""
    draft = checkout.draft()
    write = editor("file.write_text(file.read_text().replace('-3.5 %', '-9.1 %'))")

    said = checkout.curator("edit", draft.id, "--by", "Grace", EDITOR=write)

    assert "1 finding" in said.out
    assert "-9.1 %" in said.out
    now = checkout.queue.get(draft.id)
    assert (now.text, now.edited_by, now.status) == (checkout.WRONG, "Grace", DraftStatus.DRAFT)


@pytest.mark.parametrize(
    "code", ["", "file.write_text(file.read_text() + '\\n')", "sys.exit(3)", "file.write_text(' ')"]
)
def test_an_edit_that_is_none_changes_nothing(checkout, editor, code):
    """An editor that was left, that failed or that only added a line end must not make a revision."""
    draft = checkout.draft()
    fails = "exit" in code or "' '" in code

    checkout.curator("edit", draft.id, EDITOR=editor(code), code=1 if fails else 0)

    assert checkout.queue.get(draft.id) == draft


def test_visual_goes_before_editor_and_both_may_have_options(checkout, editor):
    """People set EDITOR='code --wait'."""
    write = editor("file.write_text('new')")
    checkout.curator("edit", checkout.draft().id, VISUAL=write, EDITOR="false")
    assert checkout.queue.all()[0].text.rstrip("\n") == "new"


@pytest.mark.parametrize("env", [{"EDITOR": "no-such-editor --wait"}, {"EDITOR": "'"}, {"PATH": "/nowhere"}])
def test_without_an_editor_the_error_says_what_to_set(checkout, env):
    """Somebody on a bare machine has to know what to do."""
    draft = checkout.draft()
    said = checkout.curator("edit", draft.id, "--by", "Ada", code=1, **env).err
    assert "EDITOR" in said
    assert said.count("\n") == 1


def test_a_text_that_could_not_be_kept_is_still_there(checkout, editor):
    """An hour of writing must survive somebody else's edit, and a bad encoding."""
    draft = checkout.draft()
    somebody = f"import subprocess; subprocess.run([sys.executable, '-c', {STEAL.format(id=draft.id)!r}], check=True)"

    for code in (f"file.write_text('mine'); {somebody}", "file.write_bytes(b'mine \\xff')"):
        said = checkout.curator("edit", draft.id, EDITOR=editor(code), code=1).err
        path = said.strip().rpartition(" ")[2]
        with open(path, "rb") as kept:  # noqa: PTH123
            assert kept.read().startswith(b"mine")


STEAL = """
from curator.cli.queue import open_queue
queue = open_queue(None)
queue.edit(queue.get("{id}"), "theirs", by="Bob")
"""


def test_what_is_published_is_not_edited(checkout):
    """The queue would show a text that is not the one that is out."""
    draft = checkout.draft()
    checkout.curator("approve", draft.id)
    checkout.curator("publish", draft.id)

    assert "new entry" in checkout.curator("edit", draft.id, EDITOR="true", code=1).err
    assert "published" in checkout.curator("reject", draft.id, "--why", "late", code=1).err


# The log


def test_the_log_shows_every_decision_in_order(checkout):
    """Who let something out, and when, must be answerable."""
    wrong, other = checkout.draft(checkout.WRONG), checkout.draft()
    finding = json.loads(checkout.curator("verify", wrong.id, "--json", code=1).out)["findings"][0]["id"]
    checkout.curator("approve", wrong.id, "--accept", finding)
    checkout.curator("reject", other.id, "--why", "too early")

    said = checkout.curator("log").out

    assert f"approved by Ada Lovelace past {finding}" in said
    assert "rejected by Ada Lovelace: too early" in said
    assert "the chain is whole" in said
    log = json.loads(checkout.curator("log", "--json").out)
    assert (log["ok"], log["problems"], [entry["draft"] for entry in log["entries"]]) == (
        True,
        [],
        [wrong.id, other.id],
    )


@pytest.mark.parametrize("how", ["changed", "removed", "inserted", "damaged"])
def test_a_log_that_somebody_touched_is_reported_and_decides_nothing(checkout, how):
    """A forged approval must neither go unnoticed nor be carried out."""
    drafts = [checkout.draft() for _ in range(3)]
    checkout.curator("approve", *(draft.id for draft in drafts))
    path = checkout.root / "log/00000002.json"
    match how:
        case "changed":
            path.write_text(path.read_text().replace("Ada", "Eve"))
        case "removed":
            path.unlink()
        case "inserted":
            (checkout.root / "log/00000004.json").write_bytes(path.read_bytes())
        case "damaged":
            path.write_text("{")

    assert "0000000" in checkout.curator("log", code=1).err
    assert json.loads(checkout.curator("log", "--json", code=1).out)["ok"] is False
    for command in (["approve", drafts[0].id], ["reject", drafts[0].id, "--why", "x"], ["publish", "--approved"]):
        said = checkout.curator(*command, code=1).err
        assert said.count("\n") == 1
    assert checkout.logbook.read_text() == checkout.LOGBOOK


# The rest


def test_the_schemas_describe_what_is_printed(checkout):
    """Whoever builds on the JSON needs the names of its fields."""
    schemas = json.loads(checkout.curator("schema").out)
    draft = checkout.draft(checkout.WRONG)
    checkout.curator("reject", draft.id, "--why", "no")

    assert schemas["version"] == 1
    for command, document in {
        "show": json.loads(checkout.curator("show", draft.id, "--json").out),
        "verify": json.loads(checkout.curator("verify", draft.id, "--json", code=1).out),
        "log": json.loads(checkout.curator("log", "--json").out),
    }.items():
        schema = schemas["schemas"][command]
        assert set(document) == set(schema["properties"])
        assert set(schema["required"]) <= set(document)


def test_a_review_without_a_terminal_names_the_way_without_one(checkout):
    """A script must not hang in a review, nor approve anything by accident."""
    draft = checkout.draft()
    said = checkout.curator("review", stdin="a\n" * 5, code=1).err
    assert "curator approve" in said
    assert checkout.queue.get(draft.id).status is DraftStatus.DRAFT
