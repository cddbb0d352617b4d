//go:build programs

// Package programs pins Helm in a module of its own: it is built on newer Kubernetes libraries than the cluster.
package programs

import _ "helm.sh/helm/v4/cmd/helm"
