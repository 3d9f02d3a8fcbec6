#!/bin/sh
# Holds the pids of a cluster's processes and ends them when the process that started them is gone, whichever way it went
# (kill -9 closes its pipes too); then removes the cluster's folder. Told on stdin: `+ PID`, `- PID`. Given the folder.
pids=
while read -r sign pid; do
  rest=
  for one in $pids; do [ "$one" = "$pid" ] || rest="$rest $one"; done
  if [ "$sign" = + ]; then pids="$rest $pid"; else pids=$rest; fi
done
# shellcheck disable=SC2086
[ -n "$pids" ] && kill -KILL $pids 2>/dev/null
# A process that still dies may still write: the folder is removed after it, or after two seconds (where nobody reaps it).
tries=40
for one in $pids; do
  while kill -0 "$one" 2>/dev/null && [ "$tries" -gt 0 ]; do
    sleep 0.05
    tries=$((tries - 1))
  done
done
rm -rf -- "$1"
