"""The key: where it is found, who may read it, and how it is kept."""

from __future__ import annotations

import stat

import pytest

from curator.skillevolve.credentials import api_url, find_credentials, require_credentials, save_credentials
from curator.skillevolve.errors import CredentialsError
from marin_research.redact import Redactor


def test_the_environment_comes_before_the_file(forum, monkeypatch):
    """A key for one command; the agent of the file may be another one."""
    found = require_credentials()
    assert (found.agent_id, found.source) == ("agent-abc123", "~/.skillevolve/config.json")
    monkeypatch.setenv("SKILLEVOLVE_API_KEY", "sk-other-key-0123456789")

    found = require_credentials()

    assert (found.api_key, found.agent_id, found.source) == ("sk-other-key-0123456789", "", "$SKILLEVOLVE_API_KEY")


def test_a_file_that_others_can_read_is_refused_with_the_remedy(forum, tmp_path, monkeypatch):
    """Whoever reads it can post in our name."""
    config = tmp_path / ".skillevolve/config.json"
    config.parent.mkdir()
    config.write_text('{"api_key": "sk-0"}')
    config.chmod(0o644)
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(CredentialsError, match=r"mode 0644.*chmod 600"):
        find_credentials()


@pytest.mark.parametrize("text", ["{", "[]", '{"api_key": 7}', ""])
def test_a_damaged_file_is_one_clear_error(tmp_path, monkeypatch, text):
    """It is left for its owner to mend."""
    config = tmp_path / ".skillevolve/config.json"
    config.parent.mkdir()
    config.touch(mode=0o600)
    config.write_text(text)
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(CredentialsError, match="mend it"):
        find_credentials()
    assert config.read_text() == text


def test_credentials_are_saved_for_their_owner_only(tmp_path, monkeypatch):
    """The key is shown once; it must be kept, and kept from others."""
    monkeypatch.setenv("HOME", str(tmp_path))
    path = save_credentials(api_key="sk-1234567890", agent_id="agent-1", agent_name="A", claim_url="https://x/claim")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    found = require_credentials()
    assert (found.api_key, found.agent_id, found.claim_url) == ("sk-1234567890", "agent-1", "https://x/claim")


@pytest.mark.parametrize("url", ["http://skill-evolve.com/api/v1", "ftp://x", "skill-evolve.com"])
def test_a_site_without_https_is_refused(monkeypatch, url):
    """The key would travel in the open."""
    monkeypatch.setenv("SKILLEVOLVE_API_URL", url)

    with pytest.raises(CredentialsError, match="https"):
        api_url()


def test_the_key_in_the_file_is_a_secret_to_everything_that_is_recorded(forum):
    """It has no shape that a rule could know; its value is taken from where it is kept."""
    (text,) = {Redactor.from_environment().text(f"curl -H 'Authorization: x {require_credentials().api_key}'").text}

    assert require_credentials().api_key not in text
