"""Redacting commands, JSON, URLs and environments; knowing the account's own secrets; the command line."""

from __future__ import annotations

import json
import os
import random
import shlex
import string
import subprocess
import sys

import pytest

from marin_research.redact import Redactor

SOURCE = random.Random(20261122)  # noqa: S311 - fakes, made when the tests run so that no scanner takes them for real
COMMIT = "3f2b8c1d9e0a4b5c6d7e8f901234567890abcdef"


def letters(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(SOURCE.choices(alphabet, k=length))


GITHUB_TOKEN = "ghp_" + letters(36)
WANDB_KEY = letters(40, "0123456789abcdef")


@pytest.fixture
def redactor() -> Redactor:
    return Redactor()


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["iris", "run", "-e", "WANDB_API_KEY", "abc", "--", "x"], "iris run -e WANDB_API_KEY [REDACTED:wandb] -- x"),
        (["run", "-e", "HF_TOKEN=abc", "--tokenizer", "x"], "run -e HF_TOKEN=[REDACTED:huggingface] --tokenizer x"),
        (["x", "--api-key", "k", "--max-tokens", "100"], "x --api-key [REDACTED:key] --max-tokens 100"),
        (["x", "--api-key=k", "--token", "t"], "x --api-key=[REDACTED:key] --token [REDACTED:token]"),
        (["env", "PASSWORD=two words", "A=1", "x"], "env PASSWORD=[REDACTED:password] A=1 x"),
        (
            ["curl", "-u", "me:pw", "https://a:b1c2@h/x"],
            "curl -u me:[REDACTED:password] https://a:[REDACTED:password]@h/x",
        ),
        (["curl", "--user=me:pw", "x"], "curl --user=me:[REDACTED:password] x"),
        (["curl", "-ume:pw", "x"], "curl -ume:[REDACTED:password] x"),
        (["srun", "docker", "login", "-u", "me", "-p", "two words"], "srun docker login -u me -p [REDACTED:password]"),
        (["docker", "run", "-p", "80:80", "x"], "docker run -p 80:80 x"),
        (["sshpass", "-phunter2", "ssh", "-p", "22", "x"], "sshpass -p[REDACTED:password] ssh -p 22 x"),
        (["/usr/bin/mysql", "-psecret", "db"], "/usr/bin/mysql -p[REDACTED:password] db"),
        (["mysql", "-p", "db"], "mysql -p db"),
        (["curl", "-H", "Authorization: Bearer abcdef12"], "curl -H 'Authorization: Bearer [REDACTED:token]'"),
        (["/opt/bin/wandb", "login", "--relogin", WANDB_KEY], "/opt/bin/wandb login --relogin [REDACTED:wandb]"),
        (["docker", "run", "-e", "WANDB_API_KEY", "image"], "docker run -e WANDB_API_KEY image"),
        (["x", "--password", "--verbose"], "x --password --verbose"),
        (["x", "--secret-name", "mine", "--key", "column"], "x --secret-name mine --key column"),
    ],
)
def test_a_masked_command_still_is_the_same_command(redactor, argv, expected):
    """Records show the command for others to run; a key in it once leaked from records that kept sys.argv."""
    masked = redactor.argv(argv)

    assert [word.replace("[", "").replace("]", "") for word in masked] == (
        [word.replace("[", "").replace("]", "") for word in shlex.split(expected)]
    )
    assert shlex.split(shlex.join(masked)) == list(masked)


def test_a_script_given_to_a_shell_is_masked_inside(redactor):
    """``bash -c`` takes a whole program as one argument; all but the secrets must stay."""
    script = "WANDB_API_KEY=abcd1234 python train.py --api-key 'two words' && echo done"

    assert redactor.argv(["bash", "-c", script]) == (
        "bash",
        "-c",
        "WANDB_API_KEY=[REDACTED:wandb] python train.py --api-key '[REDACTED:key]' && echo done",
    )


@pytest.mark.parametrize("program", [["sh", "-c"], ["sbatch", "--wrap"], []])
def test_a_command_that_empties_a_variable_keeps_the_program_it_starts(redactor, program):
    """Runs without a key are started so; a record that lost ``python`` cannot be repeated."""
    script = "WANDB_API_KEY= python train.py --lr 0.02 --seed 0"

    assert redactor.argv([*program, script]) == (*program, script)
    assert redactor.argv(["env", "WANDB_API_KEY=", "python", "x"]) == ("env", "WANDB_API_KEY=", "python", "x")


def test_json_is_masked_under_names_that_tell_and_in_every_string(redactor):
    """Configs hold keys by name, and count tokens by almost the same names."""
    token = GITHUB_TOKEN
    tree = {
        "api_key": "k",
        "headers": {"Authorization": "Bearer abc"},
        "max_tokens": 4096,
        "token_count": 5,
        "tokenizer": "llama3",
        "pad_token": "<pad>",
        "password": None,
        "use_auth_token": True,
        "env": [{"name": "WANDB_API_KEY", "value": "v"}, {"name": "STEPS", "value": "10"}],
        "credentials": {"user": "u", "port": 5432},
        "argv": ("x", "--api-key", "k"),
        f"used {token}": [f"push with {token}", 1.5],
    }

    assert redactor.json(tree) == {
        "api_key": "[REDACTED:key]",
        "headers": {"Authorization": "Bearer [REDACTED:token]"},
        "max_tokens": 4096,
        "token_count": 5,
        "tokenizer": "llama3",
        "pad_token": "<pad>",
        "password": None,
        "use_auth_token": True,
        "env": [{"name": "WANDB_API_KEY", "value": "[REDACTED:wandb]"}, {"name": "STEPS", "value": "10"}],
        "credentials": {"user": "[REDACTED:secret]", "port": 5432},
        "argv": ("x", "--api-key", "[REDACTED:key]"),
        "used [REDACTED:github]": ["push with [REDACTED:github]", 1.5],
    }


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:p w@github.com/org/repo", "https://me:[REDACTED:password]@github.com/org/repo"),
        ("https://x.example/a?key=abc&page=2", "https://x.example/a?key=[REDACTED:key]&page=2"),
        ("https://x.example/a?X-Amz-Credential=abc/x", "https://x.example/a?X-Amz-Credential=[REDACTED:secret]"),
        ("https://wandb.ai/marin/x/runs/3fa2c1?nw=ada", "https://wandb.ai/marin/x/runs/3fa2c1?nw=ada"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
    ],
)
def test_a_url_loses_its_password_and_its_secret_parameters(redactor, url, expected):
    """A git remote with credentials in it goes into every record of that checkout."""
    assert redactor.url(url) == expected


def test_an_environment_is_masked_by_name_and_by_value(redactor):
    """An environment is recorded to repeat the run, which needs the settings and none of the keys."""
    environ = {
        "WANDB_API_KEY": "k",
        "MY_SERVICE_KEY": "k",
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "DATABASE_URL": "postgres://app:pw12@db.example/x",
        "XLA_FLAGS": "--xla_dump_to=/tmp/x",
        "TOKENIZERS_PARALLELISM": "false",
        "MAX_TOKENS": "4096",
        "SSH_AUTH_SOCK": "/tmp/agent.1",
        "HF_TOKEN": "",
    }

    assert redactor.environment(environ) == environ | {
        "WANDB_API_KEY": "[REDACTED:wandb]",
        "MY_SERVICE_KEY": "[REDACTED:key]",
        "GITHUB_TOKEN": "[REDACTED:github]",
        "DATABASE_URL": "postgres://app:[REDACTED:password]@db.example/x",
    }


def test_the_secrets_of_the_account_are_known_wherever_they_stand(tmp_path):
    """A bare W&B key cannot be told from a commit, unless it is the very key of whoever runs this."""
    netrc_key, hub_token = letters(40, "0123456789abcdef"), letters(30)
    (tmp_path / ".netrc").write_text(f"machine api.wandb.ai\n  login user\n  password {netrc_key}\n")
    (tmp_path / ".netrc").chmod(0o600)
    token_file = tmp_path / ".cache" / "huggingface" / "token"
    token_file.parent.mkdir(parents=True)
    token_file.write_text(hub_token + "\n")
    environ = {"HOME": str(tmp_path), "WANDB_API_KEY": WANDB_KEY, "TOKENIZERS_PARALLELISM": "falsefalse"}

    redactor = Redactor.from_environment(environ)

    text = f"x{WANDB_KEY}x {netrc_key} {hub_token} {COMMIT} falsefalse"
    assert redactor.text(text).text == (
        f"x[REDACTED:wandb]x [REDACTED:wandb] [REDACTED:huggingface] {COMMIT} falsefalse"
    )


@pytest.mark.parametrize("content", [None, b"machine\n\xff\xfe", b"nonsense and more nonsense\n"])
def test_missing_or_broken_credential_files_are_passed_over(tmp_path, content):
    """Recording must start on a machine whose .netrc nobody can read."""
    if content is not None:
        (tmp_path / ".netrc").write_bytes(content)

    redactor = Redactor.from_environment({"HOME": str(tmp_path)})

    assert redactor.text("loss 2.3").text == "loss 2.3"


def redact(*options: str, text: bytes, home) -> subprocess.CompletedProcess[bytes]:
    code = "from marin_research.cli.redact import command; command()"
    environ = os.environ | {"HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-c", code, *options], input=text, capture_output=True, check=False, env=environ
    )


def test_the_command_redacts_its_input_and_passes_other_bytes_through(tmp_path):
    """A log with bytes that are no UTF-8 must come out whole but for the secret."""
    done = redact(text=b"\xff key " + GITHUB_TOKEN.encode() + b"\r\n\0end", home=tmp_path)

    assert (done.returncode, done.stdout) == (0, b"\xff key [REDACTED:github]\r\n\0end")


def test_the_command_tells_what_it_removed_as_json(tmp_path):
    """Editors mark the removed pieces in the original text by these offsets."""
    done = redact("--public", "--name", "Heron", "--json", text="é heron x@example.org".encode(), home=tmp_path)

    assert json.loads(done.stdout) == {
        "text": "é [REDACTED:name] [REDACTED:email]",
        "removed": [{"kind": "name", "start": 2, "end": 7}, {"kind": "email", "start": 8, "end": 21}],
    }


def test_a_private_name_without_public_is_refused(tmp_path):
    """Whoever names a name expects it to go; keeping it silently would publish it."""
    done = redact("--name", "Heron", text=b"heron", home=tmp_path)

    assert done.returncode == 2
    assert b"--public" in done.stderr
