"""What all messages share."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Json = dict[str, Any]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_.:\-]+$")]
Space = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:\-]+$")]
Text = Annotated[str, StringConstraints(max_length=200_000)]
Seconds = Annotated[float, Field(description="seconds since 1970-01-01 UTC")]


class Message(BaseModel):
    """A frozen value; unknown fields are ignored so that old readers understand new writers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Request(BaseModel):
    """What a client sends: frozen, and a field we do not know is an error the person should see."""

    model_config = ConfigDict(frozen=True, extra="forbid")
