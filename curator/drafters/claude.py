"""The drafter that asks a model what a record means. The model chooses claims and says its opinion; code does the rest.

Nothing of an answer reaches a draft unjudged: claims are worded by code from facts, opinions may state nothing, and the
whole text is verified. What does not stand goes back to the model with the reasons, twice at most, and is then cut out.
Whatever goes wrong, there is a draft: the template's.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from curator.before import last_entries, last_launch, read_logbook
from curator.claims.base import Grounds
from curator.claims.outcome import folded, is_hypothesis
from curator.claims.prose import Prose
from curator.claims.reply import Judged, Passage, Reply, is_prose, judge, schema
from curator.draft import DraftKind
from curator.drafters import template
from curator.drafters.interpretation import all_cached, caveats, findings, open_hypotheses, questions
from curator.drafters.objections import objections
from curator.drafters.prompt import Prompt, compose, fitted, repair
from curator.drafters.reading import Reading, opinion_mark
from curator.errors import CuratorError
from curator.evidence import run_facts
from curator.facts import Fact, FactKind
from curator.model.deadline import Deadline
from curator.model.messages import MessagesModel
from curator.model.options import Options, model_name
from curator.model.port import Answer, ModelError, Turn, Usage
from curator.model.prices import cost_usd, price_date
from curator.model.structured import InvalidReplyError, parse
from curator.writing import Cut, Writing
from marin_research.record import Status
from marin_research.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from curator.confidence import Label
    from curator.drafters.template import Drafted
    from curator.evidence import Evidence
    from curator.model.port import LanguageModel
    from marin_research.record import Run

logger = logging.getLogger(__name__)

NAME = "claude"
_WITHOUT_READING = frozenset({DraftKind.SESSION})
"""Kinds of text that hold fields and no interpretation."""
_REPAIRS = 2
_EARLIER_ENTRIES = 4
_CHARACTERS_A_TOKEN = 3
"""Few, so that an estimate errs on the safe side."""


def draft(
    evidence: Evidence,
    of_thread: list[Run],
    kinds: Collection[DraftKind],
    options: Options | None = None,
    *,
    model: LanguageModel | None = None,
) -> tuple[list[Drafted], Writing | None]:
    """Write the asked-for kinds of text, and tell the model's part in them.

    Args:
        evidence: the runs and their facts; facts that the text needs beside them are added.
        of_thread: every run of the thread.
        kinds: what to write.
        options: how the model is asked.
        model: who is asked; the Messages API unless given.
    """
    options = options or Options()
    rating = template.rate(evidence, of_thread)
    running = all(subject.run.status is Status.RUNNING for subject in evidence.subjects)
    if running or all_cached(evidence) or set(kinds) <= _WITHOUT_READING:
        # There is nothing to read that the facts do not say, or nobody would be told.
        return template.write(evidence, rating, template.own_reading(evidence, rating), kinds), None
    name = model.name if model is not None else model_name(options, evidence.thread.model)
    reader = _Reader(evidence, of_thread, rating, options, name)
    try:
        reading = reader.read(model)
    except CuratorError as error:
        instead = str(error)
    except Exception as error:
        # Whatever went wrong with a model, its answer or our reading of it: the runs are written up all the same.
        logger.exception("the answer of %s could not be read", name)
        instead = f"its answer could not be read ({type(error).__name__})"
    else:
        evidence.facts.update(reader.facts)
        return template.write(evidence, rating, reading, kinds), reader.writing()
    plain = template.own_reading(evidence, rating)
    return template.write(evidence, rating, plain, kinds), replace(reader.writing(), instead=instead, opinions=())


class _Reader:
    """One conversation about one record."""

    def __init__(self, evidence: Evidence, of_thread: list[Run], rating: Label, options: Options, name: str) -> None:
        earlier = last_launch(evidence.runs, of_thread)
        more = {fact.id: fact for run in earlier for fact in run_facts(run, evidence.thread)}
        self._evidence, self._rating, self._options, self._name = evidence, rating, options, name
        self._grounds = Grounds(evidence=evidence, more=more, earlier=earlier)
        self._started = time.monotonic()
        self._usage = Usage()
        self._rounds = 0
        self._prompt: Prompt | None = None
        self._judged = Judged(passages=(), violations=())
        self.facts: dict[str, Fact] = {}
        """What the reading states beside the evidence's own facts."""

    def read(self, model: LanguageModel | None) -> Reading:
        """Ask, judge, mend, and give what stands.

        Raises:
            ModelError: there is no answer of which anything stands.
        """
        model = model or MessagesModel(self._name, Deadline(self._options.deadline_s))
        entries = last_entries(read_logbook(self._evidence.thread), _EARLIER_ENTRIES)
        # A model's provider is no public place, but nothing personal is of any use there.
        redactor = Redactor.from_environment(public=True, names=self._evidence.thread.private_names)
        self._options.progress(f"reading the record for {self._name}")
        prompt = fitted(compose(self._grounds, entries, redactor), self._first_limit, lambda p: self._count(p, model))
        self._prompt = prompt
        self._judged = self._converse(model, prompt, Prose(self._grounds, prompt.untrusted))
        self.facts = self._stated(self._judged)
        reading = self._reading(self._judged)
        return replace(reading, findings=folded(reading.findings))

    def writing(self) -> Writing:
        """The model's part so far."""
        return Writing(
            model=self._name,
            rounds=self._rounds,
            seconds=round(time.monotonic() - self._started, 1),
            input_tokens=self._usage.input_tokens,
            output_tokens=self._usage.output_tokens,
            cache_read_tokens=self._usage.cache_read_tokens,
            cache_written_tokens=self._usage.cache_written_tokens,
            cost_usd=cost_usd(self._name, self._usage),
            prices=price_date(),
            opinions=tuple(passage.statement.text for passage in self._judged.passages if is_prose(passage)),
            cut=tuple(Cut(said=violation.said, why=violation.why) for violation in self._judged.violations),
            left_out=self._prompt.left_out if self._prompt else (),
            masked=self._prompt.masked if self._prompt else (),
        )

    @property
    def _first_limit(self) -> int:
        """Input tokens of the first request, so that mending fits in too."""
        return self._options.budget_tokens // (1 + _REPAIRS) - self._options.max_output_tokens

    def _count(self, prompt: Prompt, model: LanguageModel) -> int:
        request = prompt.request(schema(), self._options.max_output_tokens)
        counted = model.count(request)
        if counted is not None:
            return counted
        return sum(map(len, (*request.system, *(turn.text for turn in request.turns)))) // _CHARACTERS_A_TOKEN

    def _converse(self, model: LanguageModel, prompt: Prompt, prose: Prose) -> Judged:
        best: Judged | None = None
        turns: list[Turn] = []
        problems: list[str] = []
        while self._rounds <= _REPAIRS:
            try:
                answer = self._ask(model, prompt, turns)
            except ModelError:
                if best is None or not best.passages:
                    raise
                break  # what there is of an earlier answer stands on its own
            judged, problems = self._judge(answer, prose)
            if judged is not None and (best is None or _rank(judged) >= _rank(best)):
                best = judged
            if not problems or not self._affords_another(answer):
                break
            turns += [Turn(role="assistant", text=answer.text), repair(problems)]
        if best is None or not best.passages:
            raise ModelError(f"nothing of its answer stands: {problems[0] if problems else 'it is empty'}")
        return best

    def _ask(self, model: LanguageModel, prompt: Prompt, turns: Sequence[Turn]) -> Answer:
        doing = f"{self._name} mends its answer" if turns else f"{self._name} answers"
        received = 0

        def on_text(text: str) -> None:
            nonlocal received
            received += len(text)
            self._options.progress(f"{doing}: {received:,} characters")

        self._options.progress(doing)
        self._rounds += 1
        answer = model.ask(prompt.request(schema(), self._options.max_output_tokens, turns), on_text)
        self._usage += answer.usage
        return answer

    def _affords_another(self, last: Answer) -> bool:
        """Whether the budget holds one more round: all that was said so far, and another answer."""
        needed = last.usage.total + last.usage.output_tokens + self._options.max_output_tokens
        return self._usage.total + needed <= self._options.budget_tokens

    def _judge(self, answer: Answer, prose: Prose) -> tuple[Judged | None, list[str]]:
        """What of an answer stands, and what is to be mended."""
        if not answer.text.strip():
            return None, ["the answer is empty"]
        try:
            reply = parse(Reply, answer.text)
        except InvalidReplyError as error:
            cut = "it was cut off for its length; answer shorter: " if answer.stop_reason == "max_tokens" else ""
            return None, [f"{cut}{error}"]
        judged = self._verified(judge(reply, self._grounds, prose))
        return judged, [f"{violation.place}: {violation.why}" for violation in judged.violations]

    def _verified(self, judged: Judged) -> Judged:
        """The passages that also stand in the finished text; one that goes may change what another means."""
        while judged.passages:
            text = self._trial(judged)
            facts = {**self._evidence.facts, **self._stated(judged)}
            found = objections(text, tuple(facts.values()), judged.passages)
            if not found:
                break
            places = {violation.place for violation in found}
            judged = Judged(
                passages=tuple(passage for passage in judged.passages if passage.place not in places),
                violations=(*judged.violations, *found),
            )
        return judged

    def _stated(self, judged: Judged) -> dict[str, Fact]:
        """What a text with these passages states beside the evidence's own facts."""
        author = Fact(id="model", kind=FactKind.NAME, value=self._name, name="model", source="the drafter")
        return {author.id: author, **_stated(judged.passages, self._grounds)}

    def _trial(self, judged: Judged) -> str:
        """The logbook entry with every passage where it would claim something: below Interpretation."""
        prose = tuple(passage.statement.text for passage in judged.passages if is_prose(passage))
        steps = tuple(p.statement.text for p in judged.of("next_actions") if not is_prose(p))
        trial = replace(self._reading(judged), opinions=prose, actions=steps)
        return template.trial_text(self._evidence, self._rating, trial)

    def _reading(self, judged: Judged) -> Reading:
        claims = tuple(passage.statement.text for passage in judged.of("claims"))
        causes = {claim: run_id for claim in claims for run_id in self._grounds.runs if _explains(claim, run_id)}
        chosen = tuple(claim for claim in claims if claim not in causes)
        steps = tuple(_steps(judged.of("next_actions"), self._name))
        decided = self._hypotheses_of(judged)
        asked = (
            open_hypotheses(self._evidence, decided)
            if steps
            else questions(self._evidence, self._rating, judged=decided)
        )
        return Reading(
            findings=chosen or tuple(findings(self._evidence)),
            caveats=(*causes, *caveats(self._evidence, explained=causes.values())),
            opinions=tuple(passage.statement.text for passage in judged.of("opinions")),
            actions=(*steps, *template.to_decide(asked)),
            author=self._name,
        )

    def _hypotheses_of(self, judged: Judged) -> set[str]:
        """The runs whose hypothesis the answer says the outcome of."""
        used = [self._grounds.facts[use] for passage in judged.of("claims") for use in passage.statement.uses]
        return {fact.subject for fact in used if is_hypothesis(fact)}


def _steps(passages: Sequence[Passage], author: str) -> Iterator[str]:
    """Next steps as code words them, each with what the model says of it."""
    whys = {passage.place.removesuffix(".why"): passage.statement.text for passage in passages if is_prose(passage)}
    steps = {passage.place: passage.statement.text for passage in passages if not is_prose(passage)}
    for place in dict.fromkeys(passage.place.removesuffix(".why") for passage in passages):
        why = f"{opinion_mark(author)} {whys[place]}" if place in whys else ""
        yield " ".join(part for part in (steps.get(place, ""), why) if part)


def _explains(claim: str, run_id: str) -> bool:
    return claim.startswith(f"Likely cause of the failure of {run_id},")


def _rank(judged: Judged) -> tuple[int, int]:
    return len(judged.passages), -len(judged.violations)


def _stated(passages: Sequence[Passage], grounds: Grounds) -> dict[str, Fact]:
    """The facts that passages state beside those of the evidence: derived ones, and those of earlier runs."""
    found: dict[str, Fact] = {}
    for passage in passages:
        used = [grounds.facts[use] for use in passage.statement.uses if use in grounds.more]
        about = {f"{fact.subject}/{what}" for fact in used for what in ("run", "status")}
        found |= {fact_id: grounds.more[fact_id] for fact_id in about if fact_id in grounds.more}
        found |= {fact.id: fact for fact in (*used, *passage.statement.derived)}
    return {fact_id: fact for fact_id, fact in found.items() if fact_id not in grounds.evidence.facts}
