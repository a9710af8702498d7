"""The terminal: a fact is told, asked for and cited; a file is quoted with its line."""

import json

from proof.chapter import Chapter
from proof.scene import FACT, NOTES_QUESTION, QUESTION, Scene
from support.command import hearth


def play(scene: Scene) -> Chapter:
    """`hearth ask`, as a person types it."""
    chapter = Chapter("terminal", "In the terminal")
    for arguments in (
        ("ask", FACT),
        ("ask", QUESTION),
        ("ask", NOTES_QUESTION, "--file", str(scene.notes)),
        ("ask", "what can you do?"),
    ):
        said = hearth(scene.backend, *arguments)
        shown = " ".join(f'"{part}"' if " " in part else part for part in arguments)
        chapter.say(f"$ hearth {shown}\n{said.out}\n".replace(f"{scene.folder}/", ""))
        chapter.check(f"`hearth {arguments[0]}` ended well: {arguments[1]}", said.status == 0)
    fact = json.loads(hearth(scene.backend, "ask", QUESTION, "--json").out)["answer"]
    note = json.loads(hearth(scene.backend, "ask", NOTES_QUESTION, "--file", str(scene.notes), "--json").out)["answer"]
    chapter.check("the fact is cited word for word", FACT in [source["quote"] for source in fact["sources"]])
    chapter.check("the answer says that no model is connected", fact["made_by"]["where"] == "no model")
    chapter.check("the file is cited with its line", "notes.md:" in note["sources"][0]["location"])
    return chapter
