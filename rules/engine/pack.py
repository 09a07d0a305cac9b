"""A loaded pack: evaluates facts with both evaluators and decides only where they agree."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import compress
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rules.engine.check_facts import FactChecker
from rules.engine.comparisons import older_fact
from rules.engine.compile_durable import compile_durable
from rules.engine.content import Content, FactDeclaration, Parameter, Provider, Rule, Service
from rules.engine.decide import Decider, Evaluation
from rules.engine.errors import EngineDisagreement, FactError
from rules.engine.loader import LIBRARY, load_content
from rules.engine.model import EVERYWHERE, KNOWN, Availability, Decision, Fact, Truth
from rules.engine.names import named_conditions
from rules.engine.parameters import Bands, Values, value_at
from rules.engine.pick import Pick, pick
from rules.engine.session import DurableSession
from rules.engine.tracer import Situation, Tracer


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Everything that depends on parameter values, for one band of days."""

    tracer: Tracer
    names: tuple[str, ...]  # of the named conditions
    pick: Pick  # their truths, from those of all nodes
    session: DurableSession
    decider: Decider


class Pack:
    """A rule pack for one provider. Made by ``load_pack``; safe to share between threads; ``close`` frees C memory."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._checker = FactChecker(content.facts)
        self._named = named_conditions(content)
        self._bands = Bands(content.parameters)
        self._compiled: dict[int, _Compiled] = {}
        self._compiling = threading.Lock()
        if self._bands.starts:
            self._compile(len(self._bands.starts))

    @property
    def name(self) -> str:
        return self._content.name

    @property
    def version(self) -> str:
        return self._content.version

    @property
    def title(self) -> str:
        return self._content.title

    @property
    def folder(self) -> Path:
        return self._content.folder

    @property
    def provider(self) -> str:
        return self._content.provider.name

    @property
    def policy(self) -> Provider:
        """The provider's policy: its title, dates, sources and the services it offers."""
        return self._content.provider

    @property
    def content(self) -> Content:
        """Everything the files say, for documentation, lint and export."""
        return self._content

    @property
    def fact_declarations(self) -> Mapping[str, FactDeclaration]:
        return MappingProxyType(dict(self._content.facts))

    @property
    def services(self) -> Mapping[str, Service]:
        return MappingProxyType(dict(self._content.services))

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        return MappingProxyType(dict(self._content.parameters))

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self._content.rules

    def parameter(self, name: str, as_of: date) -> Any:
        """The value of a parameter on a day. Raises KeyError for an unknown name, ContentError before its first."""
        return value_at(self._content.parameters[name], as_of)

    def evaluate(self, facts: Mapping[str, Fact], as_of: date, availability: Availability = EVERYWHERE) -> Decision:
        """Decide about one person on one day; ``availability`` says which services cover her and are open.

        Facts that are not given are absent or unknown, as declared. Raises FactError for a fact that does not fit its
        declaration, ContentError when a parameter has no value on that day, EngineError when an evaluation did not
        complete and EngineDisagreement when the two evaluators differ: then there is no decision at all.
        """
        if type(as_of) is not date:
            raise FactError("the as-of date must be a date without a time")
        band = self._bands.at(as_of)
        compiled = self._compiled.get(band) or self._compile(band)
        complete, telling = self._checker.complete(facts)
        situation = Situation(compiled.tracer, complete, as_of, telling)
        truths = _agreed(compiled, situation, telling)
        stale = [name for name in telling if facts[name].older is not None and facts[name].state is not KNOWN]
        if not stale:
            return compiled.decider.decide(Evaluation(situation, truths), availability)
        renewed = {**complete, **{name: older_fact(facts[name]) for name in stale}}
        aged = _agreed(compiled, Situation(compiled.tracer, renewed, as_of, telling), telling)
        return compiled.decider.decide(Evaluation(situation, truths, aged, frozenset(stale)), availability)

    def close(self) -> None:
        """Free the C memory. The pack cannot evaluate afterwards."""
        for compiled in self._compiled.values():
            compiled.session.close()

    def _compile(self, band: int) -> _Compiled:
        with self._compiling:
            if band not in self._compiled:
                values = Values(self._content.parameters, self._bands.first_day(band))
                tracer = Tracer(self._content.facts, values, self._checker.missing)
                for rule in self._content.rules:
                    tracer.compile(self._named[rule.id].condition)
                tracer.explain()
                nodes = {name: tracer.compile(named.condition) for name, named in self._named.items()}
                derived = {name: tracer.derived(name) for name, each in self._content.facts.items() if each.derive}
                program = compile_durable(self._named, self._content.facts, values)
                self._compiled[band] = _Compiled(
                    tracer,
                    tuple(nodes),
                    pick([node.place for node in nodes.values()]),
                    DurableSession(program, self._checker.missing),
                    Decider(self._content, nodes, derived, values),
                )
            return self._compiled[band]


def _agreed(compiled: _Compiled, situation: Situation, telling: Sequence[str]) -> Mapping[str, Truth]:
    """The truth of every named condition. Raises EngineDisagreement unless durable_rules finds the same ones true."""
    told: tuple[Truth, ...] = compiled.pick(situation.truths)
    truths = dict(zip(compiled.names, told, strict=True))
    traced = set(compress(compiled.names, told))
    found = compiled.session.true_names(situation.facts, situation.as_of, telling)
    if found != traced:
        raise EngineDisagreement(frozenset(found - traced), frozenset(traced - found))
    return truths


def load_pack(folder: Path | None = None, provider: str | None = None, build: str = "") -> Pack:
    """Load a pack (default: the shipped library) for a provider (default: the pack's own). Raises ContentError.

    ``build`` says what a site added to the pack. It becomes part of the version: ``0.2.0+build`` (Semantic Versioning).
    """
    content = load_content(folder or LIBRARY, provider)
    return Pack(replace(content, version=f"{content.version}+{build}") if build else content)
