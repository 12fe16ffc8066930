"""What a proofreading model answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field  # noqa: TID253

from curator.verify.meanings import Relation


class Meant(BaseModel):
    """What the words of a finding state."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    finding: str = Field(description="the finding's ID")
    kind: Relation
    of: list[str] = Field(description="IDs of the facts that the words are said of")
    against: list[str] = Field(default_factory=list, description="IDs of the facts that they are set against")


class Wrong(BaseModel):
    """Words that the record contradicts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    quote: str = Field(description="the wrong words, letter for letter")
    facts: list[str] = Field(description="IDs of the facts that contradict them")
    why: str = Field(description="one short sentence: what the record says instead")


class Answer(BaseModel):
    """One reading of one text."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    meanings: list[Meant] = Field(description="what the words of findings state, where the text is right")
    objections: list[Wrong] = Field(description="what the text says and the facts contradict")
