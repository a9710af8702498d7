import asyncio

import pytest

from hearth_backend.api.exchange import Call
from hearth_backend.api.principals import Principal, first_party
from hearth_backend.api.routes.complete import Complete
from hearth_backend.gateway.messages import CompletionRequest, Finished
from hearth_shared.protocol.models import CompleteAnswer, CompleteFile, CompleteRequest
from hearth_shared.protocol.principals import Door
from support.scripted_models import CHOSEN, ScriptedModels, says

pytestmark = pytest.mark.unit


def call(principal: Principal | None = None) -> Call:
    return Call(principal or first_party(Door.EDITOR), "req_1", {}, b"", {})


def keystroke(version: int, document: str = "a.py") -> CompleteRequest:
    return CompleteRequest(document=document, version=version, prefix="def f(", suffix=")")


async def held(models: ScriptedModels, route: Complete, request: CompleteRequest) -> "asyncio.Task[CompleteAnswer]":
    """A request whose model has begun to answer and waits."""
    models.go_on.clear()
    asked = asyncio.create_task(route.complete(call(), request))
    await models.begun.acquire()
    return asked


async def test_a_completion_says_where_it_was_made() -> None:
    models = ScriptedModels(says("a, ", "b"))
    answer = await Complete(models).complete(call(), keystroke(1))
    assert (answer.text, answer.finish_reason, answer.made_by.model) == ("a, b", "stop", "m")
    assert models.callers[0].lane == "inline"


async def test_other_open_files_lie_beside_the_request() -> None:
    models = ScriptedModels(says("x"))
    request = keystroke(1).model_copy(update={"context": [CompleteFile(name="b.py", text="import a")]})
    await Complete(models).complete(call(), request)
    asked = models.asked[0]
    assert isinstance(asked, CompletionRequest)
    assert (asked.prefix, asked.suffix, asked.files) == ("def f(", ")", (("b.py", "import a"),))


async def test_a_newer_keystroke_ends_the_older_request_and_its_model_call() -> None:
    models = ScriptedModels(says("old"), says("new"))
    route = Complete(models)
    older = await held(models, route, keystroke(1))
    newer = asyncio.create_task(route.complete(call(), keystroke(2)))
    assert (await older).finish_reason == "superseded"
    assert (await older).text == ""
    assert models.cancelled == 1
    models.go_on.set()
    assert (await newer).text == "new"


async def test_an_older_keystroke_that_comes_late_asks_nobody() -> None:
    models = ScriptedModels(says("new"))
    route = Complete(models)
    newer = await held(models, route, keystroke(5))
    assert (await route.complete(call(), keystroke(4))).finish_reason == "superseded"
    models.go_on.set()
    assert (await newer).text == "new"


async def test_documents_and_doors_do_not_disturb_each_other() -> None:
    models = ScriptedModels(says("one"), says("two"), says("three"))
    route = Complete(models)
    one = await held(models, route, keystroke(1))
    two = asyncio.create_task(route.complete(call(), keystroke(1, "b.py")))
    three = asyncio.create_task(route.complete(call(first_party(Door.TRAY)), keystroke(1)))
    models.go_on.set()
    assert [(await asked).text for asked in (one, two, three)] == ["one", "two", "three"]


async def test_a_client_that_goes_takes_its_model_call_with_it() -> None:
    models = ScriptedModels(says("old"))
    asked = await held(models, Complete(models), keystroke(1))
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await asyncio.sleep(0)
    assert models.cancelled == 1


async def test_a_cut_completion_says_so() -> None:
    models = ScriptedModels([CHOSEN, Finished("length", 1, 1)])
    assert (await Complete(models).complete(call(), keystroke(1))).finish_reason == "length"
