#!/usr/bin/env bash
# A schema registry's health: whether it lists its subjects. Its image has no client of HTTP.
set -euo pipefail
exec 3<>/dev/tcp/127.0.0.1/8080
printf 'GET /apis/ccompat/v7/subjects HTTP/1.0\r\n\r\n' >&3
read -r status <&3
echo "$status"
[[ $status == *' 200 '* ]]
