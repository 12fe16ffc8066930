"""The review in a real browser: reading, editing, deciding; and who is not let in."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from playwright.sync_api import Dialog, Page, expect
from werkzeug.serving import make_server

from curator.draft import Attachment, DraftStatus
from curator.web.app import create_app
from curator.web.guard import Guard
from tests.curator.browser import NoBrowserError, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from tests.curator.conftest import Checkout

_PATIENCE_MS = 60_000
DOT = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><circle cx="9" cy="9" r="5"/></svg>'


@dataclass
class Served:
    """The page over a checkout's store, and the browser that looks at it."""

    url: str
    key: str
    page: Page
    complaints: list[str]
    """What the browser logged, and every address outside of the page that it was asked for."""

    def open(self, draft_id: str) -> Page:
        self.page.goto(f"{self.url}drafts/{draft_id}{self.key}")
        return self.page

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name)


@pytest.fixture(scope="module")
def browser(pytestconfig: pytest.Config) -> Iterator[Browser]:
    try:
        with chromium(pytestconfig.cache.mkdir("browser")) as started:
            yield started
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.fixture
def address(checkout: Checkout) -> Iterator[tuple[str, str]]:
    """Where the page is served, and the rest of the address that lets one in."""
    guard = Guard()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        app = create_app(checkout.queue, guard, by="Ada Lovelace", port=port, say=lambda _: None)
        server = make_server("127.0.0.1", port, app, threaded=True, fd=listening.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{port}/", f"?token={guard.token}"
    server.shutdown()
    thread.join()


@pytest.fixture
def served(address: tuple[str, str], browser: Browser, request: pytest.FixtureRequest) -> Iterator[Served]:
    context = browser.new_context(java_script_enabled=not request.node.get_closest_marker("no_javascript"))
    context.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    page, complaints = context.new_page(), list[str]()

    def dismiss(dialog: Dialog) -> None:
        complaints.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", dismiss)
    page.on("request", lambda sent: None if sent.url.startswith(address[0]) else complaints.append(sent.url))
    yield Served(*address, page, complaints)
    context.close()


def test_a_number_leads_to_the_facts_behind_it(served, checkout):
    """Whoever doubts a number has to find what it was computed from; and the plot is part of what they approve."""
    kept = Attachment(name=f"{sha256(DOT).hexdigest()[:16]}.svg", blob=checkout.queue.store.put_blob(DOT))
    page = served.open(checkout.draft(attachments=(kept,)).id)
    page.get_by_role("link", name="-3.5 %").click()
    fact = page.locator("li:target")
    for part in ("LR-002/percent/eval/loss = -3.48", "LR-001/metric/eval/loss = 2.458599805831909 nats/byte"):
        expect(fact).to_contain_text(part)
    assert page.locator("figure img").evaluate("image => image.decode().then(() => image.naturalWidth)") == 40
    assert served.complaints == []


def test_findings_follow_what_is_typed(served, checkout):
    """An edit is judged while it is made, kept while the program does not answer, and saved as it was typed."""
    draft = checkout.draft()
    page = served.open(draft.id)
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.type("- It was 12.5 % faster.")
    expect(page.locator(".findings")).to_contain_text("12.5 %")
    expect(page.locator("#told")).to_contain_text("not saved")
    assert checkout.queue.get(draft.id).text == draft.text
    for _ in range(len("12.5 % faster.")):
        page.keyboard.press("Backspace")
    page.keyboard.type("fine.")
    expect(page.get_by_text("no findings")).to_be_visible()
    assert served.complaints == []
    page.context.set_offline(True)
    page.keyboard.press("Control+s")
    expect(page.locator("#told")).to_contain_text("does not answer. Your text stays here")
    page.context.set_offline(False)
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status").first).to_contain_text("saved and checked")
    saved = checkout.queue.get(draft.id)
    assert saved.text == draft.text + "- It was fine.\n"
    assert (saved.edited_by, saved.status) == ("Ada Lovelace", DraftStatus.DRAFT)


def test_an_approval_goes_past_findings_one_by_one(served, checkout):
    """What no fact backs is approved with open eyes or not at all, and the log says so."""
    draft, rest = checkout.draft(checkout.WRONG), checkout.draft()
    page = served.open(draft.id)
    served.button("Approve").click()
    expect(page.get_by_role("alert").first).to_contain_text("accept each finding")
    assert checkout.decisions() == []
    page.get_by_label("approve past it").check()
    served.button("Approve").click()
    expect(page.get_by_role("status").first).to_contain_text("has not left this machine yet")
    expect(page.get_by_role("heading", level=1)).to_contain_text(rest.id)
    (entry,) = checkout.queue.log.entries()
    assert (entry.sha256, entry.by, [each.text for each in entry.accepted]) == (
        draft.sha256,
        "Ada Lovelace",
        ["-9.1 %"],
    )


def test_the_keyboard_is_enough_and_approves_nothing_by_a_slip(served, checkout):
    """A letter only goes to a button; Enter in the field beside it presses none."""
    first, second = checkout.draft(), checkout.draft(checkout.WRONG)
    page = served.open(first.id)
    page.keyboard.press("a")
    expect(served.button("Approve")).to_be_focused()
    page.keyboard.press("n")
    page.wait_for_url(f"**/{second.id}")  # loaded, and so listening to keys
    page.keyboard.press("f")
    expect(page.locator("li:target")).to_contain_text("-9.1 %")
    page.keyboard.press("r")
    page.keyboard.type("the baseline is the wrong one")
    page.keyboard.press("Enter")
    assert checkout.decisions() == []
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(first.id)
    (entry,) = checkout.queue.log.entries()
    assert (entry.decision, entry.draft, entry.why) == ("rejected", second.id, "the baseline is the wrong one")


def test_what_was_changed_meanwhile_is_not_approved_and_nothing_typed_is_lost(served, checkout):
    """Two people read the same draft; one of them edits it."""
    draft = checkout.draft()
    page = served.open(draft.id)
    page.keyboard.press("e")
    page.fill("#text", draft.text + "- Mine.\n")
    theirs = draft.text.replace("Result", "What came out")
    checkout.queue.edit(draft, theirs, by="Grace Hopper")
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")  # as when one comes back to the tab
    expect(page.locator("#meanwhile")).to_contain_text("edited by Grace Hopper")
    served.button("Save this text first").click()
    expect(page.get_by_role("alert").first).to_contain_text("changed meanwhile by Grace Hopper")
    assert page.input_value("#text") == draft.text + "- Mine.\n"
    expect(page.locator(".removed")).to_contain_text("What came out")
    assert checkout.queue.get(draft.id).text == theirs
    assert checkout.decisions() == []


@pytest.mark.no_javascript
def test_without_scripts_an_edit_is_saved_before_anything_is_approved(served, checkout):
    """Nobody approves a text that they saw unchecked."""
    draft = checkout.draft()
    page = served.open(draft.id)
    page.locator("summary").first.click()
    page.fill("#text", draft.text + "- It holds.\n")
    served.button("Approve").click()
    expect(page.get_by_role("status").first).to_contain_text("nothing was approved")
    assert checkout.decisions() == []
    served.button("Approve").click()
    expect(page.get_by_text("has not left this machine yet")).to_be_visible()
    approved = checkout.queue.get(draft.id)
    assert (approved.text, approved.status) == (draft.text + "- It holds.\n", DraftStatus.APPROVED)


HOSTILE = [
    "\n\n### starts with empty lines\n\n\n",
    "### ends without a line end",
    "### of Windows\r\n\r\n- with its line ends\r\n",
    "### </textarea><script>alert(1)</script><img src=x onerror=alert(1)>\n- \"quoted\" & 'quoted' &amp;\n",
    "### \x1b[31m red \u202e turned \u2028 and 🤖\tin tabs\n",
]


def test_a_text_comes_back_from_the_browser_as_it_was(served, checkout):
    """Looking at a draft and saving it must not change a byte; a hostile one is shown, not obeyed."""
    for draft in [checkout.draft(text) for text in HOSTILE]:
        page = served.open(draft.id)
        page.keyboard.press("e")
        served.button("Save the edit").click()
        expect(page.get_by_role("status").first).to_contain_text("as it was")
        assert checkout.queue.get(draft.id).revision == 0
    assert served.complaints == []


def visitor(address: tuple[str, str]) -> tuple[httpx.Client, str]:
    """A client with the cookie, and the token of its forms."""
    client = httpx.Client(base_url=address[0], follow_redirects=True)
    client.get(f"/{address[1]}")
    found = re.search(r'name="form_token" value="([^"]+)"', client.get("/drafts/LR-D001").text)
    assert found
    return client, found[1]


def test_a_draft_can_be_proofread_before_it_is_decided_on(served, checkout, serve):
    """Who reviews in a browser wants the same second reader; without a key there is no button that cannot work."""
    draft = checkout.draft("With a higher rate the loss is 2.373; the old rate was better.\n")
    served.open(draft.id)
    expect(served.button("Proofread with Claude")).to_have_count(0)
    loss = [f"LR-00{number}/metric/eval/loss" for number in (1, 2)]
    objection = {"quote": "better", "facts": loss, "why": "LR-001 has the higher loss."}
    serve({"reply": json.dumps({"meanings": [], "objections": [objection]})})

    page = served.open(draft.id)
    served.button("Proofread with Claude").click()

    expect(page.get_by_text("claude-opus-5-5 objects: LR-001 has the higher loss.")).to_be_visible()
    expect(page.get_by_role("status").first).to_contain_text("no doubts settled, 1 objection")
    assert checkout.decisions() == []
    assert served.complaints == []


def test_nobody_comes_in_without_the_key(address, checkout):
    """Other users of the machine can connect to the port."""
    draft = checkout.draft()
    form = {"act": "approve", "sha256": draft.sha256, "status": "draft", "form_token": ""}
    for token in ("", "?token=", "?token=guess"):
        assert httpx.get(f"{address[0]}{token}").status_code == 403
    said = httpx.get(f"{address[0]}drafts/{draft.id}")
    assert said.status_code == 403
    assert "2.373" not in said.text
    assert httpx.post(f"{address[0]}drafts/{draft.id}{address[1]}", data=form).status_code == 403
    assert checkout.decisions() == []


@pytest.mark.parametrize("text", ["### bytes \udcff\n", "### one\r\n- other\n", "### nul \0\n", "### mac\r- old\r"])
def test_a_text_that_a_browser_would_change_is_edited_elsewhere(address, checkout, text):
    """It can be read and decided on all the same."""
    draft = checkout.draft(text)
    client, form_token = visitor(address)
    shown = client.get(f"/drafts/{draft.id}").text
    assert f"curator edit {draft.id}" in shown
    assert "<textarea" not in shown
    form = {"act": "reject", "why": "no", "sha256": draft.sha256, "status": "draft", "form_token": form_token}
    assert client.post(f"/drafts/{draft.id}", data=form).status_code == 200
    assert checkout.decisions() == ["rejected"]


FORGED: list[tuple[dict[str, str], dict[str, str], int]] = [
    ({"Origin": "http://127.0.0.1:1"}, {}, 403),
    ({"Origin": "https://example.com"}, {}, 403),
    ({"Origin": "null"}, {}, 403),
    ({"Host": "example.com"}, {}, 400),
    ({}, {"form_token": ""}, 403),
    ({}, {"form_token": "guéss"}, 403),
    ({}, {"act": "anything"}, 400),
    ({}, {"sha256": "0" * 64}, 409),
    ({}, {"status": "rejected"}, 409),
]


def test_a_forged_request_approves_nothing(address, checkout):
    """A site in the same browser sends the cookie along, from another port of this machine even a strict one."""
    draft = checkout.draft()
    client, form_token = visitor(address)
    form = {"act": "approve", "sha256": draft.sha256, "status": "draft", "form_token": form_token}
    for headers, changes, code in FORGED:
        answer = client.post(f"/drafts/{draft.id}", data={**form, **changes}, headers=headers)
        assert (answer.status_code, checkout.decisions()) == (code, []), (headers, changes, answer.text)
    assert client.post(f"/drafts/{draft.id}", data=form).status_code == 200
    assert checkout.decisions() == ["approved"]


def test_the_page_is_nobody_elses(address, checkout):
    """Not to be framed, not to be kept, with nothing from elsewhere; a plot that is opened by itself runs nothing."""
    kept = Attachment(name="a.svg", blob=checkout.queue.store.put_blob(DOT))
    draft = checkout.draft(attachments=(kept,))
    client, _ = visitor(address)
    headers = client.get(f"/drafts/{draft.id}").headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert "sandbox" in client.get(f"/drafts/{draft.id}/files/a.svg").headers["Content-Security-Policy"]
    assert client.get(f"/drafts/{draft.id}/files/..%2Fa.svg").status_code == 404
    (cookie,) = client.cookies.jar
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_what_cannot_be_done_is_said_on_the_page(address, checkout):
    """An unknown draft, an emptied text, a log that was tampered with."""
    draft = checkout.draft()
    client, form_token = visitor(address)
    assert "LR-D077" in client.get("/drafts/LR-D077").text
    form = {"act": "save", "sha256": draft.sha256, "status": "draft", "form_token": form_token, "text": " "}
    assert "the text is empty" in client.post(f"/drafts/{draft.id}", data=form).text
    (checkout.root / "log").mkdir(exist_ok=True)
    (checkout.root / "log/00000001.json").write_text("{")
    answer = client.post(f"/drafts/{draft.id}", data={**form, "act": "approve", "text": draft.text})
    assert answer.status_code == 409
    assert "the log of decisions is broken" in answer.text


def test_the_command_prints_the_address_and_ends_with_ctrl_c(checkout):
    """The key stands in what it prints and nowhere else, not in a log of requests."""
    draft = checkout.draft()
    command = [sys.executable, "-m", "curator.cli.main", "serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as program:
        assert program.stdout
        url = program.stdout.readline().strip()
        with httpx.Client(follow_redirects=True) as client:
            assert draft.id in client.get(url).text
        port = url.partition("?")[0].rstrip("/").rpartition(":")[2]
        busy = checkout.curator("serve", "--port", port, code=1)
        program.send_signal(signal.SIGINT)
        out, err = program.communicate(timeout=60)
    assert busy.err == f"curator: cannot listen on port {port} (Address already in use); give another one with --port\n"
    assert (program.returncode, out) == (0, "")
    assert "token" not in err
