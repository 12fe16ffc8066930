"""Answers that have a schema: read into pydantic models, or what is wrong with them in a few words."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError  # noqa: TID253 - only what asks a model loads this


class InvalidReplyError(ValueError):
    """The answer is not what was asked for; the message says what is wrong with it."""


def parse[T: BaseModel](kind: type[T], text: str) -> T:
    """Read an answer.

    Args:
        kind: the model that it has to be one of.
        text: JSON, also where it stands in a fence.

    Raises:
        InvalidReplyError: it is not JSON, or not of that kind.
    """
    try:
        return kind.model_validate_json(text.strip().removeprefix("```json").removeprefix("```").removesuffix("```"))
    except ValidationError as error:
        said = [f"{'.'.join(map(str, each['loc'])) or 'the answer'}: {each['msg']}" for each in error.errors()[:5]]
        raise InvalidReplyError("; ".join(said)) from error
