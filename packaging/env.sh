# To be sourced by bash: the programs of this installation, wherever it lies, and its mpirun. slurm/sweep.sbatch does it.
prefix=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
for folder in "$prefix/bin" "$prefix/lib/efflux/openmpi/bin"; do
    [ ! -d "$folder" ] || PATH=$folder:$PATH
done
export PATH EFFLUX_HOME="${EFFLUX_HOME:-$prefix/share/efflux}"
# Open MPI's UCX would hook into every memory call for the sake of large messages, of which efflux sends none.
export UCX_MEM_MMAP_HOOK_MODE="${UCX_MEM_MMAP_HOOK_MODE:-none}"
unset prefix folder
