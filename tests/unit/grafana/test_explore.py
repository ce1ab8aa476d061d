"""The link to Explore says exactly what it shall show, whatever the labels hold."""

from urllib.parse import parse_qs, urlsplit

import orjson
import promql_parser
import pytest

from driftband.grafana.explore import explore_link

HOSTILE = 'a"} or vector(1) # \\ \n <b>&x=y</b> ☃'


@pytest.mark.parametrize("value", ["cart", HOSTILE])
def test_a_link_opens_the_series_with_its_band(value: str) -> None:
    labels = (("service", value), ("with.dot", "x"))
    link = explore_link("http://grafana.example/sub", "latency", labels, 1_700_000_000_000, 1_700_003_600_000)
    parts = urlsplit(link)
    assert (parts.netloc, parts.path) == ("grafana.example", "/sub/explore")
    query = parse_qs(parts.query, strict_parsing=True)
    assert query.keys() == {"schemaVersion", "orgId", "panes"}
    (pane,) = orjson.loads(query["panes"][0]).values()
    assert pane["range"] == {"from": "1700000000000", "to": "1700003600000"}
    assert [q["refId"] for q in pane["queries"]] == ["A", "B", "C", "D"]
    for one in pane["queries"]:
        assert one["datasource"] == {"type": "prometheus", "uid": "driftband"}
        selector = promql_parser.parse(one["expr"])
        assert isinstance(selector, promql_parser.VectorSelector)
        found = {m.name: m.value for m in selector.matchers.matchers}
        assert found == {"signal": "latency", "service": value}
    names = [promql_parser.parse(q["expr"]).name for q in pane["queries"]]
    assert names == ["driftband_actual", "driftband_upper", "driftband_expected", "driftband_lower"]
