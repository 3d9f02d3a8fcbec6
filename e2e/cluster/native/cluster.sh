# Process 1 of the cluster: makes the network that joins the nodes, starts the holder and ends with it. Waiting, it reaps whatever
# loses its parent (the shims of containers do).
# Arguments: folder, program and arguments of the holder.
set -e
folder=$1
shift
hostname webapp
mount --make-rshared /
mount -t tmpfs tmpfs /run
ip link set lo up
ip link add nodes type bridge
ip address add 10.90.0.1/24 dev nodes
ip link set nodes up
echo 1 >/proc/sys/net/ipv4/ip_forward
# The kubelet writes these, and they are the whole machine's: it finds them as it wants them here, and leaves them alone.
# https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/kubelet/cm/container_manager_linux.go (setupKernelTunables)
tunable() {
  [ -e "/proc/sys/$1" ] || return 0
  echo "$2" >"$folder/tunables/$(basename "$1")"
  mount --bind "$folder/tunables/$(basename "$1")" "/proc/sys/$1"
}
mkdir -p "$folder/tunables"
tunable vm/overcommit_memory 1
tunable vm/panic_on_oom 0
tunable kernel/panic 10
tunable kernel/panic_on_oops 1
tunable kernel/keys/root_maxkeys 1000000
tunable kernel/keys/root_maxbytes 25000000
"$@" &
wait $!
