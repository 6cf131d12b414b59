#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A pre-deploy hook: the deploy goes on only when this ends with 0. Settings come from rungate.ini
# and the RUNGATE_... variables, tokens from the environment; arguments are handed on.
#
#   Kamal        copy it to .kamal/hooks/pre-deploy (no extension, executable)
#   Helm         a Job annotated "helm.sh/hook": pre-install,pre-upgrade with this as its command;
#                helm gives up after 5 minutes unless told `--timeout`
#   Argo CD      a Job annotated argocd.argoproj.io/hook: PreSync
#   Shell        ./ci/pre-deploy.sh && deploy
#
# In a Kubernetes Job say `backoffLimit: 0` and `restartPolicy: Never`, or a failed gate is started
# over, each time with new runs; and give `terminationGracePeriodSeconds` more than the gate's
# `cancel_grace`, so that it can cancel its runs when the Job is deleted.
set -eu

# Kamal calls the same hook on the way back, and a rollback must wait for nothing.
if [ "${KAMAL_COMMAND:-}" = rollback ]; then
    echo 'rungate: a rollback is not gated' >&2
    exit 0
fi

# exec: the signal that stops a hook goes to this process, and the gate has to hear it.
exec rungate run "$@"
