package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ucwa-conform/ucwa-conform/ucwa/ucwatest"
)

// placeFlags say where the reference server is, and what it is called: those that `conform
// serve` and `conform client` share.
type placeFlags struct {
	listen                       string
	hosts                        []string
	poolHost, userHost, homeHost string
	plain                        *bool

	port string // that is listened on, once it is
}

func (f *placeFlags) add(cmd *cobra.Command, server *serverFlags, listen string) {
	f.plain = &server.plain
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", listen, "address and port, 0 for a free one; other machines reach only an address that is not loopback")
	flags.StringArrayVar(&f.hosts, "host", nil, "another name of the server, as in lyncdiscover.contoso.com; can be repeated; clients begin at the first")
	flags.StringVar(&f.poolHost, "pool-host", "", "name of the pool, to which Autodiscover leads by whatever name it is asked, and which alone has applications then; with a port if it is not that of --listen")
	flags.StringVar(&f.userHost, "user-host", "", "name of the host of the user resource, if it is not the pool; the pool takes no token of it")
	flags.StringVar(&f.homeHost, "home-host", "", "name of another pool, on which the users are homed: the user resource sends them on to its Autodiscover root")
	for _, name := range []string{"listen", "host", "pool-host", "user-host", "home-host"} {
		complete(cmd, name, func() []string { return nil })
	}
}

// isHostName is no package variable, so that other commands need not wait for it.
func isHostName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`).MatchString(name)
}

func isPort(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 0 && n <= 65535
}

func (f *placeFlags) consistent(cmd *cobra.Command) error {
	for _, name := range []string{"listen", "pool-host", "user-host", "home-host"} {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			return usage("--%s is empty: give it a value, or leave it out", name)
		}
	}
	if _, port, err := net.SplitHostPort(f.listen); err != nil || !isPort(port) {
		return usage("--listen %q: expected an address and a port, as in 127.0.0.1:8443", f.listen)
	}
	for _, name := range f.names() {
		if !isHostName(name) {
			return usage("%q is no host name: expected one like lyncdiscover.contoso.com", name)
		}
	}
	given := []struct{ name, host string }{{"pool-host", f.poolHost}, {"user-host", f.userHost}, {"home-host", f.homeHost}}
	for _, flag := range given {
		if _, port, err := net.SplitHostPort(flag.host); err == nil && !isPort(port) {
			return usage("--%s %q: expected a name, perhaps with a port", flag.name, flag.host)
		}
	}
	for a, flag := range given {
		for _, other := range given[a+1:] {
			if flag.host != "" && strings.EqualFold(f.placed(flag.host), f.placed(other.host)) {
				return usage("--%s and --%s are the same host, %s: each is a host of its own", flag.name, other.name, flag.host)
			}
		}
	}
	if f.poolHost == "" && (f.userHost != "" || f.homeHost != "") {
		return usage("--user-host and --home-host are besides a pool: name it by --pool-host")
	}
	return nil
}

// placed is a host with its port, as far as it is known before it is listened on.
func (f *placeFlags) placed(host string) string {
	if _, _, err := net.SplitHostPort(host); host == "" || err == nil {
		return host
	}
	_, port, _ := net.SplitHostPort(f.listen)
	return net.JoinHostPort(host, port)
}

// withoutPort is the name of a host that may have a port.
func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// names are those that were given.
func (f *placeFlags) names() []string {
	names := slices.Clone(f.hosts)
	for _, host := range []string{f.poolHost, f.userHost, f.homeHost} {
		if host != "" {
			names = append(names, withoutPort(host))
		}
	}
	return names
}

// certified are the names that a certificate must have.
func (f *placeFlags) certified() []string {
	names := append([]string{"localhost", "127.0.0.1", "::1"}, f.names()...)
	if address, everywhere := f.address(); !everywhere {
		names = append(names, address)
	} else if name := machineName(); name != "" {
		names = append(names, name)
	}
	return names
}

// machineName is what this machine calls itself, if others may call it so.
func machineName() string {
	name, err := os.Hostname()
	if err != nil || !isHostName(name) || name == "localhost" {
		return ""
	}
	return name
}

// address is what is listened on, and whether that is every address of this machine.
func (f *placeFlags) address() (address string, everywhere bool) {
	address, _, _ = net.SplitHostPort(f.listen)
	ip := net.ParseIP(address)
	return address, address == "" || ip != nil && ip.IsUnspecified()
}

// open listens on the address, and where that is 127.0.0.1 on ::1 too: localhost is either.
// It returns by which name this machine reaches the server.
func (f *placeFlags) open() (listeners []net.Listener, name string, err error) {
	first, err := net.Listen("tcp", f.listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: another program listens there; choose another port, or 0 for a free one", err)
	}
	if err != nil {
		return nil, "", err
	}
	_, f.port, _ = net.SplitHostPort(first.Addr().String())
	listeners = append(listeners, first)
	address, everywhere := f.address()
	if everywhere || address == "localhost" {
		return listeners, "localhost", nil
	}
	if address != "127.0.0.1" {
		return listeners, address, nil
	}
	second, err := net.Listen("tcp", net.JoinHostPort("::1", f.port))
	switch {
	case err == nil:
		listeners = append(listeners, second)
	case errors.Is(err, syscall.EADDRINUSE): // by another, to whom localhost could lead
		return listeners, address, nil
	}
	return listeners, "localhost", nil // where there is no IPv6, that is 127.0.0.1 to all that try both
}

// server gives the server its names. The documented topology is the default, as far as one
// machine has it: localhost is an alias of Autodiscover, which leads to the pool, 127.0.0.1.
// Who asks by any other name finds all at that.
func (f *placeFlags) server(config *ucwatest.Config) {
	config.SignIn = &ucwatest.SignIn{}
	config.Host = f.first("localhost")
	if f.poolHost == "" {
		if address, everywhere := f.address(); everywhere || address == "127.0.0.1" || address == "localhost" {
			config.SignIn.Aliases = map[string]string{"localhost": "127.0.0.1"}
		}
		return
	}
	config.Host = withoutPort(f.poolHost)
	config.SignIn.Pool = f.origin(f.poolHost)
	config.SignIn.Users = config.SignIn.Pool
	if f.userHost != "" {
		config.SignIn.Users = f.origin(f.userHost)
	}
	if f.homeHost != "" {
		config.SignIn.Home = f.origin(f.homeHost)
	}
}

// origin is that of a host, at the port that is listened on if it names none.
func (f *placeFlags) origin(host string) string {
	scheme, usual := "https", "443"
	if *f.plain {
		scheme, usual = "http", "80"
	}
	if host == withoutPort(host) {
		host = strings.TrimSuffix(net.JoinHostPort(host, f.port), ":"+usual)
	}
	return scheme + "://" + host
}

// first is the name by which clients begin: the first that was given, or else the one by
// which this machine reaches the server.
func (f *placeFlags) first(name string) string {
	if len(f.hosts) > 0 {
		return f.hosts[0]
	}
	return name
}

// begin is the Autodiscover root at a name.
func (f *placeFlags) begin(name string) string {
	return f.origin(name) + "/Autodiscover/AutodiscoverService.svc/root"
}
