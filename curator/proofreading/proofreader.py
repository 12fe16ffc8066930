"""Has a model read a text beside the facts, and judges what it says."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from curator.draft import text_sha256
from curator.drafters.prompt import repair
from curator.drafters.shown import Mask, as_json, is_sent, shown
from curator.errors import CuratorError
from curator.facts import render
from curator.model.deadline import Deadline
from curator.model.messages import MessagesModel
from curator.model.options import Options, model_name
from curator.model.port import ModelError, Request, Turn, Usage
from curator.model.prices import cost_usd, price_date
from curator.model.structured import InvalidReplyError, parse
from curator.plain import one_line
from curator.proof import Objection, Proof, Settled, objects_near
from curator.proofreading.answer import Answer
from curator.suspicion import reads_like_an_instruction, suspicious
from curator.verify import FindingKind, Verifier
from curator.verify.meanings import Meaning
from curator.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from curator.facts import Fact
    from curator.model.port import LanguageModel
    from curator.proofreading.answer import Meant, Wrong
    from curator.verify import Finding
    from marin_research.redact import Redactor

_ROUNDS = 2
_LONGEST_WHY = 240
_CHARACTERS_A_TOKEN = 3
"""Few, so that an estimate errs on the safe side."""
_OPEN_TO_MEANING = frozenset(
    {
        FindingKind.NUMBER,
        FindingKind.ROUNDING,
        FindingKind.UNIT,
        FindingKind.ATTRIBUTION,
        FindingKind.ROLE,
        FindingKind.DIRECTION,
        FindingKind.COMPARATIVE,
        FindingKind.SUPERLATIVE,
    }
)
"""Findings that depend on who and what is meant."""
_GUESSED = frozenset(
    {
        FindingKind.ATTRIBUTION,
        FindingKind.ROLE,
        FindingKind.DIRECTION,
        FindingKind.COMPARATIVE,
        FindingKind.SUPERLATIVE,
        FindingKind.COUNT,
        FindingKind.STATUS,
    }
)
"""Findings that are as often of a right sentence as of a wrong one where no run is named by its ID."""


def proofread(
    text: str,
    facts: Sequence[Fact],
    redactor: Redactor,
    options: Options | None = None,
    *,
    declared: str = "",
    model: LanguageModel | None = None,
) -> Proof:
    """Have a model read a text.

    Args:
        text: as it stands.
        facts: all that it may state.
        redactor: what takes secrets and personal data out of what the model is shown.
        options: how the model is asked.
        declared: the model that the thread names.
        model: who is asked; the Messages API unless given.

    Raises:
        CuratorError: there is no key, no answer, or none that can be used.
    """
    options = options or Options()
    model = model or MessagesModel(model_name(options, declared), Deadline(options.deadline_s))
    try:
        return _Proofreader(text, facts, options, redactor, model).proof()
    except ModelError as error:
        raise CuratorError(
            f"the text was not proofread, because {error}; nothing was changed, and `curator verify` checks it by rules"
        ) from error


class _Proofreader:
    def __init__(
        self, text: str, facts: Sequence[Fact], options: Options, redactor: Redactor, model: LanguageModel
    ) -> None:
        self._text, self._options, self._model = text, options, model
        self._facts = {fact.id: fact for fact in facts}
        self._verifier = Verifier(facts)
        self._findings = {finding.id: finding for finding in self._verifier.report(text).findings}
        self._mask = Mask(redactor)
        self._started = time.monotonic()
        self._usage = Usage()
        self._rounds = 0
        self._objected = 0
        """To how much one of the answers objected."""

    def proof(self) -> Proof:
        answer = self._converse()
        placed = [self._objections(wrong) for wrong in answer.objections]
        objections = [each for places in placed for each in places]
        settled = {meant.finding: one for meant in answer.meanings if (one := self._settled(meant)) is not None}
        # An objection that cannot be placed, or was left out of a mended answer, may be to anything.
        complete = all(placed) and len(placed) >= self._objected
        unshared = [each for each in self._unshared(objections) if each.id not in settled] if complete else []
        return Proof(
            sha256=text_sha256(self._text),
            time=datetime.now(UTC),
            settled=(
                *settled.values(),
                *(_settled(each, f"{each.why}: a guess that the model does not share") for each in unshared),
            ),
            objections=tuple(dict.fromkeys(objections)),
            writing=Writing(
                model=self._model.name,
                rounds=self._rounds,
                seconds=round(time.monotonic() - self._started, 1),
                input_tokens=self._usage.input_tokens,
                output_tokens=self._usage.output_tokens,
                cache_read_tokens=self._usage.cache_read_tokens,
                cache_written_tokens=self._usage.cache_written_tokens,
                cost_usd=cost_usd(self._model.name, self._usage),
                prices=price_date(),
                masked=tuple(dict.fromkeys(self._mask.found)),
            ),
        )

    # -- asking -------------------------------------------------------------------------------------------------

    def _converse(self) -> Answer:
        self._options.progress(f"{self._model.name} reads the text and the record")
        request = self._request()
        self._require_room(request)
        turns, best, problems = list(request.turns), None, ["it is empty"]
        while self._rounds < _ROUNDS:
            self._rounds += 1
            try:
                said = self._model.ask(replace(request, turns=tuple(turns)), self._say)
            except ModelError:
                if best is None:
                    raise
                break  # what there is of the first answer stands on its own
            self._usage += said.usage
            try:
                best = parse(Answer, said.text)
                self._objected = max(self._objected, len(best.objections))
                problems = self._problems(best)
            except InvalidReplyError as error:
                problems = [str(error)]
            if not problems:
                break
            turns += [Turn(role="assistant", text=said.text or "{}"), repair(problems)]
        if best is None:
            raise ModelError(f"its answer cannot be read: {problems[0]}")
        return best

    def _request(self) -> Request:
        known = [
            fact for fact in self._facts.values() if is_sent(fact) and self._mask.text(fact.id, "facts") == fact.id
        ]
        facts = {fact.id: shown(fact) for fact in known}
        doubted = {f.id: {"words": f.text, "why": f.why} for f in self._findings.values() if f.kind in _OPEN_TO_MEANING}
        asked = {"text": self._text, "findings": doubted}
        return Request(
            system=(_instructions(), as_json({"facts": self._mask.tree(facts, "facts")})),
            turns=(Turn(role="user", text=as_json(self._mask.tree(asked, "text"))),),
            schema=Answer.model_json_schema(),
            max_output_tokens=self._options.max_output_tokens,
        )

    def _require_room(self, request: Request) -> None:
        """Refuse to ask with a part of the record: what is not shown could neither settle nor contradict anything."""
        tokens = self._model.count(request)
        if tokens is None:
            tokens = sum(map(len, (*request.system, *(turn.text for turn in request.turns)))) // _CHARACTERS_A_TOKEN
        # All rounds send it, and those after the first one what was answered, too.
        limit = self._options.budget_tokens // _ROUNDS - (_ROUNDS + 1) * request.max_output_tokens // _ROUNDS
        if tokens > limit:
            raise ModelError(f"the text and its facts take {tokens:,} tokens, and the budget leaves {limit:,} for them")

    def _say(self, _: str) -> None:
        self._options.progress(f"{self._model.name} answers")

    # -- judging ------------------------------------------------------------------------------------------------

    def _problems(self, answer: Answer) -> list[str]:
        """What of an answer cannot be used, and can be mended."""
        found = []
        for index, meant in enumerate(answer.meanings):
            if meant.finding not in self._findings:
                found.append(f"meanings[{index}].finding: there is no finding {meant.finding}")
            found += [
                f"meanings[{index}]: there is no fact {each}" for each in self._strangers(meant.of + meant.against)
            ]
        for index, wrong in enumerate(answer.objections):
            if (times := self._text.count(wrong.quote)) != 1 or not wrong.quote.strip():
                where = (
                    f"it stands in the text {times} times; make it longer" if times else "it does not stand in the text"
                )
                found.append(f"objections[{index}].quote: {where}, letter for letter")
            if not wrong.facts:
                found.append(f"objections[{index}].facts: name at least one")
            found += [f"objections[{index}].facts: there is no fact {each}" for each in self._strangers(wrong.facts)]
        return found

    def _strangers(self, fact_ids: Sequence[str]) -> list[str]:
        return [fact_id for fact_id in fact_ids if fact_id not in self._facts]

    def _settled(self, meant: Meant) -> Settled | None:
        """The finding that is none, if what the model reads in its words is so."""
        finding = self._findings.get(meant.finding)
        if finding is None or finding.kind not in _OPEN_TO_MEANING or self._strangers(meant.of + meant.against):
            return None
        meaning = Meaning(relation=meant.kind, of=tuple(meant.of), against=tuple(meant.against))
        if not self._verifier.bears_out(meaning, finding, self._text):
            return None
        return _settled(finding, _in_words(meaning, self._facts))

    def _unshared(self, objections: Sequence[Objection]) -> list[Finding]:
        """Guesses of the rules that the model does not share, having read the paragraph beside the record.

        What it does not say counts for nothing where it may have been told to be silent.
        """
        if any(suspicious(self._facts.values())) or any(map(reads_like_an_instruction, self._text.splitlines())):
            return []
        return [
            finding
            for finding in self._findings.values()
            if finding.kind in _GUESSED
            and not self._verifier.names_a_run(finding, self._text)
            and not objects_near(finding, objections, self._text)
        ]

    def _objections(self, wrong: Wrong) -> list[Objection]:
        """The objection, wherever its words stand; none if they do not, or if it names no fact."""
        known = [self._facts[fact_id] for fact_id in wrong.facts if fact_id in self._facts]
        if not wrong.quote.strip() or not known:
            return []
        why = one_line(wrong.why)
        why = why if len(why) <= _LONGEST_WHY else f"{why[: _LONGEST_WHY - 1]}…"
        backed = ", ".join(f"{fact.id} is {one_line(render(fact))}" for fact in known[:3])
        return [
            Objection(text=wrong.quote, start=found.start(), end=found.end(), why=f"{why} ({backed})")
            for found in re.finditer(re.escape(wrong.quote), self._text)
        ]


def _settled(finding: Finding, meaning: str) -> Settled:
    return Settled(kind=finding.kind, text=finding.text, start=finding.start, end=finding.end, meaning=meaning)


def _in_words(meaning: Meaning, facts: Mapping[str, Fact]) -> str:
    def named(fact_ids: Sequence[str]) -> str:
        return ", ".join(f"{fact_id} ({one_line(render(facts[fact_id]))})" for fact_id in fact_ids)

    against = f" against {named(meaning.against)}" if meaning.against else ""
    return f"said of {named(meaning.of)}{against}"


def _instructions() -> str:
    return (files("curator.proofreading") / "prompts" / "instructions.md").read_text(encoding="utf-8").strip()
