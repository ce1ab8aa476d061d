"""Each file in config/bad shows one defect; its first lines say, after ``#:``, what must be said about it."""

import contextlib
import json
import re
import tempfile
import traceback
from collections.abc import Mapping
from datetime import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from driftband.config import Config, ConfigError, load
from driftband.config_environment import OTHER_USES
from driftband.config_sections import Bands
from driftband.config_source import as_written
from driftband.config_values import format_duration, format_size, http_url, is_loopback, parse_duration, parse_size
from driftband.model.band import DAY, BandSettings
from driftband.model.dependency import Dependencies
from driftband.model.intent import Intent
from driftband.model.signal import WatchedSignal

FOLDER = Path(__file__).parent / "config"
BAD = sorted((FOLDER / "bad").glob("*.yaml"))
SECRET = "s3cr3t-of-dana-and-nobody-else"
FULL = {"TENANT": "shop", "GRAFANA_TOKEN": "glsa_of-dana", "DRIFTBAND_READ_TOKEN": "read-token-of-kim"}


def environment(**variables: str) -> dict[str, str]:
    given = {f"DRIFTBAND_{name}": value for name, value in variables.items()}
    return {"DRIFTBAND_PROMETHEUS__URL": "http://127.0.0.1:9090"} | given


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "driftband.yaml"
    path.write_text(text)
    return path


def refusal(path: Path | None, environ: Mapping[str, str]) -> str:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    return str(caught.value)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_line_key_and_reason(path: Path) -> None:
    expected = [line.removeprefix("#: ") for line in path.read_text().splitlines() if line.startswith("#: ")]
    said = refusal(path, {}).splitlines()
    assert [re.sub(rf"^{re.escape(str(path))}: ?", "", line) for line in said] == expected
    assert "hunter" not in str(said)


def test_the_defaults_are_those_of_the_documents() -> None:
    config = load(None, environment())
    assert config.listen == "127.0.0.1:8088"
    assert (config.host, config.port) == ("127.0.0.1", 8088)
    assert config.external_url == "http://127.0.0.1:8088"
    assert config.bands.settings() == BandSettings()
    assert (config.limits.series, config.limits.query_timeout, config.limits.body) == (200, 30_000, 32 * 2**20)
    assert config.prometheus.forward_headers == ()
    assert config.grafana is None


def test_every_key_is_read() -> None:
    config = load(FOLDER / "full.yaml", FULL)
    assert (config.host, config.port) == ("::1", 9088)
    assert config.external_url == "https://driftband.example/bands"
    assert config.bands.settings() == BandSettings(
        step=60_000,
        history=14 * DAY,
        min_history=DAY * 3 // 2,
        refit=DAY // 2,
        level=0.95,
        horizon=DAY // 4,
        accept_after=3 * DAY,
        model="prophet",
        timezone="Europe/Berlin",
    )
    assert config.limits.query_timeout == 1500
    assert config.signals[0].expr == 'label_replace(orders, "shop", "${1}-${name}", "job", "(?P<name>.*)")'
    assert config.signals[0].watched() == WatchedSignal(
        name="orders",
        expr=config.signals[0].expr,
        unit="orders/s",
        layer="runtime",
        direction="down",
        min_deviation=2.5,
        for_ms=90_000,
        level=0.9,
        model="seasonal",
        limit=0.0,
    )
    version, replicas = (one.watched() for one in config.intents)
    assert version == Intent(
        name="version",
        resource_type="kubernetes_deployment",
        attribute="spec.image_tag",
        expr="kube_pod_labels",
        match={"namespace": "metadata.namespace"},
        identity=("service",),
        for_ms=20 * 60_000,
        label="version",
        unit="release",
    )
    assert (replicas.tolerance, replicas.identity, replicas.for_ms) == (1.0, (), Intent.for_ms)
    assert config.dependencies is not None
    assert config.dependencies.watched() == Dependencies(expr="sum by (client, server) (calls) > 0", for_ms=5 * 60_000)
    assert config.packs == ("http",)
    assert config.watch.model_dump(mode="json") == {
        "interval": "30s",
        "start": "2026-11-24T10:00:00Z",
        "delay": "1m",
    }
    assert config.prometheus.url == "http://127.0.0.1:9090/prometheus"
    assert config.prometheus.tls.ca_file == str(FOLDER / "full.yaml")
    assert config.secrets() == {
        "dana",
        "pass/word",
        "shop-eu",
        "key-of-dana",
        "glsa_of-dana",
        "read-token-of-dana",
        "read-token-of-kim",
        "write-token-of-dana",
        "approve-token-of-dana",
        "webhook-secret-of-dana",
        "postgresql+psycopg://drift:st0re-passw0rd@db.example/driftband",
        "st0re-passw0rd",
        "hunter22",
        "subscription-of-dana",
        "http://dana:alertmanager-passw0rd@127.0.0.1:9093/team-of-dana/",
        "alertmanager-passw0rd",
        "team-of-dana",
        "https://hooks.example/token-in-the-path?key=token-in-the-query",
        "token-in-the-path",
        "key=token-in-the-query",
        "json://chat.example/token-of-the-chat",
        "chat.example",
        "token-of-the-chat",
    }
    assert config.identity == ("service", "shard")
    assert config.retention == 90 * DAY
    (workspace,) = config.workspaces
    assert (workspace.name, workspace.path, workspace.every) == ("prod/network", str(FOLDER), 15 * 60_000)
    assert (workspace.tool, workspace.normal_plan, workspace.timeout) == ("tofu", False, 10 * 60_000)
    assert workspace.identity == {"service": "network"}
    oncall, am, _, _ = config.destinations
    assert (oncall.match, oncall.changes) == (('severity=~"error|critical"', 'team!=""'), True)
    assert oncall.quiet is not None
    assert oncall.quiet.times() == (time(22), time(7))
    assert (oncall.quiet.timezone, oncall.quiet.excepted) == ("Europe/Berlin", ("severity=critical",))
    assert oncall.escalate is not None
    assert (oncall.updates_every, oncall.escalate.after, oncall.escalate.to) == (300_000, 900_000, "hook")
    assert (am.match, am.quiet, am.updates_every, am.escalate) == ((), None, None, None)
    assert workspace.environment["AWS_SECRET_ACCESS_KEY"].get_secret_value() == "glsa_of-dana"


def test_no_secret_is_in_any_form_of_the_configuration() -> None:
    config = load(FOLDER / "full.yaml", FULL)
    forms = repr(config) + str(config) + config.model_dump_json() + yaml.safe_dump(config.effective())
    for shown in (
        "postgresql+psycopg://db.example/driftband",
        "https://events.eu.pagerduty.com",
        "http://<secret>@127.0.0.1:9093/<secret>",
        "https://hooks.example/<secret>",
        "json://<secret>",
    ):
        assert shown in forms
    for secret in config.secrets():
        assert not re.search(rf"\b{re.escape(secret)}\b", forms)


def test_the_effective_configuration_can_be_read_again(tmp_path: Path) -> None:
    first = load(FOLDER / "full.yaml", FULL).effective()
    text = yaml.safe_dump(first)
    for number in range(text.count("<secret>")):
        text = text.replace("<secret>", f"a-made-up-secret-{number}", 1)
    assert load(written(tmp_path, text), {}).effective() == first


def test_settings_are_frozen() -> None:
    config = load(None, environment())
    with pytest.raises(ValidationError):
        config.bands.step = 1


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "prometheus: {url: http://file:1}\nbands: {step: 10m, level: 0.5}\nlimits: {series: 7}\n")
    config = load(path, environment(PROMETHEUS__URL="http://variable:2", BANDS__LEVEL="9e-1", LIMITS__SERIES="8"))
    assert config.prometheus.url == "http://variable:2"
    assert (config.bands.step, config.bands.level, config.limits.series) == (600_000, 0.9, 8)


def test_lists_maps_and_sections_come_from_the_environment_as_yaml(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-token-in-a-file\n")
    environ = environment(
        ACCESS__READ_TOKENS="[a-token-of-sixteen, {file: token}]",
        ACCESS__WRITE_TOKENS="['${NOT_EXPANDED_HERE}']",
        PROMETHEUS__HEADERS="{X-Scope-OrgID: '7'}",
        PROMETHEUS__BEARER_TOKEN="{file: token}",
        PROMETHEUS__TLS__INSECURE_SKIP_VERIFY="TRUE",
        SIGNALS='[{name: orders, expr: "sum(orders)"}]',
        GRAFANA="{url: 'http://127.0.0.1:3000'}",
        GRAFANA__TOKEN="1234567890",
    )
    config = load(written(tmp_path, "{}"), environ)
    assert [token.get_secret_value() for token in config.access.read_tokens] == [
        "a-token-of-sixteen",
        "a-token-in-a-file",
    ]
    assert config.access.write_tokens[0].get_secret_value() == "${NOT_EXPANDED_HERE}"
    assert config.prometheus.bearer_token is not None
    assert config.prometheus.bearer_token.get_secret_value() == "a-token-in-a-file"
    assert config.prometheus.tls.insecure_skip_verify
    assert config.signals[0].name == "orders"
    assert config.grafana is not None
    assert config.grafana.token.get_secret_value() == "1234567890"


def test_every_setting_has_a_variable() -> None:
    config = load(FOLDER / "full.yaml", FULL)
    every = config.model_dump(mode="json", exclude={"access"}, exclude_none=True)
    environ = dict(FULL)
    for key, value in every.items():
        for inner, setting in value.items() if isinstance(value, dict) else [("", value)]:
            name = "DRIFTBAND_" + f"{key}__{inner}".removesuffix("__").upper()
            environ[name] = (setting if isinstance(setting, str) else json.dumps(setting)).replace("<secret>", SECRET)
    for kind in ("read_tokens", "write_tokens", "approve_tokens"):
        environ[f"DRIFTBAND_ACCESS__{kind.upper()}"] = f"[{kind}-of-the-environment]"
    loaded = load(None, environ)
    assert loaded.model_dump(mode="json", exclude={"access"}, exclude_none=True) == every
    assert loaded.access.approve_tokens[0].get_secret_value() == "approve_tokens-of-the-environment"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DRIFTBAND_PROMETHEUS_URL", "did you mean DRIFTBAND_PROMETHEUS__URL?"),
        ("DRIFTBAND_BANDS__STEPP", "did you mean DRIFTBAND_BANDS__STEP?"),
        ("DRIFTBAND_LISTN", "did you mean DRIFTBAND_LISTEN?"),
        ("DRIFTBAND_QQQQQQQQQQQQQQQQQQQQ", "remove it"),
    ],
)
def test_an_unknown_variable_is_refused(name: str, hint: str) -> None:
    said = refusal(None, environment() | {name: SECRET})
    assert said == f"environment {name}: there is no such setting; {hint}"


def test_variables_of_other_uses_are_let_be(tmp_path: Path) -> None:
    kubernetes = [
        "DRIFTBAND_SERVICE_HOST",
        "DRIFTBAND_SERVICE_PORT_HTTP",
        "DRIFTBAND_PORT",
        "DRIFTBAND_PORT_8088_TCP_ADDR",
    ]
    path = written(tmp_path, 'prometheus: {url: "${DRIFTBAND_SOURCE_OF_MINE}"}')
    environ = dict.fromkeys([*OTHER_USES, *kubernetes], "x") | {"DRIFTBAND_SOURCE_OF_MINE": "http://127.0.0.1:9090"}
    assert load(path, environ).prometheus.url == "http://127.0.0.1:9090"


def test_a_bad_variable_is_named() -> None:
    said = refusal(None, environment(BANDS__STEP="5", LIMITS__SERIES="many", SIGNALS="[{name: a"))
    assert "environment DRIFTBAND_BANDS__STEP: bands.step: expected a duration" in said
    assert "environment DRIFTBAND_LIMITS__SERIES: limits.series: expected a whole number, found text" in said
    assert "environment DRIFTBAND_SIGNALS:1: is not YAML" in said


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refusal(tmp_path / "none.yaml", {})
    assert "cannot be read: Is a directory" in refusal(tmp_path, {})
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text" in refusal(binary, {})
    assert "characters that YAML does not allow" in refusal(written(tmp_path, "a: \x00"), {})
    assert "is nested too deeply" in refusal(written(tmp_path, "[" * 100_000), {})


def test_an_empty_file_leaves_all_to_the_environment(tmp_path: Path) -> None:
    here = environment(STORE=f"sqlite:///{tmp_path}/driftband.db")  # else beside the file
    assert load(written(tmp_path, "# nothing\n"), here) == load(None, here)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "driftband.yaml"
    path.write_bytes(b"\xef\xbb\xbfprometheus: {url: 'sample:'}\n")
    assert load(path, {}).prometheus.url == "sample:"


def test_a_model_refuses_without_repeating_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"prometheus": {"url": "http://a:1", "bearer_token": f"{SECRET} {SECRET}"}})
    assert "s3cr3t" not in str(caught.value)


def test_a_secret_file_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "large").write_text("x" * 70_000)
    said = refusal(written(tmp_path, "prometheus: {url: 'http://a:1', bearer_token: {file: large}}"), {})
    assert "larger than 64 KiB" in said


@pytest.mark.parametrize(
    "text",
    [
        "prometheus: {{url: http://{0}:{0}@127.0.0.1:x}}",
        "prometheus: {{url: 'http://{0}@[::1'}}",
        "prometheus: {{url: [{0}], bearer_token: [{0}], headers: {0}, basic_auth: {0}}}",
        "prometheus: {{url: http://a:1, headers: {{X: ['{0}'], Y: \"{0}\\n\"}}, bearer_token: '{0} {0}'}}",
        "prometheus: {{url: http://a:1, basic_auth: {{username: {{a: {0}}}, password: 1}}}}",
        "access: {{read_tokens: {0}, write_tokens: ['{0} {0}'], approve_tokens: [{{b: {0}}}]}}",
        "grafana: {{url: 'http://x:{0}@y', token: *{0}}}",
        "grafana: {{url: 'http://x:{0}@y', token: !{0} x}}",
        "grafana: {{url: 'http://x:{0}@y', token: '{0}",
        "grafana: {{token: {0}}}{0}: {0}",
        "prometheus: {{url: http://a:1, bearer_token: {{file: {0}}}}}",
        "listen: {0}\nexternal_url: {0}\nbands: {{step: {0}, level: {0}, model: {0}, timezone: {0}}}\nlimits: {0}",
    ],
)
def test_no_message_repeats_a_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text.format(SECRET)), {})
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("listen", "is_local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:65535", True),
        ("localhost:80", True),
        ("[::1]:80", True),
        ("0.0.0.0:80", False),
        ("[::]:80", False),
        ("192.168.1.5:80", False),
        ("localhost.example:80", False),
    ],
)
def test_only_loopback_may_do_without_tokens(listen: str, is_local: bool) -> None:
    tokens = {"ACCESS__READ_TOKENS": "[a-token-of-sixteen]", "ACCESS__WRITE_TOKENS": "[another-of-sixteen]"}
    assert load(None, environment(LISTEN=listen, **tokens)).listen == listen
    if is_local:
        assert is_loopback(load(None, environment(LISTEN=listen)).host)
    else:
        assert "others can reach this address" in refusal(None, environment(LISTEN=listen))


def test_replay_and_sample_are_sources(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    config = load(written(tmp_path, "prometheus: {url: 'replay:data'}"), {})
    assert config.prometheus.url == f"replay:{tmp_path / 'data'}"
    assert not config.prometheus.is_http
    assert load(None, environment(PROMETHEUS__URL="sample:")).prometheus.url == "sample:"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("0", 0),
        ("1ms", 1),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1d12h", DAY * 3 // 2),
        ("2w", 14 * DAY),
        ("1y", 365 * DAY),
        ("1y1w1d1h1m1s1ms", 373 * DAY + 3_661_001),
    ],
)
def test_durations_are_those_of_prometheus(text: str, length: int) -> None:
    assert parse_duration(text) == length


@pytest.mark.parametrize(
    "text", ["", " 5m", "5", "5M", "-5m", "1.5h", "5m1h", "5m5m", "\u0665m", "1d 1h", True, None, 5.0]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 292 * 365 * DAY))
def test_durations_are_written_as_they_are_read(length: int) -> None:
    assert parse_duration(format_duration(length)) == length


@settings(deadline=None, derandomize=True)
@given(st.integers(1, 2**39))
def test_sizes_are_written_as_they_are_read(size: int) -> None:
    assert parse_size(format_size(size)) == size


@settings(deadline=None, derandomize=True)
@given(st.text() | st.text(max_size=8).map("http://{}".format))
def test_any_text_is_a_url_or_refused(text: str) -> None:
    accepted = ""
    with contextlib.suppress(ValueError):  # of every other kind, the test fails
        accepted = http_url(text)
    assert re.fullmatch(r"(https?://[^\s/?#@]+(/[^\s?#]*)?)?", accepted)


@settings(deadline=None, derandomize=True)
@given(st.text("${}1a\\"))
def test_text_is_written_as_it_is_read(text: str) -> None:
    signal = {"name": "a", "expr": f"x{text}"}
    tree = {"prometheus": {"url": "http://a:1"}, "signals": [as_written(signal)]}
    with tempfile.TemporaryDirectory() as folder:
        config = load(written(Path(folder), yaml.safe_dump(tree)), {})
    assert config.signals[0].expr == signal["expr"]
    assert config.effective()["signals"][0]["expr"] == as_written(signal)["expr"]


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


_sections = st.dictionaries(st.sampled_from(list(Config.model_fields)), _values, min_size=1)
_source = st.just({"prometheus": {"url": "sample:"}})
_bands = st.fixed_dictionaries({"bands": st.dictionaries(st.sampled_from(list(Bands.model_fields)), _values)})


@settings(deadline=None, derandomize=True)
@given(_sections | st.tuples(_source, _sections | _bands).map(lambda both: {**both[1], **both[0]}))
def test_whatever_a_file_holds_is_a_configuration_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tree: object
) -> None:
    path = tmp_path_factory.mktemp("any") / "driftband.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    config = None
    with contextlib.suppress(ConfigError):  # of every other kind, the test fails
        config = load(path, {})
    assert config is None or config.bands.refit % config.bands.step == 0
