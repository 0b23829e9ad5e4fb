#!/usr/bin/env bash
# Lets several trainers share one GPU at a time: NVIDIA's Multi-Process Service, for as long as this script runs, with
# its pipes and logs in a folder of this job's own. sweep.sbatch starts it on every node where EFFLUX_MPS=1; by hand:
#
#     export CUDA_MPS_PIPE_DIRECTORY=$TMPDIR/mps/pipe
#     slurm/mps.sh & mps=$!
#     efflux sweep jobs/demo.toml --slots 4
#     kill $mps
#
# For whole GPUs of your own alone: it cannot be shared with another user's, and not with MIG. A trainer that dies of a
# GPU fault takes the others on that GPU with it, which costs each of them the time since its last checkpoint.
set -euo pipefail

pipes=${CUDA_MPS_PIPE_DIRECTORY:?set it to a folder of your own, for trainers and this script alike}
export CUDA_MPS_LOG_DIRECTORY=${CUDA_MPS_LOG_DIRECTORY:-$(dirname "$pipes")/log}
command -v nvidia-cuda-mps-control >/dev/null || {
    echo "mps.sh: no nvidia-cuda-mps-control in PATH: it comes with the driver, and only there are GPUs to share" >&2
    exit 4
}
umask 077
mkdir -p "$pipes" "$CUDA_MPS_LOG_DIRECTORY"

nvidia-cuda-mps-control -f &
daemon=$!
# It ends its server when it is asked to; one that does not listen is ended all the same.
# shellcheck disable=SC2329 # a trap calls it
stop() {
    echo quit | timeout 10 nvidia-cuda-mps-control >/dev/null 2>&1 || kill "$daemon" 2>/dev/null || true
}
trap stop TERM INT
status=0
wait "$daemon" || status=$?
# A trap that ran ended the wait early.
wait "$daemon" 2>/dev/null || true
rm -rf "$pipes"
exit "$status"
