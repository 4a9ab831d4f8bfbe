#!/usr/bin/env bash
# Installs this project on a node of a cluster, with what its shells and Ray have to know.
#     bash cluster/install.sh                 on the head
#     bash cluster/install.sh HEAD_ADDRESS    on a worker
# Needs git and Python with venv (PYTHON names another one than python3.11).
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=~/sweeps-cluster
python=$folder/venv/bin/python
umask 077
mkdir -p "$folder"

# The address by which this node was reached is one by which other nodes reach it too; asking the
# routing table instead can find another network, or none.
read -r _ _ address _ <<<"${SSH_CONNECTION:-- - $(hostname -I | cut -d' ' -f1) -}"
head=${1:-$address}

# Every node runs the commit and nothing else: files of an earlier one that the copying left behind
# go, and so do changes that are not committed. What Git ignores stays.
chown -R "$(id -u):$(id -g)" "$project" # copied as root they keep their owner, whom Git distrusts
if ! git -C "$project" reset --quiet --hard || ! git -C "$project" clean -fdq; then
  echo "error: $project needs to be a clone with its .git and a first commit" >&2
  exit 1
fi
git -C "$project" --no-pager log -1 --format='installing commit %H'

[ -x "$python" ] || "${PYTHON:-python3.11}" -m venv "$folder/venv"
# The head's versions of all packages are every worker's: Ray requires it, and the numbers do.
versions=$folder/versions.txt
if [ $# -gt 0 ] && [ -s "$versions" ]; then
  "$python" -m pip install --quiet -e "$project[cluster]" -c "$versions"
else
  "$python" -m pip install --quiet -e "$project[cluster]"
  "$python" -m pip freeze --exclude-editable >"$versions"
fi

cat >"$folder/env.sh" <<EOF
export PATH="$folder/venv/bin:\$PATH"
export NODE_ADDRESS=$address
export RAY_AUTH_MODE=token             # the token is in ~/.ray/auth_token
export RAY_USAGE_STATS_ENABLED=0
EOF
if [ $# -eq 0 ]; then
  cat >>"$folder/env.sh" <<EOF
export MLFLOW_TRACKING_URI=http://$address:5000
export RAY_API_SERVER_ADDRESS=http://127.0.0.1:8265  # where \`ray job submit\` finds Ray
EOF
fi
touch ~/.bashrc
grep -qxF '. ~/sweeps-cluster/env.sh' ~/.bashrc || echo '. ~/sweeps-cluster/env.sh' >>~/.bashrc

[ ! -e ~/.ray/auth_token ] || chmod 600 ~/.ray/auth_token
[ ! -e ~/.mlflow/credentials ] || chmod 600 ~/.mlflow/credentials
echo "node $address of the cluster with head $head"
