"""``deploy/kubernetes``: valid, with settings that exist, and pods that may do as little as possible."""

from __future__ import annotations

from collections import Counter
from typing import Any

import kubernetes_validate
import pytest

from stream.settings import load_settings
from tests.deploy.documents import check_command, compose, manifests, pods, unknown_settings


def _of_kind(kind: str) -> list[dict[str, Any]]:
    return [document for document in manifests() if document["kind"] == kind]


def _container(name: str) -> dict[str, Any]:
    (container,) = pods()[name]["containers"]
    found: dict[str, Any] = container
    return found


@pytest.mark.parametrize("document", manifests(), ids=lambda d: f"{d['kind']}-{d['metadata']['name']}")
def test_a_manifest_is_valid(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_every_process_is_there_and_two_of_those_that_share_nothing() -> None:
    kinds = Counter(document["kind"] for document in manifests())
    assert kinds == {"Namespace": 1, "ConfigMap": 1, "Secret": 1, "Job": 1, "Deployment": 4, "Service": 2}
    replicas = {d["metadata"]["name"]: d["spec"]["replicas"] for d in _of_kind("Deployment")}
    assert replicas == {
        "touchline-worker": 2,
        "touchline-sink": 1,
        "touchline-web": 1,
        "touchline-models": 2,
    }


def test_everything_is_in_one_namespace() -> None:
    spaces = {d["metadata"].get("namespace") for d in manifests() if d["kind"] != "Namespace"}
    assert spaces == {_of_kind("Namespace")[0]["metadata"]["name"]}


def test_settings_and_secrets_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    (settings,), (secret,) = _of_kind("ConfigMap"), _of_kind("Secret")
    environment = settings["data"] | secret["stringData"]
    assert unknown_settings(environment) == []
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    loaded = load_settings()
    assert loaded.web_ticks
    assert loaded.partitions >= _of_kind("Deployment")[0]["spec"]["replicas"]


def test_no_service_variable_can_pass_for_a_setting() -> None:
    """A Service named touchline-web would put TOUCHLINE_WEB_PORT=tcp://… into every pod."""
    assert all(pod["enableServiceLinks"] is False for pod in pods().values())


@pytest.mark.parametrize("name", pods())
def test_a_pod_runs_a_command_of_ours_with_the_image_of_compose(name: str) -> None:
    container = _container(name)
    check_command(container["args"])
    assert container["image"] == compose()["services"]["worker"]["image"]


@pytest.mark.parametrize("name", pods())
def test_a_pod_is_not_root_and_cannot_become_it(name: str) -> None:
    assert pods()[name]["securityContext"]["runAsNonRoot"] is True
    assert pods()[name]["automountServiceAccountToken"] is False
    assert _container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_only_who_needs_secrets_gets_them() -> None:
    holders = {
        name for name in pods() if any("secretRef" in source for source in _container(name)["envFrom"])
    }
    assert holders == {"touchline-sink", "touchline-web"}


def test_references_name_what_is_there() -> None:
    there = {d["metadata"]["name"] for d in manifests() if d["kind"] in ("ConfigMap", "Secret")}
    named = {next(iter(source.values()))["name"] for name in pods() for source in _container(name)["envFrom"]}
    assert named == there


def test_readiness_is_the_ready_file_or_what_the_process_says_over_http() -> None:
    for name in ("touchline-worker", "touchline-sink"):
        container = _container(name)
        ready = container["args"][container["args"].index("--ready") + 1]
        assert container["readinessProbe"]["exec"]["command"] == ["test", "-f", ready]
    assert _container("touchline-web")["readinessProbe"]["httpGet"]["path"] == "/health"
    assert _container("touchline-models")["readinessProbe"]["httpGet"]["path"] == "/v2/health/ready"


@pytest.mark.parametrize("service", _of_kind("Service"), ids=lambda s: s["metadata"]["name"])
def test_a_service_finds_the_pods_of_its_name(service: dict[str, Any]) -> None:
    name = service["metadata"]["name"]
    (found,) = (d for d in _of_kind("Deployment") if d["metadata"]["name"] == name)
    assert service["spec"]["selector"].items() <= found["spec"]["template"]["metadata"]["labels"].items()
    names = {port["name"] for port in _container(name)["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
