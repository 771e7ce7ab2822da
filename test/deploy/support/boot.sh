#!/bin/bash
# Runs inside the booted machine of systemd-boot.test.ts, as an administrator would work, and notes what happened: one file
# a fact under /facts. A step that fails does not end it, so that the test can say everything that is wrong at once.
mkdir -p /facts

# note NAME COMMAND...: what a command prints, and its exit code in NAME.code.
note() {
  local name=$1
  shift
  "$@" >"/facts/$name" 2>&1 </dev/null
  echo $? >"/facts/$name.code"
}

# ready PORT: waits until a service is ready, for half a minute at most.
ready() {
  for _ in $(seq 150); do
    curl -sf "http://127.0.0.1:$1/readyz" && return 0
    sleep 0.2
  done
  systemctl status --no-pager --full 'hit-*'
  return 1
}

key() {
  install -d -m 0700 "/etc/$1"
  (umask 077 && head -c 32 /dev/urandom >"/etc/$1/key-file")
  install -d -m 0700 /var/lib/private
  install -d -m 0700 "/var/lib/private/$1"
}

systemctl daemon-reload
note without-key systemctl start hit-gateway
systemctl reset-failed hit-gateway

key hit-gateway
cat >/var/lib/private/hit-gateway/gateway.yaml <<'END'
federation: voorbeeldstad
listen: 127.0.0.1:8460
keyFile: ${CREDENTIALS_DIRECTORY}/key-file
END
note gateway-init hit-run hit-gateway init
note gateway-start systemctl start hit-gateway
note gateway-ready ready 8460
hit-run hit-gateway agency add wijkteam --name Wijkteam --kind other >/root/token 2>/dev/null </dev/null

key hit-agent
cat >/var/lib/private/hit-agent/agent.yaml <<'END'
listen: 127.0.0.1:8461
keyFile: ${CREDENTIALS_DIRECTORY}/key-file
registers:
  - id: clienten
    name: Cliënten
    areaOfLife: zorg
    tokenTypes: [bsn]
    contact: { name: Bureaudienst, telephone: 024 000 00 00 }
END
note agent-init hit-run hit-agent init
note agent-enrol bash -c 'hit-run hit-agent enrol --gateway http://127.0.0.1:8460 --token-file - </root/token'
printf 'bsn\n999990019\n' >/root/clients.csv
install -m 0644 /root/clients.csv /var/lib/private/hit-agent/clients.csv
note agent-import hit-run hit-agent import /var/lib/hit-agent/clients.csv --register clienten
note agent-start systemctl start hit-agent
note agent-ready ready 8461

for service in hit-gateway hit-agent; do
  pid=$(systemctl show -P MainPID $service)
  cp "/proc/$pid/status" "/facts/$service.process"
  # What the service sees of the disk: its own view of what is mounted, read-only or not.
  note $service.mounts grep -E ' (/|/etc|/usr|/tmp|/opt/hitmachine|/var/lib/private/hit-[a-z]*) ' "/proc/$pid/mountinfo"
done

# A crash: it is started again, and finds its files as they were.
kill -KILL "$(systemctl show -P MainPID hit-agent)"
sleep 1
note agent-again ready 8461

note stop systemctl stop hit-agent hit-gateway
note results systemctl show hit-agent hit-gateway -P Result
note journal journalctl --no-pager -o cat -u hit-agent -u hit-gateway

# The reason for the one restriction that is left out.
mkdir -p /run/systemd/system/hit-agent.service.d
printf '[Service]\nMemoryDenyWriteExecute=yes\n' >/run/systemd/system/hit-agent.service.d/memory.conf
systemctl daemon-reload
note memory hit-run hit-agent --version

# A passphrase in the place of the key file, by a drop-in, as the operator's guide says.
(umask 077 && echo 'a passphrase of some length' >/etc/hit-agent/passphrase)
rm /etc/hit-agent/key-file
printf '[Service]\nLoadCredential=\nLoadCredential=passphrase:/etc/hit-agent/passphrase\n' \
  >/run/systemd/system/hit-agent.service.d/memory.conf
systemctl daemon-reload
rm -r /var/lib/private/hit-agent/*
echo 'passphraseFile: ${CREDENTIALS_DIRECTORY}/passphrase' >/var/lib/private/hit-agent/agent.yaml
note passphrase hit-run hit-agent init
touch /facts/done
