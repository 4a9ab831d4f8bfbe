#!/usr/bin/env bash
# A sweep on the nodes of a Slurm job: sbatch docs/slurm.sh, in the project's folder. Not run by the
# project's tests, which have no Slurm; they check that it is a shell script and that its flags exist.
#
# The folder and ./venv (python3.11 -m venv venv; venv/bin/pip install -e .) are on a file system
# that all nodes see. MLFLOW_TRACKING_URI names a server: SQLite does not work on such file systems.
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
set -euo pipefail

: "${MLFLOW_TRACKING_URI:?needs the address of an MLflow server, such as http://host:5000}"
. venv/bin/activate

# Other users of these nodes can reach Ray's ports: only who has the token is answered.
umask 077
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$PWD/.ray-token-$SLURM_JOB_ID
python -c 'import secrets; print(secrets.token_hex(32), end="")' >"$RAY_AUTH_TOKEN_PATH"
trap 'rm -f "$RAY_AUTH_TOKEN_PATH"' EXIT

head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1) # this script runs there
address=$(srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | cut -d' ' -f1)
size=(--num-cpus="$SLURM_CPUS_PER_TASK" --num-gpus="${SLURM_GPUS_ON_NODE:-0}")

srun --overlap --nodes=1 --ntasks=1 --nodelist="$head" \
  ray start --head --node-ip-address="$address" --port=6379 "${size[@]}" --block &
until ray status --address="$address:6379" >/dev/null 2>&1; do sleep 1; done
workers=$((SLURM_JOB_NUM_NODES - 1))
if [ "$workers" -gt 0 ]; then
  srun --overlap --nodes="$workers" --ntasks="$workers" --exclude="$head" \
    ray start --address="$address:6379" "${size[@]}" --block &
fi

python sweeps/l2.py --num-samples 50 --address "$address:6379" \
  --expect-nodes "$SLURM_JOB_NUM_NODES"
