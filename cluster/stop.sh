#!/usr/bin/env bash
# Ends everything that `ray up` started, run on the head before `ray down`, which alone would leave
# Ray running on the workers and MLflow on the head. Records stay in ~/sweeps-cluster/mlflow.
set -euo pipefail

. ~/sweeps-cluster/env.sh
ray stop >/dev/null # the head first: its autoscaler would start the workers' Ray again
bash "$(dirname "${BASH_SOURCE[0]}")/mlflow.sh" stop

# `ray up` left its settings, as JSON, and the key.
readarray -t hosts < <(python -c '
import json, sys
settings = json.load(open(sys.argv[1]))
print(settings["auth"]["ssh_user"], *settings["provider"]["worker_ips"], sep="\n")
' ~/ray_bootstrap_config.yaml)
user=${hosts[0]}
options=(-i ~/ray_bootstrap_key.pem -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null)
options+=(-o LogLevel=ERROR -o BatchMode=yes -o ConnectTimeout=10)
declare -A stopping
for worker in "${hosts[@]:1}"; do
  ssh "${options[@]}" "$user@$worker" '. ~/sweeps-cluster/env.sh && ray stop' >/dev/null 2>&1 &
  stopping[$worker]=$!
done
left=()
for worker in "${hosts[@]:1}"; do
  wait "${stopping[$worker]}" || left+=("$worker")
done
if [ ${#left[@]} -gt 0 ]; then
  echo "error: not reached: ${left[*]}; run \`ray stop\` there when they are back" >&2
  exit 1
fi
echo "stopped: Ray on the head and $((${#hosts[@]} - 1)) workers, MLflow"
