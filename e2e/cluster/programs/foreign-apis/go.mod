// Not a program: the versions of whose CustomResourceDefinitions are read (foreign-apis.ts), and in go.sum their content.
// gateway-api 1.7 wants Go 1.27. `go mod tidy` would empty this file, since nothing here imports them.
module webapp-operator.io/e2e/cluster/programs/foreign-apis

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api v1.6.3
)
