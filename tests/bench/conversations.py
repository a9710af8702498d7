"""The evaluation data, read where it lies, never copied: LoCoMo conversations and Cranfield documents."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hearth_shared.protocol.memory import NewEpisode

BESIDE = Path(__file__).parents[3] / "shared" / "data"
_EVIDENCE = re.compile(r"D:?\d+:\d+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the ids of the turns or documents that answer it; category 5 has no answer (LoCoMo)."""

    text: str
    gold: frozenset[str]
    category: int = 0


@dataclass(frozen=True, slots=True)
class Collection:
    """One space's worth of memories, and what is asked of it."""

    name: str
    episodes: list[NewEpisode]
    questions: list[Question]


def folder() -> Path | None:
    """Where HEARTH_BENCH_DATA says the data is, or beside the checkout; None when there is none."""
    place = Path(os.environ.get("HEARTH_BENCH_DATA", BESIDE))
    return place if (place / "locomo_dev.json").is_file() else None


def locomo(data: Path) -> list[Collection]:
    """Each conversation is one person's memory; the unit is the turn."""
    items: list[dict[str, Any]] = json.loads((data / "locomo_dev.json").read_text("utf-8"))
    return [_conversation(item) for item in items]


def cranfield(data: Path) -> Collection:
    """Abstracts of papers; the unit is the document."""
    content: dict[str, Any] = json.loads((data / "cranfield_dev.json").read_text("utf-8"))
    at = datetime(1970, 1, 1, tzinfo=UTC)
    documents = [
        NewEpisode(
            external_id=str(one["id"]), source="cranfield", occurred_at=at, text=f"{one['title']}. {one['text']}"
        )
        for one in content["documents"]
    ]
    judged: dict[str, dict[str, int]] = content["qrels"]
    asked = [Question(one["text"], frozenset(judged.get(str(one["id"]), {}))) for one in content["queries"]]
    return Collection("cranfield", documents, [question for question in asked if question.gold])


def _conversation(item: dict[str, Any]) -> Collection:
    episodes = list(_turns(item["conversation"]))
    there = {episode.external_id for episode in episodes}
    questions = [
        Question(one["question"], gold, one["category"])
        for one in item["qa"]
        if (gold := frozenset(_evidence(one.get("evidence", []))) & there)
    ]
    return Collection(item["sample_id"], episodes, questions)


def _turns(talk: dict[str, Any]) -> Iterator[NewEpisode]:
    numbers = sorted(int(key.split("_")[1]) for key in talk if re.fullmatch(r"session_\d+", key))
    for number in numbers:
        began = datetime.strptime(talk[f"session_{number}_date_time"], "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for place, turn in enumerate(talk[f"session_{number}"]):
            shared = f" [shares {turn['blip_caption']}]" if turn.get("blip_caption") else ""
            yield NewEpisode(
                external_id=turn["dia_id"],
                source="locomo",
                session=str(number),
                speaker=turn["speaker"],
                occurred_at=began + timedelta(seconds=place),
                text=(turn.get("text") or "") + shared or "…",
            )


def _evidence(entries: Iterable[str]) -> Iterator[str]:
    """Ids are sometimes written `D:1:3`, or several in one string."""
    for entry in entries:
        for found in _EVIDENCE.findall(entry):
            yield found.replace("D:", "D")
