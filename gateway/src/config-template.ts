/** What `hit-gateway init` writes as `gateway.yaml`: every setting, with what it means. */
export const configTemplate = (values: { readonly federation: string; readonly listen: string }): string => `\
# The gateway of a federation. Restart the gateway after a change, unless it says otherwise. Who may ask what, and why, stands in policy.yaml.

# Name of the federation: lower-case letters, digits and hyphens. Cannot be changed later.
federation: ${values.federation}

# Where to listen. Put a reverse proxy with TLS in front when agencies connect over a network.
listen: '${values.listen}'

# TLS by the gateway itself, without a reverse proxy before it. With clientCaFile nobody gets in who does not show a
# certificate of these authorities, browsers of auditors included. Renewed files are taken in by themselves.
# tls:
#   certFile: gateway-cert.pem
#   keyFile: gateway-key.pem
#   clientCaFile: agents-ca.pem

# What opens the key store: a file of 32 random bytes, or passphraseFile: a file that holds a passphrase.
# Paths are relative to this folder. Keep a copy apart from the backup of this folder.
keyFile: key-file

# Where agencies, quotas and the log are kept. Without this: gateway.sqlite in this folder. PostgreSQL 13 or newer,
# in a database of the gateway's own that its user owns; urlFile names a file (chmod 600) with the address:
# postgres://USER:PASSWORD@HOST:5432/DATABASE, with ?sslmode=verify-full for a server on another machine.
# Nothing is moved over from one to the other: choose before "hit-gateway agency add".
# database:
#   postgres:
#     urlFile: postgres-url

# What several gateways share when they are replicas of one, with one PostgreSQL database and the same keys: quotas, open
# lookups, and which agents are connected where. Without this the gateway is one process. urlFile names a file (chmod
# 600) with the address: redis://USER:PASSWORD@127.0.0.1:6379, or rediss:// (TLS) for a server on another machine; of a
# cluster some of its servers, one a line. Servers of the gateway's own, with maxmemory-policy noeviction. While they are
# away lookups are refused.
# redis:
#   urlFile: redis-url
#   # Who vouches for the servers' certificates (PEM), where that is an authority of your own.
#   caFile: redis-ca.pem
#   # On how many replicas of a Redis server a claim on a quota must stand before it counts: 1 for a cluster, 0 for one
#   # server, unless told.
#   copies: 1

# Where this gateway takes the links of its other replicas, over which questions go to agents that are connected to
# another one. Only whoever has the gateway's keys gets in. Not for a network that others than the replicas are on.
# address is where the others find it; unless told, the address of this machine with the port of listen.
# replicas:
#   listen: '0.0.0.0:8461'
#   address: gateway-1.internal:8461

# Pages for the auditors of the federation, at BASE_URL/console. Without this there are none. Auditors log in at the
# federation's identity provider (OpenID Connect), which knows this gateway as a client with the redirect address
# BASE_URL/console/login/done and, after a logout, BASE_URL/console; it must send along a claim with roles.
# console:
#   baseUrl: https://gateway.example.nl
#   issuer: https://login.example.nl/realms/federation
#   clientId: hitmachine
#   # A file with the secret (chmod 600), or clientKeyFile: a private key in PEM for private_key_jwt.
#   clientSecretFile: client-secret
#   # Add scopes that the roles need. Dots lead into a claim: realm_access.roles.
#   scope: openid profile
#   roleClaim: roles
#   auditorRole: auditor
#   # After this time the provider is asked again who the reader is, and in which role.
#   sessionMinutes: 60
#   # A Logboek Dataverwerkingen that lookups can be sent to (OTLP/HTTP); headersFile: lines "Name: value".
#   processingLog:
#     endpoint: https://logboek.example.nl/v1/traces

# How the gateway is doing, for Prometheus: http://LISTEN/metrics, with /healthz and /readyz beside it. Nothing in it is
# about a person, an agency or what came out of a lookup. Unless told, for programs on this machine alone.
# metrics:
#   listen: '127.0.0.1:8469'

# How much is logged: debug, info, warn or error. Taken in at SIGHUP, without a restart.
# logLevel: info
`;
