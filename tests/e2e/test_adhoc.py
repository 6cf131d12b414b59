# SPDX-License-Identifier: MIT
"""The command line: runs without a pipeline file, and the commands beside `run`."""

from __future__ import annotations

import json
import re

import pytest
from harness import COMMANDS, GENERIC_PROVIDER, K6_TOKEN, Gate, gate_section, generic_run, k6_run, qatech_run
from sim import generic, k6_v2, qatech
from sim.simulator import Simulator
from test_gate import prestart

BUILT_IN = ["autonoma", "autonoma-folder", "autonoma-tag", "k6-v2", "k6-v6", "loadforge", "qatech", "testerarmy", "testerarmy-group"]
"""More are to come; tests that hold for each provider take this list."""


def adhoc(sim: Simulator, *more: str) -> list[str]:
    return ["run", "--provider", "k6-v2", "test_id=7", f"base_url={sim.base_url('k6-v2')}", "poll_min=10ms", "poll_max=50ms", *more]


# --- run --provider --------------------------------------------------------------------------------------------------------


def test_adhoc_run(gate: Gate, sim: Simulator) -> None:
    result = gate(None, *adhoc(sim))
    assert result.code == 0, result
    assert [r.key for r in sim.runs] == ["7"]
    assert sim.starts()[0].header("Authorization") == f"Token {K6_TOKEN}"


def test_adhoc_run_fails(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(7, k6_v2.ends(result_status=1))
    assert gate(None, *adhoc(sim)).code == 1


def test_adhoc_qatech(gate: Gate, sim: Simulator) -> None:
    result = gate(None, "run", "--provider", "qatech", "test_plan=pln_x", f"base_url={sim.base_url('qatech')}", "poll_min=10ms")
    assert result.code == 0, result
    assert sim.starts()[0].json()["testPlanShortId"] == "pln_x"


def test_adhoc_needs_no_pipeline_file_and_takes_none(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "rungate.ini").write_text("[broken\n")
    assert gate(None, *adhoc(sim)).code == 0


@pytest.mark.parametrize("variable, args, provider", [("RUNGATE_CONFIG", ["--provider", "k6-v2", "test_id=7"], "k6-v2"),
                                                      ("RUNGATE_PROVIDER", ["--config", "rungate.ini"], "qatech")])
def test_a_file_or_a_provider(gate: Gate, sim: Simulator, variable: str, args: list[str], provider: str) -> None:
    """The command line beats the environment, and says one thing only."""
    value = "rungate.ini" if variable == "RUNGATE_CONFIG" else "k6-v2"
    result = gate(qatech_run(sim), "run", "--dry-run", *args, env={variable: value})
    assert result.code == 0 and ("/loadtests/" in result.out) == (provider == "k6-v2"), result
    both = gate(qatech_run(sim), "run", "--config", "rungate.ini", "--provider", "k6-v2")
    assert both.code == 2 and "cannot stand beside --config" in both.err, both
    both = gate(qatech_run(sim), "run", env={"RUNGATE_CONFIG": "rungate.ini", "RUNGATE_PROVIDER": "k6-v2"})
    assert both.code == 2 and "cannot stand beside --config" in both.err and sim.starts() == [], both


@pytest.mark.parametrize("more, said", [(["tset_id=1"], "tset_id"), (["attempts=0"], "attempts"), (["nonsense"], "nonsense"), (["test_id=x"], "test_id")])
def test_adhoc_mistakes(gate: Gate, sim: Simulator, more: list[str], said: str) -> None:
    result = gate(None, *adhoc(sim, *more))
    assert result.code == 2 and said in result.err and sim.requests == [], result


def test_adhoc_unknown_provider(gate: Gate) -> None:
    result = gate(None, "run", "--provider", "k6v2", "test_id=1")
    assert result.code == 2 and "k6v2" in result.err and "k6-v2" in result.err


def test_adhoc_without_its_secret(gate: Gate, sim: Simulator) -> None:
    result = gate(None, *adhoc(sim), env={"K6_CLOUD_TOKEN": None})
    assert result.code == 2 and "K6_CLOUD_TOKEN" in result.err and sim.requests == []


def test_run_is_the_default_command(gate: Gate, sim: Simulator) -> None:
    assert gate(k6_run(sim)).code == 0
    assert gate(k6_run(sim), "--quiet").code == 0
    assert len(sim.starts()) == 2


# --- providers and init ----------------------------------------------------------------------------------------------------


def test_providers(gate: Gate) -> None:
    result = gate(None, "providers")
    assert result.code == 0, result
    for name in BUILT_IN:
        assert re.search(rf"(?m)^{name}\b", result.out), result


@pytest.mark.parametrize("name", ["k6-v2", "qatech"])
def test_a_definition_is_ready_to_copy(gate: Gate, sim: Simulator, name: str) -> None:
    """What is printed can be given back, under another name."""
    printed = gate(None, "providers", name)
    assert printed.code == 0 and f"[provider:{name}]" in printed.out and "status.rules" in printed.out
    (gate.folder / "mine.ini").write_text(printed.out.replace(f"[provider:{name}]", "[provider:mine]"))
    text = k6_run(sim, provider="mine") if name == "k6-v2" else qatech_run(sim, provider="mine")
    result = gate(text, "run", "--provider-file", "mine.ini")
    assert result.code == 0, result


@pytest.mark.parametrize("way", ["copied", "extended"])
@pytest.mark.parametrize("name", BUILT_IN)
def test_a_definition_of_another_name_sends_the_same(gate: Gate, name: str, way: str) -> None:
    printed, starter = gate(None, "providers", name).out, gate(None, "init", name).out
    mine = printed.replace(f"[provider:{name}]", "[provider:mine]") if way == "copied" else f"[provider:mine]\nextend = {name}\n"
    (gate.folder / "mine.ini").write_text(mine)
    env = {v: f"5ecret-of-{v}" for v in re.findall(r"\$\{([A-Za-z_]\w*)\}", starter)}
    built_in = gate(starter, "run", "--dry-run", env=env)
    origin = re.findall(r"^POST (https://[^/]+)/", built_in.out, re.M)
    assert built_in.code == 0 and len(origin) == 1, built_in
    # Only a copy is a stranger to the origin that its secrets go to.
    allowed = ["--allow-origin", origin[0]] if way == "copied" else []
    other = gate(starter.replace(f"provider = {name}\n", "provider = mine\n"), "run", "--dry-run", "--provider-file", "mine.ini",
                 *allowed, env=env)
    assert other.code == 0 and other.out == built_in.out, other


def test_an_unknown_definition(gate: Gate) -> None:
    result = gate(None, "providers", "qatesh")
    assert result.code == 2 and "qatesh" in result.err and "qatech" in result.err


@pytest.mark.parametrize("name", BUILT_IN)
def test_init_prints_a_file_that_checks(gate: Gate, name: str) -> None:
    printed = gate(None, "init", name)
    assert printed.code == 0 and f"provider = {name}" in re.sub(r"[ \t]+", " ", printed.out), printed
    variables = {v: f"5ecret-of-{v}" for v in re.findall(r"\$\{([A-Za-z_]\w*)\}", printed.out)}
    result = gate(printed.out, "check", env=variables)
    assert result.code == 0, result


def test_init_leaves_the_environment_in_charge(gate: Gate) -> None:
    """A parameter that the environment can set is not set to something else by the file."""
    printed = gate(None, "init", "k6-v6")
    env = {"K6_CLOUD_TOKEN": "5ecret-of-the-cloud", "K6_CLOUD_STACK_ID": "4242"}
    assert "X-Stack-Id: 4242\n" in gate(printed.out, "run", "--dry-run", env=env).out
    assert gate(printed.out, "check", env={**env, "K6_CLOUD_STACK_ID": None}).code == 0


def test_init_writes_no_file(gate: Gate) -> None:
    assert gate(None, "init", "k6-v2").files == {}


def test_init_of_an_unknown_provider(gate: Gate) -> None:
    assert gate(None, "init", "nobody").code == 2
    assert gate(None, "init").code == 2


# --- provider files --------------------------------------------------------------------------------------------------------


def with_generic(gate: Gate, text: str = GENERIC_PROVIDER) -> list[str]:
    (gate.folder / "generic.ini").write_text(text)
    return ["--provider-file", "generic.ini"]


@pytest.mark.parametrize("state, code", [("passed", 0), ("failed", 1), ("error", 3), ("timed_out", 4), ("cancelled", 5), ("skipped", 3)])
def test_own_definition(gate: Gate, sim: Simulator, state: str, code: int) -> None:
    sim.generic.plan("p", generic.ends(state))
    result = gate(generic_run(sim, plan="p"), "run", *with_generic(gate))
    assert result.code == code, result
    assert result.run("gen")["outcome"] == state


def test_own_definition_with_a_header_secret(gate: Gate, sim: Simulator) -> None:
    result = gate(generic_run(sim, token="${MY_TOKEN}"), "run", *with_generic(gate), env={"MY_TOKEN": "generic-5ecret-123"})
    assert result.code == 0, result
    assert all(r.header("X-Api-Key") == "generic-5ecret-123" for r in sim.requests)


def test_own_definition_cancels(gate: Gate, sim: Simulator) -> None:
    sim.generic.plan("p", {"steps": [{"set": {"state": "running"}}]})
    assert gate(generic_run(sim, plan="p", timeout="200ms"), "run", *with_generic(gate)).code == 4
    assert len(sim.cancels()) == 1 and sim.running() == []


def test_a_parameter_left_unset_is_left_out(gate: Gate, sim: Simulator) -> None:
    assert gate(generic_run(sim), "run", *with_generic(gate)).code == 0
    assert sim.starts()[0].body in (b"", b"{}")


TYPED = GENERIC_PROVIDER.replace("param.plan  = string", """\
param.plan  = string
param.count = integer min=1 max=9
param.loud  = boolean
param.speed = choice(slow|fast) default=slow
param.extra = json""").replace("start.body./plan = {plan}", """\
start.body./plan = {plan}
start.body./deep/count = {count}
start.body./loud = {loud}
start.body./speed = {speed}
start.body./extra = {extra}""")


def test_typed_parameters(gate: Gate, sim: Simulator) -> None:
    result = gate(generic_run(sim, plan="12", count=7, loud="yes", extra='{"a": [1, null]}'), "run", *with_generic(gate, TYPED))
    assert result.code == 0, result
    assert sim.starts()[0].json() == {"plan": "12", "deep": {"count": 7}, "loud": True, "speed": "slow", "extra": {"a": [1, None]}}


@pytest.mark.parametrize("key, value", [("count", "0"), ("count", "10"), ("count", "x"), ("loud", "perhaps"), ("speed", "medium"), ("extra", "{")])
def test_typed_parameters_wrongly(gate: Gate, sim: Simulator, key: str, value: str) -> None:
    result = gate(generic_run(sim, **{key: value}), "run", *with_generic(gate, TYPED))
    assert result.code == 2 and sim.requests == [], result
    assert key in result.err or value in result.err  # which of them is wrong can be seen


RULES = [
    # conditions, body of the reply, does the rule hold
    ("/a = 1", {"a": 1}, True),
    ("/a = 1", {"a": "1"}, True),
    ("/a = 1", {"a": 1.5}, False),
    ("/a = 1", {"a": 11}, False),
    ("/a = x, y", {"a": "y"}, True),
    ("/a = x, y", {"a": "x, y"}, False),
    ("/a = true", {"a": True}, True),
    ("/a = 3..", {"a": 3}, True),
    ("/a = 3..", {"a": 2}, False),
    ("/a = 1..5", {"a": 5}, True),
    ("/a = 1..5", {"a": 6}, False),
    ("/a = 1..5", {"a": "x"}, False),
    ("/a exists", {"a": 0}, True),
    ("/a exists", {"a": None}, False),
    ("/a exists", {}, False),
    ("/a missing", {}, True),
    ("/a missing", {"a": None}, True),
    ("/a missing", {"a": False}, False),
    ("/a/0/b = z", {"a": [{"b": "z"}]}, True),
    ("/a/1/b = z", {"a": [{"b": "z"}]}, False),
    ("/a~1b = z", {"a/b": "z"}, True),
    ("/a~0b = z", {"a~b": "z"}, True),
    ("/a = 1 and /b = 2", {"a": 1, "b": 2}, True),
    ("/a = 1 and /b = 2", {"a": 1, "b": 3}, False),
    ("/a = 1 and /b missing", {"a": 1}, True),
]


@pytest.mark.parametrize("condition, body, holds", RULES, ids=[f"{c} {b}" for c, b, _ in RULES])
def test_rules(gate: Gate, sim: Simulator, condition: str, body: object, holds: bool) -> None:
    rules = f"status.rules =\n    failed HELD if {condition}\n    passed NEVER if /never = x\n\ncancel "
    text = re.sub(r"status\.rules =.*?\ncancel ", lambda _: rules, GENERIC_PROVIDER, count=1, flags=re.S)
    sim.generic.plan("p", {"steps": [{"body": body}]})
    # Not cancelled: that would change the body which the rule looks at.
    result = gate(generic_run(sim, plan="p", outage="100ms"), "run", "--no-cancel", *with_generic(gate, text))
    assert result.code == (1 if holds else 3), result


@pytest.mark.parametrize("text", ["", "[provider:x]\n", "[gate]\n", GENERIC_PROVIDER.replace("/state = passed", "state = passed"),
                                  GENERIC_PROVIDER.replace("passed     PASSED", "pased     PASSED"), GENERIC_PROVIDER.replace("POST /start", "/start"),
                                  GENERIC_PROVIDER.replace("{id}", "{idd}"), GENERIC_PROVIDER + "nonsense = 1\n",
                                  GENERIC_PROVIDER.replace("= string", "= sting")],
                         ids=["empty", "nothing in it", "no provider", "pointer", "outcome", "no method", "unknown value", "unknown key", "type"])
def test_bad_definitions(gate: Gate, sim: Simulator, text: str) -> None:
    result = gate(generic_run(sim), "check", *with_generic(gate, text))
    assert result.code == 2, result
    assert "generic.ini" in result.err or text == ""


@pytest.mark.parametrize("url, says", [("http://api.example", "is not encrypted"), ("api.example", "is not a URL that can be used")])
def test_a_wrong_address_is_reported_where_it_stands(gate: Gate, url: str, says: str) -> None:
    (gate.folder / "mine.ini").write_text(f"\n[provider:mine]\nextend = k6-v2\nbase_url = {url}\n")
    text = "[run:a]\nprovider = mine\ntest_id = 1\n"
    result = gate(text, "check", "--provider-file", "mine.ini")
    assert result.code == 2 and f"mine.ini:2: base_url: '{url}' {says}" in result.err, result


def test_a_provider_file_that_is_not_there(gate: Gate, sim: Simulator) -> None:
    result = gate(generic_run(sim), "check", "--provider-file", "nowhere.ini")
    assert result.code == 2 and "nowhere.ini" in result.err


def test_a_definition_can_extend_another(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "mine.ini").write_text("[provider:mine]\nextend = k6-v2\ntitle = Ours\n")
    result = gate(k6_run(sim, provider="mine"), "run", "--provider-file", "mine.ini")
    assert result.code == 0, result


# --- status, wait, cancel with --attach -------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan, word", [(k6_v2.runs_on(), "RUNNING"), (k6_v2.ends(polls=0), "FINISHED"), (k6_v2.ends(run_status=6, polls=0), "ABORTED_BY_SYSTEM")])
def test_status(gate: Gate, sim: Simulator, plan: dict, word: str) -> None:
    sim.k6.plan(1, plan)
    run_id = prestart(sim)
    result = gate(k6_run(sim), "status", "--attach", f"load={run_id}")
    assert word in result.out, result
    assert "load" in result.out and run_id in result.out
    assert len(sim.polls()) == 1 and sim.cancels() == [] and len(sim.starts()) == 1


def test_status_of_a_running_run_is_no_pass_but_no_harm(gate: Gate, sim: Simulator) -> None:
    """`status` tells, it does not judge; but exit 0 for something that failed would be a trap in a script."""
    sim.k6.plan(1, k6_v2.ends(result_status=1, polls=0))
    assert gate(k6_run(sim), "status", "--attach", f"load={prestart(sim)}").code != 0


@pytest.mark.parametrize("failed, code", [(0, 0), (1, 1)])
def test_wait(gate: Gate, sim: Simulator, failed: int, code: int) -> None:
    sim.k6.plan(1, k6_v2.ends(result_status=failed, polls=3))
    run_id = prestart(sim)
    result = gate(k6_run(sim), "wait", "--attach", f"load={run_id}")
    assert result.code == code, result
    assert len(sim.starts()) == 1 and result.run("load")["attached"] is True


def test_wait_starts_nothing(gate: Gate, sim: Simulator) -> None:
    """Without a journal and without --attach there is nothing to wait for; and no pass."""
    result = gate(k6_run(sim), "wait")
    assert result.code in (2, 3) and sim.starts() == [], result


def test_cancel(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, k6_v2.runs_on())
    run_id = prestart(sim)
    result = gate(k6_run(sim), "cancel", "--attach", f"load={run_id}")
    assert result.code == 0, result
    assert len(sim.cancels()) == 1 and sim.running() == [] and len(sim.starts()) == 1


def test_cancel_of_a_run_that_is_over(gate: Gate, sim: Simulator) -> None:
    sim.k6.plan(1, {"steps": [{"set": {"run_status": 3, "processing_status": 2}}]})
    assert gate(k6_run(sim), "cancel", "--attach", f"load={prestart(sim)}").code == 0


def test_cancel_where_it_cannot_be(gate: Gate, sim: Simulator) -> None:
    sim.qatech.plan("pln_demo1", qatech.runs_on())
    result = gate(qatech_run(sim), "cancel", "--attach", "ui=run001")
    assert result.code not in (0,) and "cancel" in result.err.lower(), result


# --- help, version, mistakes ------------------------------------------------------------------------------------------------


def test_version(gate: Gate) -> None:
    result = gate(None, "--version")
    assert result.code == 0 and re.match(r"rungate \d+\.\d+\.\d+\b", result.out) and result.err == ""


@pytest.mark.parametrize("args", [["--help"], *[[c, "--help"] for c in sorted(COMMANDS)]], ids=" ".join)
def test_help(gate: Gate, args: list[str]) -> None:
    result = gate(None, *args)
    assert result.code == 0 and "rungate" in result.out and result.err == "", result
    assert max(len(line) for line in result.out.splitlines()) <= 100


def test_help_names_everything(gate: Gate) -> None:
    everything = gate(None, "--help").out + "".join(gate(None, c, "--help").out for c in sorted(COMMANDS))
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", everything)
    for option in ("--config", "--define", "--set", "--junit", "--json", "--timeout", "--attach", "--fail-fast", "--no-cancel", "--provider-file",
                   "--allow-origin", "--dry-run", "--progress", "--color", "--quiet", "--verbose"):
        assert option in everything, option


@pytest.mark.parametrize("args", [["--no-such-option"], ["-Z"], ["run", "--no-such-option"], ["check", "--junt", "x"], ["run", "--timeout"],
                                  ["run", "--timeout", "soon"], ["run", "--progress", "loud"], ["run", "--color", "pink"], ["run", "--attach", "load"],
                                  ["run", "--attach", "=5"], ["run", "--attach", "load="], ["run", "--quiet=yes"], ["run", "--provider"],
                                  ["providers", "a", "b"], ["init", "k6-v2", "more"], ["run", "--set", "x"], ["run", "--allow-origin", "nonsense"],
                                  ["--config"], ["run", ""]], ids=" ".join)
def test_wrong_arguments(gate: Gate, sim: Simulator, args: list[str]) -> None:
    result = gate(k6_run(sim), *args, reports=False)
    assert result.code == 2, result
    assert result.err.strip() and result.out == "" and sim.requests == []


def test_a_suggestion_for_an_option(gate: Gate) -> None:
    assert "--timeout" in gate(None, "run", "--timeuot", "5s", reports=False).err


def test_tokens_are_never_options(gate: Gate, sim: Simulator) -> None:
    """A secret in the arguments shows in every process list; at the least, the way over a variable is told."""
    result = gate(None, "run", "--token", "x-5ecret-y", "--provider", "k6-v2", "test_id=1", reports=False)
    assert result.code == 2


@pytest.mark.parametrize("said, left", [("no", False), ("yes", True)])
def test_a_flag_of_the_environment_beats_the_file(gate: Gate, sim: Simulator, said: str, left: bool) -> None:
    """Also where it says no."""
    sim.k6.plan(1, k6_v2.runs_on())
    pipeline = gate_section(timeout="100ms", cancel="yes" if left else "no") + k6_run(sim)
    result = gate(pipeline, env={"RUNGATE_NO_CANCEL": said})
    assert result.code == 4 and bool(sim.running()) is left and len(sim.cancels()) == (0 if left else 1), result


@pytest.mark.parametrize("name, value", [("RUNGATE_TIMEOUT", "soon"), ("RUNGATE_PROGRESS", "loud")])
def test_wrong_environment(gate: Gate, sim: Simulator, name: str, value: str) -> None:
    result = gate(k6_run(sim), env={name: value})
    assert result.code == 2 and name in result.err and sim.requests == []


def test_options_may_stand_behind_names(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, "a", 1) + k6_run(sim, "b", 2), "run", "a", "--quiet")
    assert result.code == 0 and [r.key for r in sim.runs] == ["1"]


def test_dry_run_of_an_adhoc_run(gate: Gate, sim: Simulator) -> None:
    result = gate(None, *adhoc(sim), "--dry-run")
    assert result.code == 0 and "/loadtests/v2/tests/7/start-testrun" in result.out and "***" in result.out
    assert sim.connections == 0


# --- rehearsal ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider, reply, says", [
    ("k6-v2", {"k6-run": {"id": 7, "run_status": 8, "vus": 3}}, ["run id: 7", "failed ABORTED_BY_THRESHOLD, by the rule in", "vus: 3"]),
    ("k6-v2", {}, ["no run could be watched", "the state is unknown", "/k6-run/run_status is missing"]),
    ("qatech", qatech.case("x"), ["none: a pass would be empty"]),
    ("qatech", {"run": {"shortId": "abc", "url": "https://x.example"}}, ["run id: abc", "url: https://x.example"]),
    ("qatech", {"status": "COMPLETED", "result": "FAILED", "runTestCases": [
        {"name": "Pay \x1b[31m", "status": "COMPLETED", "result": "FAILED", "resultTitle": "grey"}]}, ["failed FAILED", "Pay", "grey"]),
    ("testerarmy-group", {"status": "queued"}, ["running QUEUED, by the rule in config/providers/testerarmy.ini:"]),
    ("autonoma-folder", [], ["tests at . (the whole reply):\n  none; tests.where may need the run's id"]),
    ("loadforge", {"error": 400, "message": "No such\x1b test"}, ["as a reply that is no success:\n  the provider says: No such"]),
], ids=str)
def test_a_reply_can_be_rehearsed(gate: Gate, provider: str, reply: dict[str, object], says: list[str]) -> None:
    (gate.folder / "reply.json").write_text(json.dumps(reply))
    result = gate(None, "check", "--provider", provider, "--try", "reply.json")
    assert result.code == 0 and all(words in result.out for words in says) and "\x1b" not in result.out, result


def test_a_rehearsed_list_needs_the_id_of_the_run(gate: Gate) -> None:
    (gate.folder / "reply.json").write_text(json.dumps([{"name": "Buy", "status": "failed", "folder_run_id": "f7"}]))
    command = ["check", "--provider", "autonoma-folder", "--try", "reply.json"]
    assert "Buy" not in gate(None, *command).out
    assert "failed    FAILED Buy" in gate(None, *command, "f7").out
    assert "  none\n" in gate(None, *command, "f8").out


@pytest.mark.parametrize("args, content, says", [
    (["--try", "reply.json"], "{}", "--provider"),
    (["--try", "reply.json", "--provider", "k6"], "{}", "k6-v2"),
    (["--try", "nowhere.json", "--provider", "qatech"], "{}", "nowhere.json"),
    (["--try", "reply.json", "--provider", "qatech"], "<html>", "not JSON"),
], ids=["no provider", "unknown provider", "no file", "no JSON"])
def test_a_rehearsal_that_cannot_be(gate: Gate, args: list[str], content: str, says: str) -> None:
    (gate.folder / "reply.json").write_text(content)
    result = gate(None, "check", *args)
    assert result.code == 2 and says in result.err, result
