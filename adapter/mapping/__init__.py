"""The mapping language: a FHIR resource with holes, in YAML (see ``load_mapping``)."""

from adapter.mapping.run import Mapping, load_mapping

__all__ = ["Mapping", "load_mapping"]
