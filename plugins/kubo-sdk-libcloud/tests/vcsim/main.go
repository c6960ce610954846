// A vCenter in memory, with one virtual machine that serves as template: vcsim ADDRESS CERTIFICATE KEY.
// The library is VMware's own (govmomi), from Debian's package golang-github-vmware-govmomi-dev.
package main

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"os"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	model := simulator.VPX()
	model.Machine = 1
	if err := model.Create(); err != nil {
		panic(err)
	}
	identity, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
	if err != nil {
		panic(err)
	}
	model.Service.Listen = &url.URL{Scheme: "https", Host: os.Args[1], User: url.UserPassword("user", "pass")}
	model.Service.TLS = &tls.Config{Certificates: []tls.Certificate{identity}}
	fmt.Println(model.Service.NewServer().URL.Host)
	select {}
}
