"""The HTTP interface is as its OpenAPI document says: a judge that reads the document makes the calls."""

from __future__ import annotations

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from adapter.http.app import create_app
from adapter.http.request import FHIR_TYPES, HL7_TYPES

for media in [*HL7_TYPES, *(each for each in FHIR_TYPES if "ndjson" in each)]:

    @schemathesis.serializer(media)
    def _as_it_is(_: schemathesis.SerializationContext, value: object) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


schema = schemathesis.openapi.from_asgi("/openapi.json", create_app())


@schema.parametrize()
@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_call_answers_as_the_document_says(case: schemathesis.Case) -> None:
    case.call_and_validate(excluded_checks=[positive_data_acceptance])  # the document does not repeat FHIR's own schema
