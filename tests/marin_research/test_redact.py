"""What is taken out of a text, a command, JSON, a URL or an environment, and what must survive."""

from __future__ import annotations

import json
import os
import random
import shlex
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marin_research.redact import Redactor

ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
COMMIT = "3f2b8c1d9e0a4b5c6d7e8f901234567890abcdef"
LITERAL = "correct-horse-battery"
SOURCE = random.Random(20261122)  # noqa: S311 - fakes, made when the tests run so that no scanner takes them for real


def fake(prefix: str, length: int, alphabet: str = ALNUM) -> str:
    return prefix + "".join(SOURCE.choices(alphabet, k=length))


def pem(label: str = "RSA PRIVATE KEY", *, lines: int = 8, end: bool = True) -> str:
    body = [fake("", 64, ALNUM + "+/") for _ in range(lines)]
    return "\n".join([f"-----BEGIN {label}-----", *body, fake("", 30) + "==", *([f"-----END {label}-----"] * end)])


JWT = f"{fake('eyJ', 20)}.{fake('eyJ', 60)}.{fake('', 43, ALNUM + '-_')}"
KNOWN_BY_SHAPE = [
    ("github", fake("ghp_", 36)),
    ("github", fake("gho_", 36)),
    ("github", f"{fake('github_pat_', 22)}_{fake('', 59)}"),
    ("anthropic", fake("sk-ant-api03-", 90, ALNUM + "-_")),
    ("openai", fake("sk-proj-", 100)),
    ("openai", fake("sk-", 48)),
    ("huggingface", fake("hf_", 34)),
    ("wandb", fake("wandb_v1_", 60)),
    ("aws", fake("AKIA", 16, string.ascii_uppercase + string.digits)),
    ("aws", fake("ASIA", 16, string.ascii_uppercase + string.digits)),
    ("google", fake("AIza", 35)),
    ("google", fake("ya29.", 80)),
    ("google", fake("GOCSPX-", 28)),
    ("jwt", JWT),
    ("slack", fake("xoxb-123456789012-", 24)),
    ("npm", fake("npm_", 36)),
    ("pypi", fake("pypi-AgEI", 90)),
    ("stripe", fake("sk_live_", 24)),
    ("gitlab", fake("glpat-", 20)),
    ("groq", fake("gsk_", 52)),
    ("replicate", fake("r8_", 37)),
    ("docker", fake("dckr_pat_", 27)),
    ("tailscale", fake("tskey-auth-", 30)),
    ("vault", fake("hvs.", 90)),
    ("sendgrid", f"{fake('SG.', 22)}.{fake('', 43)}"),
    ("discord", f"{fake('M', 23)}.{fake('', 6)}.{fake('', 38)}"),
]
WANDB_KEY = fake("", 40, HEX)
BASE64 = fake("", 40, ALNUM + "+/")
KNOWN_BY_PLACE = [
    # the line with % for the secret, the secret, its kind
    ("WANDB_API_KEY=% python train.py", WANDB_KEY, "wandb"),
    ("export HF_TOKEN='%'; run", fake("", 12), "huggingface"),
    ("iris job run -e WANDB_API_KEY % -- python -m x", WANDB_KEY, "wandb"),
    ("argv: ['iris', '-e', 'WANDB_API_KEY', '%', '--']", WANDB_KEY, "wandb"),
    ('["--api-key", "%"]', fake("", 20), "key"),
    ("run --api-key % --steps 10", fake("", 20), "key"),
    ("run --hf-token=% --steps 10", fake("", 20), "huggingface"),
    ("--trainer.wandb.api_key=%", fake("", 20), "wandb"),
    ('os.environ["WANDB_API_KEY"] = "%"', WANDB_KEY, "wandb"),
    ('wandb.login(key="%")', WANDB_KEY, "wandb"),
    ("$ wandb login --relogin %", WANDB_KEY, "wandb"),
    ("aws_secret_access_key = %", BASE64, "aws"),
    ('{"client_secret": "%", "type": "x"}', fake("", 24), "secret"),
    (r"payload {\"api_key\": \"%\"}", fake("", 24), "key"),
    ("api_key: %", fake("", 24), "key"),
    ("token=%", fake("", 24), "token"),
    ("WANDB_API_KEY= HF_TOKEN=% python train.py", fake("", 30), "huggingface"),
    ("OPENAI_API_KEY= % (from the environment)", fake("", 30), "openai"),
    ("WANDB_API_KEY= %", WANDB_KEY, "wandb"),
    ("db_password= %", "hunter2", "password"),
    ('DB_PASSWORD= "%"', "hunter2", "password"),
    ("DB_PASSWORD = % # the old one", "hunter2", "password"),
    ("password: %", "hunter2", "password"),
    ("DB_PASSWORD='%'", "correct horse battery", "password"),
    ("PGPASSWORD=% psql", "Tr0ub4dor&3"[:9], "password"),
    ("$ curl -sS -u ada:% https://x.example | jq .", "hunter2", "password"),
    ("curl --proxy-user 'ada:%' https://x.example", "hunter2 secret", "password"),
    ('{"cmd": "curl -uada:% https://x.example", "x": "y"}', "hunter2", "password"),
    (r'{"cmd": "curl -u \"ada:%\" https://x.example"}', "hunter2", "password"),
    ("['/usr/bin/curl', '-u', 'ada:%', 'https://x.example']", "hunter2 secret", "password"),
    ("docker --config x login -u ada -p % ghcr.io", "hunter2", "password"),
    ("+ sshpass -p '%' ssh -p 2222 host", "hunter2", "password"),
    ("ssh host \"mysql -u root -p'%' db\"", "hunter2 secret", "password"),
    ("`mysqldump -p% db`, then", "hunter2", "password"),
    ("redis-cli -h x -a % PING", "hunter2", "password"),
    ("http --auth=ada:% GET https://x.example", "hunter2", "password"),
    ("machine api.wandb.ai login user password %", WANDB_KEY, "password"),
    ("AccountKey=%;EndpointSuffix=x", fake("", 86) + "==", "key"),
    ("Authorization: Bearer %", fake("", 40), "token"),
    ("{'Authorization': 'Basic %'}", fake("", 20), "token"),
    ("curl -H 'Authorization: token %' https://x.example", fake("", 40, HEX), "token"),
    ("Cookie: %", f"session={fake('', 20)}; theme=dark", "cookie"),
    ("https://user:%@github.com/org/repo", fake("", 12), "password"),
    ("postgres://app:%@db.example/x", "p@ss" + fake("", 6), "password"),
    ("https://%@github.com/org/repo", fake("", 40), "token"),
    ("GET https://x.example/a?b=1&X-Amz-Signature=%&c=2", fake("", 64, HEX), "signature"),
    ("https://x.example/a?sig=%", fake("", 30) + "%3D", "signature"),
    ("https://x.example/a?access_token=%", fake("", 30), "token"),
    ("posting to https://hooks.slack.com/services/%", f"T0AB/B0CD/{fake('', 24)}", "slack"),
    ("https://discord.com/api/webhooks/123456/%", fake("", 68), "discord"),
]
LOOK_ALIKES = [
    f"commit {COMMIT}",
    f"https://github.com/marin-community/marin/commit/{COMMIT}",
    f"key: {COMMIT}",
    "sha256:" + "ab12" * 16,
    "run 123e4567-e89b-12d3-a456-426614174000",
    "https://wandb.ai/marin-community/marin/runs/3fa2c1xy",
    "git@github.com:marin-community/marin.git",
    "ssh://git@github.com/marin-community/marin",
    "num_tokens=4096 tokenizer=llama3 token_count: 5 total_tokens: 1.2e12 tokens_per_second=123456.7",
    "--max-tokens 100 --tokenizer llama3 --pad-token-id 0",
    "pad_token_id=0 pad_token='<pad>' eos_token=</s> next_token: hello",
    "TOKENIZERS_PARALLELISM=false MAX_TOKENS=4096",
    "key=layers/12/attn/kernel cache_key=jit_train_step-abcdef12345 sort_key=name",
    "api_key: str | None = None",
    "api_key=os.environ['WANDB_API_KEY'] token=get_token() key=args.api_key auth_token=worker_token",
    "export WANDB_API_KEY=$WANDB_API_KEY HF_TOKEN=${HF_TOKEN} GH_TOKEN=<your token>",
    "docker run -e WANDB_API_KEY image:latest python train.py",
    "WANDB_API_KEY= python train.py --lr 0.02",
    "OPENAI_API_KEY= make",
    "HF_TOKEN= WANDB_API_KEY= 'python' train.py",
    'api_key= password: ""',
    "docker run -p 8080:80 x; docker login -u me --password-stdin; ssh -p 22 login",
    "curl -u $USER:$PW -u <user>:<password> x; curl -u USER:PASSWORD y; python -u a:b",
    "mysql -u root -p db; sshpass -e ssh -p 2222 x; unzip -p a.zip; zip -P handling",
    "password= user=eve host=x",
    "grep -e WANDB_API_KEY logs.txt",
    "Missing API key: set it with wandb login",
    "password: the user must enter one",
    "use --token to authenticate and --api-key for the rest",
    "unexpected token: embedding at position 5",
    "GOOGLE_APPLICATION_CREDENTIALS=/etc/gcp/key.json TOKEN_FILE=/run/token SECRET_NAME=my-secret",
    "gs://marin-us-central2/checkpoints/tootsie-8b-3f2a9c/hf/step-1000",
    "task-abcdefghijklmnopqrstuvwxyz123456 is running on disk-0123456789abcdef0123",
    "author: someone, authenticated=True, auth: enabled, Authorization: required",
    "forward_pass=0.321 bypass=12 compass=north",
    "driver 595.71.05, CUDA 13.4.1.1, v1.2.3.4",
]


@pytest.fixture
def redactor() -> Redactor:
    return Redactor({LITERAL: "password"})


@pytest.fixture
def public() -> Redactor:
    return a_public_redactor()


def a_public_redactor() -> Redactor:
    return Redactor(
        {LITERAL: "password"}, public=True, names=("Heron", "Acme Labs"), user="ada", host="gpu-box-17.lab.example"
    )


@pytest.mark.parametrize(("kind", "secret"), KNOWN_BY_SHAPE)
@pytest.mark.parametrize("around", ["%", "using % now", '{"x": "%"}', "a=%,b", "https://x.example/%/y", "(%)"])
def test_a_secret_with_a_shape_of_its_own_is_removed_wherever_it_stands(redactor, kind, secret, around):
    """A key that a library prints in the middle of anything would otherwise reach the record."""
    text = "first line\n" + around.replace("%", secret) + "\nlast line\n"

    redaction = redactor.text(text)

    assert redaction.text == text.replace(secret, f"[REDACTED:{kind}]")
    assert [text[each.start : each.end] for each in redaction.removed] == [secret]


@pytest.mark.parametrize(("line", "secret", "kind"), KNOWN_BY_PLACE)
def test_a_secret_without_a_shape_is_removed_where_its_place_tells(redactor, line, secret, kind):
    """W&B keys look like commits; only what stands before them tells, and the line must stay readable."""
    text = f"10 steps done\n{line.replace('%', secret, 1)}\nsaved\n"

    assert redactor.text(text).text == f"10 steps done\n{line.replace('%', f'[REDACTED:{kind}]', 1)}\nsaved\n"


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_only_looks_like_a_secret_survives(redactor, public, text):
    """A record without its commits, token counts and run links is of no use."""
    assert redactor.text(text).text == text
    assert public.text(text).text == text


def test_real_logbooks_lose_nothing(redactor):
    """What researchers wrote holds commits, hashes, commands and links, and no credential."""
    folder = os.environ.get("MARIN_RESEARCH_CORPUS")
    if not folder:
        pytest.skip("MARIN_RESEARCH_CORPUS names no folder of logbooks")
    for path in Path(folder).glob("*.md"):
        assert redactor.text(path.read_text(encoding="utf-8")).removed == (), path.name


@pytest.mark.parametrize("label", ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"])
@pytest.mark.parametrize("end", [True, False])
@pytest.mark.parametrize("prefix", ["", "2026-11-22 INFO "])
def test_a_private_key_is_removed_with_all_its_lines(redactor, label, end, prefix):
    """Its body has no shape of its own, and a log may put a time before each line or be cut short."""
    key = "\n".join(prefix + line for line in pem(label, end=end).split("\n"))

    assert redactor.text(f"before\n{key}\nstep 1 is done\n").text == (
        f"before\n{prefix}[REDACTED:private-key]\nstep 1 is done\n"
    )


@pytest.mark.parametrize(
    "cut", [[fake("MIIE", 34)], [fake("MIIE", 34) + "...", "[truncated]"], ["", fake("", 20), "==="]]
)
@pytest.mark.parametrize("prefix", ["", "2026-11-22 INFO "])
def test_what_is_left_of_a_cut_private_key_goes_up_to_its_end_line(redactor, cut, prefix):
    """A shortened key is no key for a pattern, and still gives away what it holds."""
    begin, *_, end = pem().split("\n")
    key = "\n".join(prefix + line for line in [begin, *cut, end])

    assert redactor.text(f"before\n{key}\nstep 1 is done\n").text == (
        f"before\n{prefix}[REDACTED:private-key]\nstep 1 is done\n"
    )


def test_a_private_key_that_never_ends_takes_no_line_of_the_next_one_nor_of_the_log(redactor):
    """An END line far away, or that of another key, says nothing of what a program printed before it."""
    begin, *_, end = pem().split("\n")
    said = "".join(f"step {step} is done\n{fake('', 40, HEX)}\n" for step in range(10))

    assert redactor.text(f"{begin}\n{said}{end}\n").text == f"[REDACTED:private-key]\n{said}{end}\n"
    assert redactor.text(f"{begin}\nstep 1 is done\n{pem()}\n").text == (
        "[REDACTED:private-key]\nstep 1 is done\n[REDACTED:private-key]\n"
    )


def test_a_private_key_inside_json_is_removed_and_the_json_still_reads(redactor):
    """Service account files hold the key on one line, with its line ends escaped."""
    text = json.dumps({"type": "service_account", "private_key": pem(), "project": "marin"})

    assert json.loads(redactor.text(text).text) == {
        "type": "service_account",
        "private_key": "[REDACTED:private-key]",
        "project": "marin",
    }


def test_a_private_key_goes_whole_where_a_logger_says_after_its_first_line_who_printed_it(redactor):
    """Loggers that put the place at the right margin do so once for a message of many lines."""
    begin, *rest = pem().split("\n")

    assert redactor.text("\n".join([f"INFO {begin}   app.py:12", *rest, "done"])).text == (
        "INFO [REDACTED:private-key]\ndone"
    )


def test_naming_a_private_key_removes_no_prose(redactor):
    """A sentence that mentions the header is no key, and neither is the program's next line."""
    text = f"{pem(lines=0, end=False).splitlines()[0]} was expected\nstep 1 is done\nloss 2.3\n"

    assert redactor.text(text).text.endswith(" was expected\nstep 1 is done\nloss 2.3\n")


def test_a_known_value_is_removed_in_every_spelling():
    """A password with quotes or slashes stands escaped in JSON and encoded in URLs."""
    redactor = Redactor({'a"b/c d+é': "W&B password", "one-line-of-it\nand another": "key"})

    text = r'a"b/c d+é | a\"b/c d+\u00e9 | a%22b%2Fc%20d%2B%C3%A9 | and another'

    assert redactor.text(text).text == " | ".join(["[REDACTED:w-b-password]"] * 3 + ["[REDACTED:key]"])


PIECES = [
    *(secret for _, secret in KNOWN_BY_SHAPE),
    *(line.replace("%", secret, 1) for line, secret, _ in KNOWN_BY_PLACE),
    *(
        "ask jane.roe@example.org",
        "gs://bucket/users/jroe/x",
        "jroe@node-5:/data",
        "peer 10.128.0.3:8471",
        "db.internal",
    ),
    *(
        [
            "",
            "=",
            ":",
            ",",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "'",
            '"',
            "\\",
            "\n",
            "\r",
            "\x00",
            "é",
            "�",
            "--",
            "-e",
            "@",
            "://",
            "?",
            "&",
            ".",
            "-",
            "_",
            "/",
            "key",
            "token",
            "secret",
            "Heron",
            "ada",
        ]
    ),
    *(LITERAL, pem(lines=3), pem(lines=2, end=False), "[REDACTED:", "[REDACTED:key]", "REDACTED", "api_key", "/home/"),
]
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=12).map("".join)
redactors = st.sampled_from([Redactor({LITERAL: "password"}), a_public_redactor()])


@given(redactors, texts)
def test_redacting_twice_changes_nothing_more(redactor, text):
    """Text is redacted when captured, before a model sees it and before it is published."""
    once = redactor.text(text).text

    assert redactor.text(once).text == once


@given(redactors, texts)
def test_what_was_removed_is_told_exactly(redactor, text):
    """Review shows each removal in its place; everything outside must be as it was."""
    redaction = redactor.text(text)

    rebuilt, at = "", 0
    for each in redaction.removed:
        assert at <= each.start < each.end <= len(text)
        rebuilt += text[at : each.start] + f"[REDACTED:{each.kind}]"
        at = each.end
    assert rebuilt + text[at:] == redaction.text


@given(redactors, st.lists(texts, max_size=6))
def test_a_masked_command_keeps_its_number_of_arguments(redactor, argv):
    """A word that falls apart or vanishes would make another command of it."""
    masked = redactor.argv(argv)

    assert len(masked) == len(argv)
    assert shlex.split(shlex.join(masked)) == list(masked)
    assert redactor.argv(masked) == masked


json_trees = st.recursive(
    st.one_of(texts, st.none(), st.booleans(), st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)


@given(redactors, json_trees)
def test_redacting_json_twice_changes_nothing_more(redactor, tree):
    """Configs are redacted when recorded and again with the draft that quotes them."""
    once = redactor.json(tree)

    assert redactor.json(once) == once


ADVERSARIES = [
    *(
        "a-",
        "a.",
        "a@",
        "key=",
        "token=",
        "api_key=",
        "api_key=(",
        'api_key="',
        "--key ",
        "-e A ",
        "://a:",
        "sk-",
        "-sk-",
    ),
    *("eyJ", "-eyJ", "ghp_", "-----BEGIN PRIVATE" + " KEY-----", "-----", "cookie: ", "login a password ", "bearer "),
    *("-----BEGIN PRIVATE" + " KEY-----\n", "curl -u ", "mysql -p' "),
    *("10.0.0.1", "fe80:", "[::", "a/home/a", "user@a:", "a.internal-", "[REDACTED:", "?key=&", "http://github.com/ "),
]


@pytest.mark.parametrize("unit", ADVERSARIES)
@pytest.mark.parametrize("tail", ["", "@"])
def test_no_text_makes_redaction_slow(public, unit, tail):
    """One line made to trip a pattern would stall the recording of a run for minutes."""
    hostile = (unit * 20_000)[:40_000] + tail
    usual = ("step=1 loss=2.345 api_key=abcd1234 10.0.0.1 " * 1_000)[: len(hostile)]

    assert seconds(public, hostile) < 40 * seconds(public, usual)


def seconds(redactor: Redactor, text: str) -> float:
    """The least of a few tries, in seconds of this process's own time: the machine may be busy."""
    tries = []
    for _ in range(2):
        start = time.process_time()
        redactor.text(text)
        tries.append(time.process_time() - start)
    return min(tries)
