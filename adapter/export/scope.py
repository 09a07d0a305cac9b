"""What all exported resources share: the pack, the day for which its parameters are read, and how things are named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from adapter.fhir.profiles import profile_for
from adapter.records import Resource
from rules import Content, Pack, Source, Threshold
from rules.tools.cql import cited

_LONGEST_ID = 64
_BY_POLICY = frozenset({"PlanDefinition", "ActivityDefinition", "Library"})
"""The kinds of definition that follow a provider's policy; code lists are the same for every provider."""
_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


@dataclass(frozen=True, slots=True)
class Export:
    """``base``: the canonical base of everything exported, without a slash at its end.

    ``site``: the folder of a site's own codes. ``apart``: definitions that follow the policy of a provider other than
    the pack's default are named as that provider's, so that several providers' exports can go to one server.
    """

    pack: Pack
    base: str
    as_of: date
    site: Path | None = None
    apart: bool = False

    @property
    def content(self) -> Content:
        return self.pack.content

    def url(self, kind: str, name: str) -> str:
        return f"{self.base}/{kind}/{name}"

    def canonical(self, kind: str, name: str) -> str:
        """The url with the version."""
        return f"{self.url(kind, name)}|{self.version(kind)}"

    def version(self, kind: str) -> str:
        """That of the pack; of what is a provider's own with the provider as build metadata (Semantic Versioning)."""
        version, own = self.pack.version, self.own(kind)
        return f"{version}{'.' if '+' in version else '+'}{own}" if own else version

    def own(self, kind: str) -> str:
        """The provider whose own a definition of this kind is, or ""."""
        provider = self.pack.policy.name
        return provider if self.apart and kind in _BY_POLICY and provider != self.content.default_provider else ""

    def name(self, kind: str, name: str) -> str:
        """A name that no other provider's definition of this kind has."""
        return ".".join(filter(None, (name, self.own(kind))))

    def resolve(self, threshold: Threshold) -> Any:
        """A literal, or what the parameter is on the day."""
        return self.pack.parameter(threshold.parameter, self.as_of) if threshold.parameter else threshold.value

    def head(self, kind: str, name: str, title: str, experimental: bool = True) -> Resource:
        """The elements that every definition begins with. ``name`` ends its url, and is its id where it fits."""
        return {
            "resourceType": kind,
            "id": fhir_id(self.name(kind, name)),
            "meta": {"profile": [profile_for(kind)]},
            "url": self.url(kind, name),
            "version": self.version(kind),
            "name": computable(name),
            "title": title,
            "status": "draft",
            "experimental": experimental,
        }

    def for_provider(self) -> Resource:
        """The elements that say for whom a definition is: the provider whose policy it follows."""
        code = {"system": "http://terminology.hl7.org/CodeSystem/usage-context-type", "code": "program"}
        policy = self.pack.policy
        return {"useContext": [{"code": code, "valueCodeableConcept": {"text": f"{policy.name}: {policy.title}"}}]}


def fhir_id(name: str) -> str:
    """A name as an id: at most 64 letters, digits, hyphens and dots."""
    fit = _UNFIT.sub("-", name)
    if len(fit) <= _LONGEST_ID and fit == name:
        return fit
    return f"{fit[: _LONGEST_ID - 9]}-{sha256(name.encode()).hexdigest()[:8]}"


def computable(name: str) -> str:
    """A name as FHIR wants it for programs: ``r03-any-self-harm-answer`` → ``R03AnySelfHarmAnswer``."""
    words = "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z0-9]+", name))
    return words if words[:1].isalpha() else f"X{words}"


def citation(source: Source, label: str = "") -> Resource:
    """A source as a RelatedArtifact; its mark of confidence stands at the end of the citation, in brackets."""
    artifact: Resource = {"type": "citation"}
    if label:
        artifact["display"] = label
    artifact["citation"] = cited(source)
    return {**artifact, "url": source.url} if source.url else artifact


def period(start: date, end: date) -> Resource:
    """``effectivePeriod``, or nothing where neither end is set."""
    ends = {} if start == date.min else {"start": start.isoformat()}
    if end != date.max:
        ends["end"] = end.isoformat()
    return {"effectivePeriod": ends} if ends else {}
