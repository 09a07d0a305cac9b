"""Who sends BaRS messages, to whom, and what a site's written policy has accepted: one YAML file of the site.

Nothing of it can be guessed: identifiers of organisations and services, the version of the BaRS application and its use
case are agreed between a sender and its receivers.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapter.records import Resource
from rules import load_yaml


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Code(_Part):
    """A coding, of SNOMED CT where no system is given."""

    code: str = Field(min_length=1)
    display: str = Field(min_length=1)
    system: str = "http://snomed.info/sct"

    def coding(self) -> Resource:
        return {"system": self.system, "code": self.code, "display": self.display}


class Organisation(_Part):
    """``ods``: the ODS code. ``type``: of SNOMED CT refset 1127531000000102; the sender must have one."""

    ods: str = Field(pattern=r"^[A-Za-z0-9]+$")
    name: str = Field(min_length=1)
    type: Code | None = None


class Practitioner(_Part):
    """Who is answerable for what is sent. ``sds_role_profile``: the SDS role profile id."""

    sds_role_profile: str = Field(min_length=1)
    family: str = Field(min_length=1)
    given: str = ""
    role: Code | None = None


class Receiver(_Part):
    """Where a service is reached. ``dos``: its id in the Directory of Services."""

    dos: str = Field(pattern=r"^[0-9]+$")
    organisation: Organisation


class BarsSender(_Part):
    """The file as a whole.

    ``application_version``: what a receiver reads in Bundle.meta.versionId. ``encounter_class``: a v3-ActCode.
    ``receivers``: by the key of the service, where the directory has no address. ``accepts``: by the key of a
    service, the rules whose referrals to it the site's written policy accepts; no other one leaves as ``active``.
    """

    application_version: str = Field(min_length=1)
    dos: str = Field(pattern=r"^[0-9]+$")
    organisation: Organisation
    practitioner: Practitioner
    telephone: str = ""
    encounter_class: Code = Code(
        code="VR", display="virtual", system="http://terminology.hl7.org/CodeSystem/v3-ActCode"
    )
    use_case: Code | None = None
    receivers: dict[str, Receiver] = {}
    accepts: dict[str, frozenset[str]] = {}


def load_sender(path: Path, services: Collection[str], rules: Collection[str]) -> BarsSender:
    """Read and check the file against the services and rules there are. Raises ContentError with its place."""
    document = load_yaml(path)
    try:
        sender = BarsSender.model_validate(document.data, strict=False)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        place = tuple(first["loc"])
        message = f"{place[-1]}: {first['msg']}" if place else first["msg"]
        raise document.error(place, message) from None
    if sender.organisation.type is None:
        message = "type: the sender's organisation type is needed (SNOMED CT refset 1127531000000102)"
        raise document.error(("organisation",), message)
    for section in ("receivers", "accepts"):
        for service in getattr(sender, section):
            if service not in services:
                raise document.error((section, service), f"no service is called {service!r}: correct the name")
    for service, accepted in sender.accepts.items():
        for rule in sorted(accepted - frozenset(rules)):
            raise document.error(("accepts", service), f"no rule is called {rule!r}: correct the name")
    return sender
