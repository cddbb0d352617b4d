//go:build programs

// Package programs names the programs of others that the bench runs, so that their versions and checksums are pinned here.
package programs

import _ "sigs.k8s.io/kwok/cmd/kwok"
