# SPDX-License-Identifier: MIT
"""Owns: validating real JUnit reports against the schemas of JUnit readers.

The schemas (junit-10.xsd, junit-windyroad.xsd) are other projects' files and not part of this one, so this check is
apart from the tests: SCHEMAS names the folder that holds them. It runs gates of every kind of end against the
simulator and validates each report with xmllint.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]

import harness  # noqa: E402
from sim import k6_v2, qatech  # noqa: E402
from sim.simulator import Simulator  # noqa: E402

CASES = [qatech.case("good"), qatech.case("bad \x1b[31m ]]> ::error::", result="FAILED", title="it broke"),
         qatech.case("skipped", result="SKIPPED")]

PIPELINES = {
    "passed": (k6_v2.ends(3, 0, 2), qatech.ends(result="PASSED", cases=CASES[:1]), ""),
    "failed": (k6_v2.ends(8, 1, 2), qatech.ends(result="FAILED", cases=CASES), ""),
    "error": (k6_v2.ends(6, 0, 2), qatech.ends(result="SKIPPED", cases=CASES), ""),
    "empty": (k6_v2.ends(3, 0, 2), qatech.ends(result="PASSED", cases=[]), ""),
    "excused": (k6_v2.ends(3, 1, 2), qatech.ends(result="PASSED", cases=CASES), "required = no\n"),
    "timed out": (k6_v2.runs_on(), qatech.ends(result="PASSED", cases=CASES[:1]), "timeout = 100ms\n"),
    "usage": (k6_v2.runs_on(), qatech.ends(result="PASSED", cases=CASES[:1]), "nonsense = 1\n"),
}


def report_of(name: str, folder: Path) -> Path:
    """Runs a gate of that kind in the folder and returns its report."""
    load, ui, extra = PIPELINES[name]
    with Simulator() as sim:
        sim.k6.plan(1, load)
        sim.qatech.plan("pln_demo1", ui)
        pipeline = harness.gate_section(junit="report.xml") + harness.k6_run(sim).rstrip() + "\n" + extra
        (folder / "rungate.ini").write_text(pipeline + "\n" + harness.qatech_run(sim))
        subprocess.run([harness.binary(), "run", "-q"], cwd=folder, stderr=subprocess.DEVNULL, timeout=60,
                       env={"PATH": os.environ["PATH"], **harness.TOKENS})
    return folder / "report.xml"


def main() -> int:
    schemas = Path(os.environ.get("SCHEMAS") or "nowhere")
    passed = failed = 0
    for name in PIPELINES:
        with tempfile.TemporaryDirectory() as folder:
            report = report_of(name, Path(folder))
            for schema in ("junit-10.xsd", "junit-windyroad.xsd"):
                done = subprocess.run(["xmllint", "--noout", "--schema", str(schemas / schema), str(report)],
                                      capture_output=True, text=True)
                if done.returncode:
                    failed += 1
                    print(f"not ok {name} under {schema}\n{done.stderr}")
                else:
                    passed += 1
                    print(f"ok {name} under {schema}")
    print(f"schema: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
