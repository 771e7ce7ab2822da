module hitmachine.example/log-interop

go 1.25.0

require (
	github.com/transparency-dev/formats v0.1.1
	// Not below v0.40.0: earlier ones do not look at every tile (CVE-2026-56865), and the tests see it.
	golang.org/x/mod v0.40.0
)

require (
	filippo.io/mldsa v0.0.0-20260215214346-43d0283efc3e // indirect
	golang.org/x/crypto v0.52.0 // indirect
)
