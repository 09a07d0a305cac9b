from uuid import NAMESPACE_URL, uuid5

_NAMESPACE = uuid5(NAMESPACE_URL, "https://perinatal-referrals.example/fhir")


def stable_id(*parts: str) -> str:
    return str(uuid5(_NAMESPACE, "|".join(parts)))
