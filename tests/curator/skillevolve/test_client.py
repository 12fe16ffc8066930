"""The client against a server that enforces the documents, in each way that they contradict each other."""

from __future__ import annotations

import contextlib
import json
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from curator.skillevolve.archive import compressed, pack
from curator.skillevolve.credentials import Credentials
from curator.skillevolve.errors import (
    CredentialsError,
    MissingError,
    RateLimitedError,
    RefusedBySiteError,
    RejectedKeyError,
    UnansweredError,
    UnclaimedError,
    UnreachableError,
    UnreadableAnswerError,
)
from curator.skillevolve.reading import Reader
from curator.skillevolve.transport import Transport
from curator.skillevolve.writing import Writer
from marin_research.errors import UsageError

POST = {"type": "discovery", "title": "Partial credit first", "skill_slug": "grpo-rl-training", "content": "words"}


@pytest.fixture
def reader(forum):
    with forum.transport() as transport:
        yield Reader(transport)


@pytest.fixture
def writer(forum):
    with forum.transport() as transport:
        yield Writer(transport)


# Where the documents contradict each other


@pytest.mark.parametrize("name", ["vote", "value"])
def test_a_vote_is_taken_under_either_name(forum, writer, name):
    """Two documents name the value differently, and neither sends a content type."""
    forum.modes(vote=name)
    post_id = forum.holds()

    writer.vote(post_id, 1)

    assert forum.state["votes"] == {post_id: {"agent-abc123": 1}}
    assert forum.asked(f"POST /posts/{post_id}/vote")[-1]["body"] == {name: 1}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_heartbeat_is_had_by_either_method_and_the_one_is_kept(forum, reader, method):
    """The examples read it, the tables post it."""
    forum.modes(heartbeat=method)
    forum.holds("post-456", type="help_wanted", title="Why?")
    forum.holds("post-789", title="Look")

    beats = [reader.heartbeat(), reader.heartbeat()]

    assert [(b.unread_replies, b.mentions) for b in beats] == [(3, 1), (3, 1)]
    assert [p.id for p in beats[0].help_requests] == ["post-456"]
    assert [p.id for p in beats[0].discoveries] == ["post-789"]
    assert [(s.skill, s.version) for s in beats[0].skills_updated] == [("vllm", "1.3.0")]
    calls = [each["call"] for each in forum.asked()]
    assert calls == (["GET /heartbeat"] * 2 if method == "GET" else ["GET /heartbeat", *["POST /heartbeat"] * 2])


@pytest.mark.parametrize("name", ["skill", "skill_slug"])
def test_posts_are_filtered_by_either_parameter(forum, reader, name):
    """A parameter that is not known is passed over in silence, and gives the posts of every skill."""
    forum.modes(filter=name)
    forum.holds("post-1", skill_slug="vllm--orchestra")
    forum.holds("post-2", skill_slug="grpo-rl-training")

    assert [post.id for post in reader.posts(skill="grpo-rl-training", limit=10)] == ["post-2"]
    assert [post.id for post in reader.posts()] == ["post-2", "post-1"]


@pytest.mark.parametrize("shape", ["list", "single"])
def test_a_skill_is_found_in_either_shape(forum, reader, shape):
    """One example takes `.skill`, another a list."""
    forum.modes(skills=shape)

    (skill,) = reader.skills(name="vllm")

    assert (skill.slug, skill.author) == ("vllm--orchestra", "Orchestra Research")
    assert reader.skills(name="no-such-skill") == []


@pytest.mark.parametrize("mode", ["documented", "bearer", "x-api-key"])
def test_the_key_is_taken_in_either_header_and_never_sent_in_both(forum, mode):
    """All of the documents use the one, except where they use the other."""
    forum.modes(auth=mode)
    with forum.transport() as transport:
        reader, writer = Reader(transport), Writer(transport)
        assert reader.me().agent.id == "agent-abc123"
        assert writer.create_post(POST).id
        assert writer.upload_file("loss.png", b"png", "Loss")
        forum.forget()
        assert reader.me().agent.is_claimed

    (again,) = forum.asked()
    assert ("authorization" in again["headers"]) is (mode != "x-api-key")
    assert ("x-api-key" in again["headers"]) is (mode == "x-api-key")


@pytest.mark.parametrize("shape", ["id", "post_id", "post.id", "post.post_id", "data.id"])
def test_the_id_of_a_new_post_is_found_wherever_it_is(forum, writer, shape):
    """No document says what the answer to a post looks like."""
    forum.modes(created=shape)

    assert writer.create_post(POST).id == forum.state["posts"][0]["id"]


@pytest.mark.parametrize("shape", ["none", "text"])
def test_an_answer_without_an_id_is_no_failure(forum, writer, shape):
    """The post is out; an error would have it sent again."""
    forum.modes(created=shape)

    assert writer.create_post(POST).id == ""
    assert len(forum.state["posts"]) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_demo_goes_out_as_a_showcase_where_demos_are_not_known(forum, writer, known):
    """Four of the documents' five lists of types have no demo."""
    forum.modes(demo=known)
    attachments = {"attachments": [{"type": "link", "url": "https://example.org/x"}]}
    demo = {**POST, "type": "demo", "metadata": attachments}
    showcase = {**POST, "metadata": {**attachments, "discovery_type": "showcase"}}

    writer.create_post(demo, as_showcase=showcase)

    (post,) = forum.state["posts"]
    assert post["type"] == ("demo" if known else "discovery")


@pytest.mark.parametrize("how", ["json", "tar"])
def test_a_skill_is_downloaded_as_a_file_or_by_its_address(forum, reader, how):
    """One example takes an address out of JSON, the other saves the answer itself."""
    forum.modes(download=how)
    forum.archive("vllm--orchestra", b"\x1f\x8b archive")
    forum.state["artifacts"]

    if how == "json":
        with pytest.raises(MissingError):  # the storage of this server holds no archives; the key did not go there
            reader.download("vllm--orchestra")
        assert "authorization" not in forum.asked("GET /storage/vllm--orchestra.tar.gz")[0]["headers"]
    else:
        assert reader.download("vllm--orchestra") == b"\x1f\x8b archive"


def test_notifications_that_the_site_does_not_have_are_not_an_error(forum, reader):
    """Only one of the documents knows them."""
    assert [n.post_id for n in reader.notifications() or []] == ["post-1"]
    forum.modes(notifications=False)
    assert reader.notifications() is None


@pytest.mark.parametrize(
    ("state", "may"),
    [("claimed", True), ("verified", True), ("claimed_at", True), ("pending", False), ("unclaimed", False)],
)
def test_a_claimed_agent_is_known_in_every_word_for_it(forum, reader, state, may):
    """The heartbeat has a date where the profile has a word."""
    forum.modes(claim=state)

    assert reader.me().agent.is_claimed is may


def test_what_everybody_may_read_is_asked_without_the_key(forum, reader):
    """A key that is not needed is not sent."""
    forum.holds()
    reader.posts()
    reader.search("partial credit")
    reader.skills(search="vllm")
    reader.sessions()

    assert not any({"authorization", "x-api-key"} & set(each["headers"]) for each in forum.asked())


def test_the_key_is_sent_where_reading_needs_it_after_all(forum, reader):
    """The examples send it even to what the tables call public."""
    forum.modes(public_reads=False)
    forum.holds()

    assert [post.id for post in reader.search("partial").posts] == ["post-7"]


# What a search may look like


SHAPES: dict[str, Any] = {
    "by kind": {"posts": [{"id": "p"}], "skills": [{"slug": "s"}], "sessions": [{"session_id": "x"}]},
    "mixed": {
        "results": [{"type": "discovery", "id": "p"}, {"type": "skill", "slug": "s"}, {"type": "session", "id": "x"}]
    },
    "bare": [{"post_id": "p"}, {"kind": "skill", "slug": "s"}, {"kind": "session", "session_id": "x"}],
    "wrapped": {"data": {"posts": [{"id": "p"}], "skills": [{"slug": "s"}], "sessions": [{"session_id": "x"}]}},
}


class Scripted(BaseHTTPRequestHandler):
    """Answers everything with the same JSON."""

    answer: Any = None

    def do_GET(self) -> None:
        data = json.dumps(type(self).answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def answering():
    """A reader whose site answers everything with what is given."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    Thread(target=server.serve_forever, daemon=True).start()
    with Transport(f"http://127.0.0.1:{server.server_address[1]}", None, sleep=lambda _: None) as transport:

        def make(answer: Any) -> Reader:
            Scripted.answer = answer
            return Reader(transport)

        yield make
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_search_is_read_in_every_likely_shape(answering, shape):
    """Its answer is not documented at all."""
    found = answering(SHAPES[shape]).search("x")

    assert ([p.id for p in found.posts], [s.slug for s in found.skills], [s.id for s in found.sessions]) == (
        ["p"],
        ["s"],
        ["x"],
    )


@pytest.mark.parametrize("answer", [None, 7, "x", [], {}, {"posts": 3}, {"posts": {"a": 1}}, [[["x"]]]])
def test_an_answer_of_another_kind_is_one_clear_error_or_nothing(answering, answer):
    """A change over there must not end in a traceback here."""
    reader = answering(answer)
    for ask in (reader.posts, reader.skills, partial(reader.search, "x"), partial(reader.post, "p")):
        with contextlib.suppress(UnreadableAnswerError):
            ask()


def test_fields_of_the_wrong_kind_are_read_as_they_can_be(answering):
    """Numbers come as texts, texts as objects, lists as null."""
    odd: dict[str, Any] = {"id": 7, "title": None, "vote_count": "3", "skill": {"slug": "vllm"}, "type": []}

    post = answering({"post": odd | {"comments": None}}).post("7")

    assert (post.id, post.title, post.votes, post.skill, post.comments) == ("7", "", 3, "vllm", [])


# What goes wrong


def test_a_redirect_is_not_followed_with_a_key(forum):
    """Wherever it leads would have the key; httpx drops one of the two headers only."""
    forum.modes(redirect=f"{forum.origin}/elsewhere")
    with forum.transport() as transport:
        with pytest.raises(RefusedBySiteError, match=r"redirect to .*elsewhere.*SKILLEVOLVE_API_URL"):
            Reader(transport).me()
        with pytest.raises(RefusedBySiteError, match="redirect"):
            Writer(transport).create_post(POST)

    assert [each["call"] for each in forum.asked()] == ["GET /agents/me", "POST /posts"]


def test_a_rejected_key_says_where_it_is_from_and_not_what_it_is(forum):
    """The message goes to terminals and logs."""
    wrong = Credentials(api_key="sk-wrong-0123456789", source="$SKILLEVOLVE_API_KEY")
    with forum.transport(credentials=wrong) as transport, pytest.raises(RejectedKeyError) as caught:
        Reader(transport).me()

    assert "$SKILLEVOLVE_API_KEY" in str(caught.value)
    assert "curator skillevolve register" in str(caught.value)
    assert "sk-wrong" not in str(caught.value)
    assert "sk-wrong" not in repr(wrong)


def test_an_unclaimed_agent_is_told_what_its_person_has_to_do(forum, writer):
    """It is the one refusal that mending the text cannot help."""
    forum.modes(claim="pending")

    with pytest.raises(UnclaimedError, match="open the claim link"):
        writer.create_post(POST)


def test_a_busy_site_is_asked_again_and_then_left_alone(forum):
    """What only reads may be tried again; the site says when."""
    pauses: list[float] = []
    with forum.transport(sleep=pauses.append) as transport:
        forum.fault("GET /posts", "status:429/1")
        forum.fault("GET /posts", "status:503")
        assert Reader(transport).posts() == []
        forum.fault("GET /posts", "status:429/3600")
        with pytest.raises(RateLimitedError, match="try again in 3600 s"):
            Reader(transport).posts()

    assert pauses == [1.0, 2.0]


@pytest.mark.parametrize(
    "how", ["status:429/30", "status:503", "drop_before", "drop_after", "break_after", "hang_after:3"]
)
def test_what_writes_is_sent_once_whatever_happens(forum, how):
    """A second try is for whoever has looked whether the first one arrived."""
    forum.fault("POST /posts", how)
    with forum.transport(timeout_s=1.0) as transport, pytest.raises((RateLimitedError, UnansweredError)):
        Writer(transport).create_post(POST)

    assert len(forum.asked("POST /posts")) == 1


def test_a_dead_network_is_said_to_have_sent_nothing():
    """Then it can be tried again without looking first."""
    with (
        Transport("http://127.0.0.1:9/api/v1", Credentials(api_key="k", source="x"), sleep=lambda _: None) as transport,
        pytest.raises(UnreachableError, match="nothing was sent"),
    ):
        Writer(transport).create_post(POST)


def test_a_site_that_never_ends_its_answer_is_left(forum):
    """A byte now and then keeps every single timeout from running out."""
    forum.fault("GET /posts", "drip:0.05", times=3)
    begun = time.monotonic()
    with forum.transport(within_s=0.4) as transport, pytest.raises(UnansweredError, match="did not finish"):
        Reader(transport).posts()

    assert time.monotonic() - begun < 30


def test_an_answer_without_bounds_is_not_kept(forum):
    """It would fill the memory of whoever asked."""
    forum.fault("GET /posts", "flood:31000000")
    with forum.transport() as transport, pytest.raises(UnreadableAnswerError, match="more than"):
        Reader(transport).posts()


def test_a_page_instead_of_an_answer_is_one_clear_error(forum):
    """Captive portals and proxies answer in HTML."""
    forum.fault("GET /posts", "garbage")
    with forum.transport() as transport, pytest.raises(UnreadableAnswerError, match="text/html, not JSON"):
        Reader(transport).posts()


def test_an_answer_that_comes_twice_is_one_answer(forum, reader):
    """A broken proxy repeats itself; what comes after must not be read as the next answer."""
    forum.holds()
    forum.fault("GET /posts", "twice")

    assert [post.id for post in reader.posts()] == ["post-7"]
    assert reader.skills(name="vllm")[0].name == "vllm"


def test_a_query_that_is_too_long_is_not_sent(forum, reader):
    """The limit is known here."""
    with pytest.raises(UsageError, match="500"):
        reader.search("x" * 501)
    assert forum.asked() == []


def test_without_a_key_what_needs_one_is_refused_here(forum):
    """Nothing is sent that can only be refused."""
    with forum.transport(credentials=None) as transport:
        with pytest.raises(CredentialsError, match="SKILLEVOLVE_API_KEY"):
            Writer(transport).create_post(POST)
        assert Reader(transport).posts() == []

    assert [each["call"] for each in forum.asked()] == ["GET /posts"]


def test_a_file_goes_to_its_signed_address_without_the_key(forum, writer):
    """Storage is another company's host."""
    url = writer.upload_file("loss.png", b"png", "Loss")

    (stored,) = [each for each in forum.asked() if each["call"].startswith("PUT /storage")]
    assert not {"authorization", "x-api-key"} & set(stored["headers"])
    assert stored["headers"]["content-type"] == "image/png"
    assert url.startswith("https://files.skill-evolve.com/")
    assert [a["data"] for a in forum.state["artifacts"].values()] == [3]


def test_a_skill_is_uploaded_as_the_archive_that_the_site_wants(forum, writer, tmp_path):
    """It takes the name out of the SKILL.md in it."""
    folder = tmp_path / "my-skill"
    (folder / "references").mkdir(parents=True)
    (folder / "SKILL.md").write_text("---\nname: my-skill\nauthor: Ada\n---\nwords\n")
    (folder / "references/x.md").write_text("x")
    (folder / ".env").write_text("KEY=1")

    archive = pack(folder)
    writer.upload_skill(compressed(archive.tar), "my-skill")

    assert archive.files == ("SKILL.md", "references/x.md")
    assert archive == pack(folder)
    assert "my-skill--ada" in [skill["slug"] for skill in forum.state["skills"]]


def test_the_keyless_request_is_the_registration(forum):
    """Whoever registers has no key yet."""
    with forum.transport(credentials=None) as transport:
        made = Writer(transport).register("NewAgent", "runs experiments")
    assert made.agent_id
    assert made.api_key.startswith("sk-")
    assert made.claim_url.startswith("https://skill-evolve.com/claim/")
    assert made.api_key not in repr(made)
