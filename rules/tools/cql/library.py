"""The logic of a pack as one library of the Clinical Quality Language, and as the ELM of the same library.

The library speaks of facts, not of FHIR resources: each fact is a parameter, and whoever runs the library supplies it.
So it needs no data model. Its definitions have the names under which the engine reports its own conditions: a rule's
id for "the rule fires", ``RULE/then/N`` for the condition of its branch N (from 0), ``RULE/outside``, ``ask/ID``,
``step/ID``; a derived fact has its own name, a dated parameter is ``parameters.NAME``. ``RULE/unknown`` and
``FACT is unknown`` say that something is missing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

from rules.engine.conditions import Condition, Place
from rules.engine.content import Content, Parameter, Rule
from rules.engine.model import Source
from rules.engine.names import Named, named_conditions
from rules.tools.cql import terms
from rules.tools.cql.functions import Function, functions
from rules.tools.cql.logic import Input, Logic, absence, parameter_name
from rules.tools.cql.terms import Elm, Term, quoted

_HEADER = """library {name} version {version}

// {title}, for the provider {provider}.
// Written from the rule pack {pack} {number}; change the pack, not this file.
// Truth is three-valued: null is unknown, and an unknown rule asks for what is missing.

// The day on which everything is decided.
parameter "AsOf" Date default Today()
"""


@dataclass(frozen=True, slots=True)
class Definition:
    """One named expression. ``comment``: lines that say what it means and where it comes from."""

    name: str
    comment: tuple[str, ...]
    term: Term

    @property
    def text(self) -> str:
        said = "".join(f"// {_line(line)}\n" for line in self.comment)
        return f"{said}define {quoted(self.name)}:\n{indent(self.term.cql, '  ')}\n"

    @property
    def elm(self) -> Elm:
        return {"name": self.name, "context": "Unfiltered", "accessLevel": "Public", "expression": self.term.elm}


@dataclass(frozen=True, slots=True)
class CqlLibrary:
    """A library: its inputs (the facts), functions and definitions, in the order of the text."""

    name: str
    version: str
    header: str
    inputs: tuple[Input, ...]
    functions: tuple[Function, ...]
    definitions: tuple[Definition, ...]

    @property
    def text(self) -> str:
        """The library as CQL."""
        parts = (self.header, *map(_declared, self.inputs), *(part.text for part in self.functions))
        return "\n".join((*parts, *(definition.text for definition in self.definitions)))

    @property
    def elm(self) -> Elm:
        """The library as ELM, to be written as JSON."""
        parameters = [
            {
                "name": "AsOf",
                "accessLevel": "Public",
                "default": {"type": "Today"},
                "parameterTypeSpecifier": terms.type_specifier("Date"),
            },
            *map(_elm_parameter, self.inputs),
        ]
        statements = [*(each.elm for each in self.functions), *(each.elm for each in self.definitions)]
        return {
            "library": {
                "identifier": {"id": self.name, "version": self.version},
                "schemaIdentifier": {"id": "urn:hl7-org:elm", "version": "r1"},
                "usings": {"def": [{"localIdentifier": "System", "uri": "urn:hl7-org:elm-types:r1"}]},
                "parameters": {"def": parameters},
                "statements": {"def": statements},
            }
        }

    @property
    def elm_json(self) -> str:
        return json.dumps(self.elm, ensure_ascii=False, indent=1)


def cql_library(content: Content) -> CqlLibrary:
    """The logic of a pack for its provider. Raises ContentError for a number that CQL has no room for."""
    logic = Logic(content)
    named = [_named(logic, content, item) for item in named_conditions(content).values()]
    derived = [
        Definition(name, (declaration.label, _place(content, declaration.place)), logic.derived(name))
        for name, declaration in content.facts.items()
        if declaration.derive is not None
    ]
    absences = [
        Definition(absence(item.fact), (), logic.absent(item.fact))
        for item in tuple(logic.inputs.values())
        if item.name == f"{item.fact}.absent"
    ]
    used = (content.parameters[name] for name in content.parameters if name in logic.parameters)
    parameters = [Definition(parameter_name(one.name), tuple(_about(one)), logic.parameter(one)) for one in used]
    order = list(content.facts)
    inputs = sorted(logic.inputs.values(), key=lambda item: (order.index(item.fact), item.name))
    name = library_name(content)
    header = _HEADER.format(
        name=name,
        version=terms.literal(content.version).cql,
        title=_line(content.title),
        provider=content.provider.name,
        pack=content.name,
        number=content.version,
    )
    unknowns = (*_unknown_facts(logic, content), *_unknown_rules(content))
    definitions = (*parameters, *absences, *derived, *named, *unknowns)
    return CqlLibrary(name, content.version, header, tuple(inputs), functions(), definitions)


def unknown_rule(rule: str) -> str:
    """The name of the definition that says that a rule cannot be decided for want of data."""
    return f"{rule}/unknown"


def unknown_fact(fact: str) -> str:
    """The name of the definition that says that a fact is not known; only those have one that somebody asks for."""
    return f"{fact} is unknown"


def _unknown_rules(content: Content) -> Iterator[Definition]:
    for rule in content.rules:
        yield Definition(unknown_rule(rule.id), (), terms.missing(terms.reference("ExpressionRef", rule.id)))


def _unknown_facts(logic: Logic, content: Content) -> Iterator[Definition]:
    for name, declaration in content.facts.items():
        if not declaration.ask:
            continue
        if declaration.derive is not None:
            yield Definition(unknown_fact(name), (), terms.missing(terms.reference("ExpressionRef", name)))
        elif name in logic.inputs:
            yield Definition(unknown_fact(name), (), logic.unknown(name))


def library_name(content: Content) -> str:
    """The pack's name as CQL and FHIR want it for a library: ``PerinatalMentalHealth``."""
    return "".join(word.capitalize() for word in content.name.split("-"))


def _line(text: str) -> str:
    """On one line, for a comment."""
    return " ".join(text.split())


def _declared(item: Input) -> str:
    return (
        f"// {' '.join(item.label.split())}\nparameter {quoted(item.name)} {item.type} default {_default(item).cql}\n"
    )


def _elm_parameter(item: Input) -> Elm:
    return {
        "name": item.name,
        "accessLevel": "Public",
        "default": _default(item).elm,
        "parameterTypeSpecifier": terms.type_specifier(item.type),
    }


def _default(item: Input) -> Term:
    """Null is said aloud: not every engine takes a parameter that is not given for null."""
    return terms.null(item.type) if item.default is None else terms.literal(item.default)


def _named(logic: Logic, content: Content, named: Named) -> Definition:
    rule = next((rule for rule in content.rules if rule.id == named.name), None)
    about = (*_of_rule(rule), _place(content, named.place)) if rule else (_place(content, named.place),)
    condition: Condition = named.condition
    return Definition(named.name, about, logic.term(condition))


def _of_rule(rule: Rule) -> Iterator[str]:
    yield rule.title + (" (safety rule)" if rule.safety else "")
    for source in rule.sources:
        yield f"Source: {cited(source)}"


def _about(parameter: Parameter) -> Iterator[str]:
    yield f"{parameter.label} ({parameter.unit})" if parameter.unit else parameter.label
    for source in parameter.sources:
        yield f"Source: {cited(source)}"
    if parameter.confirm:
        yield "For a clinical safety officer to confirm"


def _place(content: Content, place: Place) -> str:
    file = Path(place.file)
    return f"{file.relative_to(content.folder) if file.is_relative_to(content.folder) else file.name}:{place.line}"


def cited(source: Source) -> str:
    """A source in one line, with its mark: ``NICE CG192, 1.5.9, 2014-2020: … [K-high]``."""
    named = ", ".join(filter(None, (source.document, source.section, source.version)))
    says = f": {source.says}" if source.says else ""
    mark = f" [{source.confidence}]" if source.confidence else ""
    return f"{named}{says}{mark}"
