# SPDX-License-Identifier: MIT
"""The pipeline file: what it can say, and every mistake in it, with file and line, before anything is sent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from harness import GENERIC_PROVIDER, K6_TOKEN, Gate, gate_section, k6_run, qatech_run, section
from sim.simulator import Simulator

HEAD = """\
[run:load]
provider = k6-v2
token    = ${K6_CLOUD_TOKEN}
test_id  = 1
"""
"""Four good lines; what a case adds begins on line 5."""

LONG = "x" * 260

# text behind HEAD, the line of the mistake (or the lines it may be seen in), what the message must say (a pattern)
MISTAKES: dict[str, tuple[str, int | tuple[int, ...], str]] = {
    "unknown section": ("[gates]\ntimeout = 1m\n", 5, r"gates.*\bgate\b"),
    "unknown section with a name": ("[runs:x]\nprovider = k6-v2\n", 5, r"runs"),
    "unknown key of gate": ("[gate]\ntimout = 1m\n", 6, r"timout.*\btimeout\b"),
    "unknown key of http": ("[http]\nrequest_timeuot = 1s\n", 6, r"request_timeuot.*\brequest_timeout\b"),
    "unknown key of a run": ("pol_max = 1s\n", 5, r"pol_max.*\bpoll_max\b"),
    "unknown parameter": ("tset_id = 5\n", 5, r"tset_id.*\btest_id\b"),
    "unknown key of defaults": ("[defaults]\npoll_mx = 1s\n", 6, r"poll_mx"),
    "duplicate section": ("[gate]\ntimeout = 1m\n[run:load]\nprovider = k6-v2\n", 7, r"run:load"),
    "duplicate gate": ("[gate]\ntimeout = 1m\n[gate]\nfail_fast = yes\n", 7, r"gate"),
    "duplicate key": ("test_id = 2\n", 5, r"test_id"),
    "integer expected": ("[run:b]\nprovider = k6-v2\ntest_id = abc\n", 7, r"test_id|abc"),
    "integer with a fraction": ("[run:b]\nprovider = k6-v2\ntest_id = 1.5\n", 7, r"test_id|1\.5"),
    "integer with rubbish": ("[run:b]\nprovider = k6-v2\ntest_id = 12x\n", 7, r"test_id|12x"),
    "integer too large": ("[run:b]\nprovider = k6-v2\ntest_id = 99999999999999999999\n", 7, r"test_id|9999"),
    "integer empty": ("[run:b]\nprovider = k6-v2\ntest_id =\n", 7, r"test_id"),
    "missing parameter": ("[run:b]\nprovider = k6-v2\n", 5, r"test_id"),
    "JSON expected": ("[run:b]\nprovider = qatech\ntest_plan = pln_a\napplications = [{]\n", 8, r"applications|JSON"),
    "unknown provider": ("[run:b]\nprovider = k6v2\ntest_id = 1\n", 6, r"k6v2.*\bk6-v2\b"),
    "no provider": ("[run:b]\ntest_id = 1\n", 5, r"provider"),
    "needs nowhere": ("needs = lod\n", 5, r"lod"),
    "needs itself": ("needs = load\n", 5, r"load"),
    "needs in a circle": ("needs = b\n[run:b]\nprovider = k6-v2\ntest_id = 1\nneeds = load\n", (5, 9), r"load.*b|b.*load|circle"),
    "unset variable": ("expect = ${NO_SUCH_THING}\n", 5, r"NO_SUCH_THING"),
    "unset variable of a shell-like name": ("expect = ${no-such}\n", 5, r"no-such"),
    "unclosed variable": ("expect = ${NO_SUCH_THING\n", 5, r"\$\{|NO_SUCH_THING"),
    "file that is not there": ("expect = ${file:no/such/file}\n", 5, r"no/such/file"),
    "duration": ("timeout = 5 parsecs\n", 5, r"timeout|parsecs"),
    "duration negative": ("timeout = -5s\n", 5, r"timeout|-5s"),
    "duration too large": ("timeout = 99999999999999999999s\n", 5, r"timeout|9999"),
    "duration empty": ("timeout =\n", 5, r"timeout"),
    "duration without a number": ("timeout = m\n", 5, r"timeout"),
    "boolean": ("required = maybe\n", 5, r"required|maybe"),
    "attempts 0": ("attempts = 0\n", 5, r"attempts"),
    "attempts negative": ("attempts = -1\n", 5, r"attempts"),
    "retry_on": ("retry_on = eror\n", 5, r"eror"),
    "on_error": ("on_error = ignored\n", 5, r"ignored"),
    "max_parallel 0": ("[gate]\nmax_parallel = 0\n", 6, r"max_parallel"),
    "max_parallel": ("[gate]\nmax_parallel = many\n", 6, r"max_parallel"),
    "require": ("[gate]\nrequire = most\n", 6, r"require|most"),
    "require 0": ("[gate]\nrequire = 0\n", 6, r"require"),
    "require more than there are": ("[gate]\nrequire = 2\n", 6, r"require"),
    "max_body": ("[http]\nmax_body = big\n", 6, r"max_body|big"),
    "id": ("id = ../17\n", 5, r"\.\./17"),
    "one of several ids": ("id = 17,1/8\n", 5, r"1/8"),
    "base_url without scheme": ("base_url = api.k6.io\n", 5, r"base_url|api\.k6\.io"),
    "no section name": ("[run:]\nprovider = k6-v2\n", 5, r"name|run:"),
    "run name with a blank": ("[run:a b]\nprovider = k6-v2\ntest_id = 1\n", 5, r"a b"),
    "run name with a slash": ("[run:a/b]\nprovider = k6-v2\ntest_id = 1\n", 5, r"a/b"),
    "run name too long": (f"[run:{'n' * 41}]\nprovider = k6-v2\ntest_id = 1\n", 5, r"40|long"),
    "section name too long": (f"[run:{'n' * 60}]\nprovider = k6-v2\ntest_id = 1\n", 5, r"long|40|49"),
    "key too long": (f"{'k' * 60} = 1\n", 5, r"k{20}|long"),
    "line too long": (f"expect = 1m ; {LONG}\n", 5, r"long|characters|bytes"),
    "value too long": (f"[run:b]\nprovider = qatech\ntest_plan = pln_{LONG}\n", 7, r"long|characters|bytes"),
    "continuation too long": (f"[run:b]\nprovider = qatech\ntest_plan = pln_a\napplications =\n    [\"{LONG}\"]\n", 9, r"long|characters|bytes"),
    "comment too long": (f"; {LONG}\ntset_id = 1\n", 6, r"tset_id"),  # a comment may be as long as it likes
    "no equals sign": ("test_id\n", 5, r"."),
    "unclosed section": ("[run:b\nprovider = k6-v2\n", 5, r"."),
    "a provider defined here": ("[provider:mine]\ntitle = x\n", 5, r"provider"),
}


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("text, line, said", MISTAKES.values(), ids=MISTAKES)
def test_mistake(gate: Gate, text: str, line: int | tuple[int, ...], said: str, command: str) -> None:
    result = gate(HEAD + text, command)
    assert result.code == 2, result
    lines = line if isinstance(line, tuple) else (line,)
    messages = [m for m in result.err.splitlines() if any(f"rungate.ini:{n}:" in m for n in lines)]
    assert messages, result
    assert any(re.search(said, m) for m in messages), result


def test_an_id_of_the_command_line_that_is_none(gate: Gate) -> None:
    result = gate(HEAD + "id = 17\n", "wait", "--attach", "load=../18")
    assert result.code == 2 and result.err.startswith("--attach: '../18' cannot be the id"), result
    result = gate(HEAD, "wait", "--set", "load.id=../19")
    assert result.code == 2 and result.err.startswith("--set load.id: '../19' cannot be the id"), result


def test_every_mistake_is_reported(gate: Gate) -> None:
    text = HEAD + "pol_max = 1s\ntimeout = soon\n[gate]\ntimout = 1m\n[gates]\n[run:b]\nprovider = nobody\nneeds = nowhere\n[run:c]\nprovider = k6-v2\nexpect = ${UNSET_ONE}\n"
    result = gate(text)
    assert result.code == 2
    for line in (5, 6, 8, 9, 11, 12, 13, 15):
        assert f"rungate.ini:{line}:" in result.err, (line, result)


def test_a_good_file_has_no_mistakes(gate: Gate) -> None:
    result = gate(HEAD, "check")
    assert result.code == 0, result
    assert "rungate.ini:" not in result.err


def test_nothing_is_sent_when_one_run_of_many_is_wrong(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, "good", 1) + k6_run(sim, "bad", "abc"))
    assert result.code == 2 and sim.requests == []


def test_missing_secret(gate: Gate) -> None:
    result = gate("[run:load]\nprovider = k6-v2\ntest_id = 1\n", env={"K6_CLOUD_TOKEN": None})
    assert result.code == 2 and "K6_CLOUD_TOKEN" in result.err, result
    assert "rungate.ini:1:" in result.err


def test_empty_secret(gate: Gate, sim: Simulator) -> None:
    """An unset secret of a CI system often comes as an empty variable."""
    result = gate(k6_run(sim), env={"K6_CLOUD_TOKEN": ""})
    assert result.code == 2 and sim.requests == [], result


def test_secret_by_its_own_variable(gate: Gate, sim: Simulator) -> None:
    assert gate(k6_run(sim, token=None)).code == 0
    assert sim.requests[0].header("Authorization") == f"Token {K6_TOKEN}"


@pytest.mark.parametrize("text", ["", "\n\n; nothing\n", "[gate]\ntimeout = 1m\n", "[defaults]\npoll_max = 1s\n"], ids=repr)
def test_no_runs(gate: Gate, text: str) -> None:
    assert gate(text).code == 2


def test_no_file(gate: Gate) -> None:
    result = gate(None, "run")
    assert result.code == 2 and "rungate.ini" in result.err
    result = gate(None, "check", "-c", "other.ini")
    assert result.code == 2 and "other.ini" in result.err


@pytest.mark.parametrize("option", ["--config", "--provider-file", "--timeout", "--define", "--set", "--attach"])
def test_an_option_without_a_value(gate: Gate, option: str) -> None:
    """A script's variable that is not set, say."""
    result = gate(HEAD, "run", option, "")
    assert result.code == 2 and result.err == f"rungate: error: {option}: the value is empty\n", result


def test_a_folder_is_no_file(gate: Gate) -> None:
    assert gate(None, "check", "-c", ".").code == 2


def test_the_file_is_named_as_given(gate: Gate) -> None:
    (gate.folder / "deep").mkdir()
    (gate.folder / "deep/my.ini").write_text(HEAD + "tset_id = 1\n")
    result = gate(None, "check", "--config", "deep/my.ini")
    assert result.code == 2 and "deep/my.ini:5:" in result.err


def test_config_by_environment(gate: Gate) -> None:
    (gate.folder / "my.ini").write_text(HEAD)
    assert gate(None, "check", env={"RUNGATE_CONFIG": "my.ini"}).code == 0


@pytest.mark.parametrize("data", [b"[run:load]\n\x00provider = k6-v2\n", b"\xff\xfe[\x00r\x00u\x00n\x00", b"\x7fELF\x02\x01\x01" + bytes(300),
                                  b"[" * 5000, b"[run:a]\n" + b"=" * 190 + b"\n", b"= 1\n", b"[run:load]\n = k6-v2\n"], ids=range(7))
def test_files_that_are_none(gate: Gate, data: bytes) -> None:
    assert gate(data, "check").code == 2


@pytest.mark.parametrize("text", [HEAD.replace("\n", "\r\n"), "\ufeff" + HEAD, HEAD.rstrip("\n")], ids=["CRLF", "BOM", "no last newline"])
def test_harmless_forms(gate: Gate, text: str) -> None:
    assert gate(text, "check").code == 0


def test_a_thousand_runs_check(gate: Gate, sim: Simulator) -> None:
    result = gate("".join(k6_run(sim, f"r{i}", i, needs=f"r{i - 1}" if i > 1 else None) for i in range(1, 1001)), "check")
    assert result.code == 0, result.err


# --- values --------------------------------------------------------------------------------------------------------------


def sent_body(gate: Gate, sim: Simulator, *args: str, env: dict[str, str | None] | None = None, **keys: Any) -> Any:
    result = gate(qatech_run(sim, **keys), "run", *args, env=env)
    assert result.code == 0, result
    return sim.starts()[-1].json()


APPS = '[{"applicationShortId": "app_a", "environment": {"url": "https://x.example", "name": "%s"}}]'

VALUES = [
    # written, environment, arguments, sent
    ("${NAME}", {"NAME": "plain"}, [], "plain"),
    ("${NAME}", {"NAME": "env"}, ["-D", "NAME=option"], "option"),
    ("${NAME}", {}, ["--define", "NAME=a=b"], "a=b"),
    ("${NAME}", {}, ["--define=NAME=c"], "c"),
    ("${NAME:-text}", {}, [], "text"),
    ("${NAME:-text}", {"NAME": "set"}, [], "set"),
    ("${NAME:-}x", {}, [], "x"),
    ("${NAME:-a b:-c}", {}, [], "a b:-c"),
    ("a$$b", {}, [], "a$b"),
    ("$${NAME}", {"NAME": "no"}, [], "${NAME}"),
    ("${A}-${B}", {"A": "1", "B": "2"}, [], "1-2"),
    ("${NAME}", {"NAME": "${OTHER}"}, [], "${OTHER}"),  # what a variable holds is text, not expanded again
    ("a;b#c", {}, [], "a;b#c"),
    ("a #b", {}, [], "a #b"),
    ("über 日本", {}, [], "über 日本"),
]


@pytest.mark.parametrize("written, env, args, sent", VALUES, ids=[repr(v[0]) for v in VALUES])
def test_value(gate: Gate, sim: Simulator, written: str, env: dict[str, str | None], args: list[str], sent: str) -> None:
    body = sent_body(gate, sim, *args, env=env, applications=APPS % written)
    assert body["applications"][0]["environment"]["name"] == sent


@pytest.mark.parametrize("value", ['q"uo"te', "back\\slash", "new\nline", "tab\t", "\u2028", "'; DROP", "${x}", "%s%n", "</script>"], ids=repr)
def test_a_value_cannot_break_out_of_the_body(gate: Gate, sim: Simulator, value: str) -> None:
    gate(qatech_run(sim, test_plan="${PLAN}"), env={"PLAN": "pln_" + value})
    assert sim.starts()[0].json()["testPlanShortId"] == "pln_" + value


@pytest.mark.parametrize("value, sent", [("a/b", "a%2Fb"), ("a?b=c", "a%3Fb%3Dc"), ("a#b", "a%23b"), ("a b", "a%20b"), ("../x", "..%2Fx"), ("%2e", "%252e"), ("ü", "%C3%BC")])
def test_a_value_cannot_break_out_of_a_path(gate: Gate, sim: Simulator, value: str, sent: str) -> None:
    (gate.folder / "p.ini").write_text(GENERIC_PROVIDER.replace("POST /start", "POST /start/{plan}").replace("= string", "= string required"))
    gate(section("run:g", provider="generic", plan="${PLAN}", base_url=sim.base_url("generic")), "run", "--provider-file", "p.ini",
         env={"PLAN": value})
    path = sim.requests[0].raw_path
    assert path.lower() == f"/generic/start/{sent}".lower()


def test_comments_and_continuation(gate: Gate, sim: Simulator) -> None:
    pipeline = f"""\
; a comment
# another
[run:ui]   ; behind a section
provider = qatech   ; behind a value
token=${{QATECH_TOKEN}}
base_url={sim.base_url("qatech")}
test_plan   =   pln_a
poll_min = 10ms
applications =
    [{{"applicationShortId": "app_a",
      "environment": {{"url": "https://x.example",
                      "name": "one"}}}}]
"""
    result = gate(pipeline)
    assert result.code == 0, result
    assert sim.starts()[0].json() == {"testPlanShortId": "pln_a", "applications": [
        {"applicationShortId": "app_a", "environment": {"url": "https://x.example", "name": "one"}}]} | {
        k: v for k, v in sim.starts()[0].json().items() if k == "trigger"}


def test_value_from_a_file(gate: Gate, sim: Simulator) -> None:
    (gate.folder / "token.txt").write_text(K6_TOKEN + "\n")
    assert gate(k6_run(sim, token="${file:token.txt}"), env={"K6_CLOUD_TOKEN": None, "SAME_TOKEN": K6_TOKEN}).code == 0
    assert sim.starts()[0].header("Authorization") == f"Token {K6_TOKEN}"


def test_define_without_a_value(gate: Gate) -> None:
    assert gate(HEAD, "check", "-D", "NAME").code == 2
    assert gate(HEAD, "check", "-D", "=x").code == 2


def test_defaults(gate: Gate, sim: Simulator) -> None:
    defaults = section("defaults", base_url=sim.base_url("k6-v2"), poll_min="10ms", test_id=5, required="yes")
    result = gate(defaults + "[run:a]\nprovider = k6-v2\n[run:b]\nprovider = k6-v2\ntest_id = 6\n")
    assert result.code == 0, result
    assert sorted(r.key for r in sim.runs) == ["5", "6"]


@pytest.mark.parametrize("args, tests", [
    (["-s", "load.test_id=8"], ["8"]),
    (["--set", "load.test_id=8", "--set", "load.test_id=9"], ["9"]),
    (["--set=load.poll_max=20ms"], ["1"]),
    (["-s", "gate.timeout=1m", "-s", "http.request_timeout=5s"], ["1"]),
])
def test_set(gate: Gate, sim: Simulator, args: list[str], tests: list[str]) -> None:
    result = gate(k6_run(sim), "run", *args)
    assert result.code == 0, result
    assert [r.key for r in sim.runs] == tests


def test_set_beats_the_file(gate: Gate, sim: Simulator) -> None:
    assert gate(gate_section(require="any", timeout="1ms") + k6_run(sim), "run", "-s", "gate.timeout=1m").code == 0


def test_set_of_a_run_with_a_dot_in_its_name(gate: Gate, sim: Simulator) -> None:
    assert gate(k6_run(sim, "a.b"), "run", "-s", "a.b.test_id=7").code == 0
    assert sim.runs[0].key == "7"


@pytest.mark.parametrize("setting", ["load.tset_id=1", "laod.test_id=1", "gate.timout=1m", "load.test_id=abc", "load.test_id", "test_id=1", "=", "load.=1", ""])
def test_set_wrongly(gate: Gate, sim: Simulator, setting: str) -> None:
    result = gate(k6_run(sim), "run", "-s", setting)
    assert result.code == 2 and sim.requests == [], result


def test_standard_input(gate: Gate, sim: Simulator) -> None:
    result = gate(None, "run", "-c", "-", stdin=k6_run(sim))
    assert result.code == 0, result
    assert gate(None, "check", "--config=-", stdin=HEAD + "tset_id = 1\n").code == 2


# --- check and dry run -----------------------------------------------------------------------------------------------------


def test_check_prints_the_plan(gate: Gate, sim: Simulator) -> None:
    pipeline = gate_section(timeout="45m", max_parallel=3) + k6_run(sim, "load", 4711) + qatech_run(sim, "ui", needs="load")
    result = gate(pipeline, "check")
    assert result.code == 0, result
    for word in ("load", "ui", "k6-v2", "qatech", "4711", "***", "45m"):
        assert word in result.out, (word, result)
    assert sim.requests == []


def test_dry_run_prints_the_requests(gate: Gate, sim: Simulator) -> None:
    result = gate(k6_run(sim, "load", 4711) + qatech_run(sim, "ui"), "run", "--dry-run")
    assert result.code == 0, result
    assert f"POST {sim.base_url('k6-v2')}/loadtests/v2/tests/4711/start-testrun" in result.out
    assert f"POST {sim.base_url('qatech')}/run" in result.out
    assert re.search(r"Authorization: Token \*\*\*", result.out) and re.search(r"Authorization: Bearer \*\*\*", result.out)
    assert "pln_demo1" in result.out
    assert sim.requests == [] and sim.connections == 0


def test_dry_run_body_is_what_would_be_sent(gate: Gate, sim: Simulator) -> None:
    shown = gate(qatech_run(sim), "run", "--dry-run").out
    gate(qatech_run(sim))
    body = sim.starts()[0].json()
    start, end = shown.index("{"), shown.rindex("}") + 1
    assert json.loads(shown[start:end]) == body


@pytest.mark.parametrize("branch", ['a", "x": "y', "back\\slash", "line\nend", "quote'd", "ünï"])
def test_a_variable_cannot_break_out_of_json(gate: Gate, sim: Simulator, branch: str) -> None:
    applications = '[{"applicationShortId": "app_a", "environment": {"url": "https://x.example", "name": "PR-${BRANCH}"}}]'
    result = gate(qatech_run(sim, applications=applications), env={"BRANCH": branch})
    assert result.code == 0, result
    assert sim.starts()[0].json()["applications"] == [
        {"applicationShortId": "app_a", "environment": {"url": "https://x.example", "name": "PR-" + branch}}]


def test_a_variable_can_be_all_of_a_json_value(gate: Gate, sim: Simulator) -> None:
    result = gate(qatech_run(sim, applications="${APPS}"), env={"APPS": '[{"applicationShortId": "app_b"}]'})
    assert result.code == 0, result
    assert sim.starts()[0].json()["applications"] == [{"applicationShortId": "app_b"}]


@pytest.mark.parametrize("args, command", [(["chekc"], "check"), (["-q", "status"], "status"), (["run", "load", "cancle"], "cancel"), (["load"], None),
                                           (["laod"], None), (["run", "other"], None)], ids=str)
def test_a_command_that_was_meant(gate: Gate, sim: Simulator, args: list[str], command: str | None) -> None:
    """It is mistyped, or stands behind an option, where only names of runs are looked for."""
    result = gate(k6_run(sim), *args)
    assert result.code == (0 if args == ["load"] else 2) and len(sim.starts()) == (args == ["load"]), result
    assert (f"did you mean the command '{command}'? It stands first" in result.err) if command else ("the command" not in result.err), result


def test_a_command_that_was_meant_where_no_file_is(gate: Gate, sim: Simulator) -> None:
    result = gate(None, "chekc")
    assert result.code == 2 and "did you mean the command 'check'" in result.err, result
