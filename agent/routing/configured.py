"""A provider as a policy configured it: a row of the catalog with what is the policy's own, made ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit

import orjson

from agent.catalog.patterns import fits
from agent.errors import ConfigError
from agent.model.provider import Provider, Scheme, Spoken
from agent.policy import Key, ProviderSettings
from agent.policy.glob import first_match

AWS_PROFILE = "profile:default"
GOOGLE_DEFAULT = "adc:"
CHAT = "chat"
CHAT_STREAM = "chat_stream"


@dataclass(frozen=True, kw_only=True)
class ConfiguredProvider:
    """One provider that requests may go to. `id` is the policy's."""

    id: str
    row: Provider
    settings: ProviderSettings

    @property
    def scheme(self) -> Scheme:
        """How its key is shown."""
        return self.settings.auth or self.row.scheme

    @property
    def private(self) -> bool:
        """Whether it runs on this machine or in the company."""
        return self.settings.private or (self.row.local and self.settings.base_url is None)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Its keys. Where the policy names none, the one its own tools would take; none where it needs none."""
        if self.settings.credentials:
            return self.settings.credentials
        match self.scheme:
            case Scheme.NONE:
                reference = ""
            case Scheme.SIGV4:
                reference = AWS_PROFILE
            case Scheme.GOOGLE:
                reference = GOOGLE_DEFAULT
            case Scheme.BEARER | Scheme.HEADER:
                reference = f"env:{self.row.key_env}" if self.row.key_env and not self.row.local else ""
        return (Key(name="default", key=reference),) if reference else ()

    def keys_for(self, model: str) -> tuple[Key, ...]:
        """Those of its keys that may be used for `model`, as the client calls it."""
        return tuple(key for key in self.keys if not key.models or first_match(key.models, model) is not None)

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """What stands for the names in its address."""
        return {**self.row.parameters, **self.settings.parameters}

    @cached_property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Sent with every request, beside its key; the policy's come before the catalog's."""
        fields = {**dict(self.row.headers), **self.settings.headers}
        return tuple((name.encode(), value.encode()) for name, value in fields.items())

    def upstream_model(self, name: str) -> str:
        """What the provider calls the model that clients call `name`."""
        return self.settings.models.get(name, name)

    def called(self, name: str) -> str:
        """What the policy calls a model that may be named as the provider calls it."""
        return name if name in self.settings.models else self._names.get(name, name)

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """By the provider's own names: the policy's, the first where there are several."""
        return {model: name for name, model in reversed(self.settings.models.items())}

    def speaks(self, model: str) -> tuple[Spoken, ...]:
        """The formats in which `model` (the provider's name) can be asked, in order of preference: one that is for
        certain models comes alone, for those."""
        special = tuple(
            spoken
            for spoken in self.row.speaks
            if spoken.models and any(fits(pattern, model.lower()) for pattern in spoken.models)
        )
        return special or tuple(spoken for spoken in self.row.speaks if not spoken.models)

    def url(self, spoken: Spoken, operation: str, model: str = "", *, stream: bool = False) -> str:
        """Where to ask for `operation` in the format `spoken`, as it goes on the wire. With `stream` an answer that
        comes in pieces. Raises ConfigError where the provider has no such operation."""
        path = spoken.paths.get(CHAT_STREAM) if stream and operation == CHAT else None
        path = path or spoken.paths.get(operation)
        if path is None:
            raise ConfigError(f"the provider {self.id} has no {operation} in the format {spoken.dialect}")
        return self._joined(path, model)

    @property
    def models_url(self) -> str:
        """Where it lists its models; empty where it does not."""
        return self._joined(self.row.models_path) if self.row.models_path else ""

    def body(self, spoken: Spoken, body: bytes) -> bytes:
        """`body` with the fields that this provider wants beside the format's own, mostly as it came."""
        if not spoken.body:
            return body
        document = orjson.loads(body)
        for name, value in spoken.body.items():
            if value:
                document[name] = value
            else:
                document.pop(name, None)
        return orjson.dumps(document)

    @cached_property
    def origin(self) -> str:
        """Its address, before every path: the policy's, or the catalog's with its parameters filled in."""
        if self.settings.base_url is not None:
            return self.settings.base_url.rstrip("/")
        for condition, origin in self.row.origins.items():
            name, _, value = condition.partition("=")
            if self.parameters.get(name) == value:
                return self._filled(origin)
        if not self.row.origin:
            raise ConfigError(
                f"the provider {self.id} has no address", hint="Give its base_url in the policy."
            )
        return self._filled(self.row.origin)

    def _joined(self, path: str, model: str = "") -> str:
        """Origin and path. Segments that end the one and begin the other (`/v1`) stand there once: what people call a
        base URL ends here or there."""
        joined = self._addresses.get(path)
        if joined is None:
            filled = self._filled(path)
            base = [segment for segment in urlsplit(self.origin).path.split("/") if segment]
            first = filled.partition("?")[0].split("/")[1:-1]
            shared = next((n for n in range(min(len(base), len(first)), 0, -1) if base[-n:] == first[:n]), 0)
            joined = self.origin + "".join(f"/{each}" for each in filled.split("/")[1 + shared :])
            self._addresses[path] = joined
        if "{model" not in joined:
            return joined
        return joined.replace("{model}", quote(model, safe="@")).replace(
            "{model_path}", quote(model, safe="@/")
        )

    @cached_property
    def _addresses(self) -> dict[str, str]:
        """By the paths of the catalog's row: the addresses, in which only the model is still to be filled in."""
        return {}

    def _filled(self, template: str) -> str:
        filled = template
        for name, value in self.parameters.items():
            if f"{{{name}}}" in filled and not value:
                raise ConfigError(
                    f"the provider {self.id} needs the parameter {name}",
                    hint=f"Give it in the policy: parameters: {{{name}: …}}",
                )
            filled = filled.replace(f"{{{name}}}", value)
        return filled


def configured(
    providers: Mapping[str, ProviderSettings], rows: Mapping[str, Provider]
) -> dict[str, ConfiguredProvider]:
    """The providers of a policy, in its order. Raises ConfigError for one that the catalog does not know."""
    found: dict[str, ConfiguredProvider] = {}
    for name, settings in providers.items():
        row = rows.get(settings.uses or name)
        if row is None:
            raise ConfigError(
                f"the provider {name} uses {settings.uses or name!r}, which the catalog does not have",
                hint="drawbridge providers list shows what it has.",
            )
        found[name] = ConfiguredProvider(id=name, row=row, settings=settings)
    return found
