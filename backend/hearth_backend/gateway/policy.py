"""Who may answer, in which order: this machine first, the cloud by the person's leave, nothing against it."""

from collections import Counter
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from hearth_backend.gateway.messages import Provider
from hearth_shared.errors import HearthError, LocalOnly, NoModel, NotFound
from hearth_shared.protocol.models import Role, Where
from hearth_shared.settings import Models as Policy

ENGINE, MINILM = "engine", "minilm"
BUILT_IN = frozenset({ENGINE, MINILM})
MINILM_MODEL = "all-minilm-l6-v2"
_NEARNESS: dict[Where, int] = {"this machine": 0, "another machine": 1, "cloud": 2}
_WORK: dict[Role, str] = {"chat": "conversations", "complete": "inline completion", "embed": "embeddings"}
_LIST = "`hearth models list` shows those there are; auto lets Hearth choose."


@dataclass(frozen=True, slots=True)
class Route:
    """One model at one provider. `instead_of` names the person's choice when that is not there, and `because` why."""

    provider: Provider
    model: str
    test_model: bool = False
    context: int | None = None
    instead_of: str = ""
    because: str = ""

    @property
    def id(self) -> str:
        """What a person types to name it."""
        return public_id(self.provider, self.model)


def public_id(provider: Provider, model: str) -> str:
    """`provider/model`; models that Hearth itself runs go by their bare name."""
    return model if provider.name in BUILT_IN else f"{provider.name}/{model}"


class Router:
    """Finds the routes of a call one after another: nobody is asked for a listing before it is their turn.

    `found` are servers seen on this machine that nobody set up: they can be named, and are never chosen unasked.
    `pools` tells which providers are equal, by their names: those of one pool take turns.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        policy: Policy,
        found: Callable[[], Sequence[Provider]] = tuple,
        pools: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._providers = sorted(providers, key=lambda provider: _NEARNESS[provider.where])
        self._policy = policy
        self._found = found
        self._pools = pools
        self._turns = Counter[str]()

    def everybody(self) -> list[Provider]:
        """All who may be asked for a listing: no cloud where the cloud is never asked."""
        names = {provider.name for provider in self._providers}
        found = [provider for provider in self._found() if provider.name not in names]
        never = self._policy.cloud == "never"
        return [provider for provider in (*self._providers, *found) if not (never and provider.where == "cloud")]

    async def routes(self, role: Role, model: str | None, *, local_only: bool) -> AsyncGenerator[Route]:
        """The routes of a call, best first. Raises NoModel, LocalOnly or NotFound when there is none.

        A model named in the call is the only route, or one at each server of a pool. Embeddings have one route too:
        vectors of two models never mix.
        """
        if model and (members := self._members(model.partition("/")[0], local_only)):
            for provider in members:
                yield await self._named(role, f"{provider.name}/{model.partition('/')[2]}", local_only, explicit=True)
        elif model and model != "auto":
            yield await self._named(role, model, local_only, explicit=True)
        elif role == "embed":
            yield await self._named(role, self._chosen(role) or MINILM_MODEL, local_only, explicit=False)
        else:
            any_yet = False
            async for route in self._in_order(role, local_only):
                any_yet = True
                yield route
            if not any_yet:
                raise await self._nobody(role, local_only)

    async def has(self, role: Role, *, local_only: bool) -> bool:
        """Whether such a call has a route now."""
        try:
            async for _ in self.routes(role, None, local_only=local_only):
                return True
        except HearthError:
            pass
        return False

    async def _in_order(self, role: Role, local_only: bool) -> AsyncGenerator[Route]:
        """The person's choice, then the others by nearness; a choice in the cloud waits for its turn if it must."""
        chosen, missing = await self._choice(role, local_only)
        waits = chosen is not None and chosen.provider.where == "cloud" and self._policy.cloud == "fallback"
        if chosen is not None and not waits:
            yield chosen
        for provider in self._askable(local_only):
            if chosen is not None and waits and provider.where == "cloud":
                yield chosen
                waits = False
            route = await _first(provider, role)
            if route is not None and (chosen is None or route.id != chosen.id):
                yield replace(route, instead_of=self._chosen(role) if missing else "", because=missing)

    async def _choice(self, role: Role, local_only: bool) -> tuple[Route | None, str]:
        """The model of the settings, or why it is not there."""
        name = self._chosen(role)
        if not name:
            return None, ""
        try:
            return await self._named(role, name, local_only, explicit=False), ""
        except HearthError as error:
            return None, error.detail

    def _chosen(self, role: Role) -> str:
        """The model that the settings name for a role; empty for auto."""
        names: dict[Role, str] = {"chat": self._policy.chat, "complete": self._policy.complete}
        name = names.get(role, self._policy.embed)
        return "" if name == "auto" else name

    def _askable(self, local_only: bool) -> list[Provider]:
        """Who may be chosen unasked, nearest first; a pool stands where its first server does."""
        asked: dict[str, Provider] = {}
        for provider in self._providers:
            if self._may(provider, local_only) and provider.name not in asked:
                equal = self._members(self._pools.get(provider.name, ""), local_only) or [provider]
                asked.update((one.name, one) for one in equal if one.where == provider.where)
        return [*asked.values()]

    def _members(self, pool: str, local_only: bool) -> list[Provider]:
        """The servers of a pool that may be asked, each time another one first."""
        members = [one for one in self._providers if pool and self._pools.get(one.name) == pool]
        members = [one for one in members if self._may(one, local_only)]
        if not members:
            return []
        first = self._turns[pool] % len(members)
        self._turns[pool] += 1
        return members[first:] + members[:first]

    def _may(self, provider: Provider, local_only: bool) -> bool:
        if local_only:
            return provider.where == "this machine"
        return provider.where != "cloud" or self._policy.cloud != "never"

    async def _named(self, role: Role, name: str, local_only: bool, *, explicit: bool) -> Route:
        prefix, _, rest = name.partition("/")
        for provider in (*self._providers, *self._found()):
            if rest and provider.name == prefix:
                await self._allow(provider, role, name, local_only, explicit)
                return await _at(provider, role, rest)
        return await self._bare(role, name, local_only)

    async def _bare(self, role: Role, name: str, local_only: bool) -> Route:
        """A model named without its provider: whoever lists it, nearest first."""
        for provider in self.everybody():
            if not self._may(provider, local_only):
                continue
            for info in await provider.models():
                if info.id == name and role in info.roles:
                    return Route(provider, name, info.test_model, info.context)
        if role == "embed" and name == MINILM_MODEL:
            raise NoModel("The built-in embedding model is not installed.", "`hearth doctor` says how to get it.")
        if local_only:
            raise LocalOnly(f"There is no model {name!r} on this machine for {_WORK[role]}.", _LIST)
        raise NotFound(f"There is no model {name!r} for {_WORK[role]}.", _LIST)

    async def _allow(self, provider: Provider, role: Role, name: str, local_only: bool, explicit: bool) -> None:
        if local_only and provider.where != "this machine":
            raise LocalOnly(
                f"{name} is not on this machine, and this must not leave it.", "Choose a model on this machine."
            )
        if provider.where != "cloud":
            return
        if self._policy.cloud == "never":
            raise NoModel(
                f"{name} is in the cloud, and the cloud is never asked.", "`hearth config set models.cloud fallback`."
            )
        if explicit and self._policy.cloud == "fallback" and await self._anybody_near(role):
            raise NoModel(
                f"{name} is in the cloud, which is asked only when nothing nearer can answer.",
                "`hearth config set models.cloud allowed` lets it be named.",
            )

    async def _anybody_near(self, role: Role) -> bool:
        for provider in self._providers:
            if provider.where != "cloud" and await _first(provider, role) is not None:
                return True
        return False

    async def _nobody(self, role: Role, local_only: bool) -> HearthError:
        fix = await self._way_in(role)
        if local_only and any(provider.where != "this machine" for provider in self._providers):
            return LocalOnly(f"This must not leave this machine, and no model on it takes {_WORK[role]}.", fix)
        return NoModel(f"No language model is connected for {_WORK[role]}.", fix)

    async def _way_in(self, role: Role) -> str:
        """The one command that connects a model: the one already on this machine, or else a key."""
        for provider in self._found():
            if route := await _first(provider, role):
                return f"{provider.name} runs on this machine: `hearth models use {route.id}` connects it."
        return (
            "Start Ollama or LM Studio, or put a GGUF file into the models folder; "
            "`hearth keys set openai` connects a cloud model."
        )


async def _first(provider: Provider, role: Role) -> Route | None:
    """The first model that a provider lists for a role."""
    for info in await provider.models():
        if role in info.roles:
            return Route(provider, info.id, info.test_model, info.context)
    return None


async def _at(provider: Provider, role: Role, model: str) -> Route:
    """A model by its full name; one that the provider does not list is for the provider to refuse."""
    for info in await provider.models():
        if info.id == model:
            if role not in info.roles:
                raise NotFound(f"{public_id(provider, model)} does not take {_WORK[role]}.", _LIST)
            return Route(provider, model, info.test_model, info.context)
    return Route(provider, model)
