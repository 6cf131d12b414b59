# SPDX-License-Identifier: MIT
"""The providers, end to end: what is sent, what each state means, what the reports hold. States of k6-v2 and qatech: test_states.

The simulator checks each request against the provider's documents and answers 400 to what does not fit; so a run that passes
here was started, polled and looked up in a form that the provider takes.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from harness import PACE, ROOT, Gate, gate_section, section
from sim import acme, autonoma, k6_v6, loadforge, testerarmy
from sim.runs import Provider
from sim.simulator import Simulator

ENV = {
    "K6_CLOUD_TOKEN": "k6-5ecret-t0ken-value-8f2c", "K6_CLOUD_STACK_ID": "77", "LOADFORGE_API_KEY": "lf-5ecret-key-value-19ab",
    "TESTERARMY_API_KEY": "sk_5ecret-key-value-44d0", "AUTONOMA_CLIENT_ID": "client-id-value-c0de",
    "AUTONOMA_CLIENT_SECRET": "client-5ecret-value-b00c", "QATECH_TOKEN": "qa-5ecret-t0ken-77e1",
}
TEST, GROUP = testerarmy.TEST, testerarmy.GROUP
NEEDED: dict[str, dict[str, Any]] = {
    "k6-v6": {"test_id": 9_000_000_001}, "loadforge": {"test_id": 5, "duration": 2}, "testerarmy": {"test_id": TEST},
    "testerarmy-group": {"group_id": GROUP}, "autonoma": {"test_id": "t1"}, "autonoma-folder": {"folder_id": "f1"},
    "autonoma-tag": {"tag_id": "g1"}, "qatech": {},
}


def played(sim: Simulator, provider: str) -> Provider:
    return sim.provider(provider if provider.startswith("k6") else provider.partition("-")[0])


def a_run(sim: Simulator, provider: str, **keys: Any) -> str:
    base = {"provider": provider, "base_url": sim.base_url(played(sim, provider).name)}
    # The length of a run is told by some providers, and polls would wait for it.
    return section("run:it", **{**base, **NEEDED[provider], **PACE, "expect": "20ms", **keys})


STATES = [
    # provider, plan, exit code, outcome, state
    ("k6-v6", k6_v6.ends(), 0, "passed", "PASSED"),
    ("k6-v6", k6_v6.ends(result="failed"), 1, "failed", "FAILED"),
    ("k6-v6", k6_v6.ends(result="error", message="Validation error."), 3, "error", "ERROR"),
    ("k6-v6", k6_v6.ends(result=None), 3, "error", "NO_VERDICT"),
    ("k6-v6", k6_v6.ends(result="splendid"), 3, "error", "UNKNOWN_VERDICT"),
    ("k6-v6", k6_v6.ends(result="aborted"), 3, "error", "UNKNOWN_VERDICT"),
    ("k6-v6", k6_v6.ends(result="passed", by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", "failed"), 1, "failed", "ABORTED_BY_THRESHOLD"),
    ("k6-v6", k6_v6.ends("aborted", "error"), 3, "error", "ABORTED"),
    ("k6-v6", k6_v6.ends("aborted", "error", code=8016), 4, "timed_out", "LIFETIME_EXCEEDED"),
    ("k6-v6", k6_v6.ends("aborted", "error", by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", "failed", by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", "passed", by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", None, by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", "aborted", by_user="a@b.example"), 5, "cancelled", "ABORTED_BY_USER"),
    ("k6-v6", k6_v6.ends("aborted", "aborted"), 3, "error", "ABORTED"),
    ("k6-v6", k6_v6.ends("aborted", "passed"), 3, "error", "ABORTED"),
    ("k6-v6", k6_v6.ends("aborted", None), 3, "error", "ABORTED"),
    ("loadforge", loadforge.ends(), 0, "passed", "FINISHED"),
    ("loadforge", loadforge.ends(run_passed=False), 1, "failed", "FINISHED"),
    ("loadforge", loadforge.ends(run_passed=None), 3, "error", "NO_VERDICT"),
    ("loadforge", loadforge.ends(run_passed="perhaps"), 3, "error", "UNKNOWN_VERDICT"),
    ("loadforge", loadforge.ends(cancelled=None), 3, "error", "UNKNOWN_VERDICT"),
    ("loadforge", loadforge.ends(cancelled=True), 5, "cancelled", "CANCELLED"),
    ("loadforge", loadforge.ends(run_passed=False, cancelled=True), 5, "cancelled", "CANCELLED"),
    ("loadforge", loadforge.ends(4, None), 3, "error", "LAUNCH_FAILED"),
    ("loadforge", loadforge.ends(5, None, True), 5, "cancelled", "CANCELLED"),
    ("loadforge", loadforge.ends(6, True), 3, "error", "LIMITED"),
    ("loadforge", loadforge.ends(7, True), 3, "error", "WORKERS_FAILED"),
    ("loadforge", loadforge.ends(8, True), 3, "error", "UNKNOWN_END"),
    ("loadforge", loadforge.ends(99, True), 3, "error", "UNKNOWN_END"),
    ("testerarmy", testerarmy.ends(), 0, "passed", "PASS"),
    ("testerarmy", testerarmy.ends(steps=None), 0, "passed", "PASS"),
    ("testerarmy", testerarmy.ends(result="FAILED"), 1, "failed", "FAILED"),
    ("testerarmy", testerarmy.ends(result="FAILED", steps=[testerarmy.step("All is well")], issues=[testerarmy.issue("Wrong price")]),
     1, "failed", "FAILED"),
    ("testerarmy", testerarmy.ends(result="PASSED"), 3, "error", "UNKNOWN_VERDICT"),
    ("testerarmy", testerarmy.ends(result=None), 3, "error", "NO_VERDICT"),
    ("testerarmy", testerarmy.ends(output=None), 3, "error", "NO_VERDICT"),
    ("testerarmy", testerarmy.ends(output={"kind": "novelty", "result": "PASS"}), 3, "error", "UNKNOWN_VERDICT"),
    ("testerarmy", testerarmy.skips(), 3, "skipped", "PLANNER_SKIPPED"),
    ("testerarmy", testerarmy.ends("failed", error={"code": "TIMEOUT", "message": "The worker went away"}), 3, "error", "RUN_FAILED"),
    ("testerarmy", testerarmy.ends("cancelled"), 5, "cancelled", "CANCELLED"),
    ("autonoma", autonoma.ends(), 0, "passed", "PASSED"),
    ("autonoma", autonoma.ends("failed"), 1, "failed", "FAILED"),
    ("autonoma", autonoma.ends("success"), 0, "passed", "SUCCESS"),
    ("autonoma", autonoma.ends("completed"), 3, "error", "NO_VERDICT"),
    ("autonoma", autonoma.ends("failure"), 1, "failed", "FAILED"),
    ("autonoma", autonoma.ends("error"), 1, "failed", "FAILED"),
    ("autonoma", autonoma.ends(run_steps=[]), 0, "passed", "PASSED"),
    ("autonoma-folder", autonoma.ends(), 0, "passed", "PASSED"),
    ("autonoma-folder", autonoma.ends("failed"), 1, "failed", "FAILED"),
    ("autonoma-tag", autonoma.ends(), 0, "passed", "PASSED"),
    ("autonoma-tag", autonoma.ends("failed"), 1, "failed", "FAILED"),
]


def key_of(provider: str) -> Any:
    return next(NEEDED[provider][k] for k in ("test_id", "group_id", "folder_id", "tag_id") if k in NEEDED[provider])


@pytest.mark.parametrize("provider, plan, code, outcome, state", STATES, ids=lambda v: str(v)[:60] if isinstance(v, dict) else None)
def test_state(gate: Gate, sim: Simulator, provider: str, plan: dict[str, Any], code: int, outcome: str, state: str) -> None:
    played(sim, provider).plan(key_of(provider), plan)
    result = gate(a_run(sim, provider), env=ENV)
    assert result.code == code, result
    run = result.run("it")
    assert (run["outcome"], run["state"]) == (outcome, state)
    assert len(sim.starts()) == 1


RUNNING = [
    ("k6-v6", [k6_v6.state(s) for s in ("created", "queued", "initializing", "running", "processing_metrics")],
     k6_v6.state("completed", "passed")),
    ("loadforge", [{"run_status": s} for s in (0, 1, 2)], {"run_status": 3, "run_passed": True}),
    ("testerarmy", [{"status": s} for s in ("queued", "running")], {"status": "completed", "output": testerarmy.report()}),
    ("autonoma", [{"status": s} for s in ("pending", "running", "in_progress")], {"status": "passed"}),
    ("autonoma-folder", [{"status": s} for s in ("pending", "running")], {"status": "passed"}),
    ("autonoma-tag", [{"status": s} for s in ("pending", "running")], {"status": "passed"}),
]


@pytest.mark.parametrize("provider, states, end", RUNNING, ids=[r[0] for r in RUNNING])
def test_not_over(gate: Gate, sim: Simulator, provider: str, states: list[dict[str, Any]], end: dict[str, Any]) -> None:
    """Each of these is polled on, though the verdict may be there already."""
    steps = [{"set": s} for s in states] + [{"set": end}]
    played(sim, provider).plan(key_of(provider), {"steps": steps, "run_steps": [autonoma.step("Log in")]})
    result = gate(a_run(sim, provider), env=ENV)
    assert result.code == 0, result
    assert sim.runs[0].polls == len(states) + 1


# --- what is sent ----------------------------------------------------------------------------------------------------------


UUID = "0a1b2c3d-0000-4000-8000-00000000000f"
BODIES: list[tuple[str, dict[str, Any], Any]] = [
    ("k6-v6", {}, b""),
    ("loadforge", {"duration": 720}, {"test_id": 5, "duration": 720}),
    ("testerarmy", {}, {}),
    ("testerarmy", {"mode": "deep", "platform": "ios", "device_model": "ipad", "app_id": UUID, "project_environment_id": UUID},
     {"mode": "deep", "platform": "ios", "deviceModel": "ipad", "appId": UUID, "projectEnvironmentId": UUID}),
    ("testerarmy-group", {}, {}),
    ("testerarmy-group",
     {"platform": "android", "device_model": "iphone", "project_environment_id": UUID, "target_url": "https://x.example/",
      "environment": "preview", "mobile_app_id": UUID, "mobile_bundle_id": "com.example", "mobile_artifact_url": "https://x.example/a.apk",
      "mobile_artifact_name": "a.apk", "mobile_build_id": "17", "commit": "abc123", "pull_request": 12},
     {"platform": "android", "deviceModel": "iphone", "projectEnvironmentId": UUID, "targetUrl": "https://x.example/",
      "environment": "preview", "mobile": {"appId": UUID, "bundleId": "com.example", "artifactUrl": "https://x.example/a.apk",
                                           "artifactFilename": "a.apk", "buildId": "17"}, "commitSha": "abc123", "prNumber": 12}),
    ("autonoma", {}, {"id": "t1", "source": "rungate"}),
    ("autonoma", {"application_version_id": "v1", "source": "ci-17", "runtime_metadata": '{"ENVIRONMENT": "staging"}'},
     {"id": "t1", "application_version_id": "v1", "source": "ci-17", "runtime_metadata": {"ENVIRONMENT": "staging"}}),
    ("autonoma-folder", {"application_version_id": "v1", "recursive": "yes",
                         "application_versions": '[{"application_id": "a", "application_version_ids": ["v"]}]'},
     {"application_version_id": "v1", "recursive": True, "source": "rungate",
      "application_versions": [{"application_id": "a", "application_version_ids": ["v"]}]}),
    ("autonoma-tag", {}, {"source": "rungate"}),
]


@pytest.mark.parametrize("provider, keys, body", BODIES, ids=lambda v: v if isinstance(v, str) else "")
def test_body(gate: Gate, sim: Simulator, provider: str, keys: dict[str, Any], body: Any) -> None:
    result = gate(a_run(sim, provider, **keys), env=ENV)
    assert result.code == 0, result
    start = sim.starts()[0]
    assert (start.json() if start.body else start.body) == body


REFUSED = [
    ("k6-v6", {"stack_id": "mine"}), ("k6-v6", {"test_id": "0"}),
    ("loadforge", {"duration": 1}), ("loadforge", {"duration": 721}), ("loadforge", {"duration": "2.5"}), ("loadforge", {"duration": None}),
    ("testerarmy", {"mode": "slow"}), ("testerarmy", {"platform": "tv"}), ("testerarmy", {"device_model": "watch"}),
    ("testerarmy", {"group_id": GROUP}), ("testerarmy-group", {"environment": "moon"}), ("testerarmy-group", {"pull_request": 0}),
    ("testerarmy-group", {"mode": "deep"}), ("testerarmy-group", {"group_id": None}),
    ("autonoma", {"runtime_metadata": '["ENVIRONMENT"]'}), ("autonoma-tag", {"application_versions": "{}"}),
    ("qatech", {"notifications": "[]"}), ("qatech", {"notifications": '{"type": "slack"}'}), ("qatech", {"applications": '{"app_1": {}}'}),
    ("qatech", {"trigger": "GITLAB"}),
    ("autonoma", {"runtime_metadata": "ENVIRONMENT=staging"}), ("autonoma-folder", {"recursive": "perhaps"}),
    ("autonoma-folder", {"test_id": "t1"}),
]


@pytest.mark.parametrize("provider, keys", REFUSED, ids=str)
def test_refused_before_anything_is_sent(gate: Gate, sim: Simulator, provider: str, keys: dict[str, Any]) -> None:
    result = gate(a_run(sim, provider, **keys), env=ENV)
    assert result.code == 2, result
    assert sim.requests == []


@pytest.mark.parametrize("provider", ["k6-v2", *NEEDED])
def test_the_example_runs(gate: Gate, sim: Simulator, provider: str) -> None:
    """The pipeline file that a user of the provider begins with, as it is, but for the address and the pace."""
    text = (ROOT / "config" / "examples" / f"{provider}.ini").read_text()
    runs = re.findall(r"^\[run:(.*)\]$", text, re.M)
    pace = {**PACE, "expect": "20ms", "base_url": sim.base_url(played(sim, provider).name)}
    settings = [f"--set={run}.{key}={value}" for run in runs for key, value in pace.items()]
    result = gate(text, "run", *settings, env={**ENV, "PREVIEW_URL": "https://pr-7.preview.example", "PR_NUMBER": "7"})
    assert result.code == 0 and {r["name"]: r["outcome"] for r in result.json()["runs"]} == dict.fromkeys(runs, "passed"), result


@pytest.mark.parametrize("plan, code, outcome, state", [
    (acme.ends(), 0, "passed", "DONE"), (acme.ends(failures=2), 1, "failed", "DONE"), (acme.ends(failures=None), 3, "error", "BROKEN"),
    (acme.ends("stopped"), 5, "cancelled", "STOPPED"), (acme.ends("over the moon"), 3, "error", None),
    (acme.ends(polls=10**6), 4, "timed_out", None),
], ids=str)
def test_an_api_of_ones_own(gate: Gate, sim: Simulator, plan: dict[str, Any], code: int, outcome: str, state: str | None) -> None:
    """The README's worked example, as it is: a provider that is data alone."""
    own = ROOT / "config" / "examples" / "own-api"
    sim.provider("acme").plan("nightly", plan)
    pace = {**PACE, "expect": "20ms", "timeout": "300ms" if code == 4 else "30s", "base_url": sim.base_url("acme")}
    result = gate((own / "rungate.ini").read_text(), "run", "--provider-file", str(own / "acme.ini"),
                  *(f"--set=checks.{key}={value}" for key, value in pace.items()), env={"ACME_KEY": "5ecret-of-acme"})
    assert result.code == code, result
    run = result.run("checks")
    assert run["outcome"] == outcome and (state is None or run["state"] == state), run
    assert run["url"] == "https://acme.example/checks/c1"
    assert sim.starts()[0].json() == {"suite": "nightly", "options": {"shards": 4}} and sim.running() == []


def test_k6_headers(gate: Gate, sim: Simulator) -> None:
    sim.provider("k6-v6").tokens = {ENV["K6_CLOUD_TOKEN"]}
    assert gate(a_run(sim, "k6-v6"), env=ENV).code == 0
    for request in sim.requests:
        assert request.header("X-Stack-Id") == "77"
        assert request.header("Authorization") == "Bearer " + ENV["K6_CLOUD_TOKEN"]
    key = sim.starts()[0].header("K6-Idempotency-Key")
    assert key is not None and 1 <= len(key) <= 36
    assert all(r.header("K6-Idempotency-Key") is None for r in sim.polls())


def test_k6_lost_start_is_repeated_under_its_key(gate: Gate, sim: Simulator) -> None:
    sim.fault("k6-v6:start", "drop_after")
    assert gate(a_run(sim, "k6-v6"), env=ENV).code == 0
    assert len(sim.starts()) == 2 and len(sim.runs) == 1


@pytest.mark.parametrize("name", ["run_id", "result_id", "run.id", "id"])
def test_loadforge_run_id_has_four_names(gate: Gate, sim: Simulator, name: str) -> None:
    sim.provider("loadforge").plan(5, loadforge.ends(id_name=name))
    result = gate(a_run(sim, "loadforge"), env=ENV)
    assert result.code == 0, result
    assert result.run("it")["url"] == f"https://app.loadforge.com/run/monitor/{sim.runs[0].id}"


@pytest.mark.parametrize("provider, name", [("autonoma-folder", n) for n in ("folder_run_id", "folderRunID", "run_id")]
                         + [("autonoma-tag", n) for n in ("tag_run_id", "folderRunID", "folder_run_id", "run_id")])
def test_autonoma_run_id_has_many_names(gate: Gate, sim: Simulator, provider: str, name: str) -> None:
    sim.provider("autonoma").plan(key_of(provider), autonoma.ends(id_name=name))
    assert gate(a_run(sim, provider), env=ENV).code == 0


# --- groups ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("members, refused, code, outcome", [
    ([testerarmy.ends()], 0, 0, "passed"),
    ([testerarmy.ends(polls=n) for n in (1, 3, 2)], 0, 0, "passed"),
    ([testerarmy.ends(), testerarmy.ends(result="FAILED"), testerarmy.ends()], 0, 1, "failed"),
    ([testerarmy.ends("failed"), testerarmy.ends(result="FAILED")], 0, 1, "failed"),
    ([testerarmy.ends(), testerarmy.ends("failed")], 0, 3, "error"),
    ([testerarmy.ends(), testerarmy.ends("cancelled")], 0, 5, "cancelled"),
    ([testerarmy.ends(), testerarmy.skips()], 0, 3, "skipped"),
    ([testerarmy.ends(), testerarmy.ends()], 1, 3, "error"),
    ([testerarmy.ends(result="FAILED")], 1, 1, "failed"),
    ([], 3, 3, "error"),
], ids=str)
def test_group(gate: Gate, sim: Simulator, members: list[dict[str, Any]], refused: int, code: int, outcome: str) -> None:
    sim.provider("testerarmy").plan(GROUP, testerarmy.ends(members=members, refused=refused))
    result = gate(a_run(sim, "testerarmy-group"), env=ENV)
    assert result.code == code, result
    assert result.run("it")["outcome"] == outcome
    assert len(sim.starts()) == 1 and {r.run for r in sim.polls()} == {r.id for r in sim.runs[:len(members)]}


def test_children_are_shown(gate: Gate, sim: Simulator) -> None:
    """The end of each as it comes, how many are over in the sign of life, and those that did not pass in the summary."""
    members = [testerarmy.ends(), testerarmy.ends(result="FAILED"), testerarmy.ends(polls=60)]
    sim.provider("testerarmy").plan(GROUP, testerarmy.ends(members=members))
    result = gate(gate_section(heartbeat="30ms") + a_run(sim, "testerarmy-group"), env=ENV)
    one, two, three = (r.id for r in sim.runs)
    assert result.code == 1, result
    assert re.search(rf"it +PASS\w* .*passed  {one}\b", result.err) and re.search(rf"it +FAILED .*failed  {two}\b", result.err)
    assert "2 of 3 runs are over" in result.err
    summary = result.err[result.err.rindex("\n  it "):]
    assert "failed: 1 of 3 runs did not pass" in summary
    assert f"| failed  {two}" in summary and "| 2 of 3 runs passed" in summary and one not in summary and three not in summary
    assert {r["run_id"]: r["outcome"] for r in result.run("it")["remote_runs"]} == {one: "passed", two: "failed", three: "passed"}
    assert [s["state"] for s in result.run("it")["states"]].count("FAILED") == 0


# --- reports ---------------------------------------------------------------------------------------------------------------


def test_testerarmy_steps(gate: Gate, sim: Simulator) -> None:
    steps = [testerarmy.step("Open /pricing"),
             testerarmy.step("Pay", "failed", 1, 1800, 4300, error="No button", errorCode="STEP_NO_CONCLUSION")]
    sim.provider("testerarmy").plan(TEST, testerarmy.ends(result="FAILED", steps=steps))
    tests = gate(a_run(sim, "testerarmy"), env=ENV).run("it")["tests"]
    assert [(t["name"], t["outcome"], t["duration_s"]) for t in tests] == [("Open /pricing", "passed", 1.8), ("Pay", "failed", 2.5)]
    assert tests[1]["message"] == "No button"


def test_testerarmy_issues_are_tests(gate: Gate, sim: Simulator) -> None:
    """All steps passed; what is wrong stands in the issues, and the warnings among them do not count."""
    issues = [testerarmy.issue("Wrong price"), testerarmy.issue("Slow page", type="warning")]
    sim.provider("testerarmy").plan(TEST, testerarmy.ends(result="FAILED", steps=[testerarmy.step("Open /pricing")], issues=issues))
    result = gate(a_run(sim, "testerarmy"), env=ENV)
    assert [(t["name"], t["outcome"]) for t in result.run("it")["tests"]] == \
        [("Open /pricing", "passed"), ("Wrong price", "failed"), ("Slow page", "skipped")]
    assert "1 of 3 tests failed" in result.err and "| failed  Wrong price: Wrong price, in detail" in result.err, result
    assert [c.get("name") for c in result.suite("it").iter("testcase") if c.find("failure") is not None] == ["verdict", "Wrong price"]


def test_autonoma_steps_are_fetched_once(gate: Gate, sim: Simulator) -> None:
    steps = [autonoma.step("Log in"), autonoma.step("Pay", "failed"), autonoma.step("Leave", "pending")]
    sim.provider("autonoma").plan("t1", autonoma.ends("failed", run_steps=steps))
    result = gate(a_run(sim, "autonoma"), env=ENV)
    assert [(t["name"], t["outcome"]) for t in result.run("it")["tests"]] == [("Log in", "passed"), ("Pay", "failed"), ("Leave", "skipped")]
    assert [r.query for r in sim.details()] == ["steps=true&media=false"]
    assert result.run("it")["url"] == f"https://autonoma.app/run/{sim.runs[0].id}"


@pytest.mark.parametrize("provider, name, value", [("loadforge", "failures", "0(0.00%)"), ("k6-v6", "max_vus", "10"),
                                                   ("testerarmy", "feature", "Checkout"), ("autonoma", "application_version", "STG")])
def test_properties(gate: Gate, sim: Simulator, provider: str, name: str, value: str) -> None:
    result = gate(a_run(sim, provider), env=ENV)
    found = {p.get("name"): p.get("value") for p in result.suite("it").iter("property")}
    assert found.get(f"remote.{name}") == value, found


@pytest.mark.parametrize("provider, plan", [
    ("testerarmy", testerarmy.ends("failed", error={"code": "X", "message": "The worker went away"})),
    ("testerarmy", testerarmy.skips("The worker went away")),
    ("k6-v6", k6_v6.ends("aborted", "error", message="The worker went away")),
])
def test_reason(gate: Gate, sim: Simulator, provider: str, plan: dict[str, Any]) -> None:
    played(sim, provider).plan(key_of(provider), plan)
    assert "The worker went away" in gate(a_run(sim, provider), env=ENV).run("it")["reason"]


# --- cancelling and errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider, plan", [
    ("k6-v6", k6_v6.runs_on()), ("loadforge", loadforge.runs_on()), ("testerarmy", testerarmy.runs_on()),
    ("testerarmy-group", testerarmy.runs_on(members=[testerarmy.runs_on(), testerarmy.runs_on()])),
], ids=lambda v: v if isinstance(v, str) else "")
def test_cancelled_at_the_deadline(gate: Gate, sim: Simulator, provider: str, plan: dict[str, Any]) -> None:
    played(sim, provider).plan(key_of(provider), plan)
    result = gate(a_run(sim, provider, timeout="200ms"), env=ENV)
    assert result.code == 4, result
    assert len(sim.cancels()) == len(sim.runs) and sim.running() == []


@pytest.mark.parametrize("provider, plan", [("k6-v6", k6_v6.ends(polls=0)), ("testerarmy", testerarmy.ends(polls=0))])
def test_already_over(gate: Gate, sim: Simulator, provider: str, plan: dict[str, Any]) -> None:
    """The run ends while nobody looks: what the provider then says to a cancellation is no trouble, and the run's end counts."""
    played(sim, provider).plan(key_of(provider), plan)
    sim.fault(f"{provider}:poll", "status", nth="1..4", status=503)
    result = gate(a_run(sim, provider, timeout="150ms", outage="10s", poll_min="40ms"), env=ENV)
    assert [r.status for r in sim.cancels()] in ([], [409])
    assert result.code in (0, 4), result


def test_autonoma_cannot_be_cancelled(gate: Gate, sim: Simulator) -> None:
    sim.provider("autonoma").plan("t1", autonoma.runs_on())
    assert gate(a_run(sim, "autonoma", timeout="200ms"), env=ENV).code == 4


@pytest.mark.parametrize("headers, code, starts", [({}, 3, 3), ({"Retry-After": "3600"}, 4, 1)], ids=["at once", "in an hour"])
def test_a_quota_ends_and_says_why(gate: Gate, sim: Simulator, headers: dict[str, str], code: int, starts: int) -> None:
    sim.fault("start", "status", "*", status=429, message="Usage limit exceeded", headers=headers)
    result = gate(a_run(sim, "testerarmy", outage="30s", timeout="30s" if code == 3 else "300ms"), env=ENV)
    assert (result.code, len(sim.starts())) == (code, starts), result
    assert "HTTP 429: Usage limit exceeded" in result.run("it")["reason"]


@pytest.mark.parametrize("provider", NEEDED)
@pytest.mark.parametrize("status", [400, 402, 404])
def test_the_providers_own_words(gate: Gate, sim: Simulator, provider: str, status: int) -> None:
    sim.fault("start", "status", status=status, message="The month is used up")
    result = gate(a_run(sim, provider), env=ENV)
    assert result.code == 3, result
    assert "The month is used up" in result.run("it")["reason"]
    assert len(sim.starts()) == 1
