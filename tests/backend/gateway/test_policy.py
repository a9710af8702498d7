from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field

import pytest

from hearth_backend.gateway.messages import Caller, ChatEvent, ChatRequest, CompletionRequest, Embeddings
from hearth_backend.gateway.policy import Router
from hearth_shared.errors import HearthError, LocalOnly, NoModel, NotFound
from hearth_shared.protocol.models import ModelInfo, Role, Where
from hearth_shared.settings import Models as Policy

pytestmark = pytest.mark.unit


@dataclass
class Place:
    """A provider that only lists."""

    name: str
    where: Where = "this machine"
    ids: Sequence[str] = ("m",)
    roles: Sequence[Role] = ("chat",)
    asked: list[str] = field(default_factory=list[str])

    async def models(self) -> Sequence[ModelInfo]:
        self.asked.append("models")
        return [ModelInfo(id=id, provider=self.name, where=self.where, roles=[*self.roles]) for id in self.ids]

    async def chat(self, request: ChatRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        raise AssertionError("a router asks for nothing")
        yield

    async def complete(self, request: CompletionRequest, caller: Caller) -> AsyncGenerator[ChatEvent]:
        raise AssertionError("a router asks for nothing")
        yield

    async def embed(self, texts: Sequence[str], model: str | None, caller: Caller) -> Embeddings:
        raise AssertionError("a router asks for nothing")

    async def close(self) -> None:
        pass


CLOUD = Place("cloud", "cloud")
LAN = Place("lan", "another machine")
HERE = Place("engine", ids=["qwen", "older"])


async def order(router: Router, model: str | None = None, role: Role = "chat", local_only: bool = False) -> list[str]:
    return [route.id async for route in router.routes(role, model, local_only=local_only)]


async def test_the_nearest_goes_first() -> None:
    assert await order(Router([CLOUD, LAN, HERE], Policy())) == ["qwen", "lan/m", "cloud/m"]


async def test_a_choice_on_this_machine_goes_before_the_others() -> None:
    assert await order(Router([HERE, LAN], Policy(chat="older"))) == ["older", "qwen", "lan/m"]


async def test_a_choice_in_the_cloud_waits_for_this_machine_when_the_cloud_is_a_fallback() -> None:
    other = Place("other", "cloud")
    router = Router([other, CLOUD, HERE], Policy(chat="cloud/m"))
    assert await order(router) == ["qwen", "cloud/m", "other/m"]


async def test_a_choice_in_the_cloud_goes_first_where_the_cloud_is_allowed() -> None:
    assert await order(Router([HERE, CLOUD], Policy(chat="cloud/m", cloud="allowed"))) == ["cloud/m", "qwen"]


async def test_a_choice_that_is_gone_is_said_by_who_stands_in() -> None:
    router = Router([HERE], Policy(chat="gone"))
    (route,) = [route async for route in router.routes("chat", None, local_only=False)]
    assert (route.id, route.instead_of) == ("qwen", "gone")
    assert "no model 'gone'" in route.because


async def test_a_model_named_in_the_call_is_the_only_route() -> None:
    assert await order(Router([HERE, LAN], Policy()), "lan/m") == ["lan/m"]
    assert await order(Router([HERE, LAN], Policy()), "older") == ["older"]


async def test_an_unknown_model_is_not_found() -> None:
    with pytest.raises(NotFound):
        await order(Router([HERE], Policy()), "gpt-4o")


async def test_a_model_for_something_else_is_not_found() -> None:
    with pytest.raises(NotFound, match="inline completion"):
        await order(Router([LAN], Policy()), "lan/m", role="complete")


async def test_a_cloud_model_cannot_be_named_while_the_cloud_is_a_fallback() -> None:
    with pytest.raises(NoModel, match="nothing nearer"):
        await order(Router([HERE, CLOUD], Policy()), "cloud/m")
    assert await order(Router([CLOUD], Policy()), "cloud/m") == ["cloud/m"]
    assert await order(Router([HERE, CLOUD], Policy(cloud="allowed")), "cloud/m") == ["cloud/m"]


async def test_what_must_not_leave_goes_to_this_machine_alone() -> None:
    cloud = Place("cloud", "cloud")
    assert await order(Router([HERE, LAN, cloud], Policy(chat="cloud/m")), local_only=True) == ["qwen"]
    for name in ("cloud/m", "lan/m", "m"):
        with pytest.raises(LocalOnly):
            await order(Router([HERE, LAN, cloud], Policy()), name, local_only=True)
    assert cloud.asked == []


async def test_a_server_found_on_this_machine_is_not_chosen_unasked() -> None:
    found = Place("ollama", ids=["qwen3"])
    router = Router([], Policy(), lambda: [found])
    with pytest.raises(NoModel) as raised:
        await order(router)
    assert "`hearth models use ollama/qwen3`" in raised.value.fix
    assert await order(router, "ollama/qwen3") == ["ollama/qwen3"]
    assert await order(router, "qwen3") == ["ollama/qwen3"]


async def test_a_server_that_was_accepted_answers() -> None:
    router = Router([CLOUD], Policy(chat="ollama/qwen3"), lambda: [Place("ollama", ids=["qwen3"])])
    assert await order(router) == ["ollama/qwen3", "cloud/m"]


async def test_a_server_set_up_by_the_person_goes_before_one_found() -> None:
    mine = Place("ollama", ids=["mine"])
    assert await order(Router([mine], Policy(), lambda: [Place("ollama", ids=["found"])])) == ["ollama/mine"]


async def test_embeddings_have_one_route_only() -> None:
    mini = Place("minilm", ids=["all-minilm-l6-v2"], roles=["embed"])
    other = Place("other", roles=["embed"])
    assert await order(Router([other, mini], Policy()), role="embed") == ["all-minilm-l6-v2"]
    assert await order(Router([other, mini], Policy(embed="other/m")), role="embed") == ["other/m"]


async def test_a_missing_embedder_is_said_not_replaced() -> None:
    with pytest.raises(NoModel, match="not installed"):
        await order(Router([Place("other", roles=["embed"])], Policy()), role="embed")


@pytest.mark.parametrize(("providers", "local_only"), [([], False), ([CLOUD], True)])
async def test_nobody_is_said_with_the_one_command(providers: Sequence[Place], local_only: bool) -> None:
    with pytest.raises(HearthError) as raised:
        await order(Router(providers, Policy()), local_only=local_only)
    assert "hearth keys set" in raised.value.fix


async def test_has_tells_without_raising() -> None:
    assert await Router([HERE], Policy()).has("chat", local_only=True)
    assert not await Router([CLOUD], Policy()).has("chat", local_only=True)
    assert not await Router([HERE], Policy()).has("complete", local_only=False)


async def test_servers_of_a_pool_take_turns_and_stand_in_for_each_other() -> None:
    providers = [Place("b"), Place("far", "cloud"), Place("a"), Place("c")]
    router = Router(providers, Policy(), pools={"a": "desk", "c": "desk"})
    assert await order(router) == ["b/m", "a/m", "c/m", "far/m"]
    assert await order(router) == ["b/m", "c/m", "a/m", "far/m"]
    assert [await order(router, "desk/m") for _ in range(2)] == [["a/m", "c/m"], ["c/m", "a/m"]]


async def test_a_pool_does_not_take_what_is_private_off_this_machine() -> None:
    router = Router([HERE, LAN, CLOUD], Policy(cloud="allowed"), pools={"lan": "far", "cloud": "far"})
    assert await order(router, local_only=True) == ["qwen"]
    with pytest.raises(LocalOnly):
        await order(router, "far/m", local_only=True)
