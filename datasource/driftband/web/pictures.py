"""The picture of an incident, and its address: signed, of limited age, and open to whoever was given it, without a token.

PagerDuty and chats fetch pictures themselves; they cannot sign in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import structlog
from flask import Flask, Response

from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.web.evidence_plot import plot_of
from driftband.web.png import png
from driftband.web.problems import problem
from driftband.web.sessions import Signed
from driftband.web.words import at

log = structlog.get_logger(__name__)

DAYS = 7
"""For so long the address of a picture is answered."""
ENDPOINT = "picture"

Tell = Callable[[str], tuple[Incident, Sequence[Finding], Mapping[str, Change]] | None]
"""Returns an incident by its id, its findings and the changes suspected of it; None where there is none."""


@dataclass(frozen=True)
class Pictures:
    """Draws incidents. external_url: of driftband, without a slash at the end."""

    tell: Tell
    signed: Signed
    external_url: str

    def png(self, incident_id: str) -> bytes | None:
        """Return the picture of what began an incident, else of another finding of it; None where none has one."""
        try:
            told = self.tell(incident_id)
            return None if told is None else _drawn(*told)
        except Exception:  # a message goes out without its picture rather than not at all
            log.exception("no picture could be made", incident=incident_id)
            return None

    def url(self, incident_id: str) -> str:
        """Return the address of the picture."""
        return f"{self.external_url}/pictures/{quote(self.signed.sign(incident_id), safe='')}.png"

    def named(self, text: str) -> str | None:
        """Return the incident that an address of ours names, None where it is not ours or too old."""
        found = self.signed.read(text, DAYS * 86_400)
        return found if isinstance(found, str) else None


def add_pictures(app: Flask, pictures: Pictures) -> None:
    """Add the route."""

    @app.get("/pictures/<name>.png", endpoint=ENDPOINT)
    def picture(name: str) -> Response:
        incident = pictures.named(name)
        drawn = None if incident is None else pictures.png(incident)
        if drawn is None:
            return problem(404, "there is no picture here; addresses of pictures end after a week")
        # Others show it on pages of theirs, which is what it is for.
        headers = {"Cache-Control": "private, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
        return Response(drawn, content_type="image/png", headers=headers)


def _drawn(incident: Incident, findings: Sequence[Finding], changes: Mapping[str, Change]) -> bytes | None:
    suspects = [changes[one.change] for one in incident.suspects if one.change in changes]
    ordered = sorted(findings, key=lambda finding: finding.id != incident.root)
    plot = next((found for one in ordered if (found := plot_of(one, suspects)) is not None), None)
    if plot is None:
        return None
    said = [f"since {at(incident.opened_at)} UTC"]
    if (suspect := incident.suspect) is not None:
        said.append(f"suspected: {suspect.change} ({suspect.score:.2f})")
    return png(plot, incident.title, "; ".join(said))
