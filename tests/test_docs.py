"""The documentation against the code: nothing undocumented, nothing stale, no dead link, no example that fails."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml
from aiokafka import AIOKafkaConsumer

from stream.admin import create_topics
from stream.alert import EVENTS, SILENCE, Rule, Transition, load_rules
from stream.alert import METRICS as WATCHED
from stream.decode import decode
from stream.publish import Publisher, alert_message, rejected_message
from stream.records import CHANNELS, REJECT_REASONS, Record, Rejected
from stream.score import LIVE, TOTALS
from stream.settings import PREFIX, Settings, load_settings
from stream.topics import ALERTS, TOPICS, WEARABLE
from tests.deploy.documents import check_command
from touchline import docs
from touchline.embedded import EmbeddedBroker

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
REFERENCE: Final = DOCS / "reference"
PAGES: Final = sorted([*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CHANGELOG.md"))])
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
WITHIN_S: Final = 30


def text(name: str) -> str:
    """A page of the reference."""
    return (REFERENCE / name).read_text()


def examples(page: str, language: str) -> list[str]:
    """The code of one language on a page."""
    return [code for found, code in FENCE.findall((DOCS / page).read_text()) if found == language]


def name_of(page: Path) -> str:
    """A page's path, for the ids of tests."""
    return str(page.relative_to(ROOT))


def slugs(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def test_what_is_generated_is_fresh() -> None:
    stale = [name_of(page) for page in docs.stale()]
    assert stale == [], "run `make docs`"


def test_every_block_stands_in_a_page() -> None:
    placed = {match[2] for page in PAGES for match in docs.BLOCK.finditer(page.read_text())}
    assert placed == set(docs.BLOCKS)


def test_checking_says_what_is_stale_and_writing_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "docs/page.md"
    page.parent.mkdir()
    page.write_text("before\n<!-- generated: topics -->\nold\n<!-- end -->\nafter\n")
    monkeypatch.setattr(docs, "DOCS", page.parent)
    assert docs.main(["--check"]) == 1
    assert "old" in page.read_text()
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    assert page.read_text().startswith("before\n<!-- generated: topics -->\n\n| topic |")
    assert page.read_text().endswith("<!-- end -->\nafter\n")
    assert capsys.readouterr().out == "docs/page.md\n" * 2


def test_every_setting_is_documented() -> None:
    page = text("settings.md")
    missing = [n for n in Settings.model_fields if f"| `{n}` | `{PREFIX}{n.upper()}` |" not in page]
    assert missing == []
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_no_default_of_a_secret_is_shown() -> None:
    hidden = [name for name, field in Settings.model_fields.items() if not field.repr]
    assert sorted(hidden) == ["influx_token", "web_token"]
    assert all(Settings.model_fields[name].default == "" for name in hidden)


@pytest.mark.parametrize("page", ["topics.md", "encodings.md"])
def test_every_topic_is_documented(page: str) -> None:
    assert [spec.name for spec in TOPICS if f"`{spec.name}`" not in text(page)] == []


def test_every_command_is_documented() -> None:
    page = text("cli.md")
    assert [name for name in docs.commands() if f"## touchline {name}\n" not in page] == []
    silent = [name for name, command in docs.commands().items() if not command.help]
    assert silent == []


def test_every_metric_is_documented() -> None:
    page = text("metrics.md")
    names = [name for process in docs.METRICS for name, *_ in docs.metrics_of(process)]
    assert len(names) == len(set(names))
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_reason_is_documented() -> None:
    assert [reason for reason in REJECT_REASONS if f"| `{reason}` |" not in text("topics.md")] == []


def test_every_field_of_a_score_is_documented() -> None:
    page = text("encodings.md").replace("`zone1_s`…`zone5_s`", " ".join(f"`zone{k}_s`" for k in range(1, 6)))
    assert [name for name in (*LIVE, *TOTALS) if f"`{name}`" not in page] == []
    schema = yaml.safe_load(text("asyncapi.yaml"))["components"]["schemas"]["score"]
    assert [name for name in schema["required"] if f"`{name}`" not in page] == []


def test_every_channel_is_documented() -> None:
    page = text("encodings.md")
    names = {name for channels in CHANNELS.values() for name in channels}
    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []


def test_everything_about_alerts_is_documented() -> None:
    page = text("alerts.md")
    words = (*WATCHED, SILENCE, *EVENTS, *(rule.name for rule in load_rules(None)))
    assert [word for word in words if f"`{word}`" not in page] == []


def test_every_reason_of_a_transition_is_documented() -> None:
    """Those of the table are in the diagram; the others are texts in the calls that change a state."""
    source = (ROOT / "stream/alert.py").read_text()
    reasons = set(re.findall(r'(?:FIRING|INACTIVE|STALE), "([a-z ]+)"\)', source))
    assert {"no frames", "sensor silent", "frames again", "session ended", "cleared"} <= reasons
    assert [reason for reason in reasons if reason not in text("alerts.md")] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(FENCE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in slugs(there)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_found_from_the_map() -> None:
    seen: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_file():
            continue
        seen.add(page)
        if page.suffix == ".md":
            targets = (target.partition("#")[0] for target in LINK.findall(page.read_text()))
            waiting += [(page.parent / target).resolve() for target in targets if ":" not in target]
    pages = [page for page in DOCS.rglob("*") if page.suffix in (".md", ".yaml")]
    assert [name_of(page) for page in pages if page not in seen] == []


def test_decisions_are_numbered_and_of_one_shape() -> None:
    pages = sorted((DOCS / "adr").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{k:04}" for k in range(1, len(pages) + 1)]
    for page in pages:
        content = page.read_text()
        assert content.startswith(f"# {int(page.name[:4])}. "), page.name
        assert re.findall(r"^\*\*(\w+)\.\*\*", content, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ], page.name
        assert len(content.splitlines()) <= 60, page.name


def test_the_stages_are_in_the_order_of_their_imports() -> None:
    names = [inspect.getmodule(stage).__name__ for stage in docs.STAGES]  # type: ignore[union-attr]
    for place, stage in enumerate(docs.STAGES):
        tree = ast.parse(Path(inspect.getfile(stage)).read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        later = imported & set(names[place + 1 :])
        assert later == set(), f"{names[place]} knows {later}"


def _spoken(page: Path) -> Iterator[list[str]]:
    """Commands of ours in the shell blocks and the prose of a page, as words after ``touchline``."""
    content = page.read_text()
    for line in (
        line for found, code in FENCE.findall(content) if found == "sh" for line in code.splitlines()
    ):
        bare = line.partition("#")[0].split()
        if bare and bare[0].rpartition("/")[2] == "touchline":
            yield bare[1:]
    for quoted in re.findall(r"`touchline ([^`]+)`", FENCE.sub("", content)):
        yield quoted.split()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_on_a_page_exist(page: Path) -> None:
    for words in _spoken(page):
        check_command([word for word in words if word != "FILE…"])


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {
        name for page in PAGES for name in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)
    }
    assert asked <= targets


def test_rules_in_the_how_to_are_rules(tmp_path: Path) -> None:
    for number, code in enumerate(examples("how-to/alert-rules.md", "toml")):
        file = tmp_path / f"{number}.toml"
        file.write_text(code)
        assert [rule.name for rule in load_rules(file)] == ["heart_rate_high", "hard_knock", "sensor_silent"]


def test_settings_in_the_reference_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = examples("reference/settings.md", "toml")
    file = tmp_path / "touchline.toml"
    file.write_text(code)
    monkeypatch.setenv("TOUCHLINE_CONFIG", str(file))
    loaded = load_settings()
    assert (loaded.partitions, loaded.log_json) == (12, True)


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """An embedded broker."""
    with EmbeddedBroker() as embedded:
        yield embedded.bootstrap


def _command(code: str, folder: Path, broker: str) -> list[str]:
    """An example as a program of its own."""
    file = folder / "example.py"
    file.write_text(code)
    return [sys.executable, str(file), broker]


async def _said(code: str, folder: Path, broker: str) -> str:
    """What an example writes; it must end well and complain of nothing."""
    command = _command(code, folder, broker)
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def _first_lines(command: list[str], count: int) -> list[str]:
    """The first lines of a program that goes on for ever."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(count)]
        process.kill()
    return lines


async def _records(broker: str, topic: str) -> list[Record]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=broker, auto_offset_reset="earliest")
    await consumer.start()
    try:
        batches = await consumer.getmany(timeout_ms=5_000)
    finally:
        await consumer.stop()
    found = [record for records in batches.values() for record in records]
    return [Record(False, r.partition, r.offset, r.timestamp * 1000, r.key, r.value) for r in found]


@pytest.mark.slow
async def test_the_device_of_the_how_to_sends_frames_that_are_taken(broker: str, tmp_path: Path) -> None:
    await create_topics(broker, 1)
    sending, _ = examples("how-to/connect-a-device.md", "python")
    assert await _said(sending, tmp_path, broker) == ""
    decoded = decode(await _records(broker, WEARABLE))
    assert decoded.rejected == []
    assert [header.seq for header in decoded.headers] == [0, 1, 2]
    assert [header.end for header in decoded.headers] == [False, False, True]
    rates = decoded.samples["heart"].values[:, 0]
    assert rates[:2].tolist() == [61, 62]
    assert rates[2] != rates[2], "not measured"


@pytest.mark.slow
async def test_the_how_to_shows_what_was_refused(broker: str, tmp_path: Path) -> None:
    await create_topics(broker, 1)
    publisher = Publisher(broker)
    await publisher.start()
    record = Record(False, 0, 7, 1_760_000_000_000_000, b"anna", b"\xc1")
    await publisher.send([rejected_message(Rejected(record, "malformed", "cut off"))])
    await publisher.settle()
    await publisher.stop()
    _, reading = examples("how-to/connect-a-device.md", "python")
    assert await _said(reading, tmp_path, broker) == "b'anna' malformed cut off\n"


@pytest.mark.slow
async def test_the_subscriber_of_the_how_to_hears_an_alert_once(broker: str, tmp_path: Path) -> None:
    await create_topics(broker, 1)
    publisher = Publisher(broker)
    await publisher.start()
    rule = Rule("sensor_silent", SILENCE, "s")
    told = [_transition(rule, at_us) for at_us in (1_760_000_000_000_000,) * 2 + (1_760_000_001_000_000,)]
    await publisher.send([alert_message(transition) for transition in told])
    await publisher.settle()
    await publisher.stop()
    (code,) = examples("how-to/subscribe-to-alerts.md", "python")
    heard = await asyncio.to_thread(_first_lines, _command(code, tmp_path, broker), 2)
    said = f"touchline.alert.firing {told[0].message}\n"
    assert heard == [said, said]
    assert len(await _records(broker, ALERTS)) == 3


def _transition(rule: Rule, at_us: int) -> Transition:
    return Transition(rule, "anna", "s", 0, "inactive", "firing", "no frames", at_us, None)
