"""OpenTelemetry's resource attributes as an environment variable."""

from urllib.parse import quote

from driftband.tags.facts import Facts


def otel(facts: Facts) -> str:
    """Return the line for an environment file; what is not plain is percent-encoded, so no shell sees anything in it."""
    pairs = ",".join(f"{name}={quote(value, safe='/:-._~')}" for name, value in facts.attributes().items())
    return f"OTEL_RESOURCE_ATTRIBUTES={pairs}\n"
