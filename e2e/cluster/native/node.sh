# The place of one node: its own network, joined to the others', and its own /run and writable places under /var. Says "ready" and stays:
# what shall run on the node is started into its namespaces.
# Arguments: folder of the node, its number, and for each other node: address and pod range.
set -e
folder=$1
number=$2
shift 2
mount --make-rshared /
mount -t tmpfs tmpfs /run
# Paths that programs have fixed (/var/lib/kubelet/device-plugins, /var/log/containers): the machine's own stay as they are.
for place in lib log; do
  mkdir -p "$folder/$place" "$folder/$place.work"
  mount -t overlay overlay -o "lowerdir=/var/$place,upperdir=$folder/$place,workdir=$folder/$place.work" "/var/$place"
done
ip link set lo up
ip link add eth0 type veth peer name "node-$number" netns 1
nsenter --target 1 --net ip link set "node-$number" master nodes up
ip address add "10.90.0.1$number/24" dev eth0
ip link set eth0 up
ip route add default via 10.90.0.1
while [ $# -gt 0 ]; do
  ip route add "$2" via "$1"
  shift 2
done
nsenter --target 1 --net ip route add "10.244.$number.0/24" via "10.90.0.1$number"
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
echo ready
exec sleep infinity
