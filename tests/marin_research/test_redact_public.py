"""What is taken out of text that everyone will read, and what must survive there."""

from __future__ import annotations

import pytest

from marin_research.redact import Redactor

PRIVATE = [
    # text, what must be gone, the text for everyone
    ("ask jane.roe@example.org", "jane.roe", "ask [REDACTED:email]"),
    ("ran in /home/jroe/marin/x", "jroe", "ran in /home/[REDACTED:user]/marin/x"),
    ("/mnt/lab/home/jroe/x", "jroe", "/mnt/lab/home/[REDACTED:user]/x"),
    ("/Users/jroe/marin", "jroe", "/Users/[REDACTED:user]/marin"),
    ("gs://bucket/scratch/users/jroe/ckpt", "jroe", "gs://bucket/scratch/users/[REDACTED:user]/ckpt"),
    ("job `/ada/lr-sweep-1`", "ada", "job `/[REDACTED:user]/lr-sweep-1`"),
    ("Ada started it", "Ada", "[REDACTED:user] started it"),
    ("on gpu-box-17 since", "gpu-box", "on [REDACTED:host] since"),
    ("gpu-box-17.lab.example is down", "gpu-box", "[REDACTED:host] is down"),
    ("db-1.internal:5432", "db-1", "[REDACTED:host]:5432"),
    ("api.team.svc.cluster.local", "team", "[REDACTED:host]"),
    ("scp jroe@node-5:/data .", "jroe", "scp [REDACTED:user]@[REDACTED:host]:/data ."),
    ("peer 10.128.0.3:8471", "10.128", "peer [REDACTED:ip]:8471"),
    ("bound to 192.168.1.4", "192.168", "bound to [REDACTED:ip]"),
    ("host=8.8.8.8", "8.8.8.8", "host=[REDACTED:ip]"),
    ("fd12:3456:789a::1 and fe80::1%eth0", "789a", "[REDACTED:ip] and [REDACTED:ip]"),
    ("the project HERON, for Acme Labs", "HERON", "the project [REDACTED:name], for [REDACTED:name]"),
]
PUBLIC_LOOK_ALIKES = [
    "CUDA 13.4.1.1, cudnn 10.2.89.1, v10.1.2.3, lib==10.0.0.1",
    "127.0.0.1 and 0.0.0.0 and 12:34:56 and std::vector",
    "src/home/index.html and https://example.com/home/page",
    "https://wandb.ai/ada/lr-sweep/runs/3fa2c1 https://github.com/ada/marin",
    "git@github.com:org/repo and tokenize@v1.2 and icon@2x.png",
    "threading.local() in config.local.py and .env.local",
    "herons fly, adamw converges",
]


@pytest.fixture
def public() -> Redactor:
    return Redactor(public=True, names=("Heron", "Acme Labs"), user="ada", host="gpu-box-17.lab.example")


@pytest.mark.parametrize(("text", "gone", "expected"), PRIVATE)
def test_public_text_names_no_person_and_no_machine(public, text, gone, expected):
    """Logbooks and issues are read by everyone; the readable tail of a path stays."""
    assert gone in text
    assert public.text(text).text == expected


@pytest.mark.parametrize(("text", "gone", "expected"), PRIVATE)
def test_a_private_record_keeps_names_and_hosts(text, gone, expected):
    """Where a run happened is what its owner wants to know."""
    assert Redactor().text(text).text == text


@pytest.mark.parametrize("text", PUBLIC_LOOK_ALIKES)
def test_public_text_keeps_versions_links_and_code(public, text):
    """Over-eager removal makes a write-up unreadable, and people switch it off."""
    assert public.text(text).text == text


def test_a_name_that_everyone_has_is_no_name():
    """Under root on a machine called node, "root cause" and "node" stay; where the host is named it goes."""
    redactor = Redactor(public=True, user="root", host="node")

    assert redactor.text("the root cause; hostname=node; each node").text == (
        "the root cause; hostname=[REDACTED:host]; each node"
    )
