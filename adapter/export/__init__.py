"""A rule pack as FHIR R4 definitions, for other systems to import: a pure function from content to resources."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from adapter.export.activities import activity_definition, of_outcome
from adapter.export.library import library_resource
from adapter.export.pack_plan import pack_plan
from adapter.export.plans import rule_activities, rule_plan
from adapter.export.scope import Export
from adapter.export.terminology import code_lists, code_system_resources, value_sets, whole_systems
from adapter.records import Resource
from rules import Pack
from rules.tools.cql import cql_library

__all__ = ["export_resources", "usual_day"]


def export_resources(
    pack: Pack, base: str, as_of: date | None = None, site: Path | None = None, apart: bool = False
) -> list[Resource]:
    """Every definition of a pack, in an order that does not change: the same content gives the same resources.

    PlanDefinition (the pack, then each rule), ActivityDefinition, Library, ValueSet, CodeSystem. ``base`` is the
    canonical base; on the day ``as_of`` destinations and timeframes are read (by default ``usual_day``). ``site`` is
    the folder of a site's own codes, which the pack was loaded with; ``apart`` names a provider's own definitions as
    that provider's (``Export``). Raises ContentError where a parameter has no value on that day, CannotStart for a code
    list that cannot be read.
    """
    export = Export(pack, base.rstrip("/"), as_of or usual_day(pack), site, apart)
    content = pack.content
    found = [activity for rule in content.rules for activity in rule_activities(export, rule)]
    found += [activity for ask in content.asks if (activity := of_outcome(export, ask)) is not None]
    activities = {activity.name: activity for activity in found}
    lists = code_lists(export)
    systems = list(code_system_resources(export, lists))
    return [
        pack_plan(export),
        *(rule_plan(export, rule) for rule in content.rules),
        *(activity_definition(export, activities[name]) for name in sorted(activities)),
        library_resource(export, cql_library(replace(content, version=export.version("Library")))),
        *value_sets(export, lists),
        *whole_systems(export, systems),
        *systems,
    ]


def usual_day(pack: Pack) -> date:
    """The last day on which a parameter of the pack or its provider's policy changes: what counts from then on."""
    days = [dated.start for parameter in pack.parameters.values() for dated in parameter.values]
    return max((*days, pack.policy.valid_from), default=date.min)
