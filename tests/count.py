# SPDX-License-Identifier: MIT
"""Prints the "e2e: N passed, N failed" of a pytest JUnit file. A skipped test counts as failed: nothing may be left
out in silence."""

import sys
import xml.etree.ElementTree as ET

passed = failed = 0
for case in ET.parse(sys.argv[1]).iter("testcase"):
    if all(case.find(kind) is None for kind in ("failure", "error", "skipped")):
        passed += 1
    else:
        failed += 1
print(f"e2e: {passed} passed, {failed} failed")
