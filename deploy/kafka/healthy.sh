#!/usr/bin/env bash
# A broker's health: whether its coordinators of groups and of transactions answer. A broker takes connections before
# it can commit anything. Asked in Kafka's own protocol, since a JVM each few seconds would cost more than the answer.
set -euo pipefail
client=plumbline-healthy

# Sends a request (hex) and prints the first 16 bytes of the answer, size included (hex).
ask() {
  exec 3<>"/dev/tcp/127.0.0.1/${1}"
  printf "$(printf '%08x%s' $((${#2} / 2)) "$2" | sed 's/../\\x&/g')" >&3
  head -c 16 <&3 | od -An -v -tx1 | tr -d ' \n'
  exec 3>&-
}
hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
text() { printf '%04x%s' "${#1}" "$(hex "$1")"; }
compact_text() { printf '%02x%s' $((${#1} + 1)) "$(hex "$1")"; }
header() { printf '%04x%04x00000001ffff' "$1" "$2"; } # key and version of the request, a number, no client id

port=${1:-9092}
# FindCoordinator makes the internal topics where they are missing; its error is at byte 12.
for kind in 00 01; do # of a group, of a transaction
  answer=$(ask "$port" "$(header 10 1)$(text $client)$kind")
  [ "${answer:24:4}" = 0000 ] || { echo "no coordinator of kind $kind yet (error 0x${answer:24:4})"; exit 1; }
done
# DescribeGroups: of a group that nobody knows it answers without an error once the coordinator has loaded.
answer=$(ask "$port" "$(header 15 0)00000001$(text $client)")
[ "${answer:24:4}" = 0000 ] || { echo "the groups' coordinator is not ready (error 0x${answer:24:4})"; exit 1; }
# DescribeTransactions: 105 is an id that nobody knows.
answer=$(ask "$port" "$(header 65 0)0002$(compact_text $client)00")
[ "${answer:28:4}" = 0069 ] || { echo "the transactions' coordinator is not ready (error 0x${answer:28:4})"; exit 1; }
echo ready
