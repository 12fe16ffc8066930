"""Mentions: the runs and the metrics that a sentence names, side by side as one, and in which part each of them stands.

Reads word order; never looks at a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from curator.verify.reading.tokens import TokenKind
from curator.verify.text import words
from curator.verify.text.inflection import forms
from curator.verify.text.units import POINTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from curator.verify.reading.sentences import Sentence

PREPOSITIONS = words.word_set("for in of with on at by under from using when via between")
FRAMING = words.word_set("within among amongst of between inside for in at with without")
"""What opens a sentence that says of which runs it will speak: ``Within HNSW, M32 is slower``."""
_CLOSINGS = frozenset({"and", "or", "&"})
_JOINTS = words.word_set(", and or nor / & both the")
_TO_NAME = words.ARTICLES | words.word_set('case that those run merges seed only just tokenizer model = : "')
_OPENERS = words.word_set(
    "and but or while whereas because since so yet then though although if when where nor both either"
)
_STANDING = (
    forms("be stay remain end finish lie fall come sit drop land stand")
    | words.BE
    | words.word_set(") well far just slightly point points clearly still both all all, ends")
)
_LEAVING = forms("step move switch go jump come start change") - forms("come")
_ATTAINING = forms("reach repeat approach")
_SINGULAR = words.word_set("is was has does isn't wasn't hasn't doesn't")
"""Verbs of one subject alone, so that what stands before them is no list."""
_SKIPPED = (
    words.ARTICLES
    | words.word_set(
        """
        x \u00d7 that those what of for in at the with as seen by run counterpart predecessor original previous other
        either neither best alone even also just 's ' = same setup otherwise without setting settings plain
        """
    )
    | {""}
)
"""What may stand between "than" and the run that something is compared with."""


@dataclass(slots=True)
class Mention:
    """A name in a sentence, by one token or several side by side; ``LR-002 and LR-003`` are one for both."""

    first: int
    last: int
    meant: frozenset[str]
    members: list[int]
    """Where its single names stand."""
    reference: bool = False
    """Something else is compared with it."""
    taken: frozenset[int] = frozenset()
    """The numerals right before it that it belongs to: ``2.31 (-3.9 %) in LR-003``."""
    object: bool = False
    """A verb does something to it: ``LR-003 repeats LR-001``."""
    aside: bool = False
    """In parentheses, with more than itself."""


def runs_named(s: Sentence) -> list[Mention]:
    """The runs that a sentence names, in order."""
    places = [i for i, t in enumerate(s.tokens) if t.runs and t.kind is not TokenKind.FACT]
    found = _grouped(s, places)
    for mention in found:
        _take_in(s, mention)
        mention.reference = is_reference(s, mention.first) or _is_noted(s, mention)
        mention.taken = _taken(s, mention)
        mention.aside = _is_aside(s, mention)
        mention.object = _is_object(s, mention, found[0])
    return found


def metrics_named(s: Sentence) -> list[Mention]:
    """The metrics that a sentence names, in order."""
    found = [Mention(i, i, s.names(i), [i]) for i in s.of_kind(TokenKind.METRIC)]
    for mention in found:
        mention.taken = _taken(s, mention)
    return found


# -- several tokens, one mention ------------------------------------------------------------------------------------


def _grouped(s: Sentence, places: Sequence[int]) -> list[Mention]:
    found = list[Mention]()
    for i in places:
        last = found[-1] if found else None
        same = last is not None and s.runs(i) == last.meant and s.tokens[i].described  # "64 workers and small shards"
        if last and not same and _joined(s, last.last, i):
            last.last, last.meant = i, last.meant | s.runs(i)
            last.members.append(i)
        elif last and s.runs(i) == last.meant and i - last.last <= (4 if s.tokens[i].described else 1):
            last.last = i  # "the 64k BPE tokenizer", "the baseline LR-001"
        else:
            found.append(Mention(i, i, s.runs(i), [i]))
    return found


def _joined(s: Sentence, a: int, b: int) -> bool:
    """Whether two names stand side by side, as in ``LR-001, LR-002 and LR-003``."""
    between = [s.word(j) for j in range(a + 1, b)]
    listed = s.kind(a) is s.kind(b) is TokenKind.NUMBER  # "for 32, 128, 256: 96, 141, 267"
    if s.kind(a) is TokenKind.NUMBER and _is_id(s, b):
        return False  # "LR-002 failed at a batch of 64, and LR-003 was preempted"
    if "," in between and not listed and not _CLOSINGS & set(between) and not _goes_on(s, b):
        return False
    if between == [",", "and"] and s.word(b + 1) in _SINGULAR:
        return False  # "out of memory at 16384, and RET-108 was preempted"
    return 0 < len(between) <= 3 and set(between) <= _JOINTS and between != ["the"]


def _is_id(s: Sentence, j: int) -> bool:
    return s.kind(j) is TokenKind.RUN and not s.tokens[j].described


def _goes_on(s: Sentence, b: int) -> bool:
    """Whether a name after a comma goes on a list that an "and" will close."""
    after = s.skip(b + 1, _CLOSINGS | {","})
    closed = any(s.word(j) in _CLOSINGS for j in range(b + 1, after))
    return after > b + 1 and bool(s.runs(after)) and (closed or _goes_on(s, after))


def _take_in(s: Sentence, mention: Mention) -> None:
    """Widen a mention by the key that its value is of: ``128 experts``, ``top-4``."""
    while s.numeral(mention.last) and s.keys(mention.last + 1):
        mention.last += 1
    before = mention.first - 2
    if s.word(before + 1) == "-" and (s.is_word(before) or s.keys(before)):
        mention.first = before


# -- in which part --------------------------------------------------------------------------------------------------


def _is_object(s: Sentence, mention: Mention, first: Mention) -> bool:
    j = s.skip(mention.first - 1, words.ARTICLES, -1)
    if mention is first or j <= first.last or s.clause(j)[0] > first.first:
        return False
    inflected = s.word(j).endswith(("s", "ed")) or s.word(j - 1) in {"not", "to", "never"}
    verb = (s.is_word(j) or bool(s.keys(j))) and inflected
    return verb and (s.word(j) in _ATTAINING or s.word(j) not in words.LINKS | PREPOSITIONS | _OPENERS)


def _is_aside(s: Sentence, mention: Mention) -> bool:
    alone = s.word(mention.first - 1) in {"(", ""} and s.word(mention.last + 1) in {")", ""}
    return s.tokens[mention.first].depth > 0 and not alone


def _is_noted(s: Sentence, mention: Mention) -> bool:
    """``842 (baseline 1190)``, ``2.31 (LR-001: 2.40, -3.9 %)``: set beside the value before it."""
    follows = s.word(mention.last + 1) == ":" or s.kind(mention.last + 1) is TokenKind.NUMBER
    return s.word(mention.first - 1) == "(" and s.kind(mention.first - 2) is TokenKind.NUMBER and follows


def _taken(s: Sentence, mention: Mention) -> frozenset[int]:
    """The numerals that the name follows by a small word, or in parentheses."""
    said = mention.first - 1 if s.word(mention.first - 1) in {"that", "which"} else -1
    relative = said > 0 and s.is_word(mention.last + 1)  # "the 45.5 min that GPTQ took"
    j = said if relative else _before_name(s, mention.first - 1)
    if s.word(j) == "(" and s.kind(j - 1) is TokenKind.NUMBER and s.word(mention.last + 1) in {")", ",", ""}:
        return frozenset({j - 1})
    if s.word(mention.first).partition(" ")[0] in {"with", "without"}:  # "0.81 without", "27 % with code"
        j = mention.first
    elif not relative and s.word(j) not in PREPOSITIONS - {"between"}:
        return frozenset()
    k, inside = j - 1, frozenset[int]()
    if s.word(k) == ")":
        opened = next((n for n in range(k, -1, -1) if s.word(n) == "("), k)
        inside, k = frozenset(s.of_kind(TokenKind.NUMBER, (opened, k))), opened - 1
    for place in range(k, k - 3, -1):
        if s.kind(place) is TokenKind.NUMBER and not s.runs(place):
            if s.word(place - 1) in {"the", "other"} and s.numeral(place).word and place == k:  # type: ignore[union-attr]
                return inside  # "the two with rollout 1"
            return inside | {place}
        passing = s.is_word(place) and s.word(place) not in words.LINKS | {"respectively"}
        if not passing and s.kind(place) is not TokenKind.METRIC:
            break
    return frozenset()


def is_unknown(s: Sentence, j: int) -> bool:
    """Whether the word at ``j`` may name something, and nothing that we know of."""
    known = words.FOLLOWERS | words.RUN_NOUNS | words.COUNTED | words.DIFFERENCES | words.DETERMINERS | words.GENERAL
    known = known | words.SENSES.keys() | words.SUPERLATIVES.keys() | words.STATUS_WORDS.keys() | words.PLACES.keys()
    names = s.is_word(j) and not s.runs(j) and s.word(j) not in known
    return names and not (s.runs(j + 1) or s.names(j + 1) or s.keys(j + 1))


def _before_name(s: Sentence, j: int) -> int:
    """Where the small word stands that ties a name to what is before it."""
    while s.word(j) in _TO_NAME or s.keys(j):
        j -= 1
    if s.word(j) != "of":
        return j
    # "42 hours for the last attempt of BIG-001"
    back = next((n for n in range(j - 1, max(-1, j - 5), -1) if s.word(n) in PREPOSITIONS - {"of"}), j)
    plain = all(s.is_word(n) and s.word(n) not in words.SENSES for n in range(back + 1, j))
    return back if plain else j


# -- what something is compared with --------------------------------------------------------------------------------


def is_reference(s: Sentence, j: int) -> bool:
    """Whether something else is compared with what is named at ``j``: ``than LR-001``, ``beats the baseline``."""
    if s.word(j + 1) in {"aside", "excepted", "excluded"}:
        return True
    if s.word(j).startswith("with ") and s.kind(j - 1) is TokenKind.NUMBER:
        return False
    by = s.word(j + 1) == "by" and s.kind(j + 2) is TokenKind.NUMBER
    if by and any(s.word(k) in words.CONTESTS for k in range(j)):
        return True
    for k in range(j - 1, max(-1, j - 9), -1):
        decided = _sets_against(s, k, j)
        if decided is not None:
            return decided
    return False


def _sets_against(s: Sentence, k: int, j: int) -> bool | None:
    """Whether the word at ``k`` sets something against what is named at ``j``; None if one has to read further back."""
    word = s.word(k)
    if word == "what" and s.word(k - 1) in {"of", "than", "from", "for", "to"} and s.is_word(j + 1):
        return True  # "gives back most of what LR-001 gained"
    if word in {"in", "for", "at", "with"} and s.kind(k - 1) is TokenKind.NUMBER and not s.runs(k - 1):
        return s.word(k - 2) in words.VERSUS  # "2.31 for LR-003 against 2.40 for LR-001"
    if (s.word(k - 1), word) in words.COMPARE_PAIRS | words.EXCEPTING or word in {"except", "besides"}:
        return True
    if word in {"on", "upon", "over", "against"} and s.word(k - 1) in words.SENSES:
        return True
    if word == "from" and s.word(k - 1) in _LEAVING:
        return True
    if word == "off" and s.kind(k - 1) is TokenKind.NUMBER:
        return True  # "takes 3.28 points off the baseline's error"
    if word == "from":
        onward = any(s.word(n) == "to" for n in range(j, min(j + 12, len(s.tokens))))
        return onward or bool({s.word(k - n) for n in (1, 2, 3, 4, 5)} & {"up", "down", "away", "far", "further"})
    measured = s.kind(k - 1) is TokenKind.NUMBER
    if word == "as" and not {"as", "same", "such", "identical"} & {s.word(n) for n in range(max(k - 12, 0), k)}:
        return False  # "creeps up as the continuous batches grow"
    if word in words.COMPARE_PLACES and not measured and s.word(k - 1) not in _STANDING:
        return False  # "worst under the strict filter"
    if word in words.COMPARE_BEFORE | words.COMPARE_PLACES or word in words.CONTESTS:
        counted = {TokenKind.NUMBER, TokenKind.CONFIG}
        far = any(s.kind(n) in counted and not s.runs(n) for n in range(k, j))
        return word != "over" or (k > 0 and not far)
    if word in words.KEEPING and any(s.kind(n) is TokenKind.METRIC for n in range(k + 1, j)):
        return any(s.runs(n) for n in range(s.clause(k)[0], k))  # "LR-003 keeps the throughput of LR-001"
    if _is_factor_of(s, k, range(k + 1, j)):
        return True  # "1.4x the baseline", "71 % of the baseline's"
    same = bool(s.runs(k)) and s.runs(k) == s.runs(j)
    thing = s.kind(k) in {TokenKind.METRIC, TokenKind.CONFIG, TokenKind.NUMBER} and not s.runs(k)
    return None if same or thing or word in _SKIPPED else False


def _is_factor_of(s: Sentence, k: int, between: Iterable[int]) -> bool:
    numeral = s.numeral(k)
    points = numeral is not None and numeral.unit is not None and numeral.unit.dimension == POINTS
    if (
        numeral is None
        or not numeral.relative
        or points
        or is_share_of_expectation(s, k)
        or s.word(k).endswith("ing")
        or s.word(k + 1) not in {"of", "the", "that", "those", "as"}
    ):
        return False
    small = words.ARTICLES | {"of", "that", "those"}
    return all(s.word(n) in small or s.kind(n) is TokenKind.METRIC for n in between)


def is_share_of_expectation(s: Sentence, i: int) -> bool:
    """``half of LR-010's hypothesis``, ``two thirds of the predictions``: a share of what no value tells."""
    return s.word(i + 1) in {"of", "the"} and any(s.word(j) in words.EXPECTATIONS for j in range(i + 2, i + 7))


def is_gap(s: Sentence, mention: Mention) -> bool:
    """``less than the gap between the two seeds``: what is named only to say how large something is."""
    j = s.skip(mention.first - 1, words.ARTICLES | {"two", "three"}, -1)
    return s.word(j) == "between" and s.word(j - 1) in words.DIFFERENCES


def opens_pair(s: Sentence, i: int, mentions: Sequence[Mention]) -> bool:
    """``It is slower than the baseline (214 vs 412)``: the first is of "it", where only the baseline is named."""
    before = [m for m in mentions if m.last < i]
    return (
        len(before) == 1 and before[0].reference and s.word(i + 1) in words.VERSUS and s.kind(i + 2) is TokenKind.NUMBER
    )


def has_own_number(s: Sentence, mention: Mention) -> bool:
    """``31.5 h, fp32 took 52 h``: whether a number of its own follows what is named behind a comma."""
    apart = "," in {s.word(mention.first - 1), s.word(mention.first - 2)}
    told = s.skip(mention.last + 1, words.LINKS)
    return apart and told > mention.last + 1 and s.kind(told) is TokenKind.NUMBER
