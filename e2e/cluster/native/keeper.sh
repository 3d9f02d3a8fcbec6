#!/bin/sh
# Outside of everything, in a session of its own: starts the holder in namespaces of its own, waits for its end, whichever way that comes,
# and removes what no namespace takes with it: cgroups and the folder.
# Arguments: folder, name of the cluster's cgroup, program and arguments of the holder.
folder=$1
cgroup=$2
shift 2
here=$(dirname "$0")
# Process 1 of a process namespace takes all others along when it ends. It is killed when unshare is, and unshare when this script is.
setpriv --pdeathsig KILL unshare --mount --net --uts --ipc --pid --fork --kill-child=KILL --mount-proc sh "$here/cluster.sh" "$folder" "$@"
# The kernel empties cgroups a moment after the last process is gone.
tries=100
while [ "$tries" -gt 0 ]; do
  find /sys/fs/cgroup -depth -type d -path "*/$cgroup*" -exec rmdir {} + 2>/dev/null
  left=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$cgroup*" | head -n 1)
  [ -z "$left" ] && break
  sleep 0.05
  tries=$((tries - 1))
done
rm -rf -- "$folder"
