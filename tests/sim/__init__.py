# SPDX-License-Identifier: MIT
"""The provider simulator: hosted test providers, played on one loopback port.

Start reading at `simulator.py`. To add a provider, copy `qatech.py`: one file, one class, and the name
`PROVIDER` bound to it; nothing else has to be told about it.
"""
