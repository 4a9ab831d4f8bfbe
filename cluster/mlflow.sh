#!/usr/bin/env bash
# The cluster's MLflow server: bash cluster/mlflow.sh start|stop, on the head.
#
# It listens on the head's own address alone, answers under that address and, for an SSH tunnel,
# under localhost (MLFLOW_SERVER_ALLOWED_HOSTS adds names), and serves the artifacts too.
# MLFLOW_BACKEND_STORE_URI: the database, by default an SQLite file.
# ~/.mlflow/credentials: where it is there, its user has to log in; MLflow's clients read it too.
set -euo pipefail

. ~/sweeps-cluster/env.sh
folder=~/sweeps-cluster/mlflow
port=${MLFLOW_TRACKING_URI##*:}  # that which env.sh tells every shell
umask 077
mkdir -p "$folder"
cd "$folder"

stop() {
  local pid
  pid=$(cat pid 2>/dev/null || true)
  if [ -n "$pid" ] && grep -qs mlflow "/proc/$pid/cmdline"; then
    kill -- "-$pid"
    for _ in $(seq 100); do
      kill -0 -- "-$pid" 2>/dev/null || break
      sleep 0.1
    done
    kill -KILL -- "-$pid" 2>/dev/null || true
  fi
  rm -f pid
}

credential() {
  [ ! -e ~/.mlflow/credentials ] || sed -n "s/^ *mlflow_tracking_$1 *[=:] *//p" ~/.mlflow/credentials
}

start() {
  stop
  export MLFLOW_BACKEND_STORE_URI=${MLFLOW_BACKEND_STORE_URI:-sqlite:///$folder/mlflow.db}
  export MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false MLFLOW_DISABLE_TELEMETRY=true
  unset MLFLOW_TRACKING_URI
  local hosts="$NODE_ADDRESS:$port,localhost:$port,127.0.0.1:$port"
  hosts+=${MLFLOW_SERVER_ALLOWED_HOSTS:+,$MLFLOW_SERVER_ALLOWED_HOSTS}
  local flags=(--host "$NODE_ADDRESS" --port "$port" --workers 2 --allowed-hosts "$hosts")
  flags+=(--artifacts-destination "$folder/artifacts")

  local user
  user=$(credential username)
  if [ -n "$user" ]; then
    MLFLOW_AUTH_ADMIN_PASSWORD=$(credential password)
    [ -s secret ] || python -c 'import secrets; print(secrets.token_hex())' >secret
    MLFLOW_FLASK_SERVER_SECRET_KEY=$(cat secret)
    export MLFLOW_AUTH_ADMIN_PASSWORD MLFLOW_FLASK_SERVER_SECRET_KEY
    export MLFLOW_AUTH_CONFIG_PATH=$folder/auth.ini
    # The time to live: checking a password costs a tenth of a second.
    cat >auth.ini <<EOF
[mlflow]
default_permission = READ
database_uri = sqlite:///$folder/users.db
admin_username = $user
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
auth_cache_ttl_seconds = 60
EOF
    flags+=(--app-name basic-auth)
  fi

  # The leader of a session of its own: it outlives this shell, and is ended with its workers.
  setsid python -m mlflow server "${flags[@]}" >>server.log 2>&1 </dev/null &
  echo $! >pid
  local pid=$!
  for _ in $(seq 600); do
    if python -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' \
      "http://$NODE_ADDRESS:$port/health" 2>/dev/null; then
      echo "MLflow at http://$NODE_ADDRESS:$port${user:+, login $user}"
      return
    fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
  done
  echo "error: the MLflow server does not start; $folder/server.log ends with" >&2
  tail -n 5 server.log >&2
  stop
  exit 1
}

case ${1:-} in
start) start ;;
stop) stop ;;
*)
  echo "error: needs start or stop, got ${1:-nothing}" >&2
  exit 2
  ;;
esac
