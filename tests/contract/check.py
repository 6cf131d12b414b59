# SPDX-License-Identifier: MIT
"""Owns: holding what rungate sends, and what the simulator answers, against the providers' own OpenAPI files.

The files are other projects' and Prism comes from npm, so this check is apart from the tests: API names the folder that
holds the files. Each has a chain of its own:

    rungate -> relay -> Prism, which knows the file -> simulator

Prism refuses a request that the file does not allow, and a reply that it does not. The relay passes on everything as it is,
notes what Prism found, and lets through, without Prism, what KNOWN says is in no file.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

import harness  # noqa: E402
from sim import autonoma, k6_v6, qatech, testerarmy  # noqa: E402
from sim.simulator import Simulator  # noqa: E402

PACKAGE, VERSION = "@stoplight/prism-cli", "5.14.2"
PLACE = ROOT / "build" / "contract"
PRISM = PLACE / "node_modules" / PACKAGE / "dist" / "index.js"

LIMIT, INSTALL, START, RUN = 170, 120, 30, 20
"""Seconds that all of it, the installation, the start of a Prism and one run of the program may take."""

KNOWN = [
    # method, path, why
    ("GET", r"/run/tag/[^/]+/status", "in the vendor's action only; the file has the status of tests and of folders"),
]
"""Requests that are in no file, and are right all the same."""


class Api(NamedTuple):
    """An OpenAPI file: its name, the simulator's provider, and the prefix that the simulator has and the file has not. What
    rungate has in its base_url beyond that stands in the file's paths."""
    file: str
    played: str
    prefix: str
    base: str


APIS = {
    "k6-v6": Api("k6-v6.openapi.yaml", "k6-v6", "", ""),
    "qatech": Api("qatech.openapi.json", "qatech", "/v1", ""),
    "testerarmy": Api("testerarmy.openapi.json", "testerarmy", "/api", "/v1"),
    "autonoma": Api("autonoma.openapi.yaml", "autonoma", "/api", ""),
}

SECRETS = {
    "K6_CLOUD_TOKEN": harness.K6_TOKEN, "QATECH_TOKEN": harness.QATECH_TOKEN, "TESTERARMY_API_KEY": "sk_5ecret-key-value-44d0",
    "AUTONOMA_CLIENT_ID": "client-id-value-c0de", "AUTONOMA_CLIENT_SECRET": "client-5ecret-value-b00c",
}

UUIDS = [f"3b1d3a52-0000-4000-8000-00000000000{n}" for n in range(3)]
VERSIONS = '[{"application_id": "a1", "application_version_ids": ["v1", "v2"]}]'


class Subject(NamedTuple):
    """A provider of rungate's: what its run needs, everything else it can have, how the simulator plays it."""
    api: str
    key: str
    needed: Mapping[str, Any]
    all: Mapping[str, Any]
    passes: Mapping[str, Any]
    fails: Mapping[str, Any]
    runs_on: Mapping[str, Any]
    kinds: str
    """The requests that a run makes which passes."""
    cancels: bool = False


MEMBERS = [autonoma.member("Buy"), autonoma.member("Pay")]
SUBJECTS = {
    "k6-v6": Subject(
        "k6-v6", "9000000001", {"test_id": 9_000_000_001, "stack_id": 77}, {},
        k6_v6.ends(), k6_v6.ends(result="failed", message="Thresholds were crossed", code=5001), k6_v6.runs_on(),
        "start poll", cancels=True),
    "qatech": Subject(
        "qatech", "pln_default", {},
        {"test_plan": "pln_default", "trigger": "GITHUB", "actor": "octo", "branch": 'feature/"x"', "commit": "4f1c9d",
         "commit_message": "Fix the cart", "repository": "shop/web",
         "applications": '[{"applicationShortId": "app_1", "environment": {"url": "https://pr-7.example", "name": "PR 7"},\n'
                         '  "devicePresetShortId": "preset_9"},\n'
                         '  {"applicationShortId": "app_2", "environment": {"shortId": "env_3"}}]',
         "notifications": '[{"type": "slack", "channel": "C01", "notifyOn": "failure"}]'},
        qatech.ends(), qatech.ends(result="FAILED", cases=[qatech.case("good"), qatech.case("bad", "FAILED", title="it broke")]),
        qatech.runs_on(), "start poll details"),
    "testerarmy": Subject(
        "testerarmy", testerarmy.TEST, {"test_id": testerarmy.TEST},
        {"mode": "deep", "platform": "ios", "device_model": "ipad", "app_id": UUIDS[0], "project_environment_id": UUIDS[1]},
        testerarmy.ends(), testerarmy.ends(result="FAILED", issues=[testerarmy.issue("Wrong price")]), testerarmy.runs_on(),
        "start poll", cancels=True),
    "testerarmy-group": Subject(
        "testerarmy", testerarmy.GROUP, {"group_id": testerarmy.GROUP},
        {"platform": "android", "device_model": "iphone", "project_environment_id": UUIDS[0], "environment": "preview",
         "target_url": "https://pr-7.example/?a=b", "mobile_app_id": UUIDS[1], "mobile_bundle_id": "com.example.shop",
         "mobile_artifact_url": "https://ci.example/shop.apk", "mobile_artifact_name": "shop.apk", "mobile_build_id": "118",
         "commit": "4f1c9d", "pull_request": 7},
        testerarmy.ends(members=[testerarmy.ends(), testerarmy.ends()]),
        testerarmy.ends(members=[testerarmy.ends(result="FAILED"), testerarmy.ends()], refused=1), testerarmy.runs_on(),
        "start poll", cancels=True),
    "autonoma": Subject(
        "autonoma", "t1", {"test_id": "t1"},
        {"application_version_id": "v1", "source": "shop gate", "runtime_metadata": '{"QA_USER": "u1"}'},
        autonoma.ends(), autonoma.ends("failed"), autonoma.runs_on(), "start poll details"),
    "autonoma-folder": Subject(
        "autonoma", "f1", {"folder_id": "f1"},
        {"application_version_id": "v1", "source": "shop gate", "application_versions": VERSIONS, "recursive": "yes"},
        autonoma.ends(members=MEMBERS), autonoma.ends("failed", members=[*MEMBERS, autonoma.member("Return", "failed")]),
        autonoma.runs_on(members=MEMBERS), "start poll details"),
    "autonoma-tag": Subject(
        "autonoma", "g1", {"tag_id": "g1"},
        {"application_version_id": "v1", "source": "shop gate", "application_versions": VERSIONS, "recursive": "no"},
        autonoma.ends(), autonoma.ends("failed"), autonoma.runs_on(), "start poll"),
}


class Trouble(Exception):
    """The check itself cannot go on."""


# --- children -------------------------------------------------------------------------------------


@contextlib.contextmanager
def child(argv: list[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A process in a session of its own, which is ended with all its children however this is left."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def install() -> None:
    """Puts Prism into the build folder, unless it is there."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise Trouble(f"{tool} is missing; the check needs Node.js and npm")
    stamp = PLACE / f"installed-{VERSION}"
    if stamp.exists() and PRISM.exists():
        return
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True)
    said = PLACE / "npm.log"
    with open(said, "wb") as log, child(
            ["npm", "install", "--prefix", str(PLACE), "--no-save", "--no-package-lock", "--no-audit", "--no-fund",
             "--ignore-scripts", "--loglevel=error", f"{PACKAGE}@{VERSION}"], cwd=PLACE, stdout=log, stderr=log) as npm:
        try:
            code = npm.wait(INSTALL)
        except subprocess.TimeoutExpired:
            raise Trouble(f"npm install did not end within {INSTALL} s") from None
    if code or not PRISM.exists():
        raise Trouble(f"npm install failed\n{said.read_text(errors='replace')}")
    stamp.touch()


@contextlib.contextmanager
def prism(spec: Path, upstream: str, log: Path) -> Iterator[int]:
    """A Prism in front of the simulator; its port."""
    node = shutil.which("node") or "node"
    with open(log, "wb") as out, child(
            [node, str(PRISM), "proxy", "--errors", "-h", "127.0.0.1", "-p", "0", str(spec), upstream],
            cwd=log.parent, stdout=out, stderr=out, env={"PATH": os.environ["PATH"]}) as process:
        deadline = time.monotonic() + START
        while True:
            said = log.read_text(errors="replace")
            found = re.search(r"listening on http://127\.0\.0\.1:([0-9]+)", said)
            if found:
                yield int(found[1])
                return
            if process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"Prism does not start with {spec.name}\n{said}")
            time.sleep(0.05)


# --- the relay ------------------------------------------------------------------------------------

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}


class Exchange(NamedTuple):
    """A request, and the status of its reply."""
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int


class Relay(http.server.ThreadingHTTPServer):
    """Between rungate and one Prism. Notes what Prism finds wrong."""

    daemon_threads = True

    def __init__(self, validator: int, simulator: int, api: Api) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.validator = validator
        self.simulator = simulator
        self.api = api
        self.violations: list[str] = []
        self.seen = 0
        self.let_through: set[str] = set()
        self.approved: dict[str, Exchange] = {}
        """One exchange of every operation, that Prism agreed with."""

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{self.api.base}"

    def begin(self) -> None:
        """Forgets the case before."""
        self.violations, self.seen = [], 0

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is none of the relay's business; all else is."""
        error = sys.exc_info()[1]
        if not isinstance(error, (BrokenPipeError, ConnectionResetError)):
            self.violations.append(f"the relay failed: {error!r}")


class Handler(http.server.BaseHTTPRequestHandler):
    """One request: to Prism, or past it if it is known to be in no file."""

    protocol_version = "HTTP/1.1"
    server: Relay

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def relay(self) -> None:
        relay = self.server
        relay.seen += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        known = next((f"{m} {p}" for m, p, _ in KNOWN if m == self.command and re.fullmatch(p, path)), None)
        target = self.path
        if known:
            relay.let_through.add(known)
            target = relay.api.prefix + self.path
        upstream = http.client.HTTPConnection("127.0.0.1", relay.simulator if known else relay.validator, timeout=RUN)
        try:
            upstream.putrequest(self.command, target, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP:
                    upstream.putheader(name, value)
            if body or "Content-Length" in self.headers:
                upstream.putheader("Content-Length", str(len(body)))
            upstream.endheaders(body or None)
            reply = upstream.getresponse()
            data = reply.read()
        finally:
            upstream.close()
        said = reply.getheader("Content-Type", "")
        if said.startswith("application/problem+json"):
            relay.violations.append(f"{self.command} {self.path} {body.decode(errors='replace')} -> {reply.status} "
                                    f"{data.decode(errors='replace')}")
        elif reply.getheader("sl-violations"):
            relay.violations.append(f"{self.command} {self.path} -> {reply.status} {reply.getheader('sl-violations')}")
        elif data and reply.status < 300 and not known:
            pattern = "/".join(w if re.fullmatch("[a-z_]*|v[0-9]", w) else "ID" for w in path.split("/"))
            relay.approved[f"{self.command} {pattern}"] = Exchange(self.command, self.path, dict(self.headers.items()), body, reply.status)
        self.send_response_only(reply.status)
        for name, value in reply.getheaders():
            if name.lower() not in HOP:
                self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = relay


# --- the cases ------------------------------------------------------------------------------------


def definition(provider: str) -> dict[str, str]:
    """The keys of a definition that are one line long, with those of the definition it extends."""
    text = (ROOT / "config" / "providers" / f"{provider}.ini").read_text()
    keys = dict(re.findall(r"(?m)^([a-z][^\s=]*)[ \t]*=[ \t]*(.*)$", text))
    return {**(definition(keys["extends"]) if "extends" in keys else {}), **keys}


def parameters(provider: str) -> set[str]:
    """All that a run can have, secrets aside."""
    return {key.removeprefix("param.") for key, value in definition(provider).items()
            if key.startswith("param.") and value and not value.startswith("secret")}


class Bench:
    """Runs the cases and counts."""

    def __init__(self, sim: Simulator, relays: Mapping[str, Relay], folder: Path) -> None:
        self.sim = sim
        self.relays = relays
        self.folder = folder
        self.passed = self.failed = 0

    def say(self, what: str, complaints: list[str]) -> None:
        if complaints:
            self.failed += 1
            print(f"not ok {what}")
            for complaint in complaints:
                print("    " + complaint.rstrip().replace("\n", "\n    "))
        else:
            self.passed += 1
            print(f"ok {what}")
        sys.stdout.flush()

    def rungate(self, *args: str) -> tuple[int, str]:
        """Exit code and all that was said."""
        said = self.folder / "said"
        with open(said, "wb") as out, child([str(harness.binary()), *args, "-v"], cwd=self.folder, stdout=out, stderr=out,
                                            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **SECRETS}) as process:
            try:
                code = process.wait(RUN)
            except subprocess.TimeoutExpired:
                code = -1
        return code, said.read_text(errors="replace")

    def case(self, provider: str, what: str, plan: Mapping[str, Any], code: int, kinds: str, *args: str,
             **keys: Any) -> None:
        """One run of the program: its exit code, the kinds of request that it must have made, and Prism content."""
        subject = SUBJECTS[provider]
        relay, played = self.relays[subject.api], self.sim.provider(APIS[subject.api].played)
        played.plan(subject.key, plan)
        text = harness.section("run:it", provider=provider, base_url=relay.base_url, **{
            **subject.needed, **harness.PACE, "expect": "20ms", **keys})
        (self.folder / "rungate.ini").write_text(text)
        relay.begin()
        before = len(self.sim.requests)
        ended, said = self.rungate(*args)
        arrived = self.sim.requests[before:]
        complaints = list(relay.violations)
        if ended != code:
            complaints.append(f"exit code {ended} instead of {code}" if ended >= 0 else f"did not end within {RUN} s")
        missing = set(kinds.split()) - {r.kind for r in arrived}
        if missing:
            complaints.append(f"no request arrived of the kinds: {', '.join(sorted(missing))}")
        if relay.seen != len(arrived):
            complaints.append(f"{relay.seen} requests were sent, {len(arrived)} arrived")
        complaints += [f"the simulator refused {r.method} {r.path}" for r in arrived
                       if r.status is not None and r.status >= 400 and not (r.kind == "cancel" and r.status == 409)]
        if complaints:
            complaints += [text, said]
        self.say(f"{provider}: {what}", complaints)

    def last_run(self) -> str:
        return self.sim.starts()[-1].run

    def provider(self, provider: str) -> None:
        """Every case of one provider."""
        it = SUBJECTS[provider]
        unset = parameters(provider) - set(it.needed) - set(it.all)
        self.say(f"{provider}: every parameter has a value here", [f"{name} has none" for name in sorted(unset)])
        self.case(provider, "start with what is required", it.passes, harness.PASSED, it.kinds, "run")
        self.case(provider, "start with all parameters", it.passes, harness.PASSED, it.kinds, "run", **it.all)
        self.case(provider, "a run that fails", it.fails, harness.FAILED, it.kinds, "run")
        self.case(provider, "waiting for a run that exists", it.passes, harness.FAILED, it.kinds.replace("start ", ""),
                  "wait", "--attach", f"it={self.last_run()}")
        self.case(provider, "status of a run that exists", it.passes, harness.FAILED, "poll",
                  "status", "--attach", f"it={self.last_run()}")
        if it.cancels:
            self.case(provider, "cancelled at the deadline", it.runs_on, harness.TIMED_OUT, "start poll cancel", "run",
                      timeout="300ms")
            self.case(provider, "cancelling what is over", it.passes, harness.PASSED, "cancel",
                      "cancel", "--attach", f"it={self.last_run()}")
        else:
            self.case(provider, "given up at the deadline", it.runs_on, harness.TIMED_OUT, "start poll", "run", timeout="300ms")
        self.find(provider)

    def ask(self, relay: Relay, method: str, target: str, headers: Mapping[str, str], body: bytes = b"") -> int:
        """A request of our own; the status of its reply."""
        connection = http.client.HTTPConnection("127.0.0.1", relay.server_address[1], timeout=RUN)
        try:
            connection.request(method, target, body or None, {k: v for k, v in headers.items() if k.lower() not in HOP})
            return connection.getresponse().status
        finally:
            connection.close()

    def find(self, provider: str) -> None:
        """A start of long ago, of which the journal knows no reply, is looked for."""
        if not definition(provider).get("find"):
            return
        record = {"at": "2026-01-01T00:00:00Z", "pipeline": "rungate.ini", "run": "it", "attempt": 1, "start": "", "key": "k"}
        lines = [json.dumps({"event": event, **record}) + "\n" for event in ("starting", "sent")]
        (self.folder / "runs.jsonl").write_text("".join(lines))
        self.case(provider, "looking for a lost start", SUBJECTS[provider].passes, harness.START_UNKNOWN, "find",
                  "status", "--journal", "runs.jsonl")

    def guard(self, name: str) -> None:
        """Prism must find what is wrong, or all the rest says nothing: a schema that it cannot read, it passes over in silence."""
        relay = self.relays[name]
        for what, one in sorted(relay.approved.items()):
            relay.begin()
            self.ask(relay, one.method, one.target, {}, one.body)
            found = [v for v in relay.violations if "UNAUTHORIZED" in v or "UNPROCESSABLE" in v]
            self.say(f"{name}: {what} without a key is refused", [] if found else ["it is not", *relay.violations])
            relay.begin()
            self.sim.fault("any", "status", status=one.status, body=7, headers=[["Content-Type", "application/json"]])
            self.ask(relay, one.method, one.target, one.headers, one.body)
            found = [v for v in relay.violations if "VIOLATIONS" in v]
            self.say(f"{name}: {what} with a reply of another form is refused",
                     [] if found else ["it is not", *relay.violations])


def readable(spec: Path, folder: Path) -> Path:
    """The file itself, or one that means the same and that Prism can read. There are two things that its validator does not
    take, whereupon Prism takes every reply for good: a "nullable" without a "type" (in a choice it stands for null, elsewhere it
    says nothing), and a "nullable" enum that names null as well, of which Prism makes one that names it twice."""
    if spec.suffix != ".json":
        return spec

    def mended(value: Any) -> Any:
        if isinstance(value, list):
            return [{"enum": [None]} if v == {"nullable": True} else mended(v) for v in value]
        if not isinstance(value, dict):
            return value
        made = {k: mended(v) for k, v in value.items()}
        if made.get("nullable") is True and "type" not in made:
            del made["nullable"]
        elif made.get("nullable") is True and isinstance(made.get("enum"), list):
            made["enum"] = [v for v in made["enum"] if v is not None]
        return made

    copy = folder / spec.name
    copy.write_text(json.dumps(mended(json.loads(spec.read_text()))))
    return copy


def check(api: Path, stack: contextlib.ExitStack) -> int:
    missing = [a.file for a in APIS.values() if not (api / a.file).is_file()]
    if missing:
        raise Trouble(f"API has no {', '.join(missing)}; it must name the folder of the providers' OpenAPI files")
    if not os.access(harness.binary(), os.X_OK):
        raise Trouble("the program is not built; make debug builds it")
    install()
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contract-")))
    sim = stack.enter_context(Simulator())
    relays = {}
    for name, one in APIS.items():
        port = stack.enter_context(prism(readable((api / one.file).resolve(), folder), sim.origin + one.prefix, folder / f"{name}.log"))
        relay = Relay(port, sim.port, one)
        stack.callback(relay.server_close)
        threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
        stack.callback(relay.shutdown)
        relays[name] = relay
    (folder / "work").mkdir()
    bench = Bench(sim, relays, folder / "work")
    for provider in SUBJECTS:
        bench.provider(provider)
    for name in APIS:
        bench.guard(name)
    used = set().union(*(r.let_through for r in relays.values()))
    for method, path, why in KNOWN:
        bench.say(f"known: {method} {path} ({why})", [] if f"{method} {path}" in used else ["was not sent: out of date"])
    print(f"contract: {bench.passed} passed, {bench.failed} failed")
    return 1 if bench.failed or not bench.passed else 0


def stop(number: int, frame: Any) -> None:
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(each, signal.SIG_IGN)  # once is enough; the children are being ended
    if number == signal.SIGALRM:
        raise Trouble(f"took more than {LIMIT} s")
    sys.exit(128 + number)


def main() -> int:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, stop)
    signal.alarm(LIMIT)
    try:
        if not os.environ.get("API"):
            raise Trouble("API must name the folder of the providers' OpenAPI files: make check-contract API=FOLDER")
        with contextlib.ExitStack() as stack:
            return check(Path(os.environ["API"]), stack)
    except Trouble as e:
        print(f"not ok contract: {e}")
        print("contract: 0 passed, 1 failed")
        return 1


if __name__ == "__main__":
    sys.exit(main())
