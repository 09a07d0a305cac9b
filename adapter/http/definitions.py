"""Every rule as FHIR, to be read and searched: the definitions that ``perinatal rules export`` writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException

from adapter.bootstrap import Adapter
from adapter.errors import Malformed
from adapter.fhir.profiles import profile_for
from adapter.http.capability import KINDS
from adapter.http.described import read_of, search_of
from adapter.records import Issue, Resource
from rules import Pack

_MATCHES: Mapping[str, Callable[[Resource, str], bool]] = {
    "_id": lambda resource, value: resource["id"] == value,
    "url": lambda resource, value: value in (resource["url"], f"{resource['url']}|{resource['version']}"),
    "name": lambda resource, value: str(resource["name"]).lower().startswith(value.lower()),
}
"""How a resource is held against each search parameter (SEARCH_TYPES); several must all match."""


def add_definitions(app: FastAPI, adapter: Adapter, base: str) -> None:
    """Add read and search of each of KINDS below ``base``. A pack's definitions are made when first asked for."""

    @lru_cache(maxsize=1)
    def made(pack: Pack) -> tuple[Resource, ...]:
        from adapter.export import export_resources
        from adapter.http.operations import operation_definitions

        exported = export_resources(pack, adapter.base, site=adapter.settings.codes_path)
        return (*exported, *operation_definitions(adapter.base, pack.version))

    def definitions() -> tuple[Resource, ...]:
        return made(adapter.content().pack)

    def add(kind: str) -> None:
        @app.get(f"{base}/{kind}", **search_of(kind))
        async def search(request: Request) -> Any:
            asked = request.query_params.multi_items()
            for name, _ in asked:
                if name not in _MATCHES:
                    text = f"{kind} is searched by {', '.join(_MATCHES)}"
                    raise Malformed(Issue("error", "not-supported", text))
            found = [each for each in definitions() if each["resourceType"] == kind]
            for name, value in asked:
                found = [each for each in found if _MATCHES[name](each, value)]
            return _searchset(found, f"{str(request.base_url).rstrip('/')}{base}")

        @app.get(f"{base}/{kind}/{{id}}", **read_of(kind))
        async def read(request: Request) -> Any:
            for each in definitions():
                if each["resourceType"] == kind and each["id"] == request.path_params["id"]:
                    return each
            raise HTTPException(404, f"there is no such {kind}")

    for each in KINDS:
        add(each)


def _searchset(found: list[Resource], server: str) -> Resource:
    bundle: Resource = {
        "resourceType": "Bundle",
        "meta": {"profile": [profile_for("Bundle")]},
        "type": "searchset",
        "total": len(found),
    }
    if found:
        bundle["entry"] = [
            {"fullUrl": f"{server}/{each['resourceType']}/{each['id']}", "resource": each, "search": {"mode": "match"}}
            for each in found
        ]
    return bundle
